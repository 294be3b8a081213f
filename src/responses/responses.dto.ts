import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import { OpenObject } from '../openapi/open-object.decorator.js';

const ITEM = { type: 'object', additionalProperties: true } as const;
/** A text is taken for a message of the user. */
const INPUT_ITEM = { anyOf: [{ type: 'string' as const }, ITEM] };

/**
 * A request of the Responses API. Fields that are not named here travel unchanged to a provider that has the API. An explicit null
 * means absent.
 */
export class ResponseRequestDto {
  /**
   * The id of the model: one of GET /v1/models.
   * @example "sandbox/echo"
   */
  @ApiProperty({ minLength: 1, maxLength: 256 })
  model!: string;

  /**
   * A text, or items: messages, calls of tools and their outputs, reasoning, and references to items; at most 10,000.
   */
  @ApiProperty({
    oneOf: [{ type: 'string' }, { type: 'array', minItems: 1, items: INPUT_ITEM }],
    example: 'Say hello to Ada.',
  })
  input!: unknown;

  /**
   * The system prompt. It is not taken over from `previous_response_id`.
   * @example "You are brief."
   */
  @ApiProperty({ required: false, nullable: true, type: 'string' })
  instructions?: string | null;

  /** The previous response, of the same key. It may have been made by any provider. */
  @ApiProperty({ required: false, nullable: true, type: 'string', minLength: 1 })
  previous_response_id?: string | null;

  /**
   * Whether the response is kept. Default: the setting `responses.store`.
   * @example true
   */
  @ApiProperty({ required: false, nullable: true, type: 'boolean' })
  store?: boolean | null;

  /**
   * Whether the response is sent as events.
   * @example false
   */
  @ApiProperty({ required: false, nullable: true, type: 'boolean' })
  stream?: boolean | null;

  /**
   * Whether the response is made without the client, which reads it later by its id. It is always kept.
   * @example false
   */
  @ApiProperty({ required: false, nullable: true, type: 'boolean' })
  background?: boolean | null;

  /**
   * Most tokens of the response, reasoning included.
   * @example 100
   */
  @ApiProperty({ required: false, nullable: true, type: 'integer', minimum: 1 })
  max_output_tokens?: number | null;

  /**
   * Sampling temperature, 0 to 2.
   * @example 0.7
   */
  @ApiProperty({ required: false, nullable: true, type: 'number', minimum: 0, maximum: 2 })
  temperature?: number | null;

  /**
   * Nucleus sampling, 0 to 1.
   * @example 1
   */
  @ApiProperty({ required: false, nullable: true, type: 'number', minimum: 0, maximum: 1 })
  top_p?: number | null;

  /**
   * Tools of the types `function`, `custom`, `namespace`, `local_shell`, `shell` and `apply_patch`. Tools that OpenAI runs, such as
   * `web_search`, go to OpenAI; for other providers they are left out and named in `x-gateway-dropped-params`, unless there is no
   * other tool.
   */
  @ApiProperty({
    required: false,
    nullable: true,
    type: 'array',
    items: ITEM,
    example: [
      {
        type: 'function',
        name: 'get_weather',
        parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
      },
    ],
  })
  tools?: unknown;

  /** `none`, `auto`, `required`, or the one tool to call. */
  @ApiProperty({ required: false, nullable: true, oneOf: [{ type: 'string' }, ITEM], example: 'auto' })
  tool_choice?: unknown;

  /**
   * Whether several tools may be called at once.
   * @example true
   */
  @ApiProperty({ required: false, nullable: true, type: 'boolean' })
  parallel_tool_calls?: boolean | null;

  /** The form of the text: `format` with a JSON schema, and `verbosity`. */
  @ApiProperty({ selfRequired: false, nullable: true, ...ITEM, example: { format: { type: 'text' } } })
  text?: unknown;

  /** How much the model reasons, and whether the summary of it is sent. */
  @ApiProperty({ selfRequired: false, nullable: true, ...ITEM, example: { effort: 'low' } })
  reasoning?: unknown;

  /** Further parts of the response, such as `reasoning.encrypted_content`. */
  @ApiProperty({
    required: false,
    nullable: true,
    type: 'array',
    items: { type: 'string' },
    example: ['reasoning.encrypted_content'],
  })
  include?: string[] | null;

  /** Any JSON object. It is kept with the response, and sent to providers that have the API. */
  @ApiProperty({ selfRequired: false, nullable: true, ...ITEM, example: { ticket: 'T-1' } })
  metadata?: unknown;

  /**
   * Requests with the same key reach the same deployment for as long as it can be reached, so that its prompt cache hits.
   * @example "tenant-7"
   */
  @ApiProperty({ required: false, nullable: true, type: 'string' })
  prompt_cache_key?: string | null;

  /**
   * Your own id of the end user.
   * @example "user-42"
   */
  @ApiProperty({ required: false, nullable: true, type: 'string' })
  user?: string | null;
}

/** A conversation to be compacted. */
export class CompactRequestDto {
  /**
   * The id of the model that compacts it.
   * @example "sandbox/echo"
   */
  @ApiProperty({ minLength: 1, maxLength: 256 })
  model!: string;

  /** A text, or the items of the conversation. Default: an empty text. */
  @ApiProperty({
    required: false,
    oneOf: [{ type: 'string' }, { type: 'array', items: INPUT_ITEM }],
    example: 'Say hello to Ada.',
  })
  input?: unknown;

  /** The system prompt. */
  @ApiProperty({ required: false, nullable: true, type: 'string', example: 'You are brief.' })
  instructions?: string | null;

  /** The response whose conversation is compacted. */
  @ApiProperty({ required: false, nullable: true, type: 'string', minLength: 1 })
  previous_response_id?: string | null;
}

/** A response. Further fields, and those that a provider of the API sends, are passed on. */
@OpenObject()
export class ResponseObjectDto {
  /**
   * Send it as `previous_response_id` to continue the conversation.
   * @example "resp_3f1c0e8a9b7d4c553f1c0e8a9b7d4c553f1c0e8a9b7d4c55"
   */
  id!: string;
  /** Always `response`. */
  @ApiProperty({ enum: ['response'], example: 'response' })
  object!: string;
  /**
   * Unix seconds.
   * @example 1767225600
   */
  @ApiProperty({ type: 'number' })
  created_at!: number;
  /** `incomplete` where `incomplete_details` says why. */
  @ApiProperty({
    enum: ['completed', 'incomplete', 'failed', 'in_progress', 'queued', 'cancelled'],
    example: 'completed',
  })
  status!: string;
  /**
   * The model that the upstream says it ran.
   * @example "sandbox/echo"
   */
  model!: string;
  /** Messages, calls of tools and reasoning, in their order. */
  @ApiProperty({ type: 'array', items: ITEM })
  output!: unknown[];
  /** Tokens; null where the provider reported none. */
  @ApiProperty({
    type: 'object',
    nullable: true,
    additionalProperties: true,
    example: { input_tokens: 6, output_tokens: 4, total_tokens: 10 },
  })
  usage!: unknown;
}

/** What the tokens are counted of. Fields of POST /v1/responses that are not named here are taken as well. */
export class InputTokensRequestDto {
  /**
   * The id of the model: one of GET /v1/models.
   * @example "sandbox/echo"
   */
  @ApiProperty({ minLength: 1, maxLength: 256 })
  model!: string;
  /** A text, or items. Default: an empty text. */
  @ApiProperty({ required: false, oneOf: [{ type: 'string' }, { type: 'array', items: INPUT_ITEM }], example: 'Hello' })
  input?: unknown;
  /** The system prompt. */
  @ApiProperty({ required: false, nullable: true, type: 'string' })
  instructions?: string | null;
  /** The response whose conversation is counted as well. */
  @ApiProperty({ required: false, nullable: true, type: 'string', minLength: 1 })
  previous_response_id?: string | null;
}

/** Tokens of an input. */
export class InputTokensDto {
  /** Always `response.input_tokens`. */
  @ApiProperty({ enum: ['response.input_tokens'], example: 'response.input_tokens' })
  object!: string;
  /** Tokens of the prompt. */
  @ApiProperty({ type: 'integer', example: 14 })
  input_tokens!: number;
}

/** How a response is read. */
export class ReadResponseQueryDto {
  /** `true` sends the events of a response in the background, those to come included. */
  @ApiProperty({ required: false, enum: ['true', 'false'], default: 'false' })
  @IsOptional()
  @IsIn(['true', 'false'])
  stream?: 'true' | 'false';

  /** With `stream=true`: the `sequence_number` of the last event that the client has. */
  @ApiProperty({ type: 'integer', required: false, minimum: 0 })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  starting_after?: number;
}

/** Which items of an input. */
export class InputItemsQueryDto {
  /**
   * Most items, 1 to 100.
   * @example 20
   */
  @ApiProperty({ type: 'integer', required: false, default: 20, minimum: 1, maximum: 100, example: 20 })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(100)
  limit?: number;

  /** `desc` begins with the last item. */
  @ApiProperty({ required: false, enum: ['asc', 'desc'], default: 'desc' })
  @IsOptional()
  @IsIn(['asc', 'desc'])
  order?: 'asc' | 'desc';

  /** The id of the item after which the page begins. */
  @ApiProperty({ required: false })
  @IsOptional()
  @IsString()
  @MaxLength(256)
  after?: string;
}

/** Items of a request's input. */
export class InputItemListDto {
  /** Always `list`. */
  @ApiProperty({ enum: ['list'], example: 'list' })
  object!: string;
  /** The items, each with an id. */
  @ApiProperty({ type: 'array', items: ITEM })
  data!: unknown[];
  /** Of the page; null where it is empty. */
  @ApiProperty({ type: 'string', nullable: true, example: 'msg_1' })
  first_id!: string | null;
  /** Of the page; null where it is empty. */
  @ApiProperty({ type: 'string', nullable: true, example: 'msg_1' })
  last_id!: string | null;
  /** Whether further items follow. */
  has_more!: boolean;
}

/** The kind of the deleted object. */
export class DeletedResponseDto {
  /**
   * The id of the response.
   * @example "resp_3f1c0e8a9b7d4c553f1c0e8a9b7d4c553f1c0e8a9b7d4c55"
   */
  id!: string;
  /** Always `response`. */
  @ApiProperty({ enum: ['response'], example: 'response' })
  object!: string;
  /** Always true. */
  deleted!: boolean;
}

/** A compacted conversation, to be sent as `input` in place of its items. */
export class CompactedResponseDto {
  /**
   * The id of the compaction.
   * @example "resp_3f1c0e8a9b7d4c553f1c0e8a9b7d4c553f1c0e8a9b7d4c55"
   */
  id!: string;
  /** Always `response.compaction`. */
  @ApiProperty({ enum: ['response.compaction'], example: 'response.compaction' })
  object!: string;
  /**
   * Unix seconds.
   * @example 1767225600
   */
  @ApiProperty({ type: 'number' })
  created_at!: number;
  /** One item of the type `compaction`. */
  @ApiProperty({ type: 'array', items: ITEM })
  output!: unknown[];
  /** Tokens that the compaction took. */
  @ApiProperty({
    type: 'object',
    nullable: true,
    additionalProperties: true,
    example: { input_tokens: 6, output_tokens: 4, total_tokens: 10 },
  })
  usage!: unknown;
}
