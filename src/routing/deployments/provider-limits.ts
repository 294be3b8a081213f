import type { IncomingHttpHeaders } from 'node:http';
import { forEachRateLimit } from '../../wire/errors/rate-limit-headers.js';

/** Longest time for which a reset is trusted, in milliseconds. */
const MAX_LEFT_MS = 24 * 3_600_000;

/** The message to other processes. `until` is in epoch milliseconds. */
export interface LimitReached {
  readonly kind: 'limit';
  readonly until: number;
}

/**
 * The rate limits of a deployment as the headers of its responses state them: until when none of a limit is left. Times are those of
 * a monotonic clock in milliseconds.
 */
export class ProviderLimits {
  /** Limits of which nothing is left, by name, and when they are reset. */
  private readonly reached = new Map<string, number>();

  constructor(
    private readonly now: () => number,
    private readonly notify: (reached: LimitReached) => void,
  ) {}

  /** Milliseconds until something is left of every limit; 0 when that is now. */
  get left(): number {
    if (this.reached.size === 0) return 0;
    const now = this.now();
    let left = 0;
    for (const [name, until] of this.reached) {
      if (until <= now) this.reached.delete(name);
      else left = Math.max(left, until - now);
    }
    return left;
  }

  /** Reads the headers of a response. */
  observe(headers: IncomingHttpHeaders): void {
    forEachRateLimit(headers, this.take);
  }

  /** Applies what another process has read. */
  applyPeerState({ until }: LimitReached): void {
    const left = Math.min(MAX_LEFT_MS, until - Date.now());
    if (left > this.left) this.reached.set('', this.now() + left);
  }

  private readonly take = (name: string, remaining: number, resetMs: () => number | undefined): void => {
    if (remaining > 0) {
      if (this.reached.size === 0) return;
      this.reached.delete(name);
      // A response to this process is newer than what another one has read.
      this.reached.delete('');
      return;
    }
    const left = Math.min(MAX_LEFT_MS, resetMs() ?? 0);
    if (left <= 0) return;
    const before = this.left;
    this.reached.set(name, this.now() + left);
    if (left > before * 2) this.notify({ kind: 'limit', until: Date.now() + left });
  };
}
