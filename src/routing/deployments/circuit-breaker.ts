import type { BreakerSettings } from '../../config/gateway-config.js';
import { Trial } from './trial.js';

/** Failures older than this no longer count. */
const EVIDENCE_KEPT_MS = 300_000;
/** Share of the pause that is added at random, so that processes do not make their trials at the same time. */
const JITTER = 0.1;
/**
 * A failed trial makes the next pause this many times as long. A deployment that is well again is so used within a quarter of its outage
 * and one first pause, while an outage of an hour costs about 25 trials.
 */
const PAUSE_GROWTH = 1.25;
/** Most milliseconds that a process adds to a pause that another one has begun: that one makes the first trial. */
const MAX_PEER_DELAY_MS = 2_000;

export type BreakerState = 'closed' | 'open' | 'half_open';

/** The settings of the breaker, and a number in [0, 1) like Math.random. */
export interface BreakerOptions {
  readonly settings: () => BreakerSettings;
  readonly random: () => number;
}

/**
 * The message about an opening to other processes. `until` is in epoch milliseconds, `openFor` a duration in milliseconds.
 * `key`: the only key whose calls failed; absent when the breaker is open for every key.
 */
export interface BreakerOpened {
  readonly kind: 'open';
  readonly until: number;
  readonly openFor: number;
  readonly key?: string | undefined;
}

/**
 * Decides per key whether a deployment may be called. One key's prompts can make a provider fail, so the failures of one key
 * open the breaker for that key alone. It opens for every key when more than one key has failures, or when the connection
 * itself fails, which no prompt can cause. Any response closes it. While it is half open, one call at a time is a trial. Times are
 * those of a monotonic clock.
 */
export class CircuitBreaker {
  /** Failures since the last response, by key. */
  private readonly failures = new Map<string, number>();
  private connectionFailures = 0;
  private lastFailureAt = 0;
  private openUntil = 0;
  /** 0 while the breaker is closed. */
  private openFor = 0;
  /** The only key for which it is open; undefined when it is open for every key. */
  private openKey: string | undefined;
  private readonly trial: Trial;
  /** How often it has opened. */
  openings = 0;

  constructor(
    private readonly now: () => number,
    private readonly notify: (opened: BreakerOpened) => void,
    private readonly options: BreakerOptions,
  ) {
    this.trial = new Trial(now);
  }

  /** The only key for which it is open. */
  get onlyKey(): string | undefined {
    return this.openFor === 0 ? undefined : this.openKey;
  }

  /** The state for calls of the key. */
  stateFor(key: string): BreakerState {
    return this.openKey !== undefined && this.openKey !== key ? 'closed' : this.state;
  }

  /** The state for calls of the key for which it is open. */
  get state(): BreakerState {
    if (this.openFor === 0) return 'closed';
    return this.now() < this.openUntil ? 'open' : 'half_open';
  }

  /** False while it is open for the key; allows one trial at a time while it is half open. */
  canCall(key: string): boolean {
    const state = this.stateFor(key);
    return state === 'closed' || (state === 'half_open' && !this.trial.isInFlight);
  }

  /** Milliseconds until a trial may be made; 0 when one may be made now. */
  get opensIn(): number {
    return this.state === 'open' ? this.openUntil - this.now() : 0;
  }

  begin(key: string): void {
    if (this.stateFor(key) === 'half_open') this.trial.begin();
  }

  /** @returns whether it was open */
  succeeded(): boolean {
    const wasOpen = this.openFor !== 0;
    this.close();
    return wasOpen;
  }

  /**
   * @param isConnectionFault the connection failed, independent of the request
   * @param began when the call began; the failure of a call from before the pause is no failed trial
   */
  failed(key: string, isConnectionFault: boolean, began: number): void {
    const { failures: limit, firstOpen } = this.options.settings();
    const state = this.stateFor(key);
    if (state === 'half_open') {
      if (began < this.openUntil) return;
      this.trial.end();
    }
    if (this.now() - this.lastFailureAt > EVIDENCE_KEPT_MS) this.forgetFailures();
    this.lastFailureAt = this.now();
    if (isConnectionFault) this.connectionFailures += 1;
    else this.failures.set(key, (this.failures.get(key) ?? 0) + 1);
    if (this.isFaultOfProvider(limit)) {
      if (state === 'half_open') this.open(this.openFor * PAUSE_GROWTH, undefined);
      else if (this.openFor === 0 || this.openKey !== undefined) this.open(firstOpen, undefined);
    } else if (state === 'half_open') {
      this.open(this.openFor * PAUSE_GROWTH, this.openKey);
    } else if (this.openFor === 0 && (this.failures.get(key) ?? 0) >= limit) {
      this.open(firstOpen, key);
    }
  }

  /** The call of the key ended without evidence for or against the deployment. */
  recordNeutral(key: string): void {
    if (this.stateFor(key) === 'half_open') this.trial.end();
  }

  /** A test in the background has failed: no trial is made for this number of milliseconds. */
  postpone(milliseconds: number): void {
    const until = this.now() + milliseconds;
    if (this.openFor === 0 || until <= this.openUntil) return;
    this.openUntil = until;
    this.notify({ kind: 'open', until: Date.now() + milliseconds, openFor: this.openFor, key: this.openKey });
  }

  /** A test in the background has succeeded: the next call is a trial. */
  allowTrial(): void {
    this.openUntil = Math.min(this.openUntil, this.now());
    this.trial.end();
  }

  /** Applies an opening of another process; the longer one applies. */
  applyPeerState({ until, openFor, key }: BreakerOpened): void {
    // Clocks of machines differ, so the duration is capped.
    const { firstOpen, maxOpen } = this.options.settings();
    const left = Math.min(maxOpen * (1 + JITTER), until - Date.now());
    if (left <= 0) return;
    const ends = this.now() + left + this.options.random() * Math.min(MAX_PEER_DELAY_MS, left);
    const wasOpen = this.state !== 'closed';
    // Two keys whose calls fail, each in its own process, are evidence against the provider.
    const onlyKey = wasOpen && this.openKey !== key ? undefined : key;
    if (wasOpen && onlyKey === this.openKey && ends <= this.openUntil) return;
    this.openUntil = wasOpen ? Math.max(this.openUntil, ends) : ends;
    this.openFor = Math.min(maxOpen, Math.max(firstOpen, openFor));
    this.openKey = onlyKey;
  }

  close(): void {
    this.forgetFailures();
    this.openFor = 0;
    this.openKey = undefined;
    this.trial.end();
  }

  /** Of each key only half of the needed failures count, so that it takes two keys. */
  private isFaultOfProvider(limit: number): boolean {
    let counted = this.connectionFailures;
    const isOfOneKey = this.failures.size === 1 && this.connectionFailures === 0;
    for (const count of this.failures.values()) counted += Math.min(count, Math.ceil(limit / 2));
    return counted >= limit && !isOfOneKey;
  }

  private forgetFailures(): void {
    this.failures.clear();
    this.connectionFailures = 0;
  }

  private open(milliseconds: number, key: string | undefined): void {
    this.openFor = Math.min(this.options.settings().maxOpen, milliseconds);
    const pause = this.openFor * (1 + this.options.random() * JITTER);
    this.openUntil = this.now() + pause;
    this.openKey = key;
    this.trial.end();
    this.openings += 1;
    this.notify({ kind: 'open', until: Date.now() + pause, openFor: this.openFor, key });
  }
}
