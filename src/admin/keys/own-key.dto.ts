import { ApiProperty } from '@nestjs/swagger';
import { BudgetUsageDto } from './budget-usage.dto.js';
import { FALLBACK_RULES, type FallbackRule } from '../../auth/fallback-rule.js';
import { SCOPES, type Scope } from '../../auth/principal.js';
import { BudgetDto, RateLimitsDto, SpendingBoundsDto } from './spending.dto.js';

/** The rights and limits of the calling key. Times are Unix seconds. */
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
   * The purpose of the key.
   * @example "checkout service"
   */
  name!: string;
  /** The present rights of the key, within those of the key that made it. */
  @ApiProperty({ enum: SCOPES, enumName: 'Scope', isArray: true, example: ['inference'] })
  scopes!: Scope[];
  /** Models that the key may call: ids, or prefixes such as `openai/*`. Null is every model. */
  @ApiProperty({ type: [String], nullable: true, example: ['sandbox/*'] })
  allowed_models!: string[] | null;
  /** Which fallbacks of models may serve the key, within the rules of its group and of the key that made it. */
  @ApiProperty({ enum: FALLBACK_RULES, enumName: 'FallbackRule', example: 'any' })
  fallbacks!: FallbackRule;
  /** When the key stops working; null is never. */
  @ApiProperty({ type: 'integer', nullable: true, example: null })
  expires_at!: number | null;
  /** The spent and remaining amounts of the budget; null without one. */
  @ApiProperty({ type: BudgetUsageDto, nullable: true })
  budget_usage!: BudgetUsageDto | null;
  /** The group that the key belongs to; null for none. */
  @ApiProperty({ type: String, nullable: true, example: null })
  group_id!: string | null;
  /** Limits of the group, which its keys share; null for none. */
  @ApiProperty({ type: RateLimitsDto, nullable: true, example: null })
  group_limits!: RateLimitsDto | null;
  /** Budget of the group, which its keys share; null for none. */
  @ApiProperty({ type: BudgetDto, nullable: true, example: null })
  group_budget!: BudgetDto | null;
  /** The spent and remaining amounts of the group's budget; null without one. */
  @ApiProperty({ type: BudgetUsageDto, nullable: true, example: null })
  group_budget_usage!: BudgetUsageDto | null;
}
