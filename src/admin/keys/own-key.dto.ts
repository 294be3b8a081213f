import { ApiProperty } from '@nestjs/swagger';
import { BudgetUsageDto } from './budget-usage.dto.js';
import { SCOPES, type Scope } from '../../auth/principal.js';
import { BudgetDto, RateLimitsDto, SpendingBoundsDto } from './spending.dto.js';

/** What the calling key may do. Times are Unix seconds. */
export class OwnKeyDto extends SpendingBoundsDto {
  /**
   * Public id of the key; `admin` for GATEWAY_ADMIN_KEY.
   * @example "key_0123456789abcdef"
   */
  id!: string;
  /** Always `api_key`. */
  @ApiProperty({ enum: ['api_key'], example: 'api_key' })
  object!: 'api_key';
  /**
   * What the key is for.
   * @example "checkout service"
   */
  name!: string;
  /** What the key may do now, within what the key that made it may do. */
  @ApiProperty({ enum: SCOPES, isArray: true, example: ['inference'] })
  scopes!: Scope[];
  /** Models that the key may call: ids, or prefixes such as `openai/*`. Null is every model. */
  @ApiProperty({ type: [String], nullable: true, example: ['sandbox/*'] })
  allowed_models!: string[] | null;
  /** When the key stops working; null is never. */
  @ApiProperty({ type: 'integer', nullable: true, example: null })
  expires_at!: number | null;
  /** What is spent and left of the budget; null without one. */
  @ApiProperty({ type: BudgetUsageDto, nullable: true })
  budget_usage!: BudgetUsageDto | null;
  /** The group that the key belongs to; null is none. */
  @ApiProperty({ type: String, nullable: true, example: null })
  group_id!: string | null;
  /** Limits of the group, which its keys share; null is none. */
  @ApiProperty({ type: RateLimitsDto, nullable: true, example: null })
  group_limits!: RateLimitsDto | null;
  /** Budget of the group, which its keys share; null is none. */
  @ApiProperty({ type: BudgetDto, nullable: true, example: null })
  group_budget!: BudgetDto | null;
  /** What is spent and left of the group's budget; null without one. */
  @ApiProperty({ type: BudgetUsageDto, nullable: true, example: null })
  group_budget_usage!: BudgetUsageDto | null;
}
