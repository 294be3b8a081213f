import { Injectable, Logger } from '@nestjs/common';
import { GatewayConfig } from '../config/gateway-config.js';
import { describeError } from '../errors/describe-error.js';
import { Periodic } from '../runtime/periodic.js';
import { BatchRunner } from './batch-runner.js';
import { BatchStore } from './batch-store.js';
import { JobWatchers } from './events/job-watchers.js';
import { LostClaims } from './lost-claims.js';
import { WebhookSender } from './webhook/webhook-sender.js';

const SWEEP_MS = 15_000;
/** Expired leases are polled more often, so that a crash delays tasks by little more than their lease. */
const LEASES_MS = 5_000;
const WEBHOOKS_MS = 1_000;
const RETENTION_MS = 10 * 60_000;

const EXPIRED = {
  message: 'The job expired before this task was finished.',
  type: 'server_error',
  param: null,
  code: 'batch_expired',
};
const POISONOUS = {
  message: 'The task was given up: the processes that ran it ended again and again.',
  type: 'server_error',
  param: null,
  code: 'worker_lost',
};

/**
 * Completes what a crash or a lost wake-up leaves undone: expired leases, jobs to expire or to finish cancelling, due webhooks,
 * jobs past their retention. Every step is idempotent, so that any number of processes may run it at once.
 */
@Injectable()
export class BatchSweeper {
  private readonly logger = new Logger('BatchSweeper');
  private periodics: readonly Periodic[] = [];

  constructor(
    private readonly store: BatchStore,
    private readonly lostClaims: LostClaims,
    private readonly runner: BatchRunner,
    private readonly webhooks: WebhookSender,
    private readonly watchers: JobWatchers,
    private readonly config: GatewayConfig,
  ) {}

  start(): void {
    const leasesMs = Math.min(LEASES_MS, this.config.batch.lease / 2);
    this.periodics = [
      this.periodic('sweep', SWEEP_MS, () => this.sweep(), true),
      this.periodic('leases', leasesMs, () => this.leases(), true),
      this.periodic('webhooks', WEBHOOKS_MS, () => this.webhooks.sendDue()),
      this.periodic('retention', RETENTION_MS, () => this.retention()),
    ];
  }

  async stop(): Promise<void> {
    await Promise.all(this.periodics.map((periodic) => periodic.stop()));
  }

  /** Ends the jobs that are due, now. */
  async sweep(): Promise<void> {
    for (const { id, ending } of await this.store.jobsToEnd()) {
      if (ending === 'cancelled') await this.store.endTasks(id, 'cancelled', { running: 'leave', error: null });
      else if (ending === 'expired') {
        await this.store.endTasks(id, 'expired', { running: 'end', error: JSON.stringify(EXPIRED) });
      } else {
        const error = { message: 'The job could not run.', type: 'server_error', param: null, code: 'batch_failed' };
        await this.store.endTasks(id, 'failed', { running: 'end', error: JSON.stringify(error) });
      }
      this.watchers.changed([id]);
    }
    await this.store.deleteAbandoned();
    const recovered = await this.store.recoverStalled();
    if (recovered > 0) this.logger.log({ msg: 'jobs that waited without a lane go on', count: recovered });
    this.runner.wake();
  }

  private async leases(): Promise<void> {
    if ((await this.lostClaims.requeueExpired(JSON.stringify(POISONOUS))) > 0) await this.sweep();
  }

  private async retention(): Promise<void> {
    while ((await this.store.deleteFinished(this.config.batch.retention)) === 100);
  }

  /** An unreachable database is logged, and the next run tries again. */
  private periodic(name: string, intervalMs: number, work: () => Promise<void>, runsAtStart = false): Periodic {
    return new Periodic(work, {
      intervalMs,
      runsAtStart,
      onError: (error) => this.logger.warn({ msg: `${name} failed; trying again`, error: describeError(error) }),
    });
  }
}
