import { ApiProperty } from '@nestjs/swagger';
import { toUnixSeconds } from '../../http/unix-seconds.js';
import type { BudgetState } from '../../auth/budget-states.js';

/** How much of a budget is spent in the present period, by calls that have ended. */
export class BudgetUsageDto {
  /** US dollars that are spent. */
  @ApiProperty({ type: Number, example: 3.25 })
  spent_usd!: number;
  /** US dollars that are left; 0 when the budget is spent. The upper bound of requests in flight is reserved from it. */
  @ApiProperty({ type: Number, example: 21.75 })
  remaining_usd!: number;
  /** US dollars that an operator added to the budget of this period; 0 when none. */
  @ApiProperty({ type: Number, example: 0 })
  credit_usd!: number;
  /** When an operator reset the budget in this period, in Unix seconds: calls before it count no more. Null when it was not. */
  @ApiProperty({ type: 'integer', nullable: true, example: null })
  reset_at!: number | null;
  /** When the period began, in Unix seconds; null for `total`. */
  @ApiProperty({ type: 'integer', nullable: true, example: 1793491200 })
  period_start!: number | null;
  /** When the period ends and the budget is whole again, in Unix seconds; null for `total`. */
  @ApiProperty({ type: 'integer', nullable: true, example: 1796083200 })
  period_end!: number | null;
}

/** The state of a budget in US dollars and Unix seconds; null without a budget. */
export function toBudgetUsage(state: BudgetState | undefined): BudgetUsageDto | null {
  if (state === undefined) return null;
  return {
    spent_usd: state.spent,
    remaining_usd: state.remaining,
    credit_usd: state.credit,
    reset_at: toUnixSeconds(state.resetAt),
    period_start: toUnixSeconds(state.periodStart),
    period_end: toUnixSeconds(state.periodEnd),
  };
}
