/** Retries that may always be in flight at once. */
const MIN_CONCURRENT = 3;
/** Requests that together allow one retry. */
const REQUESTS_PER_RETRY = 5;
/** Most requests that are saved: enough for everything in flight when a deployment fails. */
const MAX_SAVED = 500 * REQUESTS_PER_RETRY;

/**
 * Bounds retries to a fifth of the requests, over time, so that failing providers get at most 1.2 times as many calls as before.
 * A token bucket rather than a ratio at each moment: when a deployment fails, all its calls in flight fail at once and must be
 * retried elsewhere.
 */
export class RetryBudget {
  /** The budget, counted in requests. */
  private saved = 0;
  private inFlight = 0;

  /** Called once for each request. */
  deposit(): void {
    this.saved = Math.min(MAX_SAVED, this.saved + 1);
  }

  /** @returns whether a retry may begin; if so, `release` must be called when it has ended */
  tryAcquire(): boolean {
    if (this.saved >= REQUESTS_PER_RETRY) this.saved -= REQUESTS_PER_RETRY;
    else if (this.inFlight >= MIN_CONCURRENT) return false;
    this.inFlight += 1;
    return true;
  }

  release(): void {
    this.inFlight -= 1;
  }
}
