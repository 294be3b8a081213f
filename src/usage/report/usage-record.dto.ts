import { ListOf } from '../../http/list-of.js';
import { ApiProperty } from '@nestjs/swagger';

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
  /** Those of `cache_write_tokens` that are kept for an hour. */
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
