import type { Account, Budget, Period } from '../auth/spending.js';

const DAY_MS = 86_400_000;

/** A budget period. Times in epoch milliseconds. */
export interface PeriodSpan {
  /** Name of the period: `2026-11`, `2026-11-23`, `total`. */
  readonly name: string;
  /** Epoch milliseconds, the end excluded; Infinity for `total`. */
  readonly start: number;
  readonly end: number;
  /** When the budget was reset within the period, which then begins there; absent where it was not. */
  readonly resetAt?: number;
}

/** The budget of an account as it holds in one period, with what was credited. */
export interface BudgetInPeriod {
  readonly budget: Budget;
  readonly period: PeriodSpan;
}

/** Separates the amounts before and after a reset. */
export function periodId({ name, resetAt }: PeriodSpan): string {
  return resetAt === undefined ? name : `${name}~${resetAt}`;
}

/** @returns undefined for an account without a budget */
export function budgetAt({ budget, budgetAdjustment }: Account, time: number): BudgetInPeriod | undefined {
  if (budget === null) return undefined;
  const whole = periodAt(budget.period, time);
  const { resetAt = null, creditUsd = 0, creditPeriod = null } = budgetAdjustment ?? {};
  const isReset = resetAt !== null && resetAt >= whole.start && resetAt < whole.end;
  const period = isReset ? { ...whole, start: resetAt, resetAt } : whole;
  if (creditPeriod !== periodId(period)) return { budget, period };
  return { budget: { ...budget, usd: Math.round((budget.usd + creditUsd) * 1e9) / 1e9 }, period };
}

/** The period that contains a time, in UTC. A week begins on Monday. */
export function periodAt(period: Period, time: number): PeriodSpan {
  const date = new Date(time);
  const midnight = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate());
  switch (period) {
    case 'day':
      return span(midnight, midnight + DAY_MS, 10);
    case 'week': {
      const monday = midnight - ((date.getUTCDay() + 6) % 7) * DAY_MS;
      return span(monday, monday + 7 * DAY_MS, 10);
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
