/** Consecutive failures after which a deployment is not called for a while. */
const FAILURES_TO_OPEN = 5;
/** Failures of one key that count towards opening the breaker for every key. */
const FAILURES_COUNTED_PER_KEY = 3;
/** Time for which it stays open at first, and at most; each failed probe doubles it. */
const FIRST_OPEN_MS = 30_000;
export const MAX_OPEN_MS = 300_000;
/** Failures older than this no longer count. */
const EVIDENCE_KEPT_MS = 300_000;

export type BreakerState = 'closed' | 'open' | 'half_open';

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
 * itself fails, which no prompt can cause. Any response closes it. Times are those of a monotonic clock.
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
  private isProbing = false;

  constructor(
    private readonly now: () => number,
    private readonly notify: (opened: BreakerOpened) => void,
  ) {}

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

  /** False while it is open for the key; allows one probe at a time while it is half open. */
  canCall(key: string): boolean {
    const state = this.stateFor(key);
    return state === 'closed' || (state === 'half_open' && !this.isProbing);
  }

  /** Milliseconds until a probe may be made; 0 when one may be made now. */
  get opensIn(): number {
    return this.state === 'open' ? this.openUntil - this.now() : 0;
  }

  begin(key: string): void {
    if (this.stateFor(key) === 'half_open') this.isProbing = true;
  }

  /** @returns whether it was open */
  succeeded(): boolean {
    const wasOpen = this.openFor !== 0;
    this.close();
    return wasOpen;
  }

  /** @param isConnectionFault the connection failed, independent of the request */
  failed(key: string, isConnectionFault: boolean): void {
    const state = this.stateFor(key);
    if (state === 'half_open') this.isProbing = false;
    if (this.now() - this.lastFailureAt > EVIDENCE_KEPT_MS) this.forgetFailures();
    this.lastFailureAt = this.now();
    if (isConnectionFault) this.connectionFailures += 1;
    else this.failures.set(key, (this.failures.get(key) ?? 0) + 1);
    if (this.isFaultOfProvider()) {
      if (state === 'half_open') this.open(Math.min(MAX_OPEN_MS, this.openFor * 2), undefined);
      else if (this.openFor === 0 || this.openKey !== undefined) this.open(FIRST_OPEN_MS, undefined);
    } else if (state === 'half_open') {
      this.open(Math.min(MAX_OPEN_MS, this.openFor * 2), this.openKey);
    } else if (this.openFor === 0 && (this.failures.get(key) ?? 0) >= FAILURES_TO_OPEN) {
      this.open(FIRST_OPEN_MS, key);
    }
  }

  /** The call of the key ended without evidence for or against the deployment. */
  recordNeutral(key: string): void {
    if (this.stateFor(key) === 'half_open') this.isProbing = false;
  }

  /** Applies an opening of another process; the longer one applies. */
  applyPeerState({ until, openFor, key }: BreakerOpened): void {
    // Clocks of machines differ, so the duration is capped.
    const left = Math.min(MAX_OPEN_MS, until - Date.now());
    if (left <= 0) return;
    const ends = this.now() + left;
    const wasOpen = this.state !== 'closed';
    // Two keys whose calls fail, each in its own process, are evidence against the provider.
    const onlyKey = wasOpen && this.openKey !== key ? undefined : key;
    if (wasOpen && onlyKey === this.openKey && ends <= this.openUntil) return;
    this.openUntil = wasOpen ? Math.max(this.openUntil, ends) : ends;
    this.openFor = Math.min(MAX_OPEN_MS, Math.max(FIRST_OPEN_MS, openFor));
    this.openKey = onlyKey;
  }

  close(): void {
    this.forgetFailures();
    this.openFor = 0;
    this.openKey = undefined;
    this.isProbing = false;
  }

  private isFaultOfProvider(): boolean {
    let counted = this.connectionFailures;
    for (const count of this.failures.values()) counted += Math.min(count, FAILURES_COUNTED_PER_KEY);
    return counted >= FAILURES_TO_OPEN;
  }

  private forgetFailures(): void {
    this.failures.clear();
    this.connectionFailures = 0;
  }

  private open(milliseconds: number, key: string | undefined): void {
    this.openFor = milliseconds;
    this.openUntil = this.now() + milliseconds;
    this.openKey = key;
    this.isProbing = false;
    this.notify({ kind: 'open', until: Date.now() + milliseconds, openFor: milliseconds, key });
  }
}
