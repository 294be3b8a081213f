/** Further attempts that may always be in flight at once. */
const MIN_CONCURRENT = 3;
/** Requests that together pay for one further attempt. */
const REQUESTS_PER_RETRY = 5;
/** Most requests that are saved up: enough for everything that is in flight when a deployment fails. */
const MAX_SAVED = 500 * REQUESTS_PER_RETRY;

/**
 * Bounds further attempts to a fifth of the requests, over time, so that providers in trouble get at most 1.2 times as many
 * calls as before. Saved up rather than counted at each moment: when a deployment fails, all that it had in flight fails at
 * once and must find room to be tried elsewhere.
 */
export class RetryBudget {
  /** In requests. */
  private saved = 0;
  private inFlight = 0;

  /** Called once for each request. */
  deposit(): void {
    this.saved = Math.min(MAX_SAVED, this.saved + 1);
  }

  /** @returns whether a further attempt may begin; if so, `release` must be called when it has ended */
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
