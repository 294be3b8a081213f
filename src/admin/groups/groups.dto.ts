import { ListOf } from '../../http/list-of.js';
import { ApiProperty, PartialType } from '@nestjs/swagger';
import { IsObject, IsOptional, IsString, MaxLength } from 'class-validator';
import { IsNotBlank } from '../../http/is-not-blank.js';
import { IsSmallObject } from '../../http/is-small-object.js';
import { BudgetUsageDto } from '../keys/budget-usage.dto.js';
import { PageQueryDto } from '../../http/page-query.dto.js';
import { AccessRulesDto, AppliedRulesDto } from '../keys/access-rules.dto.js';

/** A new group of keys. */
export class CreateGroupDto extends AccessRulesDto {
  /**
   * The name of the group, 1 to 200 characters that are not all white space.
   * @example "search team"
   */
  @IsString()
  @IsNotBlank()
  @MaxLength(200)
  name!: string;

  /** Metadata to keep with the group: a JSON object of at most 16 KB. */
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    selfRequired: false,
    nullable: true,
    example: { cost_center: '4711' },
  })
  @IsOptional()
  @IsObject()
  @IsSmallObject()
  metadata?: Record<string, unknown> | null;
}

/** Changes to a group; absent members stay unchanged. Null removes nullable members. */
export class UpdateGroupDto extends PartialType(CreateGroupDto, { skipNullProperties: false }) {}

/** A group of keys. Times are Unix seconds. */
export class GroupDto extends AppliedRulesDto {
  /**
   * Id of the group.
   * @example "group_0123456789abcdef"
   */
  id!: string;
  /** Always `key_group`. */
  @ApiProperty({ enum: ['key_group'], example: 'key_group' })
  object!: 'key_group';
  /**
   * The name of the group.
   * @example "search team"
   */
  name!: string;
  /** The metadata of the group. */
  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true, example: { cost_center: '4711' } })
  metadata!: Record<string, unknown> | null;
  /** Id of the key that made it. */
  @ApiProperty({ example: 'admin' })
  created_by!: string;
  /** When it was made. */
  @ApiProperty({ type: 'integer', example: 1767225600 })
  created_at!: number;
}

/** A group and what is spent of its budget. */
export class GroupWithUsageDto extends GroupDto {
  /** The spent and remaining amounts of the budget, of all keys of the group; null without a budget. */
  @ApiProperty({ type: BudgetUsageDto, nullable: true })
  budget_usage!: BudgetUsageDto | null;
}

/** Which groups to list. */
export class GroupQueryDto extends PageQueryDto {
  /** Only groups whose name contains this, in any case. */
  @ApiProperty({ required: false })
  @IsOptional()
  @IsString()
  @MaxLength(200)
  name?: string;
}

/** A page of groups, newest first. */
export class GroupListDto extends ListOf(GroupWithUsageDto, 'The groups of this page.') {}
