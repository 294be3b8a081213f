import type { Full, Window } from './limit-store.js';

/** A window lasts a minute. A count is raised first and judged then, so the limiter itself never refuses. */
export const WINDOW_OPTIONS = { keyPrefix: 'gateway:rate', points: Number.MAX_SAFE_INTEGER, duration: 60 };

/**
 * Whether points that a window was just raised by may stay taken. What is larger than the whole window passes when the window was
 * empty, or it would never pass.
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
  return { retryAfter: Math.max(1, msBeforeNext) };
}
