import { ListOf } from '../http/list-of.js';
import { ApiProperty } from '@nestjs/swagger';
import { IsOptional, IsString, Matches, MaxLength } from 'class-validator';
import { TimeSpanQueryDto } from '../http/time-span-query.dto.js';
import { AUDIT_TARGETS, type AuditTarget } from './audit-entry.entity.js';

const ACTION = /^[a-z_]+\.(\*|[a-z_]+)$/;

/** Which actions to list. */
export class AuditQueryDto extends TimeSpanQueryDto {
  /** Only actions of this key. */
  @ApiProperty({ required: false })
  @IsOptional()
  @IsString()
  @MaxLength(64)
  actor?: string;

  /** Only actions on this key, group, entry or batch. */
  @ApiProperty({ required: false })
  @IsOptional()
  @IsString()
  @MaxLength(64)
  target_id?: string;

  /** Only this action, such as `key.created`, or all of a kind, such as `key.*`. */
  @ApiProperty({ required: false, pattern: ACTION.source })
  @IsOptional()
  @IsString()
  @MaxLength(32)
  @Matches(ACTION, { message: '$property must be an action such as key.created, or all of a kind such as key.*' })
  action?: string;
}

/** What an administrator did. */
export class AuditEntryDto {
  /**
   * Id of the entry.
   * @example "aud_0123456789abcdef01234567"
   */
  id!: string;
  /** Always `audit_entry`. */
  @ApiProperty({ enum: ['audit_entry'], example: 'audit_entry' })
  object!: 'audit_entry';
  /** Unix seconds. */
  @ApiProperty({ type: 'integer', example: 1795478400 })
  created_at!: number;
  /**
   * Id of the key that did it; `admin` is GATEWAY_ADMIN_KEY, `operator` a change on the machine.
   * @example "admin"
   */
  actor!: string;
  /**
   * The action.
   * @example "key.created"
   */
  action!: string;
  /** The target of the action. */
  @ApiProperty({ enum: AUDIT_TARGETS, enumName: 'AuditTarget', example: 'key' })
  target_type!: AuditTarget;
  /**
   * Id of the key, the group, the entry of the request log, the batch, the provider or the deployment; the first 32 characters of it.
   * @example "key_0123456789abcdef"
   */
  target_id!: string;
  /** The fields that were set, with the requested values and without secrets. */
  @ApiProperty({ type: 'object', additionalProperties: true, example: { name: 'checkout service' } })
  changes!: Record<string, unknown>;
  /** The previous values of the changed fields; null if there were none. */
  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true, example: { name: 'checkout' } })
  before!: Record<string, unknown> | null;
}

/** A page of actions, the newest first. */
export class AuditEntryListDto extends ListOf(AuditEntryDto, 'The actions of this page.') {}
