import { createHash } from 'node:crypto';

/** How the price of a job is chosen against the time that it may take. */
export const JOB_PRICINGS = ['live', 'flex', 'native', 'cheapest'] as const;
export type JobPricing = (typeof JOB_PRICINGS)[number];

/** How a task is run, from the cheapest to the fastest. */
export type Tier = 'native' | 'flex' | 'live';
const ORDER: readonly Tier[] = ['native', 'flex', 'live'];

/** Part of a job's time that is kept for tasks that a provider's batch did not finish, and its most in milliseconds. */
const RESERVE_SHARE = 0.25;
const MAX_RESERVE_MS = 2 * 60 * 60_000;

/** Until when each tier may be used, in epoch milliseconds. */
export interface TierTimes {
  /** Then parts at providers are cancelled. */
  readonly nativeUntil: number;
  /** Then tasks go on whose part has not ended although it was cancelled. */
  readonly abandonAt: number;
  /** Then tasks run at the list price. */
  readonly flexUntil: number;
}

/** The times of a job: the rest of its time is enough for each tier after the one before. */
export function tierTimes({ submittedAt, expiresAt }: { submittedAt: number; expiresAt: number }): TierTimes {
  const reserve = Math.min(MAX_RESERVE_MS, (expiresAt - submittedAt) * RESERVE_SHARE);
  return {
    nativeUntil: expiresAt - reserve,
    abandonAt: expiresAt - reserve * 0.75,
    flexUntil: expiresAt - reserve * 0.5,
  };
}

/** What decides the tier of a task. */
export interface TierChoice {
  readonly pricing: JobPricing;
  /** The first tier that is left: one that has failed is not tried again. */
  readonly from: Tier;
  readonly times: TierTimes;
  /** Epoch milliseconds. */
  readonly now: number;
  readonly hasNative: boolean;
  readonly hasFlex: boolean;
}

/** The cheapest tier that is left for a task and that there is time for. */
export function tierOf({ pricing, from, times, now, hasNative, hasFlex }: TierChoice): Tier {
  const start = ORDER.indexOf(from);
  const isLeft = (tier: Tier): boolean => start <= ORDER.indexOf(tier);
  const asksForNative = pricing === 'native' || pricing === 'cheapest';
  if (asksForNative && hasNative && isLeft('native') && now < times.nativeUntil) return 'native';
  if (pricing !== 'live' && hasFlex && isLeft('flex') && now < times.flexUntil) return 'flex';
  return 'live';
}

/** Statuses by which a provider says that it has no capacity in its flex tier: OpenAI's and Groq's. */
const NO_CAPACITY = new Set([408, 429, 498, 503]);
const MIN_FLEX_DELAY_MS = 500;
const MAX_FLEX_DELAY_MS = 60_000;
/** Part of the time since the submission after which the flex tier is tried again. */
const FLEX_DELAY_SHARE = 0.1;

/** Whether a call of the flex tier may succeed there later, at the same price. */
export function isFlexUnavailable({
  status,
  rejectedByGateway,
  isOutOfQuota,
}: {
  readonly status: number;
  readonly rejectedByGateway?: boolean;
  readonly isOutOfQuota?: boolean;
}): boolean {
  return rejectedByGateway !== true && isOutOfQuota !== true && NO_CAPACITY.has(status);
}

/** Milliseconds until the flex tier is tried again: the longer the job has waited, the longer, but never past the time for it. */
export function flexDelay(
  job: { readonly submittedAt: number; readonly expiresAt: number },
  now: number,
  random: () => number = Math.random,
): number {
  const wanted = (now - job.submittedAt) * FLEX_DELAY_SHARE * (0.5 + random());
  const left = Math.max(0, tierTimes(job).flexUntil - now);
  return Math.min(Math.max(MIN_FLEX_DELAY_MS, Math.min(MAX_FLEX_DELAY_MS, wanted)), left);
}

const NATIVE_PREFIX = '~native:';
const FLEX_PREFIX = '~flex:';
const LIVE_PREFIX = '~live:';
/** Characters of the name of a lane. */
const MAX_LANE_CHARACTERS = 256;

/** The lane of tasks that wait for a part at a deployment; one for each endpoint. */
export function nativeLane(deploymentId: string, operation: string, dialect: string | null): string {
  const hash = createHash('sha256').update(JSON.stringify([deploymentId, operation, dialect]));
  return `${NATIVE_PREFIX}${hash.digest('hex').slice(0, 32)}`;
}

/** Whether the tasks of a lane wait for a part. */
export function isNativeLane(lane: string): boolean {
  return lane.startsWith(NATIVE_PREFIX);
}

/** The lane of tasks of a model whose tiers before this one are over. */
export function laneFrom(tier: 'flex' | 'live', model: string): string {
  const lane = `${tier === 'flex' ? FLEX_PREFIX : LIVE_PREFIX}${model}`;
  // A name that is too long for the column has no room for a tier: its tasks begin again, and the deadline ends that.
  return lane.length > MAX_LANE_CHARACTERS ? model : lane;
}

/** The first tier that is left for the tasks of a lane. */
export function tierOfLane(lane: string): Tier {
  if (lane.startsWith(FLEX_PREFIX)) return 'flex';
  return lane.startsWith(LIVE_PREFIX) ? 'live' : 'native';
}

/** The model of a lane; of a lane for parts, which has several, its own name. */
export function modelOfLane(lane: string): string {
  for (const prefix of [FLEX_PREFIX, LIVE_PREFIX]) if (lane.startsWith(prefix)) return lane.slice(prefix.length);
  return lane;
}

const ID_SEPARATOR = '-';

/** The name of a line in a part, which any provider takes: letters, digits, `_` and `-`, 64 at most. */
export function lineId(partId: string, taskIndex: number): string {
  return `${partId}${ID_SEPARATOR}${taskIndex}`;
}

/** The index of the task of a line; undefined for a line of another part. */
export function taskIndexOf(partId: string, customId: string): number | undefined {
  const prefix = `${partId}${ID_SEPARATOR}`;
  const digits = customId.startsWith(prefix) ? customId.slice(prefix.length) : '';
  return /^\d{1,10}$/.test(digits) ? Number(digits) : undefined;
}
