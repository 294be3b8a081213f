import { Injectable } from '@nestjs/common';
import { BatchQueue } from './batch-queue.js';

/** The bell of a process that is its own worker. */
@Injectable()
export class InProcessBatchQueue extends BatchQueue {
  private wake: (() => void) | undefined;

  ring(_jobId: string): void {
    if (this.wake !== undefined) setImmediate(this.wake);
  }

  listen(wake: () => void): void {
    this.wake = wake;
  }
}
