import { Trial } from './trial.js';

/** The longest pause: after it a call finds out whether the account has quota again. */
const MAX_PAUSE_MS = 24 * 3_600_000;

/** The message to other processes. `until` is in epoch milliseconds. */
export interface QuotaSpent {
  readonly kind: 'quota';
  readonly until: number;
}

/**
 * The pause of a deployment whose account at the provider has no quota or credit left. It applies to every key of the gateway, as the
 * account does. When it is over, one call at a time is a trial. Times are those of a monotonic clock in milliseconds.
 */
export class QuotaPause {
  private since = 0;
  /** 0 while there is quota. */
  private until = 0;
  private readonly trial: Trial;

  constructor(
    private readonly now: () => number,
    private readonly notify: (spent: QuotaSpent) => void,
  ) {
    this.trial = new Trial(now);
  }

  /** Milliseconds until a trial may be made; 0 where none is needed or one may be made now. */
  get left(): number {
    return this.until === 0 ? 0 : Math.max(0, this.until - this.now());
  }

  /** Whether a call may be made. */
  get canCall(): boolean {
    return this.until === 0 || (this.now() >= this.until && !this.trial.isInFlight);
  }

  begin(): void {
    if (this.until !== 0 && this.left === 0) this.trial.begin();
  }

  /** A call was refused because the account has nothing left. @param milliseconds until it has some again */
  spent(milliseconds: number): void {
    const pause = Math.min(MAX_PAUSE_MS, milliseconds);
    // All calls in flight are refused; other processes are notified once.
    const mustNotify = this.left < pause / 2;
    this.pauseUntil(this.now() + pause);
    if (mustNotify) this.notify({ kind: 'quota', until: Date.now() + pause });
  }

  /** @param began when the call began that has responded @returns whether it ended a pause */
  responded(began: number): boolean {
    if (this.until === 0 || began < this.since) return false;
    this.until = 0;
    return true;
  }

  /** The trial ended without evidence. */
  recordNeutral(): void {
    this.trial.end();
  }

  /** Applies the pause of another process; the longer one applies. */
  applyPeerState({ until }: QuotaSpent): void {
    const left = Math.min(MAX_PAUSE_MS, until - Date.now());
    if (left > this.left) this.pauseUntil(this.now() + left);
  }

  /** Another process had a response. */
  end(): void {
    this.until = 0;
  }

  private pauseUntil(until: number): void {
    this.since = this.now();
    this.until = until;
    this.trial.end();
  }
}
