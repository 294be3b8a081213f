import type { GatewayError } from '../errors/gateway-error.js';
import { retryDelay } from './retry-delay.js';
import type { TaskOutcome } from './task-outcomes.js';

/** Milliseconds until a task is tried again that the gateway itself could not run, where it is not known how long to wait. */
const REFUSED_DELAY_MS = 1_000;

/** The fields of an outcome that a failure decides. `attempts` is absent where the failure does not count as an attempt. */
export type FailureOutcome =
  | (Pick<TaskOutcome, 'delayMs'> & { readonly status: 'queued'; readonly attempts?: number })
  | (Pick<TaskOutcome, 'attempts'> & { readonly status: 'failed' });

/**
 * The outcome of a task whose call has failed.
 *
 * @param attempts calls of a provider that had ended before
 * @param maxAttempts attempts after which a task is not tried again
 * @param random from 0 up to 1
 */
export function outcomeOfFailure(
  error: GatewayError,
  attempts: number,
  maxAttempts: number,
  random: () => number = Math.random,
): FailureOutcome {
  // The gateway's database cannot be reached. No provider was called.
  if (error.code === 'database_unavailable') return { status: 'queued', delayMs: REFUSED_DELAY_MS };
  if (error.rejectedByGateway) {
    // Spread out; otherwise all that were refused together would retry together.
    return { status: 'queued', delayMs: (error.retryAfterMs ?? REFUSED_DELAY_MS) * (0.5 + random()) };
  }
  const ended = attempts + 1;
  const mayRetry =
    error.retryable || (error.status === 429 && error.code !== 'insufficient_quota') || error.status === 503;
  if (mayRetry && ended < maxAttempts) {
    return { status: 'queued', attempts: ended, delayMs: retryDelay(ended, error.retryAfterMs, random) };
  }
  return { status: 'failed', attempts: ended };
}
