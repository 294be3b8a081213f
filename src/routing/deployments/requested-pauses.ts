/** The longest pause by Retry-After that is respected. */
const MAX_PAUSE_MS = 300_000;
/** Number of keys whose pauses are kept. */
const MAX_KEYS = 1_000;

/**
 * The message about a requested pause to other processes. `until` is in epoch milliseconds.
 * `key`: the only key that was asked to pause; absent when the pause applies to every key.
 */
export interface PauseRequested {
  readonly kind: 'wait';
  readonly until: number;
  readonly key?: string | undefined;
}

/**
 * The pauses that a provider requests by Retry-After. A provider may limit a single user of the gateway, so a pause applies to the
 * key that received it, and to every key once a second key has received one, too. Times are those of a monotonic clock.
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

  /** The only key that was asked to pause and still has to. */
  get onlyKey(): string | undefined {
    const waiting = [...this.untilByKey].filter(([, until]) => until > this.now());
    return waiting.length === 1 ? waiting[0]?.[0] : undefined;
  }

  /** Milliseconds until calls of the key may be made again; 0 when they may be made now. */
  forKey(key: string): number {
    if (this.untilByKey.size === 0) return this.forEveryKey;
    return Math.max(0, Math.max(this.everyKeyUntil, this.untilByKey.get(key) ?? 0) - this.now());
  }

  /** The provider has asked a call of the key to retry after this number of milliseconds. */
  requested(key: string, retryAfterMs: number): void {
    const pause = Math.min(MAX_PAUSE_MS, retryAfterMs);
    const left = this.forKey(key);
    this.add(key, this.now() + pause);
    const isForEveryKey = this.forEveryKey > 0;
    // All calls in flight receive the same pause; other processes are notified once.
    if (pause > left + pause / 2) {
      this.notify({ kind: 'wait', until: Date.now() + pause, ...(!isForEveryKey && { key }) });
    }
  }

  /** Applies a pause of another process; the longer one applies. */
  applyPeerState({ until, key }: PauseRequested): void {
    const left = Math.min(MAX_PAUSE_MS, until - Date.now());
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
