import { GatewayError } from '../../errors/gateway-error.js';
import { isClosedSocket } from '../../providers/transport/transport-error.js';
import type { ProbeResult } from './deployment-health.js';

/** Longest and shortest time between two tests, in milliseconds. Between them it is a tenth of the outage so far. */
const MIN_INTERVAL_MS = 1_000;
const MAX_INTERVAL_MS = 30_000;
/**
 * Longest that failed tests keep clients' requests from being trials, in milliseconds: where a test of the provider has succeeded
 * before, and where it may fail although requests succeed.
 */
const PROVEN_HOLD_MS = 60_000;
const UNPROVEN_HOLD_MS = 9_000;
/** Longest that a test takes, in milliseconds. */
export const PROBE_TIMEOUT_MS = 5_000;

/** How a deployment is tested: by the provider's list of models, or by a chat request for one token. */
export type ProbeKind = 'models' | 'request';

/** What follows from a test. */
export type ProbeStep =
  /** The test does not notice this outage. */
  | { readonly kind: 'stop' }
  /** The next call is a trial. */
  | { readonly kind: 'trial' }
  /** The deployment is well. */
  | { readonly kind: 'close' }
  /** Tested again after `afterMs`. Until `holdMs` have passed no trial is made. */
  | { readonly kind: 'again'; readonly afterMs: number; readonly holdMs: number };

/**
 * The tests of one deployment from the opening of its breaker on. A test that succeeds while requests fail does not notice the outage: only when one
 * has failed does a later success mean that the deployment is well again. Times are those of a monotonic clock in milliseconds.
 */
export class ProbeRun {
  /** Whether a test has failed. */
  sawFailure = false;

  constructor(
    private readonly kind: ProbeKind,
    private readonly openedAt: number,
    /** Whether a test of the provider has succeeded before. */
    private readonly isProven = false,
  ) {}

  /** Milliseconds until the next test. */
  interval(now: number): number {
    return Math.min(MAX_INTERVAL_MS, Math.max(MIN_INTERVAL_MS, (now - this.openedAt) / 10));
  }

  next(result: ProbeResult, now: number): ProbeStep {
    if (result === 'unwell') {
      this.sawFailure = true;
      const afterMs = this.interval(now);
      const left = (this.isProven ? PROVEN_HOLD_MS : UNPROVEN_HOLD_MS) - (now - this.openedAt);
      return { kind: 'again', afterMs, holdMs: Math.max(0, Math.min(left, afterMs + PROBE_TIMEOUT_MS)) };
    }
    if (this.kind === 'models') return { kind: this.sawFailure ? 'trial' : 'stop' };
    if (result === 'unknown') return { kind: this.sawFailure ? 'trial' : 'stop' };
    return { kind: this.sawFailure ? 'close' : 'trial' };
  }
}

/** The result of a failed test: `unwell` without a response, or with one of a server that fails. */
export function probeResultOf(error: unknown): ProbeResult {
  if (!(error instanceof GatewayError)) {
    const isLate = typeof error === 'object' && error !== null && 'name' in error && error.name === 'TimeoutError';
    return isLate ? 'unwell' : 'unknown';
  }
  const { isConnectionFault, code, cause, upstream } = error;
  const isSilent = isConnectionFault || code === 'upstream_timeout' || isClosedSocket(cause);
  return isSilent || (upstream?.status ?? 0) >= 500 ? 'unwell' : 'unknown';
}
