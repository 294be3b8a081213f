import { Process, Processor } from '@nestjs/bull';
import { BATCH_QUEUE_NAME, BullBatchQueue, WAKE_UP } from './bull-batch-queue.js';

/** Completes as soon as the worker is awake, so that Bull's lock on the job, whose renewal may fail, does not matter. */
@Processor(BATCH_QUEUE_NAME)
export class BatchProcessor {
  constructor(private readonly queue: BullBatchQueue) {}

  @Process(WAKE_UP)
  handle(): void {
    this.queue.received();
  }
}
