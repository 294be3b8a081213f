import { ListOf } from '../../http/list-of.js';
import { ApiProperty } from '@nestjs/swagger';
import { BudgetUsageDto } from './budget-usage.dto.js';
import { AppliedRulesDto } from './access-rules.dto.js';
import { SCOPES, type Scope } from '../../auth/principal.js';
import { RequestLogSettingDto } from './request-log-setting.dto.js';

/** A key, without its secret. Times are Unix seconds. */
export class KeyDto extends AppliedRulesDto {
  /**
   * Public id of the key.
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
  /**
   * The last characters of the key, by which people recognise it.
   * @example "...Zk3f9a1c"
   */
  hint!: string;
  /** The rights of the key. */
  @ApiProperty({ enum: SCOPES, enumName: 'Scope', isArray: true, example: ['inference'] })
  scopes!: Scope[];
  /** Null is every model. */
  @ApiProperty({ type: [String], nullable: true, example: ['sandbox/*'] })
  allowed_models!: string[] | null;
  /** The metadata of the key. */
  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true, example: { owner: 'ada' } })
  metadata!: Record<string, unknown> | null;
  /** The group that the key belongs to; null for none. */
  @ApiProperty({ type: String, nullable: true, example: null })
  group_id!: string | null;
  /** The person who sees the key in the console; null for none. */
  @ApiProperty({ type: String, nullable: true, example: null })
  owner!: string | null;
  /** Which prompts and responses are stored; null for none. */
  @ApiProperty({ type: RequestLogSettingDto, nullable: true, example: null })
  request_log!: RequestLogSettingDto | null;
  /** Id of the key that made this one; `admin` for GATEWAY_ADMIN_KEY, `bootstrap` for the first start. */
  @ApiProperty({ example: 'admin' })
  created_by!: string;
  /** The key that created this one and whose limits, budget, rights and expiry apply to it as well; null for none. */
  @ApiProperty({ type: String, nullable: true, example: null })
  parent_id!: string | null;
  /** When the key was made. */
  @ApiProperty({ type: 'integer', example: 1767225600 })
  created_at!: number;
  /** Null is never. */
  @ApiProperty({ type: 'integer', nullable: true, example: null })
  expires_at!: number | null;
  /** When the key was revoked; null while it works. */
  @ApiProperty({ type: 'integer', nullable: true, example: null })
  revoked_at!: number | null;
  /** When the key before the last rotation ends; null if there is none. */
  @ApiProperty({ type: 'integer', nullable: true, example: null })
  previous_key_expires_at!: number | null;
}

/** A key and what is spent of its budget. */
export class KeyWithUsageDto extends KeyDto {
  /** The spent and remaining amounts of the budget, of the key and of the keys that it made; null without a budget. */
  @ApiProperty({ type: BudgetUsageDto, nullable: true })
  budget_usage!: BudgetUsageDto | null;
}

/** A key with its secret, which is shown in this response and never again. */
export class KeyWithSecretDto extends KeyDto {
  /**
   * The key itself. Keep it now: only its hash is stored.
   * @example "gw_0123456789abcdef_vMmYAWuZ7XMiDX4P0xkJqPz2n8GgXh1oCwRbTfLe_3f9a1c"
   */
  key!: string;
}

/** A page of keys, newest first. */
export class KeyListDto extends ListOf(KeyWithUsageDto, 'The keys of this page.') {}
