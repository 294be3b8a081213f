import { InjectQueue } from '@nestjs/bull';
import { Injectable, Logger } from '@nestjs/common';
import type { Queue } from 'bull';
import { describeError } from '../../errors/describe-error.js';
import { BatchQueue } from './batch-queue.js';

export const BATCH_QUEUE_NAME = 'batch';
export const RING = 'ring';

export interface Ring {
  readonly jobId: string;
}

/**
 * The bell over Redis, for workers in other processes. Bull is in maintenance mode and is asked for nothing that it does
 * badly: its jobs may run twice after a lost lock, or vanish with Redis, and neither matters to a bell.
 */
@Injectable()
export class BullBatchQueue extends BatchQueue {
  private readonly logger = new Logger('BatchQueue');
  private isDown = false;
  private wake: (() => void) | undefined;

  constructor(@InjectQueue(BATCH_QUEUE_NAME) private readonly queue: Queue<Ring>) {
    super();
    queue.on('error', (error) => {
      if (queue.client.status === 'ready') {
        // Redis is there: one of its answers was an error, or another connection of this process is being made anew.
        this.logger.debug({ msg: 'an error of the queue', error: describeError(error) });
        return;
      }
      if (this.isDown) return;
      this.isDown = true;
      this.logger.warn({
        msg: 'Redis is not reachable; workers look for batches by themselves',
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
    // Bull's add() would wait for as long as Redis is away; a ring that comes late is worth nothing.
    if (this.queue.client.status !== 'ready') return;
    // Nothing of a ring is kept: Bull ignores a retained id that is added again, and grows without bound otherwise.
    this.queue
      .add(RING, { jobId }, { attempts: 1, removeOnComplete: true, removeOnFail: true })
      .catch((error: unknown) => this.logger.debug({ msg: 'a ring was lost', error: describeError(error) }));
  }

  onWakeup(wake: () => void): void {
    this.wake = wake;
  }

  /** A ring from another process. */
  received(): void {
    this.wake?.();
  }
}
