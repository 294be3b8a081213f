import { timeStateOf, type HoldReason } from '../control/job-options.js';
import type { PartJob } from './part-tasks.js';
import { tierTimes } from './tiers.js';

/** The latest moment at which a held job is looked at again, in milliseconds. */
const MAX_HOLD_MS = 86_400_000;

/** Why no part of a job may be created now. Times are milliseconds. */
export interface ClosedTime {
  /** Since the epoch. */
  readonly until: number;
  readonly reason: HoldReason;
  /** From now until it is to be looked at again. */
  readonly pollInMs: number;
}

/** Until when no part of a job may be created; undefined where one may. @param now epoch milliseconds */
export function closedTime(job: PartJob, now: number): ClosedTime | undefined {
  if (job.limits === undefined) return undefined;
  const time = timeStateOf(job.limits, now);
  if (time.mayStart) return undefined;
  const until = Math.min(time.until, now + MAX_HOLD_MS);
  return { until, reason: time.reason, pollInMs: Math.min(until, tierTimes(job).nativeUntil) - now };
}
