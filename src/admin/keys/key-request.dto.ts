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
import { AccessRulesDto } from './access-rules.dto.js';
import { IsNotBlank } from '../../http/is-not-blank.js';
import { IsSmallObject } from '../../http/is-small-object.js';
import { SCOPES, type Scope } from '../../auth/principal.js';
import { RequestLogSettingDto } from './request-log-setting.dto.js';

/** The end of year 9999, in Unix seconds: a later time is milliseconds by mistake. */
export const LATEST_EPOCH_SECONDS = 253_402_300_799;

/** A new key. */
export class CreateKeyDto extends AccessRulesDto {
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

  /**
   * The person who sees the key and its usage after a sign-in by OpenID Connect: what `console.oidc.user_claim` says of them, such as
   * an e-mail address, in lower case. It gives no right to change the key. Null or absent for none.
   */
  @ApiProperty({ type: String, required: false, nullable: true, example: null })
  @IsOptional()
  @IsString()
  @IsNotBlank()
  @MaxLength(200)
  owner?: string | null;

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
    'owner',
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

  /** Only keys of this person. */
  @ApiProperty({ required: false })
  @IsOptional()
  @IsString()
  @MaxLength(200)
  owner?: string;

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
