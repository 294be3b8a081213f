import { GatewayError } from '../../errors/gateway-error.js';
import { tierTimes } from './tiers.js';

/** Milliseconds until a step that failed is tried again; it doubles with each failure. */
const FIRST_RETRY_MS = 1_000;
const MAX_RETRY_MS = 5 * 60_000;
/** Statuses of a provider that says that it has created nothing, and that another request will not change that. */
const REFUSED = new Set([400, 401, 402, 403, 404, 413, 415, 422]);

/** Whether the provider has certainly created nothing, and never will of this part. */
export function isRefusal(error: unknown): boolean {
  if (!(error instanceof GatewayError) || error.mayBeBilled) return false;
  const status = error.upstream === undefined ? error.status : error.upstream.status;
  return status !== undefined && REFUSED.has(status);
}

/** Failures, one after the other, after which what a provider does not know is taken for deleted: a new batch may not be known at once. */
const GONE_FAILURES = 5;

/** Whether a provider no longer has a batch, or its results. @param failures of the part's last step before this one */
export function isGone(error: unknown, failures: number): boolean {
  const status = error instanceof GatewayError ? error.upstream?.status : undefined;
  return failures >= GONE_FAILURES && (status === 404 || status === 410);
}

export function describeMessage(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Milliseconds until a part is polled again: not past the time at which it is cancelled or abandoned. */
export function pollDelay(
  job: { readonly submittedAt: number; readonly expiresAt: number },
  now: number,
  delayMs: number,
): number {
  const { nativeUntil, abandonAt } = tierTimes(job);
  return Math.min(delayMs, ...[nativeUntil, abandonAt].filter((time) => time > now).map((time) => time - now));
}

/** Milliseconds until a step is tried again. @param failures of it so far, one after the other */
export function retryDelay(failures: number, pollInterval: number): number {
  return Math.min(MAX_RETRY_MS, pollInterval, FIRST_RETRY_MS * 2 ** failures);
}
