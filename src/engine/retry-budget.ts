/** Further attempts that may always be under way at once. */
const LEAST = 3;
/** Requests that together pay for one further attempt. */
const PRICE = 5;
/** Most that is saved up: enough for everything that is under way when a deployment dies. */
const MAX_BALANCE = 500 * PRICE;

/**
 * Bounds further attempts to a fifth of the requests, over time, so that providers in trouble are asked at most 1.2 times as
 * much as when they were well. Saved up rather than counted at each moment: when a deployment dies, all that it had in
 * flight fails at once and must find room to be tried elsewhere.
 */
export class RetryBudget {
  /** In requests. */
  private saved = 0;
  private underWay = 0;

  /** Called once for each request. */
  deposit(): void {
    this.saved = Math.min(MAX_BALANCE, this.saved + 1);
  }

  /** @returns whether a further attempt may begin; if so, `release` must be called when it has ended */
  tryAcquire(): boolean {
    if (this.saved >= PRICE) this.saved -= PRICE;
    else if (this.underWay >= LEAST) return false;
    this.underWay += 1;
    return true;
  }

  release(): void {
    this.underWay -= 1;
  }
}
