import type { Budget } from '../auth/spending.js';

/** The kind of budget event. */
export type BudgetEventType = 'budget.threshold_reached' | 'budget.exhausted';

/** A budget event, as alerts and metrics report it. */
export interface BudgetEvent {
  readonly type: BudgetEventType;
  /** Id of the key or the group. */
  readonly account: string;
  /** Names the period: see `PeriodSpan`. */
  readonly period: string;
  /** The same, and since which reset of the budget in it. */
  readonly periodId: string;
  readonly budget: Budget;
  /** Billionths of a dollar. */
  readonly spent: number;
  /** Share of the budget, 0 to 1; 1 for an exhausted budget. */
  readonly threshold: number;
}

/** The body of the signed event. @param createdAt Unix seconds */
export function eventBody(
  id: string,
  { type, account, period, budget, spent, threshold }: BudgetEvent,
  createdAt: number,
): object {
  return {
    id,
    object: 'event',
    type,
    created_at: createdAt,
    data: {
      id: account,
      period: budget.period,
      period_start: period,
      threshold,
      budget_usd: budget.usd,
      spent_usd: spent / 1e9,
    },
  };
}

/** The body that an incoming webhook of Slack takes. */
export function slackBody({ type, account, period, budget, spent, threshold }: BudgetEvent): { text: string } {
  const owner = `${account.startsWith('group_') ? 'group' : 'key'} \`${account}\``;
  const what =
    type === 'budget.exhausted'
      ? ':no_entry: The budget is exhausted'
      : `:warning: ${Math.round(threshold * 100)} % of the budget is spent`;
  const when = budget.period === 'total' ? 'in total' : `for the ${budget.period} of ${period}`;
  return { text: `${what}: ${owner} has spent $${dollars(spent / 1e9)} of $${dollars(budget.usd)} ${when}.` };
}

function dollars(value: number): string {
  return value.toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 6 });
}
