import { Injectable } from '@nestjs/common';
import type { Account, BudgetAdjustment } from './spending.js';

/** How much of a budget is spent in the present period. Amounts are US dollars, times epoch milliseconds. */
export interface BudgetState {
  readonly spent: number;
  readonly remaining: number;
  /** Dollars that an operator added in this period. */
  readonly credit: number;
  /** When an operator reset the budget in this period. */
  readonly resetAt: number | null;
  readonly periodStart: number | null;
  readonly periodEnd: number | null;
}

/** Reads what accounts have spent; the result has no entries for accounts without a budget. */
export type BudgetReader = (accounts: readonly Account[]) => Promise<ReadonlyMap<string, BudgetState>>;

/** Describes a budget after a reset or a credit, which depends on its periods. */
export interface BudgetAdjuster {
  reset(): BudgetAdjustment;
  credited(account: Account, usd: number): BudgetAdjustment;
}

/** Registry for the reader of budgets, which the limits module provides. */
@Injectable()
export class BudgetStates {
  private reader: BudgetReader | undefined;
  private adjuster: BudgetAdjuster | undefined;

  register(reader: BudgetReader, adjuster: BudgetAdjuster): void {
    this.reader = reader;
    this.adjuster = adjuster;
  }

  get adjust(): BudgetAdjuster {
    if (this.adjuster === undefined) throw new Error('budgets are changed where they are counted');
    return this.adjuster;
  }

  of(accounts: readonly Account[]): Promise<ReadonlyMap<string, BudgetState>> {
    return this.reader?.(accounts) ?? Promise.resolve(new Map());
  }
}
