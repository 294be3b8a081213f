/** Rate limits; each only where it is set. */
export interface RateLimits {
  /** Requests in a minute. */
  readonly rpm?: number;
  /** Tokens of prompts and responses in a minute. */
  readonly tpm?: number;
  /** Requests in flight at once. */
  readonly concurrency?: number;
  /** Tokens of batches that wait or run at once. */
  readonly batch_tokens?: number;
}

export const PERIODS = ['day', 'week', 'month', 'total'] as const;
/** In UTC; a week begins on Monday. */
export type Period = (typeof PERIODS)[number];

/** How much may be spent. */
export interface Budget {
  readonly usd: number;
  readonly period: Period;
  /** Shares of it, 0 to 1, at which an alert is sent. */
  readonly soft_thresholds?: readonly number[];
  /** Whether models without a known price may be called; what they cost is then not counted. */
  readonly allow_unpriced?: boolean;
}

/** A reset or credit of a budget by an operator. It applies until the end of its period. */
export interface BudgetAdjustment {
  /** Calls that came before this, in epoch milliseconds, count no more; null where the budget was not reset. */
  readonly resetAt: number | null;
  /** US dollars in addition to the budget. */
  readonly creditUsd: number;
  /** In which period the credit counts; see `PeriodSpan.id`. */
  readonly creditPeriod: string | null;
}

/** The accounts whose limits and budget apply to a call. */
export interface Account {
  /** Id of a key or a group. */
  readonly id: string;
  readonly limits: RateLimits | null;
  readonly budget: Budget | null;
  readonly budgetAdjustment?: BudgetAdjustment | null;
}
