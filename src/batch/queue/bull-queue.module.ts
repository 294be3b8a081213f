import { BullModule } from '@nestjs/bull';
import { DynamicModule, Module } from '@nestjs/common';
import { connectRedis } from '../../redis/connect-redis.js';
import { BatchProcessor } from './batch.processor.js';
import { BatchQueue } from './batch-queue.js';
import { BATCH_QUEUE_NAME, BullBatchQueue } from './bull-batch-queue.js';
import { RedisMetrics } from './redis-metrics.js';

/** Longest delay between two attempts to connect to Redis, in milliseconds. */
const MAX_RETRY_DELAY_MS = 2_000;

/** Wake-ups over Redis. A separate module, so that Bull is not loaded where there is no Redis. */
@Module({})
export class BullQueueModule {
  /** @param isWorker whether this process also receives wake-ups */
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
              retryStrategy: (times) => Math.min(times * 100, MAX_RETRY_DELAY_MS),
              maxRetriesPerRequest: null,
              // Bull accepts no ready check on its subscriber and blocking connections.
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
