import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsNumber,
  IsObject,
  IsOptional,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import { PERIODS, type Budget, type Period, type RateLimits } from '../../auth/spending.js';

const MAX_LIMIT = 1_000_000_000;
const MAX_BATCH_TOKENS = 1_000_000_000_000;

/** Rate limits; absent ones are not limited. */
export class RateLimitsDto implements RateLimits {
  /** Requests in a minute. */
  @ApiProperty({ type: 'integer', required: false, minimum: 1, example: 600 })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_LIMIT)
  rpm?: number;

  /** Tokens of prompts and responses in a minute. */
  @ApiProperty({ type: 'integer', required: false, minimum: 1, example: 200000 })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_LIMIT)
  tpm?: number;

  /** Requests in flight at once. */
  @ApiProperty({ type: 'integer', required: false, minimum: 1, example: 50 })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(100_000)
  concurrency?: number;

  /** Tokens of batches that are enqueued at once, prompts and longest responses: a batch beyond them is refused. Apart from `tpm`. */
  @ApiProperty({ type: 'integer', required: false, minimum: 1, example: 5000000 })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(MAX_BATCH_TOKENS)
  batch_tokens?: number;
}

/** The budget. It is never exceeded: the upper bound of a request's cost is reserved before it is sent. */
export class BudgetDto implements Budget {
  /** US dollars for each period. */
  @ApiProperty({ type: Number, minimum: 0, example: 25 })
  @IsNumber()
  @Min(0)
  @Max(1_000_000)
  usd!: number;

  /** In UTC; a week begins on Monday. */
  @ApiProperty({ enum: PERIODS, enumName: 'BudgetPeriod', example: 'month' })
  @IsIn(PERIODS)
  period!: Period;

  /** Shares of the budget at which the webhook under `alerts` of gateway.yaml is notified, once in each period. */
  @ApiProperty({ type: [Number], required: false, default: [0.8], example: [0.5, 0.8] })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(10)
  @IsNumber({}, { each: true })
  @Min(0.01, { each: true })
  @Max(1, { each: true })
  soft_thresholds?: number[];

  /** Whether models whose price is unknown may be called; what they cost is not counted. Without it they are refused. */
  @ApiProperty({ type: Boolean, required: false, default: false, example: false })
  @IsOptional()
  @IsBoolean()
  allow_unpriced?: boolean;
}

/** The limits and the budget of a key or a group that a request sets. */
export class SpendingDto {
  /** Rate limits. Those of a group apply to all its keys together. Null or absent for no limit. */
  @ApiProperty({ type: RateLimitsDto, required: false, nullable: true })
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => RateLimitsDto)
  limits?: RateLimitsDto | null;

  /** The budget. That of a group applies to all its keys together. Null or absent for no limit. */
  @ApiProperty({ type: BudgetDto, required: false, nullable: true })
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => BudgetDto)
  budget?: BudgetDto | null;
}

/** The bounds of the spending of a key or of a group. */
export class SpendingBoundsDto {
  /** Rate limits. Those of a group apply to all its keys together. Null for no limit. */
  @ApiProperty({ type: RateLimitsDto, nullable: true })
  limits!: RateLimitsDto | null;
  /** The budget. That of a group applies to all its keys together. Null for no limit. */
  @ApiProperty({ type: BudgetDto, nullable: true })
  budget!: BudgetDto | null;
}

/** The limits as they are stored, without null members. */
export function toRateLimits(limits: RateLimitsDto | null | undefined): RateLimits | null {
  if (limits == null) return null;
  const { rpm, tpm, concurrency, batch_tokens } = limits;
  const kept = {
    ...(rpm != null && { rpm }),
    ...(tpm != null && { tpm }),
    ...(concurrency != null && { concurrency }),
    ...(batch_tokens != null && { batch_tokens }),
  };
  return Object.keys(kept).length === 0 ? null : kept;
}

/** The budget as it is stored: dollars, rounded to billionths. */
export function toBudget(budget: BudgetDto | null | undefined): Budget | null {
  if (budget == null) return null;
  const { usd, period, soft_thresholds: thresholds, allow_unpriced: allowUnpriced } = budget;
  return {
    usd: Math.round(usd * 1e9) / 1e9,
    period,
    ...(thresholds != null && { soft_thresholds: thresholds }),
    ...(allowUnpriced != null && { allow_unpriced: allowUnpriced }),
  };
}

/** A stored budget as the admin API shows it; null without one. */
export function toBudgetDto(budget: Budget | null): BudgetDto | null {
  return budget === null ? null : { ...budget, soft_thresholds: [...(budget.soft_thresholds ?? [0.8])] };
}
