import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsOptional } from 'class-validator';
import { FALLBACK_RULES, type FallbackRule } from '../../auth/fallback-rule.js';
import { SpendingBoundsDto, SpendingDto } from './spending.dto.js';

/** The rules that a request sets for a key, or for all keys of a group. */
export class AccessRulesDto extends SpendingDto {
  /**
   * Which fallbacks of a model in gateway.yaml may serve the key, or the keys of the group: `any`, or `within_allowed` those that the
   * allowed models of the key include. Null or absent is `any`.
   */
  @ApiProperty({
    enum: FALLBACK_RULES,
    enumName: 'FallbackRule',
    required: false,
    nullable: true,
    example: 'within_allowed',
  })
  @IsOptional()
  @IsIn(FALLBACK_RULES)
  fallbacks?: FallbackRule | null;
}

/** The rules of a key, or of all keys of a group. */
export class AppliedRulesDto extends SpendingBoundsDto {
  /** Which fallbacks of models may serve the key, or the keys of the group. */
  @ApiProperty({ enum: FALLBACK_RULES, enumName: 'FallbackRule', example: 'any' })
  fallbacks!: FallbackRule;
}
