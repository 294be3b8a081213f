import { InjectQueue } from '@nestjs/bull';
import { Injectable, Logger } from '@nestjs/common';
import type { Queue } from 'bull';
import { describeError } from '../../errors/describe-error.js';
import { BatchQueue } from './batch-queue.js';

export const BATCH_QUEUE_NAME = 'batch';
export const WAKE_UP = 'ring';

/** The data of the job in Redis that wakes workers. */
export interface WakeUp {
  readonly jobId: string;
}

/**
 * Wakes workers in other processes over Redis. Bull is in maintenance mode: its jobs may run twice after a lost lock, or vanish
 * with Redis, and neither matters for wake-ups.
 */
@Injectable()
export class BullBatchQueue extends BatchQueue {
  private readonly logger = new Logger('BatchQueue');
  private isDown = false;
  private wake: (() => void) | undefined;

  constructor(@InjectQueue(BATCH_QUEUE_NAME) private readonly queue: Queue<WakeUp>) {
    super();
    queue.on('error', (error) => {
      if (queue.client.status === 'ready') {
        // Redis is reachable: it responded with an error, or another connection of this process is reconnecting.
        this.logger.debug({ msg: 'an error of the queue', error: describeError(error) });
        return;
      }
      if (this.isDown) return;
      this.isDown = true;
      this.logger.warn({
        msg: 'Redis is not reachable; workers poll for batches',
        error: describeError(error),
      });
    });
    queue.client.on('ready', () => {
      if (this.isDown) this.logger.log('Redis is reachable again');
      this.isDown = false;
    });
  }

  notify(jobId: string): void {
    this.wake?.();
    // Bull's add() would wait while Redis is unreachable; a late wake-up is useless.
    if (this.queue.client.status !== 'ready') return;
    // Jobs are removed at once: Bull ignores an id that it still retains, and grows without bound otherwise.
    this.queue
      .add(WAKE_UP, { jobId }, { attempts: 1, removeOnComplete: true, removeOnFail: true })
      .catch((error: unknown) => this.logger.debug({ msg: 'a wake-up was lost', error: describeError(error) }));
  }

  onWakeup(wake: () => void): void {
    this.wake = wake;
  }

  /** A wake-up from another process. */
  received(): void {
    this.wake?.();
  }
}
