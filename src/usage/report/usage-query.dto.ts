import { ApiProperty, OmitType } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsString, Matches, Max, MaxLength, Min } from 'class-validator';
import { DEFAULT_PAGE_ENTRIES } from '../../http/page-query.dto.js';
import { TimeSpanQueryDto } from '../../http/time-span-query.dto.js';
import { OPERATION_NAMES } from '../../operations/operation-types.js';
import { CLIENT_FORMATS } from '../../runtime/wire-name.js';
import { GROUP_BY_PATTERN, METADATA_PATTERN } from './dimensions.js';

/** Most rows of a page of sums. A page is a scan of the whole time, so a report in few pages is a quick one. */
export const MAX_SUMS_ENTRIES = 1_000;
/** Longest cursor in characters: three values, each as long as a cursor holds. */
const MAX_SUMS_CURSOR_CHARACTERS = 6_000;
export const USAGE_STATUSES = ['succeeded', 'failed', 'abandoned', 'retried'] as const;
export const INTERVALS = ['hour', 'day', 'none'] as const;
/** Orders of the rows of one time. */
export const SUM_ORDERS = ['group', 'cost'] as const;
export type UsageOrder = (typeof SUM_ORDERS)[number];

/** Which calls; those of the last 30 days where no `start` is given. */
export class UsageFilterDto extends TimeSpanQueryDto {
  /** Only of this key. */
  @ApiProperty({ required: false })
  @IsOptional()
  @IsString()
  @MaxLength(64)
  key_id?: string;

  /** Only of this group. */
  @ApiProperty({ required: false })
  @IsOptional()
  @IsString()
  @MaxLength(64)
  group_id?: string;

  /** Only of this operation, such as `chat` or `embeddings`. */
  @ApiProperty({ required: false, enum: OPERATION_NAMES, enumName: 'OperationName' })
  @IsOptional()
  @IsIn(OPERATION_NAMES)
  operation?: string;

  /** Only of this configured model. */
  @ApiProperty({ required: false })
  @IsOptional()
  @IsString()
  @MaxLength(256)
  model?: string;

  /** Only of this provider. */
  @ApiProperty({ required: false })
  @IsOptional()
  @IsString()
  @MaxLength(128)
  provider?: string;

  /** Only of this end user: the `user` of requests. */
  @ApiProperty({ required: false })
  @IsOptional()
  @IsString()
  @MaxLength(512)
  user?: string;

  /** Only of this session, as clients name it in `x-claude-code-session-id`, `session_id`, `x-session-affinity` or `x-session-id`. */
  @ApiProperty({ required: false })
  @IsOptional()
  @IsString()
  @MaxLength(128)
  session_id?: string;

  /** Only of this agent, as clients name it in `x-claude-code-agent-id`, `thread-id` or `x-agent-id`. */
  @ApiProperty({ required: false })
  @IsOptional()
  @IsString()
  @MaxLength(128)
  agent_id?: string;

  /** Only of requests in this wire format. */
  @ApiProperty({ required: false, enum: CLIENT_FORMATS, enumName: 'ClientFormat' })
  @IsOptional()
  @IsIn(CLIENT_FORMATS)
  wire_format?: string;

  /** Only of responses for which the provider reported this service tier, such as `flex`, by its own name. */
  @ApiProperty({ required: false })
  @IsOptional()
  @IsString()
  @MaxLength(64)
  service_tier?: string;

  /** Only of this request: its `x-request-id`. */
  @ApiProperty({ required: false })
  @IsOptional()
  @IsString()
  @MaxLength(128)
  request_id?: string;

  /** Only requests that ended in this way. */
  @ApiProperty({ required: false, enum: USAGE_STATUSES, enumName: 'UsageStatus' })
  @IsOptional()
  @IsIn(USAGE_STATUSES)
  status?: (typeof USAGE_STATUSES)[number];

  /**
   * Only of requests whose `metadata` has this member: `name:value`, such as `team:search`.
   */
  @ApiProperty({ required: false, pattern: '^[A-Za-z0-9_-]{1,64}:.{0,256}$' })
  @IsOptional()
  @IsString()
  @Matches(METADATA_PATTERN, { message: "must be 'name:value'; a name has letters, digits, '_' and '-'" })
  metadata?: string;
}

/** Which calls to sum, and into which rows. */
export class UsageQueryDto extends OmitType(UsageFilterDto, ['after', 'limit']) {
  /** Most rows of a page. Each page reads all records of the time, so one page of 1,000 is quicker than ten of 100. */
  @ApiProperty({
    type: 'integer',
    required: false,
    default: DEFAULT_PAGE_ENTRIES,
    minimum: 1,
    maximum: MAX_SUMS_ENTRIES,
    example: DEFAULT_PAGE_ENTRIES,
  })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(MAX_SUMS_ENTRIES)
  limit?: number;

  /** Duration of a row, in UTC; `none` is the whole time. */
  @ApiProperty({ enum: INTERVALS, enumName: 'UsageInterval', required: false, default: 'day', example: 'day' })
  @IsOptional()
  @IsIn(INTERVALS)
  interval?: (typeof INTERVALS)[number];

  /**
   * The dimensions of the groups: `none`, or up to three of `key`, `group`, `operation`, `model`, `provider`, `user`, `session`,
   * `agent`, `wire_format`, `service_tier` and `metadata.<name>`, separated by commas.
   */
  @ApiProperty({ type: String, pattern: GROUP_BY_PATTERN.source, required: false, default: 'none', example: 'model' })
  @IsOptional()
  @IsString()
  @Matches(GROUP_BY_PATTERN, {
    message:
      "must be 'none' or up to three of key, group, operation, model, provider, user, session, agent, wire_format, service_tier and metadata.<name>, separated by commas",
  })
  group_by?: string;

  /**
   * The order of the rows of one time: `group` is by the values of the groups, `cost` has the highest cost first. By cost, a row
   * whose cost changes between two pages may be on both, or on neither.
   */
  @ApiProperty({ enum: SUM_ORDERS, enumName: 'UsageOrder', required: false, default: 'group', example: 'cost' })
  @IsOptional()
  @IsIn(SUM_ORDERS)
  order_by?: UsageOrder;

  /** The `next` of the page before; it holds the values of groups. */
  @ApiProperty({ required: false })
  @IsOptional()
  @IsString()
  @MaxLength(MAX_SUMS_CURSOR_CHARACTERS)
  after?: string;
}
