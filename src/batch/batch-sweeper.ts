import { Injectable, Logger } from '@nestjs/common';
import { GatewayConfig } from '../config/gateway-config.js';
import { describeError } from '../errors/describe-error.js';
import { BatchRunner } from './batch-runner.js';
import { BatchStore } from './batch-store.js';
import { TaskOutcomes } from './task-outcomes.js';
import { WebhookSender } from './webhook/webhook-sender.js';

const SWEEP = 15_000;
/** Expired leases are looked for more often, so that a crash holds tasks up for little more than their lease. */
const LEASES = 5_000;
const WEBHOOKS = 1_000;
const RETENTION = 10 * 60_000;

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
 * Mends what crashes and lost rings leave behind: leases that are over, jobs to expire or to finish cancelling, webhooks
 * that are due, jobs past their retention. Every step is idempotent, so that any number of processes may do it at once.
 */
@Injectable()
export class BatchSweeper {
  private readonly logger = new Logger('BatchSweeper');
  private timers: NodeJS.Timeout[] = [];
  private readonly busy = new Set<string>();

  constructor(
    private readonly store: BatchStore,
    private readonly outcomes: TaskOutcomes,
    private readonly runner: BatchRunner,
    private readonly webhooks: WebhookSender,
    private readonly config: GatewayConfig,
  ) {}

  start(): void {
    this.timers = [
      setInterval(() => void this.guard('sweep', () => this.sweep()), SWEEP),
      setInterval(() => void this.guard('leases', () => this.leases()), Math.min(LEASES, this.config.batch.lease / 2)),
      setInterval(() => void this.guard('webhooks', () => this.webhooks.sendDue()), WEBHOOKS),
      setInterval(() => void this.guard('retention', () => this.retention()), RETENTION),
    ];
    void this.guard('leases', () => this.leases());
    void this.guard('sweep', () => this.sweep());
  }

  stop(): void {
    for (const timer of this.timers) clearInterval(timer);
  }

  /** Ends what is to end, now. */
  async sweep(): Promise<void> {
    for (const { id, ending } of await this.store.jobsToEnd()) {
      if (ending === 'cancelled') await this.store.endTasks(id, 'cancelled', { running: 'leave', error: null });
      else if (ending === 'expired') {
        await this.store.endTasks(id, 'expired', { running: 'end', error: JSON.stringify(EXPIRED) });
      } else {
        const error = { message: 'The job could not run.', type: 'server_error', param: null, code: 'batch_failed' };
        await this.store.endTasks(id, 'failed', { running: 'end', error: JSON.stringify(error) });
      }
    }
    await this.store.deleteAbandoned();
    const recovered = await this.store.recoverStalled();
    if (recovered > 0) this.logger.log({ msg: 'jobs that waited without a lane go on', count: recovered });
    this.runner.wake();
  }

  private async leases(): Promise<void> {
    if ((await this.outcomes.requeueExpired(JSON.stringify(POISONOUS))) > 0) await this.sweep();
  }

  private async retention(): Promise<void> {
    while ((await this.store.deleteFinished(this.config.batch.retention)) === 100);
  }

  /** One run at a time, and a database that is away is told of without ending anything. */
  private async guard(name: string, work: () => Promise<void>): Promise<void> {
    if (this.busy.has(name)) return;
    this.busy.add(name);
    try {
      await work();
    } catch (error) {
      this.logger.warn({ msg: `${name} failed; trying again`, error: describeError(error) });
    } finally {
      this.busy.delete(name);
    }
  }
}
