import type { GatewayError } from '../../errors/gateway-error.js';

/** Failures in a row after which a deployment is left alone. */
const FAILURES_TO_OPEN = 5;
/** Milliseconds that it is left alone the first time, and at most; each failed probe doubles it. */
const FIRST_OPEN = 30_000;
const LONGEST_OPEN = 300_000;
/** Weight of the newest time to first byte in the average. */
const SMOOTHING = 0.2;
/** Milliseconds of a bucket of the recent rates, and how many are kept: five minutes. */
const BUCKET = 10_000;
const BUCKETS = 30;

export type BreakerState = 'closed' | 'open' | 'half_open';

/** What other processes should know of a deployment. `until` is in epoch milliseconds, `openFor` a length in milliseconds. */
export type HealthNews =
  | { readonly kind: 'open'; readonly until: number; readonly openFor: number }
  | { readonly kind: 'wait'; readonly until: number }
  | { readonly kind: 'closed' };

interface Bucket {
  readonly start: number;
  succeeded: number;
  failed: number;
}

/**
 * What this process knows of one deployment: how it has answered lately, and whether it may be called now. Times are those
 * of a monotonic clock in milliseconds.
 */
export class DeploymentHealth {
  /** Calls under way. */
  inFlight = 0;
  /** Average time to first byte in milliseconds; undefined before the first answer. */
  firstByte: number | undefined;
  /** Average length of a whole call in milliseconds; undefined before the first has ended. */
  callTime: number | undefined;
  /** Code of the last failure. */
  lastError: string | undefined;
  private failuresInARow = 0;
  private openUntil = 0;
  private openFor = 0;
  private isProbing = false;
  private waitUntil = 0;
  private buckets: Bucket[] = [];

  constructor(
    private readonly now: () => number = () => performance.now(),
    private readonly tell: (news: HealthNews) => void = () => undefined,
  ) {}

  /** Takes over what another process found out. The longer pause holds. */
  learn(news: HealthNews): void {
    if (news.kind === 'closed') {
      this.close();
      return;
    }
    // Clocks of machines differ, and what they say must not hold longer than anything may.
    const left = Math.min(LONGEST_OPEN, news.until - Date.now());
    if (left <= 0) return;
    const until = this.now() + left;
    if (news.kind === 'wait') this.waitUntil = Math.max(this.waitUntil, until);
    else if (until > this.openUntil || this.openFor === 0) {
      this.openUntil = until;
      this.openFor = Math.min(LONGEST_OPEN, Math.max(FIRST_OPEN, news.openFor));
    }
  }

  get breaker(): BreakerState {
    if (this.openFor === 0) return 'closed';
    return this.now() < this.openUntil ? 'open' : 'half_open';
  }

  /** Whether a call may be made: not while the breaker is open, and one probe at a time when it is half open. */
  get admits(): boolean {
    const { breaker } = this;
    return breaker === 'closed' || (breaker === 'half_open' && !this.isProbing);
  }

  /** Milliseconds until the upstream wants to be asked again, by its own Retry-After; 0 when it may be asked now. */
  get wait(): number {
    return Math.max(0, this.waitUntil - this.now());
  }

  /** Milliseconds until the breaker lets a probe through; 0 when it does not hold. */
  get opensIn(): number {
    return this.breaker === 'open' ? this.openUntil - this.now() : 0;
  }

  begin(): void {
    this.inFlight += 1;
    if (this.breaker === 'half_open') this.isProbing = true;
  }

  /** The call gave its first byte after so many milliseconds. */
  answered(firstByte: number): void {
    this.firstByte = smoothed(this.firstByte, firstByte);
    if (this.openFor !== 0) this.tell({ kind: 'closed' });
    this.close();
    this.bucket().succeeded += 1;
  }

  /** The call failed in a way that is the deployment's fault. */
  failed(error: GatewayError): void {
    this.isProbing = false;
    this.lastError = error.code ?? String(error.status);
    this.bucket().failed += 1;
    if (error.retryAfterMs !== undefined) {
      const wait = Math.min(LONGEST_OPEN, error.retryAfterMs);
      // All that were under way come back with the same; it is news once.
      if (this.now() + wait > this.waitUntil + wait / 2) this.tell({ kind: 'wait', until: Date.now() + wait });
      this.waitUntil = Math.max(this.waitUntil, this.now() + wait);
    }
    // A provider that says when to come back is alive; its own pause is what holds.
    if (error.status === 429) return;
    this.failuresInARow += 1;
    const { breaker } = this;
    if (breaker === 'half_open') this.open(Math.min(LONGEST_OPEN, this.openFor * 2));
    else if (breaker === 'closed' && this.failuresInARow >= FAILURES_TO_OPEN) this.open(FIRST_OPEN);
  }

  /** The call ended without saying anything of the deployment: the client went away, or the request was at fault. */
  neither(): void {
    this.isProbing = false;
  }

  /** The call has ended after so many milliseconds, one way or another. */
  end(held: number): void {
    this.inFlight -= 1;
    this.callTime = smoothed(this.callTime, held);
  }

  /** How calls ended in the last five minutes. */
  recent(): { succeeded: number; failed: number } {
    this.bucket();
    return this.buckets.reduce(
      (sum, { succeeded, failed }) => ({ succeeded: sum.succeeded + succeeded, failed: sum.failed + failed }),
      { succeeded: 0, failed: 0 },
    );
  }

  private open(milliseconds: number): void {
    this.openFor = milliseconds;
    this.openUntil = this.now() + milliseconds;
    this.tell({ kind: 'open', until: Date.now() + milliseconds, openFor: milliseconds });
  }

  private close(): void {
    this.failuresInARow = 0;
    this.openFor = 0;
    this.isProbing = false;
  }

  private bucket(): Bucket {
    const now = this.now();
    const last = this.buckets.at(-1);
    if (last !== undefined && now - last.start < BUCKET) return last;
    const fresh = { start: now, succeeded: 0, failed: 0 };
    this.buckets = [...this.buckets.filter(({ start }) => now - start < BUCKET * BUCKETS), fresh];
    return fresh;
  }
}

function smoothed(average: number | undefined, latest: number): number {
  return average === undefined ? latest : average + (latest - average) * SMOOTHING;
}
