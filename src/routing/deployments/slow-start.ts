/** Share with which a deployment begins that has recovered. */
const FIRST_SHARE = 0.1;

/** The share of its weight that a deployment gets after it has recovered. Times are those of a monotonic clock in milliseconds. */
export class SlowStart {
  /** Undefined while it gets its whole weight. */
  private since: number | undefined;

  constructor(
    private readonly now: () => number,
    private readonly duration: () => number,
  ) {}

  /** The deployment is called again after a pause. */
  begin(): void {
    this.since = this.now();
  }

  /** From 0.1 to 1; grows evenly. */
  get share(): number {
    if (this.since === undefined) return 1;
    const duration = this.duration();
    const passed = this.now() - this.since;
    if (passed >= duration) {
      this.since = undefined;
      return 1;
    }
    return FIRST_SHARE + (1 - FIRST_SHARE) * (passed / duration);
  }
}
