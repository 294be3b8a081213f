import { ApiProperty } from '@nestjs/swagger';

export const ITEM = { type: 'object', additionalProperties: true } as const;
/** A text is taken for a message of the user. */
const INPUT_ITEM = { anyOf: [{ type: 'string' as const }, ITEM] };
/** A text, or items, which a response of the API may have in its place. */
const INSTRUCTIONS = {
  required: false,
  nullable: true,
  oneOf: [{ type: 'string' as const }, { type: 'array' as const, items: INPUT_ITEM }],
  example: 'You are brief.',
};

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

  /** The system prompt, as a text or as items. It is not taken over from `previous_response_id`. */
  @ApiProperty(INSTRUCTIONS)
  instructions?: unknown;

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

  /** The system prompt, as a text or as items. */
  @ApiProperty(INSTRUCTIONS)
  instructions?: unknown;

  /** The response whose conversation is compacted. */
  @ApiProperty({ required: false, nullable: true, type: 'string', minLength: 1 })
  previous_response_id?: string | null;
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
  /** The system prompt, as a text or as items. */
  @ApiProperty(INSTRUCTIONS)
  instructions?: unknown;
  /** The response whose conversation is counted as well. */
  @ApiProperty({ required: false, nullable: true, type: 'string', minLength: 1 })
  previous_response_id?: string | null;
}
