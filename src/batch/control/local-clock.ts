const MINUTE_MS = 60_000;
/** Time zones whose formatters are kept. */
const MAX_CACHED_ZONES = 500;

/** A moment by the clock on the wall of a time zone. */
export interface LocalTime {
  /** 0 is Sunday. */
  readonly weekday: number;
  /** From 0 to 1,439. */
  readonly minuteOfDay: number;
}

/** The clock of an IANA time zone, with its changes between summer and winter. */
export class LocalClock {
  private static readonly known = new Map<string, LocalClock>();
  private readonly format: Intl.DateTimeFormat;

  private constructor(zone: string) {
    this.format = new Intl.DateTimeFormat('en-US', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  }

  /** @returns undefined for a name that is no time zone */
  static of(zone: string): LocalClock | undefined {
    const known = this.known.get(zone);
    if (known !== undefined) return known;
    try {
      const clock = new LocalClock(zone);
      if (this.known.size < MAX_CACHED_ZONES) this.known.set(zone, clock);
      return clock;
    } catch {
      return undefined;
    }
  }

  at(instant: number): LocalTime {
    const local = new Date(instant + this.offset(instant));
    return { weekday: local.getUTCDay(), minuteOfDay: local.getUTCHours() * 60 + local.getUTCMinutes() };
  }

  /** Milliseconds by which the local clock is ahead of UTC. */
  offset(instant: number): number {
    const parts: Record<string, number> = {};
    for (const { type, value } of this.format.formatToParts(instant)) parts[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = parts;
    const local = Date.UTC(year, month - 1, day, hour, minute, second);
    return local - Math.floor(instant / 1_000) * 1_000;
  }

  /** The first change of the offset between two moments; undefined if it does not change. */
  change(from: number, to: number): number | undefined {
    const before = this.offset(from);
    if (this.offset(to) === before) return undefined;
    let [low, high] = [from, to];
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2);
      if (this.offset(middle) === before) low = middle;
      else high = middle;
    }
    return high;
  }

  /** The moments at which the local clock shows a minute of the local day of `instant`, `days` later: none, one or two. */
  moments(instant: number, days: number, minuteOfDay: number): number[] {
    const local = new Date(instant + this.offset(instant));
    const shown =
      Date.UTC(local.getUTCFullYear(), local.getUTCMonth(), local.getUTCDate() + days) + minuteOfDay * MINUTE_MS;
    const DAY_MS = 1_440 * MINUTE_MS;
    const offsets = new Set([this.offset(shown - DAY_MS), this.offset(shown + DAY_MS)]);
    return [...offsets].map((offset) => shown - offset);
  }
}
