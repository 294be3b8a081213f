import { Process, Processor } from '@nestjs/bull';
import { BATCH_QUEUE_NAME, BullBatchQueue, RING } from './bull-batch-queue.js';

/** Ends as soon as the worker is awake, so that Bull's lock on the job, whose renewal may fail, never matters. */
@Processor(BATCH_QUEUE_NAME)
export class BatchProcessor {
  constructor(private readonly queue: BullBatchQueue) {}

  @Process(RING)
  handle(): void {
    this.queue.received();
  }
}
