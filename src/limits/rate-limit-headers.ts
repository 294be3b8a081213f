import { durationText } from './duration-text.js';
import type { Full } from './limit-store.js';
import type { Taken } from './rate-windows.js';

/** The points that a call has taken of windows, one window for each account with such a limit. */
interface TakenWindows {
  readonly requests: readonly Taken[];
  readonly tokens: readonly Taken[];
}

/**
 * `x-ratelimit-{limit,remaining,reset}-{requests,tokens}` of an admitted call, as OpenAI has them: of several limits the one
 * that is closest to being reached.
 */
export function rateLimitHeaders({ requests, tokens }: TakenWindows): Record<string, string> {
  const headers: Record<string, string> = {};
  addNearest(headers, 'requests', requests);
  addNearest(headers, 'tokens', tokens);
  return headers;
}

function addNearest(headers: Record<string, string>, kind: 'requests' | 'tokens', taken: readonly Taken[]): void {
  let nearest = taken[0];
  if (nearest === undefined) return;
  for (const each of taken) if (each.remaining < nearest.remaining) nearest = each;
  addRateHeaders(headers, kind, nearest.limit, nearest.remaining, nearest.endsAt - Date.now());
}

/** The same headers for a full window. */
export function fullWindowHeaders(
  kind: 'requests' | 'tokens',
  limit: number,
  { retryAfterMs }: Full,
): Record<string, string> {
  const headers: Record<string, string> = {};
  addRateHeaders(headers, kind, limit, 0, retryAfterMs);
  return headers;
}

function addRateHeaders(
  headers: Record<string, string>,
  kind: string,
  limit: number,
  remaining: number,
  reset: number,
): void {
  headers[`x-ratelimit-limit-${kind}`] = String(limit);
  headers[`x-ratelimit-remaining-${kind}`] = String(remaining);
  headers[`x-ratelimit-reset-${kind}`] = durationText(reset);
}
