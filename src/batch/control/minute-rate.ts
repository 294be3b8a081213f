/** Most that may start within any minute; absent is no limit. */
export interface MinuteRate {
  readonly requests?: number;
  readonly tokens?: number;
}

/** `[second, requests, tokens]` of each second in which something started, the oldest first. */
export type RateLog = readonly (readonly [second: number, requests: number, tokens: number])[];

/** Seconds that are looked at: a minute, the second in which it begins, and one for what starts later than it was admitted. */
const COUNTED_SECONDS = 62;
const SECOND_MS = 1_000;

/** The starts of the tasks of a job in the last minute. They are spread over the minute second by second. */
export class RateWindow {
  private readonly seconds: [second: number, requests: number, tokens: number][];

  constructor(
    private readonly rate: MinuteRate,
    log: RateLog,
  ) {
    this.seconds = log.map(([second, requests, tokens]) => [second, requests, tokens]);
  }

  /**
   * Counts a start, if the rate allows it now. A task of more tokens than a minute may have starts when nothing else has started for a
   * minute.
   *
   * @param now epoch milliseconds, not before those of earlier calls
   * @returns 0 when it was counted, otherwise milliseconds until the next attempt may succeed
   */
  take(now: number, tokens: number): number {
    const wait = this.wait(now, tokens);
    if (wait > 0) return wait;
    const second = secondOf(now, this.seconds);
    const last = this.seconds.at(-1);
    if (last?.[0] === second) {
      last[1] += 1;
      last[2] += tokens;
    } else this.seconds.push([second, 1, tokens]);
    return 0;
  }

  /** Milliseconds until a task of so many tokens may start; 0 when that is now. */
  wait(now: number, tokens: number): number {
    const second = secondOf(now, this.seconds);
    while ((this.seconds[0]?.[0] ?? Infinity) <= second - COUNTED_SECONDS) this.seconds.shift();
    const free = Math.max(
      this.freeAt(second, 1, 1, this.rate.requests),
      this.freeAt(second, 2, tokens, this.rate.tokens),
    );
    return free <= second ? 0 : Math.max(1, free * SECOND_MS - now);
  }

  get log(): RateLog {
    return this.seconds;
  }

  /** The first second in which an amount fits. @param column 1 for requests, 2 for tokens */
  private freeAt(second: number, column: 1 | 2, amount: number, limit: number | undefined): number {
    if (limit === undefined) return second;
    let sum = this.seconds.reduce((total, entry) => total + entry[column], 0);
    const last = this.seconds.at(-1);
    const ofSecond = last?.[0] === second ? last[column] : 0;
    const perSecond = Math.ceil(limit / 60);
    // Spread over the minute, so that a provider does not get the requests of a minute at once.
    const spread = ofSecond > 0 && ofSecond + amount > perSecond ? second + 1 : second;
    if (sum + amount <= limit) return spread;
    for (const entry of this.seconds) {
      sum -= entry[column];
      if (sum === 0 || sum + amount <= limit) return Math.max(spread, entry[0] + COUNTED_SECONDS);
    }
    return spread;
  }
}

/** The log never goes back, even where the clock does. */
function secondOf(now: number, seconds: RateLog): number {
  return Math.max(Math.floor(now / SECOND_MS), seconds.at(-1)?.[0] ?? 0);
}
