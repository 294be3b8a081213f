import type { GatewayError } from '../errors/gateway-error.js';
import { isClosedSocket } from '../providers/transport/transport-error.js';

/** Bounds of the delay before a deployment that failed once is called again, in milliseconds. */
const MIN_PAUSE_MS = 25;
const MAX_PAUSE_MS = 75;
/** Most milliseconds beyond a `Retry-After`, so that calls that were refused together do not come back together. */
const MAX_SPREAD_MS = 250;

/** Why and when the same deployment is called again. */
export interface SamePause {
  readonly milliseconds: number;
  /** Whether the provider named the time. */
  readonly isRequested: boolean;
}

/**
 * The pause before the deployment of a model that has no other one is tried again: its `Retry-After` where that is short, and a
 * moment after a failure that is often gone by then (a 5xx, a connection closed without a response).
 *
 * @param maxWaitMs longest `Retry-After` that is waited out
 * @returns undefined where it is not tried again: it asked for a longer pause, it named none with its 429, its account has no
 *   quota left, or it was silent
 */
export function pauseBeforeSame(error: GatewayError, maxWaitMs: number): SamePause | undefined {
  if (!error.retryable || error.rejectedByGateway || error.isOutOfQuota) return undefined;
  if (error.retryAfterMs !== undefined) {
    if (error.retryAfterMs > maxWaitMs) return undefined;
    return { milliseconds: error.retryAfterMs + Math.random() * MAX_SPREAD_MS, isRequested: true };
  }
  if (error.code === 'upstream_timeout' || error.isConnectionFault || error.mayBeBilled) return undefined;
  const hasFailed = (error.upstream?.status ?? 0) >= 500 || isClosedSocket(error.cause);
  if (!hasFailed) return undefined;
  return { milliseconds: MIN_PAUSE_MS + Math.random() * (MAX_PAUSE_MS - MIN_PAUSE_MS), isRequested: false };
}
