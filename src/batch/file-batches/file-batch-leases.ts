import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { GatewayConfig } from '../../config/gateway-config.js';
import { Database } from '../../database/database.js';
import { runSql } from '../../database/sql.js';
import type { FileBatchStage } from './file-batch.entity.js';
import { newWorkerName } from '../worker-name.js';

/** Batches that one look takes up. */
const BATCHES_PER_LOOK = 10;

/** A stage of a batch that waits for a process. */
export interface WaitingStage {
  readonly jobId: string;
  readonly stage: FileBatchStage;
}

/** The stage was ended by a client, or taken over by another process. */
export class LeaseLost extends Error {
  constructor() {
    super('The lease of the batch is lost.');
    this.name = 'LeaseLost';
  }
}

/** Which process works on which stage of a batch. The database decides, by its own clock. */
@Injectable()
export class FileBatchLeases {
  private readonly worker = newWorkerName();

  constructor(
    private readonly database: Database,
    private readonly dataSource: DataSource,
    private readonly config: GatewayConfig,
  ) {}

  /** Imports to begin, and ended jobs to sum up, that no process works on. */
  async waiting(): Promise<readonly WaitingStage[]> {
    const { dialect } = this.database;
    const { rows } = await runSql<{ job_id: string; stage: FileBatchStage }>(
      this.dataSource.manager,
      dialect,
      `SELECT f.job_id, f.stage FROM file_batch f JOIN batch_job j ON j.id = f.job_id
       WHERE f.stage IN ('import', 'run') AND f.lease_until <= ${dialect.now}
         AND (f.stage = 'import' OR j.completed_at IS NOT NULL)
       ORDER BY j.submitted_at LIMIT ${BATCHES_PER_LOOK}`,
    );
    return rows.map(({ job_id: jobId, stage }) => ({ jobId, stage }));
  }

  /** @returns whether this process has the stage now */
  async take({ jobId, stage }: WaitingStage): Promise<boolean> {
    const { dialect } = this.database;
    const { affected } = await this.database.transaction((manager) =>
      runSql(
        manager,
        dialect,
        `UPDATE file_batch SET worker = $3, lease_until = ${dialect.now} + $4
         WHERE job_id = $1 AND stage = $2 AND lease_until <= ${dialect.now}`,
        [jobId, stage, this.worker, this.config.batch.lease],
      ),
    );
    return affected === 1;
  }

  /** Extends the lease, and locks its row until the transaction ends. @throws LeaseLost when this process does not have the stage any more */
  async hold(manager: EntityManager, { jobId, stage }: WaitingStage): Promise<void> {
    const { dialect } = this.database;
    const { affected } = await runSql(
      manager,
      dialect,
      `UPDATE file_batch SET lease_until = ${dialect.now} + $4 WHERE job_id = $1 AND stage = $2 AND worker = $3`,
      [jobId, stage, this.worker, this.config.batch.lease],
    );
    if (affected === 0) throw new LeaseLost();
  }

  /** Allows another process, or this one, to take the stage. @param delayMs not before */
  async release({ jobId, stage }: WaitingStage, delayMs: number): Promise<void> {
    const { dialect } = this.database;
    await this.database.transaction((manager) =>
      runSql(
        manager,
        dialect,
        `UPDATE file_batch SET worker = NULL, lease_until = ${dialect.now} + $4 WHERE job_id = $1 AND stage = $2 AND worker = $3`,
        [jobId, stage, this.worker, delayMs],
      ),
    );
  }
}
