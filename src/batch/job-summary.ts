import { toUnixSeconds } from '../http/unix-seconds.js';
import type { BatchJob, JobStatus } from './batch-job.entity.js';
import { controlOf } from './control/job-control-state.js';
import { outputOf } from './output/job-output.js';
import { DEFAULT_ENDPOINT } from './submission/parse-task.js';
import type { BatchSubmittedDto, BatchSummaryDto } from './batch.dto.js';

const NANOS_PER_DOLLAR = 1e9;

/** The response to the submission of a job. */
export function submittedOf({ id, status, submittedAt, taskCount }: BatchJob): BatchSubmittedDto {
  return {
    job_id: id,
    status: status as JobStatus,
    submitted_at: toUnixSeconds(submittedAt),
    task_count: taskCount,
  };
}

/** A job as its key sees it, without its results. */
export function summaryOf(job: BatchJob): BatchSummaryDto {
  return {
    ...submittedOf(job),
    model: job.model,
    endpoint: job.endpoint ?? DEFAULT_ENDPOINT,
    started_at: toUnixSeconds(job.startedAt),
    completed_at: toUnixSeconds(job.completedAt),
    expires_at: toUnixSeconds(job.expiresAt),
    paused_at: toUnixSeconds(job.pausedAt),
    completed_count: job.completedCount,
    failed_count: job.failedCount,
    cancelled_count: job.cancelledCount,
    expired_count: job.expiredCount,
    pricing: job.pricing ?? 'live',
    cost: job.costNanos / NANOS_PER_DOLLAR,
    list_cost: job.listCostNanos / NANOS_PER_DOLLAR,
    saved: (job.listCostNanos - job.costNanos) / NANOS_PER_DOLLAR,
    priority: job.priority,
    batch_metadata: job.metadata as Record<string, unknown> | null,
    error: job.error,
    ...controlOf(job),
    ...outputOf(job),
  };
}
