import { ApiProperty } from '@nestjs/swagger';
import { OpenObject } from '../openapi/open-object.decorator.js';

/** A request of the legacy completions. */
export class CompletionRequestDto {
  /**
   * The id of the model: one of GET /v1/models.
   * @example "sandbox/echo"
   */
  @ApiProperty({ minLength: 1, maxLength: 256 })
  model!: string;

  /**
   * The prompt, which goes to a chat model as one message of the user. Several strings, and tokens in place of text, are for providers
   * with a completions API.
   */
  @ApiProperty({
    oneOf: [
      { type: 'string' },
      { type: 'array', items: { type: 'string' }, minItems: 1 },
      { type: 'array', items: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER }, minItems: 1 },
      {
        type: 'array',
        items: { type: 'array', items: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER } },
        minItems: 1,
      },
    ],
    example: 'Once upon a time',
  })
  prompt!: unknown;

  /**
   * Most tokens of the completion.
   * @example 100
   */
  @ApiProperty({ required: false, nullable: true, type: 'integer', minimum: 1 })
  max_tokens?: number | null;

  /**
   * Sampling temperature, 0 to 2.
   * @example 0.7
   */
  @ApiProperty({ required: false, nullable: true, type: 'number', minimum: 0, maximum: 2 })
  temperature?: number | null;

  /**
   * Number of choices.
   * @example 1
   */
  @ApiProperty({ required: false, nullable: true, type: 'integer', minimum: 1, maximum: 128 })
  n?: number | null;

  /** Whether the prompt is repeated in front of the completion; for providers with a completions API. */
  @ApiProperty({ required: false, nullable: true, type: 'boolean' })
  echo?: boolean | null;

  /** The text behind the completion; for providers with a completions API. */
  @ApiProperty({ required: false, nullable: true, type: 'string' })
  suffix?: string | null;

  /** Likeliest tokens whose log probabilities are returned; for providers with a completions API. */
  @ApiProperty({ required: false, nullable: true, type: 'integer', minimum: 0 })
  logprobs?: number | null;

  /** Completions that are made, of which the best `n` are returned; for providers with a completions API. */
  @ApiProperty({ required: false, nullable: true, type: 'integer', minimum: 0 })
  best_of?: number | null;

  /** Where the completion stops. */
  @ApiProperty({
    required: false,
    nullable: true,
    oneOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' } }],
    example: ['\n'],
  })
  stop?: unknown;

  /**
   * Whether the completion is sent as server-sent events.
   * @example false
   */
  @ApiProperty({ required: false, nullable: true, type: 'boolean' })
  stream?: boolean | null;
}

/** A completion. */
@OpenObject()
export class CompletionDto {
  /**
   * A unique identifier.
   * @example "cmpl-req_3f1c0e8a9b7d4c55"
   */
  id!: string;
  /** Always `text_completion`. */
  @ApiProperty({ enum: ['text_completion'], example: 'text_completion' })
  object!: string;
  /**
   * Unix seconds.
   * @example 1767225600
   */
  @ApiProperty({ type: 'integer' })
  created!: number;
  /**
   * The model that the upstream says it ran.
   * @example "sandbox/echo"
   */
  model!: string;
  /** One entry for each of the `n` choices. */
  @ApiProperty({
    type: 'array',
    items: { type: 'object', additionalProperties: true },
    example: [{ text: 'there was', index: 0, logprobs: null, finish_reason: 'stop' }],
  })
  choices!: unknown[];
  /** Tokens; absent where the provider reported none. */
  @ApiProperty({ selfRequired: false, type: 'object', additionalProperties: true, example: { total_tokens: 10 } })
  usage?: unknown;
}
