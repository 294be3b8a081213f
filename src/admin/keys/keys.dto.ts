import { ListOf } from '../../http/list-of.js';
import { ApiProperty, PartialType, PickType } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayNotEmpty,
  ArrayUnique,
  Equals,
  IsArray,
  IsIn,
  IsInt,
  IsNotEmpty,
  IsObject,
  IsOptional,
  IsString,
  Max,
  MaxLength,
  Min,
  ValidateIf,
  ValidateNested,
} from 'class-validator';
import { PageQueryDto } from '../../http/page-query.dto.js';
import { BudgetUsageDto } from './budget-usage.dto.js';
import { SpendingBoundsDto, SpendingDto } from './spending.dto.js';
import { IsNotBlank } from '../../http/is-not-blank.js';
import { IsSmallObject } from '../../http/is-small-object.js';
import { REDACTIONS, type Redaction } from '../../runtime/redaction.js';
import { FALLBACK_RULES, type FallbackRule } from '../../auth/fallback-rule.js';
import { SCOPES, type Scope } from '../../auth/principal.js';

/** The end of year 9999, in Unix seconds: a later time is milliseconds by mistake. */
export const LATEST_EPOCH_SECONDS = 253_402_300_799;

/** Which prompts and responses of the key are stored, encrypted, for administrators to read. */
export class RequestLogSettingDto {
  /**
   * Days that an entry is kept, 1 to 365.
   * @example 30
   */
  @ApiProperty({ type: 'integer', minimum: 1, maximum: 365, example: 30 })
  @IsInt()
  @Min(1)
  @Max(365)
  days!: number;

  /** The data to remove before an entry is stored: whole parts (`prompt`, `answer`, `files`) or matches of patterns. */
  @ApiProperty({
    enum: REDACTIONS,
    enumName: 'Redaction',
    isArray: true,
    required: false,
    default: [],
    example: ['email', 'card'],
  })
  @IsOptional()
  @IsArray()
  @ArrayUnique()
  @IsIn(REDACTIONS, { each: true })
  redact?: Redaction[];
}

/** A new key. */
export class CreateKeyDto extends SpendingDto {
  /**
   * The purpose of the key, 1 to 200 characters that are not all white space.
   * @example "checkout service"
   */
  @IsString()
  @IsNotBlank()
  @MaxLength(200)
  name!: string;

  /**
   * The rights of the key: `inference` calls models, `admin` manages the gateway, `routing` lets a request choose its own
   * fallbacks and timeout by headers, `provider_options` lets it choose model, account, price tier and stored state at the
   * provider.
   * @example ["inference"]
   */
  @ApiProperty({
    enum: SCOPES,
    enumName: 'Scope',
    isArray: true,
    required: false,
    default: ['inference'],
    example: ['inference'],
  })
  @IsOptional()
  @IsArray()
  @ArrayNotEmpty()
  @ArrayUnique()
  @IsIn(SCOPES, { each: true })
  scopes?: Scope[];

  /**
   * Models that the key may call: ids, or prefixes such as `openai/*`. Null or absent is every model.
   * @example ["sandbox/*"]
   */
  @ApiProperty({ type: [String], required: false, nullable: true, example: ['sandbox/*'] })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(1000)
  @IsString({ each: true })
  @IsNotEmpty({ each: true })
  @MaxLength(256, { each: true })
  allowed_models?: string[] | null;

  /**
   * Which fallbacks of a model in gateway.yaml may serve the key: `any`, or `within_allowed` those that the allowed models of the
   * key include. Null or absent is `any`.
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

  /**
   * When the key stops working, in Unix seconds; in the future. Null or absent is never.
   * @example 4102444800
   */
  @ApiProperty({ type: 'integer', required: false, nullable: true, example: 4102444800 })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(LATEST_EPOCH_SECONDS)
  expires_at?: number | null;

  /** Metadata to keep with the key: a JSON object of at most 16 KB. */
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    selfRequired: false,
    nullable: true,
    example: { owner: 'ada' },
  })
  @IsOptional()
  @IsObject()
  @IsSmallObject()
  metadata?: Record<string, unknown> | null;

  /** The group of the key, whose limits and budget apply as well. Null or absent for none. */
  @ApiProperty({ type: String, required: false, nullable: true, example: null })
  @IsOptional()
  @IsString()
  @MaxLength(32)
  group_id?: string | null;

  /** Stores prompts and responses of this key. Null or absent stores none. Needs GATEWAY_REQUEST_LOG_KEY. */
  @ApiProperty({ type: RequestLogSettingDto, required: false, nullable: true, example: null })
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => RequestLogSettingDto)
  request_log?: RequestLogSettingDto | null;
}

/** Changes to a key; absent members stay unchanged. Null removes nullable members. */
export class UpdateKeyDto extends PartialType(
  PickType(CreateKeyDto, [
    'name',
    'allowed_models',
    'fallbacks',
    'expires_at',
    'metadata',
    'limits',
    'budget',
    'group_id',
    'request_log',
  ]),
  { skipNullProperties: false },
) {
  /**
   * The rights of the key; not null.
   * @example ["inference"]
   */
  @ApiProperty({ enum: SCOPES, enumName: 'Scope', isArray: true, required: false, example: ['inference'] })
  @ValidateIf((_body, value) => value !== undefined)
  @IsArray()
  @ArrayNotEmpty()
  @ArrayUnique()
  @IsIn(SCOPES, { each: true })
  scopes?: Scope[];

  /**
   * Null makes the key independent of the key that created it, whose limits and expiry then no longer apply to it. Only for
   * GATEWAY_ADMIN_KEY and the key of the first start.
   */
  @ApiProperty({ type: 'null', required: false, nullable: true, example: null })
  @ValidateIf((_body, value) => value !== undefined)
  @Equals(null)
  parent_id?: null;
}

/** Which keys to list. */
export class KeyQueryDto extends PageQueryDto {
  /** Only keys whose name contains this, in any case. */
  @ApiProperty({ required: false })
  @IsOptional()
  @IsString()
  @MaxLength(200)
  name?: string;

  /** Only keys of this group. */
  @ApiProperty({ required: false })
  @IsOptional()
  @IsString()
  @MaxLength(64)
  group_id?: string;

  /** Only keys that are revoked (`true`), or are not (`false`). */
  @ApiProperty({ enum: ['true', 'false'], required: false })
  @IsOptional()
  @IsIn(['true', 'false'])
  revoked?: 'true' | 'false';
}

/** How to rotate a key. */
export class RotateKeyDto {
  /**
   * How long the old key works beside the new one, in seconds; at most 7 days. 0 ends it at once.
   * @example 3600
   */
  @ApiProperty({ type: 'integer', required: false, default: 0, minimum: 0, maximum: 604800, example: 3600 })
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(604_800)
  overlap_seconds?: number;
}

/** A key, without its secret. Times are Unix seconds. */
export class KeyDto extends SpendingBoundsDto {
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
  /** Which fallbacks of models may serve the key. */
  @ApiProperty({ enum: FALLBACK_RULES, enumName: 'FallbackRule', example: 'any' })
  fallbacks!: FallbackRule;
  /** The metadata of the key. */
  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true, example: { owner: 'ada' } })
  metadata!: Record<string, unknown> | null;
  /** The group that the key belongs to; null for none. */
  @ApiProperty({ type: String, nullable: true, example: null })
  group_id!: string | null;
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
