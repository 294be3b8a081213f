import { BullModule } from '@nestjs/bull';
import { DynamicModule, Module } from '@nestjs/common';
import { BatchProcessor } from './batch.processor.js';
import { BatchQueue } from './batch-queue.js';
import { BATCH_QUEUE_NAME, BullBatchQueue } from './bull-batch-queue.js';
import { RedisMetrics } from './redis-metrics.js';

/** Longest wait between two tries to reach Redis, in milliseconds. */
const REDIS_RETRY = 2_000;

/** The bell over Redis. A module of its own, so that nothing of Bull is loaded where there is no Redis. */
@Module({})
export class BullQueueModule {
  /** @param isWorker whether this process also hears the bell */
  static forRoot(redisUrl: string, isWorker: boolean): DynamicModule {
    return {
      module: BullQueueModule,
      imports: [
        BullModule.registerQueue({
          name: BATCH_QUEUE_NAME,
          url: redisUrl,
          // On a cluster all keys of a queue must be on one node.
          prefix: '{bull}',
          redis: { retryStrategy: (times) => Math.min(times * 100, REDIS_RETRY), maxRetriesPerRequest: null },
        }),
      ],
      providers: [
        BullBatchQueue,
        RedisMetrics,
        { provide: BatchQueue, useExisting: BullBatchQueue },
        ...(isWorker ? [BatchProcessor] : []),
      ],
      exports: [BatchQueue],
    };
  }
}
