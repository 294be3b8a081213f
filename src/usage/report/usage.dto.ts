import { ListOf } from '../../http/list-of.js';
import { ApiProperty, OmitType } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, Matches, MaxLength } from 'class-validator';
import { TimeSpanQueryDto } from '../../http/time-span-query.dto.js';
import { OPERATION_NAMES } from '../../operations/operation-types.js';
import { CLIENT_FORMATS } from '../../runtime/wire-name.js';
import { GROUP_BY_PATTERN, METADATA_PATTERN } from './dimensions.js';

/** Of a cursor with three values, each as long as a cursor holds. */
const MAX_SUMS_CURSOR_CHARACTERS = 6_000;
export const INTERVALS = ['hour', 'day', 'none'] as const;

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
export class UsageQueryDto extends OmitType(UsageFilterDto, ['after']) {
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

  /** The `next` of the page before; it holds the values of groups. */
  @ApiProperty({ required: false })
  @IsOptional()
  @IsString()
  @MaxLength(MAX_SUMS_CURSOR_CHARACTERS)
  after?: string;
}

/** Sums of a time and a group. */
export class UsageRowDto {
  /** When the row's time begins, in Unix seconds. */
  @ApiProperty({ type: 'integer', example: 1795392000 })
  bucket!: number;
  /** The same in ISO 8601, in UTC. */
  @ApiProperty({ example: '2026-11-23T00:00:00Z' })
  date!: string;
  /**
   * The row's value of the first dimension of `group_by`: id of a key or group, name of an operation, model or provider, the end
   * user, the session or agent, a wire format or service tier, or the member of the metadata; null if it has none.
   */
  @ApiProperty({ type: String, nullable: true, example: 'sandbox/echo' })
  group!: string | null;
  /** The name of the key or group in `group`, if it is one and still exists. */
  @ApiProperty({ type: String, nullable: true, example: null })
  group_name!: string | null;
  /** The row's value of each dimension of `group_by`. */
  @ApiProperty({
    type: 'object',
    additionalProperties: { type: 'string', nullable: true },
    example: { model: 'sandbox/echo' },
  })
  groups!: Record<string, string | null>;
  /** Number of requests; abandoned attempts that were retried elsewhere do not count separately. */
  @ApiProperty({ type: 'integer', example: 12 })
  requests!: number;
  /** Failed requests, without those whose client disconnected. */
  @ApiProperty({ type: 'integer', example: 0 })
  failed_requests!: number;
  /** Prompt tokens of all requests, including attempts that were abandoned and retried. */
  @ApiProperty({ type: 'integer', example: 120 })
  prompt_tokens!: number;
  /** Tokens of all responses. */
  @ApiProperty({ type: 'integer', example: 240 })
  completion_tokens!: number;
  /** Total tokens as the providers reported them. */
  @ApiProperty({ type: 'integer', example: 360 })
  total_tokens!: number;
  /** Prompt tokens read from providers' caches. */
  @ApiProperty({ type: 'integer', example: 0 })
  cached_tokens!: number;
  /** Prompt tokens written into providers' caches. */
  @ApiProperty({ type: 'integer', example: 0 })
  cache_write_tokens!: number;
  /** Generated images. */
  @ApiProperty({ type: 'integer', example: 0 })
  images!: number;
  /** Seconds of sound, sent or generated. */
  @ApiProperty({ type: Number, example: 0 })
  audio_seconds!: number;
  /** Characters turned into speech. */
  @ApiProperty({ type: 'integer', example: 0 })
  characters!: number;
  /** Search units of reranking. */
  @ApiProperty({ type: 'integer', example: 0 })
  search_units!: number;
  /** Searches of the web that providers made for chat calls. */
  @ApiProperty({ type: 'integer', example: 0 })
  web_searches!: number;
  /** US dollars of the requests whose price is known. */
  @ApiProperty({ type: Number, example: 0.00051 })
  cost_usd!: number;
  /** Requests, or retried attempts, that consumed tokens but have no known price; their cost is not in `cost_usd`. */
  @ApiProperty({ type: 'integer', example: 0 })
  unpriced_requests!: number;
  /** Requests, or retried attempts, whose tokens are estimates, because the provider reported none. */
  @ApiProperty({ type: 'integer', example: 0 })
  estimated_requests!: number;
}

/** Sums, the latest first. */
export class UsageRowListDto extends ListOf(UsageRowDto, 'The rows of this page.') {}

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
   * The `x-request-id` of the response.
   * @example "req_0123456789abcdef01234567"
   */
  request_id!: string;
  /**
   * The key that sent the request.
   * @example "key_0123456789abcdef"
   */
  key_id!: string;
  /** The group of the key at that time; null if none. */
  @ApiProperty({ type: String, nullable: true, example: null })
  group_id!: string | null;
  /**
   * The operation: `chat`, `embeddings` and so on.
   * @example "chat"
   */
  operation!: string;
  /** The wire format of the client's request; `openai-api` is that of OpenAI's endpoints beside chat. Null in records of versions that did not store it. */
  @ApiProperty({ type: String, nullable: true, example: 'openai-chat' })
  wire_format!: string | null;
  /** Whether it was a client's request or a task of a batch. */
  @ApiProperty({ enum: ['live', 'batch'], example: 'live' })
  source!: 'live' | 'batch';
  /**
   * The model of the request.
   * @example "sandbox/echo"
   */
  requested_model!: string;
  /**
   * The configured model that responded, or the last one that was tried.
   * @example "sandbox/echo"
   */
  model!: string;
  /** The provider that was called last; the name of the hook, such as `cache`, where one gave the response. */
  @ApiProperty({ type: String, nullable: true, example: 'sandbox' })
  provider!: string | null;
  /** The model's id there. */
  @ApiProperty({ type: String, nullable: true, example: 'echo' })
  upstream_model!: string | null;
  /**
   * Whether the request asked for a stream.
   * @example false
   */
  stream!: boolean;
  /**
   * `abandoned`: the client disconnected before its response was complete. `retried`: not a request but one attempt of it, abandoned
   * while its provider was working; the request was tried elsewhere.
   */
  @ApiProperty({ enum: ['succeeded', 'failed', 'abandoned', 'retried'], example: 'succeeded' })
  status!: 'succeeded' | 'failed' | 'abandoned' | 'retried';
  /** The status sent to the client; 499 when it had disconnected. */
  @ApiProperty({ type: 'integer', example: 200 })
  http_status!: number;
  /** Code of the error; null when it succeeded. */
  @ApiProperty({ type: String, nullable: true, example: null })
  error_code!: string | null;
  /** Calls to providers. */
  @ApiProperty({ type: 'integer', example: 1 })
  attempts!: number;
  /** Tokens of the prompt. */
  @ApiProperty({ type: 'integer', example: 4 })
  prompt_tokens!: number;
  /** Tokens of the response. */
  @ApiProperty({ type: 'integer', example: 4 })
  completion_tokens!: number;
  /** Total tokens as the provider reported them. */
  @ApiProperty({ type: 'integer', example: 8 })
  total_tokens!: number;
  /** Prompt tokens read from the provider's cache. */
  @ApiProperty({ type: 'integer', example: 0 })
  cached_tokens!: number;
  /** Prompt tokens written into the provider's cache, for any time. */
  @ApiProperty({ type: 'integer', example: 0 })
  cache_write_tokens!: number;
  /** Of these, written for an hour. */
  @ApiProperty({ type: 'integer', example: 0 })
  cache_write_1h_tokens!: number;
  /** Completion tokens used for reasoning. */
  @ApiProperty({ type: 'integer', example: 0 })
  reasoning_tokens!: number;
  /** Generated images; null where none are billed. */
  @ApiProperty({ type: 'integer', nullable: true, example: null })
  images!: number | null;
  /** Seconds of sound, sent or generated; null where none are billed. */
  @ApiProperty({ type: Number, nullable: true, example: null })
  audio_seconds!: number | null;
  /** Characters turned into speech; null where none are billed. */
  @ApiProperty({ type: 'integer', nullable: true, example: null })
  characters!: number | null;
  /** Search units of reranking; null where none are billed. */
  @ApiProperty({ type: 'integer', nullable: true, example: null })
  search_units!: number | null;
  /** Searches of the web that the provider made; null where it reported none. */
  @ApiProperty({ type: 'integer', nullable: true, example: null })
  web_searches!: number | null;
  /** The service tier that the provider reported, by its own name, such as `default`, `flex` or `priority`; null if it named none. */
  @ApiProperty({ type: String, nullable: true, example: null })
  service_tier!: string | null;
  /** Whether the token counts are estimates rather than the provider's own. */
  @ApiProperty({ example: false })
  estimated!: boolean;
  /**
   * The source of tokens and cost. `reported`: by the provider. `estimated`: the whole response came without a count. `worst_case`:
   * the most that the provider may have generated, because the call was abandoned while it was working or could not be counted.
   */
  @ApiProperty({ enum: ['reported', 'estimated', 'worst_case'], example: 'reported' })
  cost_basis!: 'reported' | 'estimated' | 'worst_case';
  /** US dollars; null when the price is not known. */
  @ApiProperty({ type: Number, nullable: true, example: 0.0000051 })
  cost_usd!: number | null;
  /** Milliseconds to the first byte; null when none was received. */
  @ApiProperty({ type: 'integer', nullable: true, example: 2 })
  first_byte_ms!: number | null;
  /** Milliseconds to the end. */
  @ApiProperty({ type: 'integer', example: 3 })
  duration_ms!: number;
  /** The request's `user`. */
  @ApiProperty({ type: String, nullable: true, example: null })
  user!: string | null;
  /** The client's session, of its headers or of its `metadata.user_id`; null if it named none. */
  @ApiProperty({ type: String, nullable: true, example: null })
  session_id!: string | null;
  /** The agent within the session; null for the main one. */
  @ApiProperty({ type: String, nullable: true, example: null })
  agent_id!: string | null;
  /** The request's `metadata`. */
  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true, example: null })
  metadata!: Record<string, unknown> | null;
}

/** A page of records, newest first. */
export class UsageRecordListDto extends ListOf(UsageRecordDto, 'The records of this page.') {}
