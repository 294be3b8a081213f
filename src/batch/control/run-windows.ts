import { LocalClock } from './local-clock.js';

const MINUTES_PER_DAY = 1_440;
/** Days that are searched for an opening: a weekly window that the change to summer time skips once opens a week later. */
const SEARCHED_DAYS = 16;
const DAY_MS = 86_400_000;
const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
const WINDOW =
  /^(?:(?<days>[A-Za-z]{3}(?:\s*[,-]\s*[A-Za-z]{3})*)\s+)?(?<start>\d{1,2}:\d{2})\s*-\s*(?<end>\d{1,2}:\d{2})(?:\s+(?<zone>\S+))?$/;

/** A time of day during which tasks may start, by the clock of a time zone. */
export interface RunWindow {
  /** Days on which it opens, 0 is Sunday. */
  readonly weekdays: ReadonlySet<number>;
  /** Minutes of the day; the end is not in the window. If it is not after the start, it is on the next day. */
  readonly start: number;
  readonly end: number;
  readonly clock: LocalClock;
}

/** Whether tasks may start now, and when that changes, in epoch milliseconds; undefined if not within the next days. */
export interface WindowState {
  readonly isOpen: boolean;
  readonly changesAt: number | undefined;
}

/**
 * Reads `[weekdays ]HH:MM-HH:MM[ time zone]`, such as `22:00-06:00 Europe/Berlin` or `Mon-Fri,Sun 22:00-06:00`. The weekdays are
 * those on which the window opens; without a time zone it is UTC.
 *
 * @returns the fault where it is none, as the end of a sentence
 */
export function parseRunWindow(text: string): RunWindow | string {
  const groups = WINDOW.exec(text.trim())?.groups;
  if (groups === undefined) {
    return "must be a time of day such as '22:00-06:00 Europe/Berlin' or 'Mon-Fri 22:00-06:00 Europe/Berlin'";
  }
  const { days, start: from = '', end: to = '', zone = 'UTC' } = groups;
  const weekdays = days === undefined ? new Set(WEEKDAYS.keys()) : readWeekdays(days);
  if (weekdays === undefined) return `has days that are none of Mon, Tue, Wed, Thu, Fri, Sat, Sun: '${days ?? ''}'`;
  const [start, end] = [readMinute(from), readMinute(to)];
  if (start === undefined || end === undefined || start === MINUTES_PER_DAY) {
    return 'must have times from 00:00 to 24:00';
  }
  if (start === end) return "begins when it ends. Write '00:00-24:00' for whole days";
  const clock = LocalClock.of(zone);
  if (clock === undefined) return `has the unknown time zone '${zone}'. Use a name such as 'Europe/Berlin' or 'UTC'`;
  return { weekdays, start, end, clock };
}

/**
 * Whether one of the windows is open, by the local clocks: where a clock skips an hour in spring, no window is open during it, and the
 * hour that it repeats in autumn counts twice.
 *
 * @param instant epoch milliseconds
 */
export function windowState(windows: readonly RunWindow[], instant: number): WindowState {
  const isOpen = windows.some((window) => isOpenAt(window, instant));
  // Fewer days first, because the next change is mostly near.
  for (const days of [1, 8, SEARCHED_DAYS]) {
    const next = changesOf(windows, instant, days).find(
      (moment) => windows.some((window) => isOpenAt(window, moment)) !== isOpen,
    );
    if (next !== undefined) return { isOpen, changesAt: next };
  }
  return { isOpen, changesAt: undefined };
}

function isOpenAt({ weekdays, start, end, clock }: RunWindow, instant: number): boolean {
  const { weekday, minuteOfDay } = clock.at(instant);
  if (start < end) return weekdays.has(weekday) && minuteOfDay >= start && minuteOfDay < end;
  return (weekdays.has(weekday) && minuteOfDay >= start) || (weekdays.has((weekday + 6) % 7) && minuteOfDay < end);
}

/** Every moment after `instant` at which a window may open or close, in order. */
function changesOf(windows: readonly RunWindow[], instant: number, days: number): number[] {
  const moments = new Set<number>();
  for (const { clock, start, end } of windows) {
    for (let day = -1; day <= days; day += 1) {
      for (const minute of [start, end]) for (const moment of clock.moments(instant, day, minute)) moments.add(moment);
    }
    for (let day = 0; day < days; day += 1) {
      const change = clock.change(instant + day * DAY_MS, instant + (day + 1) * DAY_MS);
      if (change !== undefined) moments.add(change);
    }
  }
  const end = instant + days * DAY_MS;
  return [...moments].filter((moment) => moment > instant && moment <= end).sort((a, b) => a - b);
}

function readWeekdays(text: string): Set<number> | undefined {
  const found = new Set<number>();
  for (const part of text.toLowerCase().split(',')) {
    const [first = -1, last = first] = part.split('-').map((name) => WEEKDAYS.findIndex((day) => day === name.trim()));
    if (first === -1 || last === -1) return undefined;
    if (part.split('-').length > 2) return undefined;
    for (let day = first; ; day = (day + 1) % 7) {
      found.add(day);
      if (day === last) break;
    }
  }
  return found;
}

function readMinute(text: string): number | undefined {
  const [hours = 0, minutes = 0] = text.split(':').map(Number);
  const minute = hours * 60 + minutes;
  return minutes < 60 && minute <= MINUTES_PER_DAY ? minute : undefined;
}
