import type { IncomingHttpHeaders } from 'node:http';
import { DEFAULT_HEALTH, type HealthSettings } from '../../config/settings/health.js';
import type { GatewayError } from '../../errors/gateway-error.js';
import { CircuitBreaker, type BreakerOpened, type BreakerState } from './circuit-breaker.js';
import { ProviderLimits, type LimitReached } from './provider-limits.js';
import { QuotaPause, type QuotaSpent } from './quota-pause.js';
import { RECENT_MS, RecentCalls, type CallCounts } from './recent-calls.js';
import { RequestedPauses, type PauseRequested } from './requested-pauses.js';
import { SlowStart } from './slow-start.js';

/** Weight of the newest time to first byte in the average. */
const SMOOTHING = 0.2;

/** A change of a deployment's health that other processes need to know. */
export type HealthEvent = BreakerOpened | PauseRequested | QuotaSpent | LimitReached | { readonly kind: 'closed' };

/** What a background test of a deployment has found. `unknown`: it responds, but the test does not show whether chat works. */
export type ProbeResult = 'well' | 'unwell' | 'unknown';

/** What health depends on besides calls. */
export interface HealthOptions {
  readonly now?: () => number;
  readonly notify?: (event: HealthEvent) => void;
  readonly settings?: () => HealthSettings;
  /** A number in [0, 1), like Math.random. */
  readonly random?: () => number;
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
  /** Outcomes of background tests, by what they found. */
  readonly probes: Record<ProbeResult, number> = { well: 0, unwell: 0, unknown: 0 };
  readonly calls: RecentCalls;
  readonly limits: ProviderLimits;
  readonly slowStart: SlowStart;
  readonly circuit: CircuitBreaker;
  private readonly quota: QuotaPause;
  private readonly pauses: RequestedPauses;
  private readonly now: () => number;
  private readonly notify: (event: HealthEvent) => void;
  private readonly settings: () => HealthSettings;
  /** The last call, and the last call of a different key. */
  private lastCall: LastCall | undefined;
  private lastOfAnother: LastCall | undefined;
  /** When the latest call began that succeeded. */
  private lastGoodCall = -Infinity;

  constructor(options: HealthOptions = {}) {
    const {
      now = () => performance.now(),
      notify = () => undefined,
      settings = () => DEFAULT_HEALTH,
      random = Math.random,
    } = options;
    this.now = now;
    this.notify = notify;
    this.settings = settings;
    this.calls = new RecentCalls(now);
    this.circuit = new CircuitBreaker(now, notify, { settings: () => settings().breaker, random });
    this.quota = new QuotaPause(now, notify);
    this.pauses = new RequestedPauses(now, notify);
    this.limits = new ProviderLimits(now, notify);
    this.slowStart = new SlowStart(now, () => settings().slowStart);
  }

  /** Applies an event of another process. The longer pause applies. */
  applyPeerState(event: HealthEvent): void {
    if (event.kind === 'closed') {
      if (this.circuit.state !== 'closed') this.slowStart.begin();
      this.circuit.close();
      this.quota.end();
    } else if (event.kind === 'wait') this.pauses.applyPeerState(event);
    else if (event.kind === 'quota') this.quota.applyPeerState(event);
    else if (event.kind === 'limit') this.limits.applyPeerState(event);
    else this.circuit.applyPeerState(event);
  }

  /** For operators: a breaker that is open for one of several keys that call the deployment counts as closed. */
  get breaker(): BreakerState {
    const { onlyKey } = this.circuit;
    return onlyKey !== undefined && this.isCalledByAnotherThan(onlyKey) ? 'closed' : this.circuit.state;
  }

  /**
   * Whether a call of the key may be made: not while the breaker is open or the account has no quota; afterwards one trial at a time.
   */
  canCall(key: string): boolean {
    return this.circuit.canCall(key) && this.quota.canCall;
  }

  /** Milliseconds until the account of the deployment is tried again; 0 while it has quota. */
  get quotaPause(): number {
    return this.quota.left;
  }

  /** Whether no call is made now that is not a trial, for operators. */
  get isResting(): boolean {
    return this.breaker === 'open' || this.quota.left > 0;
  }

  /** Share of its weight that the deployment gets, from 0.1 to 1: less than 1 after it has recovered. */
  get share(): number {
    return this.slowStart.share;
  }

  /** Reads the headers of a response of the provider. A bound function, so that a call need not make one. */
  readonly onHeaders = (headers: IncomingHttpHeaders): void => {
    this.limits.observe(headers);
  };

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

  /** Milliseconds until the breaker allows a trial; 0 when it is closed. */
  get opensIn(): number {
    return this.breaker === 'open' ? this.circuit.opensIn : 0;
  }

  begin(key: string): void {
    this.inFlight += 1;
    this.circuit.begin(key);
    this.quota.begin();
    if (this.lastCall !== undefined && this.lastCall.key !== key) this.lastOfAnother = this.lastCall;
    this.lastCall = { key, at: this.now() };
  }

  /** The call received its first byte after this number of milliseconds. */
  responded(firstByte: number): void {
    this.wasWaitUseless = false;
    this.firstByte = smoothed(this.firstByte, firstByte);
    this.calls.succeeded(firstByte);
    const began = this.now() - firstByte;
    if (began > this.lastGoodCall) this.lastGoodCall = began;
    const hadNoQuota = this.quota.responded(began);
    if (this.circuit.succeeded() || hadNoQuota) this.recovered();
  }

  /** A background test had a real response. */
  probedWell(): void {
    if (this.circuit.succeeded()) this.recovered();
  }

  /**
   * A call of the key failed in a way that may be the provider's fault.
   *
   * @param held milliseconds since the call began. A call that began before one that succeeded is no evidence of the present state.
   */
  failed(error: GatewayError, key: string, held = 0): void {
    this.lastError = error.code ?? String(error.status);
    this.calls.failed();
    if (error.isOutOfQuota) {
      // The headers of the same response may say when the limit is reset.
      this.quota.spent(error.retryAfterMs ?? (this.limits.left || this.settings().quotaPause));
      if (error.status === 429 && error.retryAfterMs !== undefined) this.pauses.requested(key, error.retryAfterMs);
      this.circuit.recordNeutral(key);
      return;
    }
    this.quota.recordNeutral();
    if (error.retryAfterMs !== undefined) this.pauses.requested(key, error.retryAfterMs);
    const began = this.now() - held;
    // A provider that limits rates is up; the requested pause applies instead.
    if (error.status === 429 || began < this.lastGoodCall) this.circuit.recordNeutral(key);
    else this.circuit.failed(key, error.isConnectionFault, began);
  }

  /** The call ended without evidence for or against the deployment: the client disconnected, or the request was refused. */
  recordNeutral(key: string): void {
    this.circuit.recordNeutral(key);
    this.quota.recordNeutral();
  }

  /** The call has ended after this number of milliseconds, successfully or not. */
  end(held: number): void {
    this.inFlight -= 1;
    this.callTime = smoothed(this.callTime, held);
  }

  /** Outcomes of the calls of the last five minutes. */
  recent(): CallCounts {
    return this.calls.within(RECENT_MS);
  }

  private recovered(): void {
    this.slowStart.begin();
    this.notify({ kind: 'closed' });
  }

  private isCalledByAnotherThan(key: string): boolean {
    const last = this.lastCall?.key === key ? this.lastOfAnother : this.lastCall;
    return last !== undefined && this.now() - last.at < RECENT_MS;
  }
}

function smoothed(average: number | undefined, latest: number): number {
  return average === undefined ? latest : average + (latest - average) * SMOOTHING;
}
