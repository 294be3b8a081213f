import type { Request } from 'express';
import type { BatchJob } from '../batch-job.entity.js';
import type { MessageBatchDto, ProcessingStatus } from './message-batches.dto.js';

/** A host name or address, with a port or without. Other texts are not repeated in a URL. */
const HOST = /^(?:[\w.-]+|\[[\da-fA-F:.]+\])(?::\d{1,5})?$/;

/** A job in the form of Anthropic's Message Batches. @param request through which the client reached the gateway */
export function messageBatchOf(job: BatchJob, request: Pick<Request, 'get' | 'protocol'>): MessageBatchDto {
  const { id, taskCount, completedCount, failedCount, cancelledCount, expiredCount } = job;
  return {
    id,
    type: 'message_batch',
    processing_status: statusOf(job),
    request_counts: {
      processing: taskCount - completedCount - failedCount - cancelledCount - expiredCount,
      succeeded: completedCount,
      errored: failedCount,
      canceled: cancelledCount,
      expired: expiredCount,
    },
    ended_at: timeOf(job.completedAt),
    created_at: new Date(job.submittedAt).toISOString(),
    expires_at: new Date(job.expiresAt).toISOString(),
    cancel_initiated_at: timeOf(job.cancelRequestedAt),
    archived_at: null,
    results_url: job.completedAt === null ? null : `${originOf(request)}/v1/messages/batches/${id}/results`,
  };
}

/**
 * The origin by which the client reached the gateway, behind a proxy too if that passes on the host and sets `x-forwarded-proto`; empty
 * where the host is no host. Clients of Anthropic resolve a URL without an origin against their own base URL.
 */
function originOf(request: Pick<Request, 'get' | 'protocol'>): string {
  const host = request.get('host') ?? '';
  if (!HOST.test(host)) return '';
  const [forwarded = ''] = (request.get('x-forwarded-proto') ?? '').split(',');
  const isTls = request.protocol === 'https' || forwarded.trim().toLowerCase() === 'https';
  return `${isTls ? 'https' : 'http'}://${host}`;
}

function statusOf({ completedAt, status }: BatchJob): ProcessingStatus {
  if (completedAt !== null) return 'ended';
  return status === 'cancelling' ? 'canceling' : 'in_progress';
}

function timeOf(milliseconds: number | null): string | null {
  return milliseconds === null ? null : new Date(milliseconds).toISOString();
}
