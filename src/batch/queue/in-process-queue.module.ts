import { Module } from '@nestjs/common';
import { BatchQueue } from './batch-queue.js';
import { InProcessBatchQueue } from './in-process-batch-queue.js';

@Module({ providers: [{ provide: BatchQueue, useClass: InProcessBatchQueue }], exports: [BatchQueue] })
export class InProcessQueueModule {}
