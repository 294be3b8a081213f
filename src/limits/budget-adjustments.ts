import type { BudgetAdjuster } from '../auth/budget-states.js';
import type { Account, BudgetAdjustment } from '../auth/spending.js';
import { steadyNow } from '../runtime/steady-clock.js';
import { budgetAt, periodId } from './period.js';

/** How operators change what is left of a budget in its present period. */
export const budgetAdjuster: BudgetAdjuster = {
  /** Later than every call that has come so far. */
  reset: () => ({ resetAt: steadyNow() + 1, creditUsd: 0, creditPeriod: null }),

  credited(account: Account, usd: number): BudgetAdjustment {
    const present = budgetAt(account, steadyNow());
    if (present === undefined) throw new Error('there is no budget to credit');
    const { resetAt = null } = account.budgetAdjustment ?? {};
    const earlier = present.budget.usd - (account.budget?.usd ?? 0);
    return {
      resetAt,
      creditUsd: Math.round((earlier + usd) * 1e9) / 1e9,
      creditPeriod: periodId(present.period),
    };
  },
};
