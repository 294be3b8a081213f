import type { GatewayError } from '../../errors/gateway-error.js';
import { CircuitBreaker, type BreakerOpened, type BreakerState } from './circuit-breaker.js';
import { RequestedPauses, type PauseRequested } from './requested-pauses.js';

/** Weight of the newest time to first byte in the average. */
const SMOOTHING = 0.2;
/** Duration of a bucket of the recent rates in milliseconds, and number of buckets: five minutes. */
const BUCKET_MS = 10_000;
const BUCKETS = 30;

/** A change of a deployment's health that other processes need to know. */
export type HealthEvent = BreakerOpened | PauseRequested | { readonly kind: 'closed' };

interface Bucket {
  readonly start: number;
  succeeded: number;
  failed: number;
}

interface LastCall {
  readonly key: string;
  readonly at: number;
}

/**
 * The health of one deployment as this process knows it: its recent responses, and whether it may be called now, which may
 * differ by key. Times are those of a monotonic clock in milliseconds.
 */
export class DeploymentHealth {
  /** Calls in flight. */
  inFlight = 0;
  /** Average time to first byte in milliseconds; undefined before the first response. */
  firstByte: number | undefined;
  /** Average duration of a whole call in milliseconds; undefined before the first has ended. */
  callTime: number | undefined;
  /** Code of the last failure. */
  lastError: string | undefined;
  /** A call waited as long as the provider had asked for, and was asked to wait again. Others do not wait until it has responded. */
  wasWaitUseless = false;
  private readonly circuit: CircuitBreaker;
  private readonly pauses: RequestedPauses;
  private buckets: Bucket[] = [];
  /** The last call, and the last call of a different key. */
  private lastCall: LastCall | undefined;
  private lastOfAnother: LastCall | undefined;

  constructor(
    private readonly now: () => number = () => performance.now(),
    private readonly notify: (event: HealthEvent) => void = () => undefined,
  ) {
    this.circuit = new CircuitBreaker(now, notify);
    this.pauses = new RequestedPauses(now, notify);
  }

  /** Applies an event of another process. The longer pause applies. */
  applyPeerState(event: HealthEvent): void {
    if (event.kind === 'closed') this.circuit.close();
    else if (event.kind === 'wait') this.pauses.applyPeerState(event);
    else this.circuit.applyPeerState(event);
  }

  /** For operators: a breaker that is open for one of several keys that call the deployment counts as closed. */
  get breaker(): BreakerState {
    const { onlyKey } = this.circuit;
    return onlyKey !== undefined && this.isCalledByAnotherThan(onlyKey) ? 'closed' : this.circuit.state;
  }

  /** Whether a call of the key may be made: not while the breaker is open; one probe at a time while it is half open. */
  canCall(key: string): boolean {
    return this.circuit.canCall(key);
  }

  /** For operators: milliseconds until the provider may be called again; 0 when it may be called now. */
  get wait(): number {
    const { onlyKey } = this.pauses;
    if (onlyKey === undefined || this.isCalledByAnotherThan(onlyKey)) return this.pauses.forEveryKey;
    return this.pauses.forKey(onlyKey);
  }

  /** Milliseconds until the key may call the provider again, by its Retry-After; 0 when it may call now. */
  waitFor(key: string): number {
    return this.pauses.forKey(key);
  }

  /** Milliseconds until the breaker allows a probe; 0 when it is closed. */
  get opensIn(): number {
    return this.breaker === 'open' ? this.circuit.opensIn : 0;
  }

  begin(key: string): void {
    this.inFlight += 1;
    this.circuit.begin(key);
    if (this.lastCall !== undefined && this.lastCall.key !== key) this.lastOfAnother = this.lastCall;
    this.lastCall = { key, at: this.now() };
  }

  /** The call received its first byte after this number of milliseconds. */
  responded(firstByte: number): void {
    this.wasWaitUseless = false;
    this.firstByte = smoothed(this.firstByte, firstByte);
    if (this.circuit.succeeded()) this.notify({ kind: 'closed' });
    this.bucket().succeeded += 1;
  }

  /** A call of the key failed in a way that may be the provider's fault. */
  failed(error: GatewayError, key: string): void {
    this.lastError = error.code ?? String(error.status);
    this.bucket().failed += 1;
    if (error.retryAfterMs !== undefined) this.pauses.requested(key, error.retryAfterMs);
    // A provider that limits rates is up; the requested pause applies instead.
    if (error.status === 429) this.circuit.recordNeutral(key);
    else this.circuit.failed(key, error.isConnectionFault);
  }

  /** The call ended without evidence for or against the deployment: the client disconnected, or the request was refused. */
  recordNeutral(key: string): void {
    this.circuit.recordNeutral(key);
  }

  /** The call has ended after this number of milliseconds, successfully or not. */
  end(held: number): void {
    this.inFlight -= 1;
    this.callTime = smoothed(this.callTime, held);
  }

  /** Outcomes of the calls of the last five minutes. */
  recent(): { succeeded: number; failed: number } {
    this.bucket();
    return this.buckets.reduce(
      (sum, { succeeded, failed }) => ({ succeeded: sum.succeeded + succeeded, failed: sum.failed + failed }),
      { succeeded: 0, failed: 0 },
    );
  }

  private isCalledByAnotherThan(key: string): boolean {
    const last = this.lastCall?.key === key ? this.lastOfAnother : this.lastCall;
    return last !== undefined && this.now() - last.at < BUCKET_MS * BUCKETS;
  }

  private bucket(): Bucket {
    const now = this.now();
    const last = this.buckets.at(-1);
    if (last !== undefined && now - last.start < BUCKET_MS) return last;
    const fresh = { start: now, succeeded: 0, failed: 0 };
    this.buckets = [...this.buckets.filter(({ start }) => now - start < BUCKET_MS * BUCKETS), fresh];
    return fresh;
  }
}

function smoothed(average: number | undefined, latest: number): number {
  return average === undefined ? latest : average + (latest - average) * SMOOTHING;
}
