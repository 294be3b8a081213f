import { Injectable, OnApplicationBootstrap } from '@nestjs/common';
import { GatewayConfig } from '../config/gateway-config.js';
import { BatchRunner } from './batch-runner.js';
import { BatchSweeper } from './batch-sweeper.js';

/** Starts and stops what this process does for batches: everything, unless its role is `api`. */
@Injectable()
export class BatchWorker implements OnApplicationBootstrap {
  constructor(
    private readonly runner: BatchRunner,
    private readonly sweeper: BatchSweeper,
    private readonly config: GatewayConfig,
  ) {}

  onApplicationBootstrap(): void {
    // Sweeping is cheap and idempotent, so an API process does it too: webhooks and cancellations need no worker.
    this.sweeper.start();
    if (this.config.role !== 'api') this.runner.start();
  }

  /** Ends within 25 s; what could not be finished is given back for others to claim at once. */
  async stop(): Promise<void> {
    // A webhook that is being sent ends by itself; the runner gives its tasks back meanwhile.
    void this.sweeper.stop();
    await this.runner.stop();
  }
}
