/** Milliseconds after a cut during which further 429s count as the same one: those calls were already in flight. */
const CUT_INTERVAL_MS = 1_000;

/**
 * How many calls of one model may run at once in this process: halved when the upstream says 429, and growing by one for
 * each round of successes, so that a batch uses a provider's limit without breaking it.
 */
export class AdaptiveLimit {
  private limit: number;
  private lastCut = -Infinity;
  private pausedUntil = 0;

  /** @param most the limit while nothing is refused */
  constructor(
    private readonly most: number,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.limit = most;
  }

  /** Calls in whole numbers; 0 while the upstream asked to wait. */
  get value(): number {
    return this.now() < this.pausedUntil ? 0 : Math.max(1, Math.floor(this.limit));
  }

  /** Milliseconds until the upstream may be called again. */
  get pause(): number {
    return Math.max(0, this.pausedUntil - this.now());
  }

  /** Whether nothing was refused lately. */
  get isFull(): boolean {
    return this.limit >= this.most && this.pause === 0;
  }

  succeeded(): void {
    if (this.limit < this.most) this.limit = Math.min(this.most, this.limit + 1 / this.limit);
  }

  /** @param retryAfterMs milliseconds that the upstream asked to wait, if it did */
  refused(retryAfterMs: number | undefined): void {
    const now = this.now();
    if (retryAfterMs !== undefined) this.pausedUntil = Math.max(this.pausedUntil, now + retryAfterMs);
    if (now - this.lastCut < CUT_INTERVAL_MS) return;
    this.lastCut = now;
    this.limit = Math.max(1, this.limit / 2);
  }
}
