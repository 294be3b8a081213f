import { readDollars, type NanoDollars } from '../../runtime/nano-dollars.js';
import type { MinuteRate } from './minute-rate.js';
import { parseRunWindow, windowState, type RunWindow } from './run-windows.js';

/** Why no task of a job may start for a while. */
export type HoldReason = 'not_before' | 'window' | 'rate';

/** `submitted`: as in the submission. `prefix`: prompts that begin alike run after each other. */
export const TASK_ORDERS = ['submitted', 'prefix'] as const;
export type TaskOrder = (typeof TASK_ORDERS)[number];

/** The options of a job as they were submitted and are stored; absent ones limit nothing. */
export interface JobOptions {
  readonly max_cost_usd?: number;
  readonly rate?: { readonly requests_per_minute?: number; readonly tokens_per_minute?: number };
  readonly concurrency?: number;
  /** Unix seconds. */
  readonly not_before?: number;
  readonly windows?: readonly string[];
  readonly dedupe?: boolean;
  readonly order?: TaskOrder;
  /** The id of the job some of whose tasks it repeats. */
  readonly retry_of?: string;
}

/** What the options of a job allow, ready for use. */
export interface JobLimits {
  readonly maxCost: NanoDollars | undefined;
  readonly rate: MinuteRate | undefined;
  /** Tasks of the job that run at once in all processes. */
  readonly concurrency: number | undefined;
  /** Epoch milliseconds. */
  readonly notBefore: number;
  readonly windows: readonly RunWindow[];
}

/** Tasks that one claim takes of a job whose tasks may be refused for a reason that no claim knows before. */
const MAX_UNSURE_CLAIM = 8;

/** The limits among the options of a job; undefined if there is none. */
export function limitsOf(options: JobOptions | null): JobLimits | undefined {
  if (options === null) return undefined;
  const { max_cost_usd: maxCost, rate, concurrency, not_before: notBefore, windows = [] } = options;
  const isLimited = [maxCost, rate, concurrency, notBefore].some((each) => each !== undefined) || windows.length > 0;
  if (!isLimited) return undefined;
  // They were checked when the job was submitted; this process may know fewer time zones.
  const parsed = windows.map(parseRunWindow).filter((window) => typeof window !== 'string');
  const isNeverOpen = parsed.length === 0 && windows.length > 0;
  return {
    maxCost: maxCost === undefined ? undefined : readDollars(maxCost),
    rate:
      rate === undefined
        ? undefined
        : {
            ...(rate.requests_per_minute !== undefined && { requests: rate.requests_per_minute }),
            ...(rate.tokens_per_minute !== undefined && { tokens: rate.tokens_per_minute }),
          },
    concurrency,
    notBefore: isNeverOpen ? Infinity : (notBefore ?? 0) * 1_000,
    windows: parsed,
  };
}

/** Tasks that one claim may take of a job, so that few of them have to wait again; null is any number. */
export function maxClaimOf({ maxCost, rate, concurrency }: JobLimits): number | null {
  const bounds: number[] = [];
  if (concurrency !== undefined) bounds.push(2 * concurrency);
  if (rate?.requests !== undefined) bounds.push(Math.ceil(rate.requests / 60));
  if (rate?.tokens !== undefined || maxCost !== undefined) bounds.push(MAX_UNSURE_CLAIM);
  return bounds.length === 0 ? null : Math.min(...bounds);
}

/** Until when no task may start, and until when tasks may start otherwise. Epoch milliseconds; Infinity for no end. */
export type TimeState =
  | { readonly mayStart: false; readonly until: number; readonly reason: HoldReason }
  | { readonly mayStart: true; readonly until: number };

/** What holds all tasks of a job back. */
export interface Hold {
  /** Epoch milliseconds. */
  readonly until: number;
  readonly reason: HoldReason;
}

/** The latest moment at which a held job is looked at again, in milliseconds. */
const MAX_HOLD_MS = 86_400_000;

/** How a job is held back at a moment; undefined where its tasks may start. */
export function holdOf(time: TimeState, now: number): Hold | undefined {
  if (time.mayStart) return undefined;
  return { until: Math.min(time.until, now + MAX_HOLD_MS), reason: time.reason };
}

/** Whether a job's tasks may start at a moment, by `not_before` and `windows`. */
export function timeStateOf({ notBefore, windows }: Pick<JobLimits, 'notBefore' | 'windows'>, now: number): TimeState {
  if (notBefore > now) {
    const then = windows.length === 0 ? undefined : windowState(windows, notBefore);
    if (then === undefined || then.isOpen) return { mayStart: false, until: notBefore, reason: 'not_before' };
    return { mayStart: false, until: then.changesAt ?? Infinity, reason: 'not_before' };
  }
  if (windows.length === 0) return { mayStart: true, until: Infinity };
  const { isOpen, changesAt = Infinity } = windowState(windows, now);
  return isOpen ? { mayStart: true, until: changesAt } : { mayStart: false, until: changesAt, reason: 'window' };
}
