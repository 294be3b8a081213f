import { holdOf, timeStateOf, type Hold } from '../control/job-options.js';
import type { PartJob } from './part-tasks.js';
import { tierTimes } from './tiers.js';

/** Why no part of a job may be created now. */
export interface ClosedTime extends Hold {
  /** Milliseconds from now until it is to be looked at again. */
  readonly pollInMs: number;
}

/** Until when no part of a job may be created; undefined where one may. @param now epoch milliseconds */
export function closedTime(job: PartJob, now: number): ClosedTime | undefined {
  if (job.limits === undefined) return undefined;
  const hold = holdOf(timeStateOf(job.limits, now), now);
  if (hold === undefined) return undefined;
  return { ...hold, pollInMs: Math.min(hold.until, tierTimes(job).nativeUntil) - now };
}
