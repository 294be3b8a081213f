import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import { PageQueryDto } from '../../http/page-query.dto.js';

/** The end of year 9999, in Unix seconds. */
const LATEST = 253_402_300_799;

export const INTERVALS = ['hour', 'day', 'none'] as const;
export const GROUPINGS = ['key', 'group', 'model', 'provider', 'user', 'none'] as const;

/** Of which calls. */
export class UsageFilterDto extends PageQueryDto {
  /** From when on, in Unix seconds. Default: 30 days before `end`. */
  @ApiProperty({ type: 'integer', required: false, example: 1795392000 })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(LATEST)
  start?: number;

  /** Until when, not included, in Unix seconds. Default: now. */
  @ApiProperty({ type: 'integer', required: false })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(LATEST)
  end?: number;

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
}

/** Sums of which calls, and in which rows. */
export class UsageQueryDto extends UsageFilterDto {
  /** Length of a row's time, in UTC; `none` is the whole time. */
  @ApiProperty({ enum: INTERVALS, required: false, default: 'day', example: 'day' })
  @IsOptional()
  @IsIn(INTERVALS)
  interval?: (typeof INTERVALS)[number];

  /** What else makes a row of its own. */
  @ApiProperty({ enum: GROUPINGS, required: false, default: 'none', example: 'model' })
  @IsOptional()
  @IsIn(GROUPINGS)
  group_by?: (typeof GROUPINGS)[number];
}

/** Sums of a time and a group. */
export class UsageRowDto {
  /** When the row's time begins, in Unix seconds. */
  @ApiProperty({ type: 'integer', example: 1795392000 })
  bucket!: number;
  /** What the row is of: id of a key or group, name of a model or provider, or the end user; null for none of them. */
  @ApiProperty({ type: String, nullable: true, example: 'sandbox/echo' })
  group!: string | null;
  /** How many there were; attempts that were given up and retried elsewhere are none of their own. */
  @ApiProperty({ type: 'integer', example: 12 })
  requests!: number;
  /** Those that failed, without those whose client went away. */
  @ApiProperty({ type: 'integer', example: 0 })
  failed_requests!: number;
  /** Of all their prompts, those of attempts that were given up and retried as well. */
  @ApiProperty({ type: 'integer', example: 120 })
  prompt_tokens!: number;
  /** Of all their answers. */
  @ApiProperty({ type: 'integer', example: 240 })
  completion_tokens!: number;
  /** As the providers summed them up. */
  @ApiProperty({ type: 'integer', example: 360 })
  total_tokens!: number;
  /** US dollars of the requests whose price is known. */
  @ApiProperty({ type: Number, example: 0.00051 })
  cost_usd!: number;
  /** Requests, or attempts that were retried, that consumed tokens and whose price is not known; their cost is not in `cost_usd`. */
  @ApiProperty({ type: 'integer', example: 0 })
  unpriced_requests!: number;
  /** Requests, or attempts that were retried, whose tokens are estimates, because the provider reported none. */
  @ApiProperty({ type: 'integer', example: 0 })
  estimated_requests!: number;
}

/** Sums, the latest first. */
export class UsageRowListDto {
  /** Always `list`. */
  @ApiProperty({ enum: ['list'], example: 'list' })
  object!: 'list';
  /** The rows of this page. */
  data!: UsageRowDto[];
  /** Whether there are more. */
  @ApiProperty({ example: false })
  has_more!: boolean;
  /** Send it as `after` for the next page; null on the last. */
  @ApiProperty({ type: String, nullable: true, example: null })
  next!: string | null;
}

/** One request to a model with all its attempts. */
export class UsageRecordDto {
  /**
   * Id of the record.
   * @example "use_0123456789abcdef01234567"
   */
  id!: string;
  /** Always `usage_record`. */
  @ApiProperty({ enum: ['usage_record'], example: 'usage_record' })
  object!: 'usage_record';
  /** When the request began, in Unix seconds. */
  @ApiProperty({ type: 'integer', example: 1795392000 })
  created_at!: number;
  /**
   * As in the answer's `x-request-id`.
   * @example "req_0123456789abcdef01234567"
   */
  request_id!: string;
  /**
   * The key that asked.
   * @example "key_0123456789abcdef"
   */
  key_id!: string;
  /** The group of the key at that time; null is none. */
  @ApiProperty({ type: String, nullable: true, example: null })
  group_id!: string | null;
  /** Whether a client waited, or it was a task of a batch. */
  @ApiProperty({ enum: ['live', 'batch'], example: 'live' })
  source!: 'live' | 'batch';
  /**
   * What the client asked for.
   * @example "sandbox/echo"
   */
  requested_model!: string;
  /**
   * The configured model that answered, or the last that was tried.
   * @example "sandbox/echo"
   */
  model!: string;
  /** The provider that was called last. */
  @ApiProperty({ type: String, nullable: true, example: 'sandbox' })
  provider!: string | null;
  /** The model's id there. */
  @ApiProperty({ type: String, nullable: true, example: 'echo' })
  upstream_model!: string | null;
  /**
   * Whether a stream was asked for.
   * @example false
   */
  stream!: boolean;
  /**
   * `abandoned`: the client went away before its answer was whole. `retried`: no request of its own but one attempt of it, given up
   * while its provider was at work; the request went on elsewhere.
   */
  @ApiProperty({ enum: ['succeeded', 'failed', 'abandoned', 'retried'], example: 'succeeded' })
  status!: 'succeeded' | 'failed' | 'abandoned' | 'retried';
  /** What the client was answered with; 499 when it had gone. */
  @ApiProperty({ type: 'integer', example: 200 })
  http_status!: number;
  /** Code of the error; null when it succeeded. */
  @ApiProperty({ type: String, nullable: true, example: null })
  error_code!: string | null;
  /** Calls to providers. */
  @ApiProperty({ type: 'integer', example: 1 })
  attempts!: number;
  /** Of the prompt. */
  @ApiProperty({ type: 'integer', example: 4 })
  prompt_tokens!: number;
  /** Of the answer. */
  @ApiProperty({ type: 'integer', example: 4 })
  completion_tokens!: number;
  /** As the provider summed them up. */
  @ApiProperty({ type: 'integer', example: 8 })
  total_tokens!: number;
  /** Of the prompt, read from the provider's cache. */
  @ApiProperty({ type: 'integer', example: 0 })
  cached_tokens!: number;
  /** Of the completion, spent on thinking. */
  @ApiProperty({ type: 'integer', example: 0 })
  reasoning_tokens!: number;
  /** Whether the tokens are estimates, because the provider reported none. */
  @ApiProperty({ example: false })
  estimated!: boolean;
  /** US dollars; null when the price is not known. */
  @ApiProperty({ type: Number, nullable: true, example: 0.0000051 })
  cost_usd!: number | null;
  /** Milliseconds; null when no byte came. */
  @ApiProperty({ type: 'integer', nullable: true, example: 2 })
  first_byte_ms!: number | null;
  /** Milliseconds to the end. */
  @ApiProperty({ type: 'integer', example: 3 })
  duration_ms!: number;
  /** The request's `user`. */
  @ApiProperty({ type: String, nullable: true, example: null })
  user!: string | null;
  /** The request's `metadata`. */
  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true, example: null })
  metadata!: Record<string, unknown> | null;
}

/** A page of records, newest first. */
export class UsageRecordListDto {
  /** Always `list`. */
  @ApiProperty({ enum: ['list'], example: 'list' })
  object!: 'list';
  /** The records of this page. */
  data!: UsageRecordDto[];
  /** Whether there are more. */
  @ApiProperty({ example: false })
  has_more!: boolean;
  /** Send it as `after` for the next page; null on the last. */
  @ApiProperty({ type: String, nullable: true, example: null })
  next!: string | null;
}
