import { Injectable } from '@nestjs/common';
import type { Account } from './spending.js';

/** How much of a budget is spent in the present period. Amounts are US dollars, times epoch milliseconds. */
export interface BudgetState {
  readonly spent: number;
  readonly remaining: number;
  readonly periodStart: number | null;
  readonly periodEnd: number | null;
}

/** Reads what accounts with a budget have spent; those without one are not among the answers. */
export type BudgetReader = (accounts: readonly Account[]) => Promise<ReadonlyMap<string, BudgetState>>;

/** What is spent is known to the ledger of usage, which registers its reader here. */
@Injectable()
export class BudgetStates {
  private reader: BudgetReader | undefined;

  register(reader: BudgetReader): void {
    this.reader = reader;
  }

  of(accounts: readonly Account[]): Promise<ReadonlyMap<string, BudgetState>> {
    return this.reader?.(accounts) ?? Promise.resolve(new Map());
  }
}
