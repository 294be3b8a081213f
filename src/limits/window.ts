import type { Full, Window } from './limit-store.js';

/** A window lasts a minute. The count is raised before it is judged, so the limiter itself never refuses. */
export const WINDOW_OPTIONS = { keyPrefix: 'gateway:rate', points: Number.MAX_SAFE_INTEGER, duration: 60 };

/**
 * Whether points just added to a window may stay. A request larger than the whole window is admitted when the window was empty;
 * otherwise it would never be admitted.
 */
export function judge(
  { consumedPoints, msBeforeNext }: { consumedPoints: number; msBeforeNext: number },
  limit: number,
  points: number,
): Window | Full {
  const remaining = limit - consumedPoints;
  if (remaining >= 0 || (points > limit && consumedPoints === points)) {
    return { remaining: Math.max(0, remaining), endsAt: Date.now() + msBeforeNext };
  }
  return { retryAfterMs: Math.max(1, msBeforeNext) };
}
