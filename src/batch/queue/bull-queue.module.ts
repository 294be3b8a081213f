import { BullModule } from '@nestjs/bull';
import { DynamicModule, Module } from '@nestjs/common';
import { connectRedis } from '../../redis/connect-redis.js';
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
          // On a cluster all keys of a queue must be on one node.
          prefix: '{bull}',
          createClient: (type) =>
            connectRedis(redisUrl, {
              retryStrategy: (times) => Math.min(times * 100, REDIS_RETRY),
              maxRetriesPerRequest: null,
              // Bull takes no connection with a ready check for what it subscribes and blocks with.
              enableReadyCheck: type === 'client',
            }),
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
