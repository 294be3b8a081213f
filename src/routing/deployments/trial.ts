/** Longest that a trial without an outcome keeps others from trying, in milliseconds: a response may take minutes. */
const MAX_TRIAL_MS = 15_000;

/** The one call at a time that finds out whether a paused deployment can be called again. Times are those of a monotonic clock. */
export class Trial {
  /** Until when it keeps other calls from trying; 0 while there is none. */
  private until = 0;

  constructor(private readonly now: () => number) {}

  get isInFlight(): boolean {
    return this.now() < this.until;
  }

  begin(): void {
    this.until = this.now() + MAX_TRIAL_MS;
  }

  /** It has an outcome, or ended without one: another may begin. */
  end(): void {
    this.until = 0;
  }
}
