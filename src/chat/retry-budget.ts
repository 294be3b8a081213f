/** Further attempts that are allowed while few requests are under way. */
const LEAST = 3;
/** Part of the requests under way that may be on a further attempt. */
const PART = 0.2;

/**
 * Bounds how many requests may be on a second or later attempt at once, so that a provider in trouble is not asked several
 * times as much as when it was well.
 */
export class RetryBudget {
  private requests = 0;
  private retries = 0;

  begin(): void {
    this.requests += 1;
  }

  end(): void {
    this.requests -= 1;
  }

  /** @returns whether a further attempt may begin; if so, `release` must be called when it has ended */
  take(): boolean {
    if (this.retries >= Math.max(LEAST, Math.floor(this.requests * PART))) return false;
    this.retries += 1;
    return true;
  }

  release(): void {
    this.retries -= 1;
  }
}
