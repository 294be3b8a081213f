import { OpenObject } from '../openapi/open-object.decorator.js';
import { ApiProperty } from '@nestjs/swagger';

const FINISH_REASONS = ['stop', 'length', 'tool_calls', 'content_filter', 'function_call'];

/** One call that the model wants made. */
@OpenObject()
export class ToolCallDto {
  /**
   * Send it back as `tool_call_id` with the tool's result.
   * @example "call_3f1c0e8a9b7d4c55"
   */
  id!: string;
  /**
   * The kind of tool.
   * @example "function"
   */
  type!: string;
  /** The function's name, and its arguments as a JSON text. */
  @ApiProperty({
    type: 'object',
    required: ['name', 'arguments'],
    properties: { name: { type: 'string' }, arguments: { type: 'string' } },
    additionalProperties: true,
    example: { name: 'get_weather', arguments: '{"city":"Paris"}' },
  })
  function!: unknown;
}

/** The generated message. */
@OpenObject()
export class AssistantMessageDto {
  /** Always `assistant`. */
  @ApiProperty({ enum: ['assistant'], example: 'assistant' })
  role!: 'assistant';
  /**
   * The text; null when the model called tools instead.
   * @example "Say hello to Ada."
   */
  content!: string | null;
  /** Why the model refused, in its own words; null when it did not. */
  refusal!: string | null;
  /** The one call that the model wants made; only for a request with the deprecated `functions`. */
  @ApiProperty({
    selfRequired: false,
    type: 'object',
    required: ['name', 'arguments'],
    properties: { name: { type: 'string' }, arguments: { type: 'string' } },
    additionalProperties: true,
    example: { name: 'get_weather', arguments: '{"city":"Paris"}' },
  })
  function_call?: unknown;
  /** The calls that the model wants made. */
  tool_calls?: ToolCallDto[];
  /** Sources that the upstream named. */
  @ApiProperty({ required: false, type: 'array', items: { type: 'object', additionalProperties: true } })
  annotations?: unknown;
}

/** One choice of the response. */
@OpenObject()
export class ChoiceDto {
  /**
   * From 0; below `n`.
   * @example 0
   */
  @ApiProperty({ type: 'integer' })
  index!: number;
  message!: AssistantMessageDto;
  /** Token probabilities, when they were asked for and the upstream gives them. */
  @ApiProperty({ type: 'object', nullable: true, additionalProperties: true, example: null })
  logprobs!: unknown;
  /** Why the choice ended; `function_call` only for a request with the deprecated `functions`. */
  @ApiProperty({ enum: FINISH_REASONS, enumName: 'FinishReason', example: 'stop' })
  finish_reason!: string;
}

/** Tokens, as the provider counted them. */
@OpenObject()
export class UsageDto {
  /**
   * Tokens of the messages, tools and schema that were read.
   * @example 6
   */
  @ApiProperty({ type: 'integer' })
  prompt_tokens!: number;
  /**
   * Tokens that were written, reasoning included.
   * @example 4
   */
  @ApiProperty({ type: 'integer' })
  completion_tokens!: number;
  /**
   * Both together.
   * @example 10
   */
  @ApiProperty({ type: 'integer' })
  total_tokens!: number;
  /** Cached and audio tokens among the prompt's. */
  @ApiProperty({
    selfRequired: false,
    nullable: true,
    type: 'object',
    additionalProperties: true,
    example: { cached_tokens: 0 },
  })
  prompt_tokens_details?: unknown;
  /** Reasoning and audio tokens among the completion's. */
  @ApiProperty({
    selfRequired: false,
    nullable: true,
    type: 'object',
    additionalProperties: true,
    example: { reasoning_tokens: 0 },
  })
  completion_tokens_details?: unknown;
}

/** A complete response. Further fields of the upstream are passed on. */
@OpenObject()
export class ChatCompletionDto {
  /**
   * A unique identifier for the chat completion.
   * @example "chatcmpl-3f1c0e8a9b7d4c55"
   */
  id!: string;
  /** Always `chat.completion`. */
  @ApiProperty({ enum: ['chat.completion'], example: 'chat.completion' })
  object!: string;
  /**
   * When the completion was created, in Unix seconds.
   * @example 1767225600
   */
  @ApiProperty({ type: 'integer' })
  created!: number;
  /**
   * The model that the upstream says it ran; the header `x-gateway-model` names the configured one.
   * @example "sandbox/echo"
   */
  model!: string;
  /** One entry for each of the `n` choices. */
  choices!: ChoiceDto[];
  /** Usage statistics for the completion request; absent only where the upstream reported none. */
  usage?: UsageDto;
}

/** One event of a stream: the JSON behind `data: `. */
@OpenObject()
export class ChatCompletionChunkDto {
  /**
   * The same in every chunk of a stream.
   * @example "chatcmpl-3f1c0e8a9b7d4c55"
   */
  id!: string;
  /** Always `chat.completion.chunk`. */
  @ApiProperty({ enum: ['chat.completion.chunk'], example: 'chat.completion.chunk' })
  object!: string;
  /**
   * Unix seconds; the same in every chunk of a stream.
   * @example 1767225600
   */
  @ApiProperty({ type: 'integer' })
  created!: number;
  /**
   * The model that the upstream says it ran.
   * @example "sandbox/echo"
   */
  model!: string;
  /**
   * The first delta of a choice has `role`; its last chunk has `delta: {}` and the finish reason. Empty in the usage
   * chunk.
   */
  @ApiProperty({
    type: 'array',
    items: {
      type: 'object',
      required: ['index', 'delta', 'finish_reason'],
      additionalProperties: true,
      properties: {
        index: { type: 'integer' },
        delta: { type: 'object', additionalProperties: true },
        logprobs: { type: 'object', nullable: true, additionalProperties: true },
        finish_reason: {
          type: 'string',
          nullable: true,
          enum: [...FINISH_REASONS, null],
        },
      },
    },
    example: [{ index: 0, delta: { role: 'assistant', content: 'Say' }, logprobs: null, finish_reason: null }],
  })
  choices!: unknown[];
  /** Only in the last chunk, and only when `stream_options.include_usage` was set. */
  usage?: UsageDto | null;
}
