import type { Period } from '../auth/spending.js';

const DAY = 86_400_000;

export interface PeriodSpan {
  /** Names the period among all of its kind: `2026-11`, `2026-11-23`, `total`. */
  readonly name: string;
  /** Epoch milliseconds, the end not included; Infinity for `total`. */
  readonly start: number;
  readonly end: number;
}

/** The period that a time lies in, in UTC. A week begins on Monday. */
export function periodAt(period: Period, time: number): PeriodSpan {
  const date = new Date(time);
  const midnight = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate());
  switch (period) {
    case 'day':
      return span(midnight, midnight + DAY, 10);
    case 'week': {
      const monday = midnight - ((date.getUTCDay() + 6) % 7) * DAY;
      return span(monday, monday + 7 * DAY, 10);
    }
    case 'month':
      return span(
        Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1),
        Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1),
        7,
      );
    case 'total':
    default:
      return { name: 'total', start: 0, end: Infinity };
  }
}

function span(start: number, end: number, length: number): PeriodSpan {
  return { name: new Date(start).toISOString().slice(0, length), start, end };
}
