import { Injectable, OnApplicationBootstrap } from '@nestjs/common';
import { GatewayConfig } from '../config/gateway-config.js';
import { BatchRunner } from './batch-runner.js';
import { FileBatchWorker } from './file-batches/file-batch-worker.js';
import { OutputWorker } from './output/output-worker.js';
import { PartRunner } from './native/part-runner.js';
import { BatchSweeper } from './batch-sweeper.js';

/** Starts and stops the batch work of this process: everything, unless its role is `api`. */
@Injectable()
export class BatchWorker implements OnApplicationBootstrap {
  constructor(
    private readonly runner: BatchRunner,
    private readonly sweeper: BatchSweeper,
    private readonly fileBatches: FileBatchWorker,
    private readonly parts: PartRunner,
    private readonly outputs: OutputWorker,
    private readonly config: GatewayConfig,
  ) {}

  onApplicationBootstrap(): void {
    // Sweeping is cheap and idempotent, so an API process does it too: webhooks and cancellations need no worker.
    this.sweeper.start();
    this.fileBatches.start();
    if (this.config.role === 'api') return;
    this.runner.start();
    this.parts.start(this.runner.worker);
    this.outputs.start();
  }

  /** Ends within 25 s; unfinished tasks are requeued, so that others can claim them at once. */
  async stop(): Promise<void> {
    // Deliveries in flight end on their own; meanwhile the runner requeues its tasks.
    void this.sweeper.stop();
    await this.parts.stop();
    await Promise.all([this.runner.stop(), this.fileBatches.stop(), this.outputs.stop()]);
  }
}
