import { toUnixSeconds } from '../../http/unix-seconds.js';
import type { BatchJob } from '../batch-job.entity.js';
import { DEFAULT_ENDPOINT } from '../submission/parse-task.js';
import type { FileBatch } from './file-batch.entity.js';
import type { FileBatchDto, FileBatchFaultDto, FileBatchStatus, FileBatchTopErrorDto } from './file-batches.dto.js';

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

/** @param text a number with a unit, `24h` */
export function windowSeconds(text: string): number {
  return Number(text.slice(0, -1)) * (SECONDS[text.slice(-1)] ?? Number.NaN);
}

/** A job in the form of OpenAI's Batch API. */
export function fileBatchOf(job: BatchJob, batch: FileBatch): FileBatchDto {
  const { id, taskCount, completedCount, failedCount, cancelledCount, expiredCount } = job;
  const status = statusOf(job, batch);
  const endedAs = (which: FileBatchStatus): number | null =>
    status === which ? toUnixSeconds(batch.finishedAt ?? job.completedAt) : null;
  const hasErrors = failedCount + cancelledCount + expiredCount > 0;
  return {
    id,
    object: 'batch',
    endpoint: job.endpoint ?? DEFAULT_ENDPOINT,
    errors: batch.faults === null ? null : { object: 'list', data: batch.faults as FileBatchFaultDto[] },
    input_file_id: batch.inputFileId,
    completion_window: batch.completionWindow,
    status,
    output_file_id: completedCount > 0 ? batch.outputFileId : null,
    error_file_id: hasErrors ? batch.errorFileId : null,
    created_at: toUnixSeconds(job.submittedAt),
    in_progress_at: toUnixSeconds(batch.importedAt),
    expires_at: toUnixSeconds(job.expiresAt),
    finalizing_at: batch.importedAt === null ? null : toUnixSeconds(job.completedAt),
    completed_at: endedAs('completed'),
    failed_at: endedAs('failed'),
    expired_at: endedAs('expired'),
    cancelling_at: toUnixSeconds(job.cancelRequestedAt),
    cancelled_at: endedAs('cancelled'),
    request_counts: { total: taskCount, completed: completedCount, failed: failedCount },
    metadata: job.metadata as Record<string, string> | null,
    usage: batch.usage,
    top_error: batch.topError as FileBatchTopErrorDto | null,
  };
}

function statusOf({ status, completedAt }: BatchJob, { stage }: FileBatch): FileBatchStatus {
  if (stage === 'import' || status === 'staging') return 'validating';
  if (completedAt === null) return status === 'cancelling' ? 'cancelling' : 'in_progress';
  if (stage !== 'done') return status === 'cancelled' ? 'cancelling' : 'finalizing';
  return status as 'completed' | 'failed' | 'cancelled' | 'expired';
}
