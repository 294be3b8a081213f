import { boundNanoDollars, toDollars } from '../../runtime/nano-dollars.js';
import type { BatchJob } from '../batch-job.entity.js';
import type { JobControlDto, WaitReason } from './job-control.dto.js';
import { limitsOf, timeStateOf } from './job-options.js';

/** The member `control` of a job's status; nothing for a job without options that its key has not paused. */
export function controlOf(job: BatchJob, now = Date.now()): { control?: JobControlDto } {
  const { options, pausedAt, pauseSource } = job;
  if (options === null && pauseSource !== 'key') return {};
  const wait = waitOf(job, now);
  const maxCost = options?.max_cost_usd ?? null;
  return {
    control: {
      max_cost_usd: maxCost,
      spent_usd: maxCost === null ? null : toDollars(boundNanoDollars(job.spentNanos)),
      cost_refused_count: job.costRefusedCount,
      rate: options?.rate ?? null,
      concurrency: options?.concurrency ?? null,
      not_before: options?.not_before ?? null,
      windows: options?.windows === undefined ? null : [...options.windows],
      dedupe: options?.dedupe ?? false,
      order: options?.order ?? 'submitted',
      retry_of: options?.retry_of ?? null,
      paused_by: pausedAt === null ? null : (pauseSource ?? 'operator'),
      waiting_for: wait?.reason ?? null,
      waiting_until: wait === undefined || !Number.isFinite(wait.until) ? null : Math.ceil(wait.until / 1_000),
    },
  };
}

function waitOf(
  { status, pausedAt, options, heldUntil, holdReason }: BatchJob,
  now: number,
): { reason: WaitReason; until: number } | undefined {
  if (status !== 'queued' && status !== 'in_progress') return undefined;
  if (pausedAt !== null) return { reason: 'paused', until: Infinity };
  const limits = limitsOf(options);
  const time = limits === undefined ? undefined : timeStateOf(limits, now);
  if (time?.mayStart === false) return { reason: time.reason, until: time.until };
  if (holdReason === 'rate' && heldUntil !== null && heldUntil > now) return { reason: 'rate', until: heldUntil };
  return undefined;
}
