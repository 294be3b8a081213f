/** The longest pause that a provider's Retry-After is followed for. */
const LONGEST_PAUSE_MS = 300_000;
/** Keys whose pauses are remembered. */
const MAX_KEYS = 1_000;

/**
 * A pause that a provider asked for, as other processes are told of it. `until` is in epoch milliseconds.
 * `key`: the only key that was asked to pause; absent when the pause holds for every key.
 */
export interface PauseRequested {
  readonly kind: 'wait';
  readonly until: number;
  readonly key?: string | undefined;
}

/**
 * The pauses that a provider asks for by Retry-After. A provider may limit one user of the gateway alone, so a pause holds for
 * the key that was asked, and for every key once a second key has been asked as well. Times are those of a monotonic clock.
 */
export class RequestedPauses {
  private everyKeyUntil = 0;
  private readonly untilByKey = new Map<string, number>();

  constructor(
    private readonly now: () => number,
    private readonly notify: (pause: PauseRequested) => void,
  ) {}

  /** Milliseconds for which no key may call; 0 when there is no such pause. */
  get forEveryKey(): number {
    return Math.max(0, this.everyKeyUntil - this.now());
  }

  /** The key that alone was asked to pause and has not waited long enough yet. */
  get onlyKey(): string | undefined {
    const waiting = [...this.untilByKey].filter(([, until]) => until > this.now());
    return waiting.length === 1 ? waiting[0]?.[0] : undefined;
  }

  /** Milliseconds until calls of the key may be made again; 0 when they may be made now. */
  forKey(key: string): number {
    if (this.untilByKey.size === 0) return this.forEveryKey;
    return Math.max(0, Math.max(this.everyKeyUntil, this.untilByKey.get(key) ?? 0) - this.now());
  }

  /** The provider has asked a call of the key to come back after so many milliseconds. */
  requested(key: string, retryAfterMs: number): void {
    const pause = Math.min(LONGEST_PAUSE_MS, retryAfterMs);
    const left = this.forKey(key);
    this.add(key, this.now() + pause);
    const isForEveryKey = this.forEveryKey > 0;
    // All calls in flight come back with the same pause, which other processes need to know once.
    if (pause > left + pause / 2) {
      this.notify({ kind: 'wait', until: Date.now() + pause, ...(!isForEveryKey && { key }) });
    }
  }

  /** Takes over a pause of another process; the longer one holds. */
  applyPeerState({ until, key }: PauseRequested): void {
    const left = Math.min(LONGEST_PAUSE_MS, until - Date.now());
    if (left <= 0) return;
    if (key === undefined) this.everyKeyUntil = Math.max(this.everyKeyUntil, this.now() + left);
    else this.add(key, this.now() + left);
  }

  private add(key: string, until: number): void {
    const now = this.now();
    let anotherUntil = this.everyKeyUntil;
    for (const [other, otherUntil] of this.untilByKey) {
      if (otherUntil <= now) this.untilByKey.delete(other);
      else if (other !== key) anotherUntil = Math.max(anotherUntil, otherUntil);
    }
    if (anotherUntil > now) this.everyKeyUntil = Math.max(this.everyKeyUntil, until);
    if (this.untilByKey.size >= MAX_KEYS) this.untilByKey.clear();
    this.untilByKey.set(key, Math.max(this.untilByKey.get(key) ?? 0, until));
  }
}
