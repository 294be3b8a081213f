import { Injectable } from '@nestjs/common';
import { GatewayConfig } from '../../config/gateway-config.js';
import { Database } from '../../database/database.js';
import { StoredFile } from '../../files/stored-file.entity.js';
import type { BatchJob } from '../batch-job.entity.js';
import { FileBatch } from './file-batch.entity.js';
import { FileBatchLeases, type WaitingStage } from './file-batch-leases.js';
import { ResultFiles, type ResultKind } from './result-files.js';
import { ResultTotals } from './result-totals.js';

/**
 * Sums up a job that has ended: the sizes of its files of results, the usage of all its responses and its most frequent error. It may be
 * done more than once, with the same outcome.
 */
@Injectable()
export class BatchFinisher {
  constructor(
    private readonly database: Database,
    private readonly leases: FileBatchLeases,
    private readonly results: ResultFiles,
    private readonly config: GatewayConfig,
  ) {}

  /** @throws LeaseLost, the reason of the signal, and what the database throws: it is to be done again */
  async finish(stage: WaitingStage, job: BatchJob, batch: FileBatch, signal: AbortSignal): Promise<void> {
    const totals = new ResultTotals();
    let heldUntil = performance.now() + this.config.batch.lease / 3;
    const sizeOf = async (kind: ResultKind): Promise<number> => {
      let bytes = 0;
      for await (const chunk of this.results.read(job, kind, totals)) {
        bytes += chunk.length;
        signal.throwIfAborted();
        if (performance.now() < heldUntil) continue;
        heldUntil = performance.now() + this.config.batch.lease / 3;
        await this.database.transaction((manager) => this.leases.hold(manager, stage));
      }
      return bytes;
    };
    const sizes = [
      [batch.outputFileId, await sizeOf('output')],
      [batch.errorFileId, await sizeOf('error')],
    ] as const;
    const now = Date.now();
    const { retention } = this.config.batch;
    const expiryMs = Math.min(retention, (batch.outputExpirySeconds ?? Infinity) * 1_000);
    await this.database.transaction(async (manager) => {
      await this.leases.hold(manager, stage);
      for (const [id, bytes] of sizes) {
        if (bytes === 0) await manager.delete(StoredFile, { id });
        else await manager.update(StoredFile, { id }, { bytes, createdAt: now, expiresAt: now + expiryMs });
      }
      await manager.update(
        FileBatch,
        { jobId: job.id },
        { stage: 'done', usage: totals.usage, topError: totals.topError, finishedAt: now },
      );
    });
  }
}
