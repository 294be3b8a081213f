import { ApiProperty } from '@nestjs/swagger';
import {
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsObject,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  MinLength,
} from 'class-validator';
import { CreateGroupDto } from '../groups/groups.dto.js';
import { CreateKeyDto, LATEST_EPOCH_SECONDS } from './key-request.dto.js';

/** Keys, and groups, of one request. */
export const MAX_IMPORTED_KEYS = 10_000;
export const HASH_TYPES = ['pepper', 'sha256'] as const;
export type HashType = (typeof HASH_TYPES)[number];

/** A group as it is exported and imported. */
export class TransferredGroupDto extends CreateGroupDto {
  /** Id of the group. A new one is made where it is absent. */
  @ApiProperty({ required: false, pattern: '^group_[0-9a-f]{16}$', example: 'group_0123456789abcdef' })
  @IsOptional()
  @IsString()
  @Matches(/^group_[0-9a-f]{16}$/)
  id?: string;

  /** When it was made, in Unix seconds; now where it is absent. */
  @ApiProperty({ type: 'integer', required: false, example: 1767225600 })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(LATEST_EPOCH_SECONDS)
  created_at?: number;
}

/** A key as it is exported and imported: with its hash or with the key itself, never with both. */
export class TransferredKeyDto extends CreateKeyDto {
  /** Id of the key. Where it is absent, the id in a key of the form `gw_...` is used, else a new one is made. */
  @ApiProperty({ required: false, pattern: '^key_[0-9a-f]{16}$', example: 'key_0123456789abcdef' })
  @IsOptional()
  @IsString()
  @Matches(/^key_[0-9a-f]{16}$/)
  id?: string;

  /**
   * The key itself, as clients send it: 24 to 256 visible ASCII characters, such as a key of the gateway before. Only its
   * hash is stored. Never in an export.
   */
  @ApiProperty({ required: false, minLength: 24, maxLength: 256, example: 'sk-4Yb9QvT2mXw7Lr3Ks8Np1Zd6' })
  @IsOptional()
  @IsString()
  @MinLength(24)
  @MaxLength(256)
  @Matches(/^[\x21-\x7e]+$/, { message: '$property must be of visible ASCII characters, without spaces' })
  key?: string;

  /** In place of `key`: its hash in 64 hexadecimal digits, made as `hash_type` says. */
  @ApiProperty({ required: false, pattern: '^[0-9a-f]{64}$' })
  @IsOptional()
  @IsString()
  @Matches(/^[0-9a-f]{64}$/)
  hash?: string;

  /** How `hash` was made: `pepper` is HMAC-SHA-256 under a key pepper of this gateway, `sha256` is SHA-256 of the key alone. */
  @ApiProperty({ enum: HASH_TYPES, enumName: 'HashType', required: false })
  @IsOptional()
  @IsIn(HASH_TYPES)
  hash_type?: HashType;

  /** Fingerprint of the pepper of `hash`, as an export says it; the present one where it is absent. */
  @ApiProperty({ required: false, pattern: '^[0-9a-f]{32}$' })
  @IsOptional()
  @IsString()
  @Matches(/^[0-9a-f]{32}$/)
  pepper?: string;

  /** The hint that identifies the key in lists, where only the hash is given. */
  @ApiProperty({ required: false, maxLength: 16, example: '...Zk3f9a1c' })
  @IsOptional()
  @IsString()
  @MaxLength(16)
  hint?: string;

  /**
   * The parent, whose bounds apply to this key: an existing key, or one of the same import. Only for operators. Default: the
   * key that imports.
   */
  @ApiProperty({ type: String, required: false, nullable: true, example: null })
  @IsOptional()
  @IsString()
  @MaxLength(32)
  parent_id?: string | null;

  /** Who made it. Only for operators; absent is the key that imports. */
  @ApiProperty({ required: false, example: 'admin' })
  @IsOptional()
  @IsString()
  @MaxLength(32)
  created_by?: string;

  /** When it was made, in Unix seconds; now where it is absent. */
  @ApiProperty({ type: 'integer', required: false, example: 1767225600 })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(LATEST_EPOCH_SECONDS)
  created_at?: number;

  /** When it was revoked, in Unix seconds; null or absent is not. */
  @ApiProperty({ type: 'integer', required: false, nullable: true, example: null })
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(LATEST_EPOCH_SECONDS)
  revoked_at?: number | null;
}

/** Keys to import, with the groups that they belong to. All of it is imported, or nothing. */
export class ImportKeysDto {
  /** Groups that are not here yet. */
  @ApiProperty({ type: [TransferredGroupDto], required: false, example: [] })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(MAX_IMPORTED_KEYS)
  @IsObject({ each: true })
  groups?: TransferredGroupDto[];

  /** At most 10,000; the command line takes any number. */
  @ApiProperty({
    type: [TransferredKeyDto],
    example: [{ name: 'checkout service', key: 'sk-4Yb9QvT2mXw7Lr3Ks8Np1Zd6', allowed_models: ['sandbox/*'] }],
  })
  @IsArray()
  @ArrayMaxSize(MAX_IMPORTED_KEYS)
  @IsObject({ each: true })
  keys!: TransferredKeyDto[];

  /** Leaves keys and groups out whose id or hash is here already, so that an import can be repeated. Without it they are faults. */
  @ApiProperty({ type: Boolean, required: false, default: false, example: true })
  @IsOptional()
  @IsBoolean()
  skip_existing?: boolean;

  /** The member of an export, so that an export can be sent unchanged. */
  @ApiProperty({ enum: ['key_export'], required: false })
  @IsOptional()
  @IsIn(['key_export'])
  object?: 'key_export';
}

/** The result of an import. */
export class KeyImportDto {
  /** Always `key_import`. */
  @ApiProperty({ enum: ['key_import'], example: 'key_import' })
  object!: 'key_import';
  /** How many keys are new. */
  @ApiProperty({ type: 'integer', example: 1 })
  imported!: number;
  /** How many keys were here already. */
  @ApiProperty({ type: 'integer', example: 0 })
  skipped!: number;
  /** How many groups are new. */
  @ApiProperty({ type: 'integer', example: 0 })
  imported_groups!: number;
  /** Ids of the new keys, in the order of the request. */
  @ApiProperty({ type: [String], example: ['key_0123456789abcdef'] })
  ids!: string[];
}

/** What to export. */
export class ExportKeysQueryDto {
  /** Whether hashes are given, with which the keys work where they are imported. Only for operators. */
  @ApiProperty({ enum: ['true', 'false'], required: false, default: 'false' })
  @IsOptional()
  @IsIn(['true', 'false'])
  hashes?: 'true' | 'false';

  /** Whether revoked keys are given too. */
  @ApiProperty({ enum: ['true', 'false'], required: false, default: 'false' })
  @IsOptional()
  @IsIn(['true', 'false'])
  revoked?: 'true' | 'false';
}

/** All keys and groups, in the form that an import takes. */
export class KeyExportDto {
  /** Always `key_export`. */
  @ApiProperty({ enum: ['key_export'], example: 'key_export' })
  object!: 'key_export';
  /** All groups, by their ids. */
  @ApiProperty({ type: [TransferredGroupDto], example: [] })
  groups!: TransferredGroupDto[];
  /** All keys, by their ids. */
  @ApiProperty({ type: [TransferredKeyDto], example: [] })
  keys!: TransferredKeyDto[];
}

/** Which revoked keys to purge. */
export class PurgeKeysDto {
  /**
   * Days since a key was revoked after which it is purged. 0 purges every revoked key.
   * @example 90
   */
  @ApiProperty({ type: 'integer', minimum: 0, maximum: 36_500, example: 90 })
  @IsInt()
  @Min(0)
  @Max(36_500)
  retention_days!: number;

  /** Only reports what would be purged. */
  @ApiProperty({ type: Boolean, required: false, default: false, example: true })
  @IsOptional()
  @IsBoolean()
  dry_run?: boolean;
}

/** The purged keys, or with `dry_run` those that would be purged. */
export class KeyPurgeDto {
  /** Always `key_purge`. */
  @ApiProperty({ enum: ['key_purge'], example: 'key_purge' })
  object!: 'key_purge';
  /** How many keys. */
  @ApiProperty({ type: 'integer', example: 12 })
  purged!: number;
  /** How many were revoked for as long and stay: other keys depend on them, or the key that asks may not end them. */
  @ApiProperty({ type: 'integer', example: 1 })
  kept!: number;
  /** Whether it was only asked. */
  @ApiProperty({ example: true })
  dry_run!: boolean;
}
