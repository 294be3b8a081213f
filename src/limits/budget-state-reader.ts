import { Injectable } from '@nestjs/common';
import { BudgetStates, type BudgetState } from '../auth/budget-states.js';
import type { Account } from '../auth/spending.js';
import { databaseUnavailable, isDatabaseUnavailable } from '../errors/database-error.js';
import { budgetAdjuster } from './budget-adjustments.js';
import { budgetAt, periodAt, periodId, type PeriodSpan } from './period.js';
import { SpendQuery } from './spend-query.js';

/** Milliseconds for which a sum is cached, so that reloading a page often costs little. */
const TTL_MS = 1_000;
const MAX_SUMS = 5_000;
const NANOS_PER_DOLLAR = 1e9;

/** Reads the spent amounts of accounts, from the same records with which balances start. */
@Injectable()
export class BudgetStateReader {
  private readonly sums = new Map<string, { readonly nanos: number; readonly readAt: number }>();

  constructor(
    states: BudgetStates,
    private readonly spend: SpendQuery,
  ) {
    states.register((accounts) => this.read(accounts), budgetAdjuster);
  }

  private async read(accounts: readonly Account[]): Promise<ReadonlyMap<string, BudgetState>> {
    const states = new Map<string, BudgetState>();
    // One after the other: a page of a list is no reason to take all connections of the pool.
    for (const account of accounts) {
      const { id } = account;
      const present = budgetAt(account, Date.now());
      if (present === undefined) continue;
      const { budget, period } = present;
      const whole = periodAt(budget.period, Date.now());
      const spent = (await this.sumOf(id, period)) / NANOS_PER_DOLLAR;
      const isEndless = period.end === Infinity;
      states.set(id, {
        spent,
        remaining: Math.max(0, Math.round((budget.usd - spent) * NANOS_PER_DOLLAR) / NANOS_PER_DOLLAR),
        credit: Math.round((budget.usd - (account.budget?.usd ?? 0)) * NANOS_PER_DOLLAR) / NANOS_PER_DOLLAR,
        resetAt: period.resetAt ?? null,
        periodStart: isEndless ? null : whole.start,
        periodEnd: isEndless ? null : period.end,
      });
    }
    return states;
  }

  private async sumOf(account: string, period: PeriodSpan): Promise<number> {
    const name = `${account}:${periodId(period)}`;
    const known = this.sums.get(name);
    if (known !== undefined && performance.now() - known.readAt < TTL_MS) return known.nanos;
    try {
      const nanos = await this.spend.total(account, period);
      if (this.sums.size >= MAX_SUMS) this.sums.clear();
      this.sums.set(name, { nanos, readAt: performance.now() });
      return nanos;
    } catch (error) {
      if (!isDatabaseUnavailable(error)) throw error;
      throw databaseUnavailable(
        error,
        'The budgets cannot be read because the database is not reachable. Retry shortly.',
      );
    }
  }
}
