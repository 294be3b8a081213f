import { DynamicModule, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { AuditModule } from '../audit/audit.module.js';
import { AuthModule } from '../auth/auth.module.js';
import type { GatewayConfig } from '../config/gateway-config.js';
import { LifecycleModule } from '../lifecycle/lifecycle.module.js';
import { ModelEndpointModule } from '../model-endpoint/model-endpoint.module.js';
import { PricingModule } from '../pricing/pricing.module.js';
import { RoutingModule } from '../routing/routing.module.js';
import { LimitsModule } from '../limits/limits.module.js';
import { AdminBatchesController } from './admin-batches.controller.js';
import { BatchJob } from './batch-job.entity.js';
import { AdminBatchesService } from './admin-batches.service.js';
import { BatchMetrics } from './batch-metrics.js';
import { BatchResponder } from './batch-responder.js';
import { BatchRunner } from './batch-runner.js';
import { BatchStore } from './batch-store.js';
import { QueueDepth } from './queue-depth.js';
import { BatchSweeper } from './batch-sweeper.js';
import { BatchTask } from './batch-task.entity.js';
import { BatchWorker } from './batch-worker.js';
import { BatchController } from './batch.controller.js';
import { BatchService } from './batch.service.js';
import { JobWatchers } from './events/job-watchers.js';
import { ClaimedTasks } from './claimed-tasks.js';
import { ClaimLoop } from './claim-loop.js';
import { JobControl } from './job-control.js';
import { BatchAllowances } from './control/batch-allowances.js';
import { JobGate } from './control/job-gate.js';
import { JobLimitStore } from './control/job-limit-store.js';
import { Estimates } from './control/estimates.service.js';
import { Retries } from './control/retries.service.js';
import { LineSizes } from './control/line-sizes.js';
import { NewJobOptions } from './control/new-job-options.js';
import { LanePicker } from './lane-picker.js';
import { Lanes } from './lanes.js';
import { ReadyLanes } from './ready-lanes.js';
import { JobPricings } from './native/job-pricings.js';
import { PartComposer } from './native/part-composer.js';
import { PartCosts } from './native/part-costs.js';
import { PartFormer } from './native/part-former.js';
import { PartMetrics } from './native/part-metrics.js';
import { PartRunner } from './native/part-runner.js';
import { PartSettler } from './native/part-settler.js';
import { PartStore } from './native/part-store.js';
import { PartTasks } from './native/part-tasks.js';
import { TierPlanner } from './native/tier-planner.js';
import { ModelRoom } from './model-room.js';
import { OutcomeWriter } from './outcome-writer.js';
import { OutputBuckets } from './output/output-buckets.js';
import { OutputStore } from './output/output-store.js';
import { OutputWorker } from './output/output-worker.js';
import { OutputWriter } from './output/output-writer.js';
import { InProcessQueueModule } from './queue/in-process-queue.module.js';
import { ResultReader } from './results/result-reader.js';
import { FilesModule } from '../files/files.module.js';
import { BatchFinisher } from './file-batches/batch-finisher.js';
import { BatchImporter } from './file-batches/batch-importer.js';
import { FileBatchLeases } from './file-batches/file-batch-leases.js';
import { FileBatchWorker } from './file-batches/file-batch-worker.js';
import { FileBatch } from './file-batches/file-batch.entity.js';
import { FileBatchesController } from './file-batches/file-batches.controller.js';
import { FileBatchesService } from './file-batches/file-batches.service.js';
import { ResultFiles } from './file-batches/result-files.js';
import { MessageBatchesController } from './message-batches/message-batches.controller.js';
import { MessageBatchesService } from './message-batches/message-batches.service.js';
import { SubmissionStore } from './submission/submission-store.js';
import { Submissions } from './submission/submissions.service.js';
import { WebhookModule } from '../webhooks/webhook.module.js';
import { LostClaims } from './lost-claims.js';
import { TaskCalls } from './task-calls.js';
import { TaskErrors } from './task-errors.js';
import { TaskClaims } from './task-claims.js';
import { TaskOutcomes } from './task-outcomes.js';
import { WebhookSender } from './webhook/webhook-sender.js';

@Module({})
export class BatchModule {
  /** With REDIS_URL workers are notified through Bull, otherwise inside the process. */
  static forRoot({ redisUrl, role }: GatewayConfig): DynamicModule {
    const queue =
      redisUrl === undefined
        ? InProcessQueueModule
        : import('./queue/bull-queue.module.js').then(({ BullQueueModule }) =>
            BullQueueModule.forRoot(redisUrl, role !== 'api'),
          );
    return {
      module: BatchModule,
      imports: [
        TypeOrmModule.forFeature([BatchJob, BatchTask, FileBatch]),
        AuditModule,
        AuthModule,
        FilesModule,
        LifecycleModule,
        LimitsModule,
        ModelEndpointModule,
        PricingModule,
        RoutingModule,
        WebhookModule,
        queue,
      ],
      controllers: [BatchController, AdminBatchesController, MessageBatchesController, FileBatchesController],
      providers: [
        BatchService,
        MessageBatchesService,
        FileBatchesService,
        FileBatchWorker,
        FileBatchLeases,
        BatchImporter,
        BatchFinisher,
        ResultFiles,
        AdminBatchesService,
        JobControl,
        BatchResponder,
        JobWatchers,
        ResultReader,
        BatchStore,
        QueueDepth,
        ClaimLoop,
        JobGate,
        JobLimitStore,
        LineSizes,
        NewJobOptions,
        BatchAllowances,
        Estimates,
        Retries,
        LanePicker,
        Lanes,
        LostClaims,
        ReadyLanes,
        ModelRoom,
        OutcomeWriter,
        OutputBuckets,
        OutputStore,
        OutputWorker,
        OutputWriter,
        ClaimedTasks,
        TaskCalls,
        TaskClaims,
        TaskErrors,
        TaskOutcomes,
        SubmissionStore,
        Submissions,
        BatchRunner,
        BatchSweeper,
        BatchWorker,
        JobPricings,
        PartComposer,
        PartCosts,
        PartFormer,
        PartMetrics,
        PartRunner,
        PartSettler,
        PartStore,
        PartTasks,
        TierPlanner,
        BatchMetrics,
        WebhookSender,
      ],
    };
  }
}
