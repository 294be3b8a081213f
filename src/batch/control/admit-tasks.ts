import { NO_COST, type NanoDollars } from '../../runtime/nano-dollars.js';
import { beyondCost, unpriced } from './cost-refusals.js';
import type { Hold } from './job-options.js';
import type { LineSize } from './line-sizes.js';
import type { RateWindow } from './minute-rate.js';

/** Whether a claimed task may start: now, later, in its order, or never. */
export type Verdict = 'start' | 'wait' | { readonly error: string };

/** A claimed task with its size. */
export interface SizedLine extends LineSize {
  readonly taskIndex: number;
  /** The model that it is for. */
  readonly lane: string;
}

/** What is left of the limits of a job. Costs are nano-dollars. */
export interface JobRoom {
  /** Epoch milliseconds. */
  readonly now: number;
  readonly maxCost: NanoDollars | undefined;
  /** What the job has cost so far. */
  readonly spent: number;
  /** The most that the running tasks of all workers can cost. */
  readonly reserved: number;
  /** How many further tasks this worker may hold; Infinity without a limit. */
  readonly places: number;
  readonly rate: RateWindow | undefined;
}

/** The verdict on each task, in their order, and what they take. */
export interface Admission {
  readonly verdicts: readonly Verdict[];
  /** The tasks that may start, with the most that each can cost. */
  readonly admitted: readonly { readonly taskIndex: number; readonly most: NanoDollars }[];
  /** Whether a task found no place, or nothing left of `max_cost_usd` while other tasks run, or none is left for the next. */
  readonly isFull: boolean;
  /** What the rate makes the next task wait for. */
  readonly hold: Hold | undefined;
}

/**
 * Decides on claimed tasks of a job with limits, in their order: after the first that has to wait, all wait, but for those that can
 * never run. Counts the starts in the rate.
 */
export function admitTasks(lines: readonly SizedLine[], room: JobRoom): Admission {
  const { now, maxCost, spent, places, rate } = room;
  const verdicts: Verdict[] = [];
  const admitted: { taskIndex: number; most: NanoDollars }[] = [];
  let { reserved } = room;
  let isFull = false;
  let hold: Hold | undefined;
  for (const { taskIndex, lane, tokens, mostCost } of lines) {
    const most = mostCost ?? NO_COST;
    if (maxCost !== undefined && mostCost === null) verdicts.push({ error: unpriced(lane) });
    else if (maxCost !== undefined && spent + most > maxCost)
      verdicts.push({ error: beyondCost(maxCost, spent, most) });
    else if (isFull || hold !== undefined) verdicts.push('wait');
    else if (admitted.length >= places || (maxCost !== undefined && spent + reserved + most > maxCost)) {
      // It is the next to run; this process does not claim it before there may be room.
      isFull = true;
      verdicts.push('wait');
    } else {
      hold = rateHold(rate?.take(now, tokens), now);
      verdicts.push(hold === undefined ? 'start' : 'wait');
      if (hold !== undefined) continue;
      reserved += most;
      admitted.push({ taskIndex, most });
    }
  }
  hold ??= rateHold(rate?.wait(now, 1), now);
  return { verdicts, admitted, isFull: isFull || admitted.length >= places, hold };
}

/** @param wait milliseconds until the rate lets the next task start */
function rateHold(wait: number | undefined, now: number): Hold | undefined {
  return wait === undefined || wait <= 0 ? undefined : { until: now + wait, reason: 'rate' };
}
