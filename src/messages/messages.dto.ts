import { ApiProperty } from '@nestjs/swagger';
import { OpenObject } from '../openapi/open-object.decorator.js';

const OPEN_OBJECT = { type: 'object' as const, additionalProperties: true };
const OPEN_OBJECTS = { type: 'array' as const, items: OPEN_OBJECT };
const TEXT_OR_BLOCKS = { oneOf: [{ type: 'string' as const }, OPEN_OBJECTS] };

/** One turn of the conversation. */
export class InputMessageDto {
  /** The role of the author. `system` may be between the turns. */
  @ApiProperty({ enum: ['user', 'assistant', 'system'], example: 'user' })
  role!: string;
  /** Text, or blocks: text, image, document, search_result, tool_use, tool_result, thinking and others that the model knows. */
  @ApiProperty({ ...TEXT_OR_BLOCKS, example: 'Where is the station?' })
  content!: unknown;
}

/** The fields that POST /v1/messages and its count share. Fields that are not listed are passed on to Claude. */
export class CountTokensRequestDto {
  /**
   * A model that GET /v1/models lists, of any provider.
   * @example "sandbox/echo"
   */
  @ApiProperty({ minLength: 1 })
  model!: string;
  /** The conversation, at least one turn. */
  @ApiProperty({ type: [InputMessageDto], minItems: 1 })
  messages!: InputMessageDto[];
  /** The system prompt: text, or text blocks, each with its own `cache_control`. */
  @ApiProperty({ ...TEXT_OR_BLOCKS, required: false })
  system?: unknown;
  /** Tools of the client (`name`, `input_schema`), or tools that Anthropic runs, by their type. */
  @ApiProperty({
    type: 'array',
    items: {
      type: 'object',
      required: ['name'],
      properties: { name: { type: 'string', minLength: 1, example: 'get_weather' } },
      additionalProperties: true,
    },
    required: false,
  })
  tools?: unknown;
  /** `{"type": "auto" | "any" | "tool" | "none"}`, with `name` for `tool`, and `disable_parallel_tool_use`. */
  @ApiProperty({ ...OPEN_OBJECT, selfRequired: false })
  tool_choice?: unknown;
  /** `{"type": "adaptive"}`, `{"type": "enabled", "budget_tokens"}` or `{"type": "disabled"}`. Other models get the nearest effort. */
  @ApiProperty({ ...OPEN_OBJECT, selfRequired: false })
  thinking?: unknown;
  /** `effort`, and `format` with a JSON schema. */
  @ApiProperty({ ...OPEN_OBJECT, selfRequired: false })
  output_config?: unknown;
}

export class MessagesRequestDto extends CountTokensRequestDto {
  /** Most tokens of the response, thinking included. Anthropic demands it; other models have a maximum of their own. */
  @ApiProperty({ type: 'integer', minimum: 0, required: false, example: 1024 })
  max_tokens?: number;
  /** Whether the response is a stream of events. */
  @ApiProperty({ type: 'boolean', required: false })
  stream?: boolean;
  /** Randomness, 0 to 1. */
  @ApiProperty({ type: 'number', required: false, example: 1 })
  temperature?: number;
  /** Share of the likeliest tokens to choose among, 0 to 1. */
  @ApiProperty({ type: 'number', required: false })
  top_p?: number;
  /** Number of the likeliest tokens to choose among. */
  @ApiProperty({ type: 'integer', required: false })
  top_k?: number;
  /** Texts at which the model stops. */
  @ApiProperty({ type: 'array', items: { type: 'string' }, required: false })
  stop_sequences?: string[];
  /** `user_id`: an id of the end user that does not say who it is. */
  @ApiProperty({ ...OPEN_OBJECT, selfRequired: false })
  metadata?: unknown;
  /** `auto` or `standard_only`. */
  @ApiProperty({ type: 'string', required: false })
  service_tier?: string;
  /** A cache breakpoint behind the last block. */
  @ApiProperty({ ...OPEN_OBJECT, selfRequired: false })
  cache_control?: unknown;
}

/** Tokens, as Anthropic counts them. */
@OpenObject()
export class MessageUsageDto {
  /** Prompt tokens, without those of the cache. */
  @ApiProperty({ type: 'integer', example: 12 })
  input_tokens!: number;
  /** Prompt tokens that were written into the cache. */
  @ApiProperty({ type: 'integer', nullable: true, required: false, example: 0 })
  cache_creation_input_tokens?: number | null;
  /** Prompt tokens that were read from the cache. */
  @ApiProperty({ type: 'integer', nullable: true, required: false, example: 0 })
  cache_read_input_tokens?: number | null;
  /** Tokens of the response, thinking included. */
  @ApiProperty({ type: 'integer', example: 5 })
  output_tokens!: number;
}

/** A whole message. */
@OpenObject()
export class MessageDto {
  /**
   * Its id.
   * @example "msg_01HPj"
   */
  id!: string;
  /** Always `message`. */
  @ApiProperty({ enum: ['message'], example: 'message' })
  type!: 'message';
  /** Always `assistant`. */
  @ApiProperty({ enum: ['assistant'], example: 'assistant' })
  role!: 'assistant';
  /**
   * The model that the provider says it ran.
   * @example "echo"
   */
  @ApiProperty({ minLength: 1 })
  model!: string;
  /** Blocks of text, thinking and tool use. */
  @ApiProperty({ ...OPEN_OBJECTS, example: [{ type: 'text', text: 'Where is the station?' }] })
  content!: unknown;
  /** Why it ended: end_turn, max_tokens, stop_sequence, tool_use, pause_turn, refusal, model_context_window_exceeded. */
  @ApiProperty({ type: 'string', nullable: true, example: 'end_turn' })
  stop_reason!: string | null;
  /** The text at which it stopped. */
  @ApiProperty({ type: 'string', nullable: true, example: null })
  stop_sequence!: string | null;
  /** Tokens of prompt and response. */
  usage!: MessageUsageDto;
}

@OpenObject()
export class TokenCountDto {
  /** Tokens of the prompt. */
  @ApiProperty({ type: 'integer', example: 14 })
  input_tokens!: number;
}

/** The error message. */
@OpenObject()
export class MessagesErrorDetailDto {
  /**
   * Anthropic's type of the error.
   * @example "invalid_request_error"
   */
  type!: string;
  /**
   * Names the field and the fix.
   * @example "'max_tokens' must be a whole number, 0 or more."
   */
  message!: string;
}

/** An error as Anthropic's clients read it. */
@OpenObject()
export class MessagesErrorDto {
  /** Always `error`. */
  @ApiProperty({ enum: ['error'], example: 'error' })
  type!: 'error';
  /** The error. */
  error!: MessagesErrorDetailDto;
  /**
   * The same as the header `request-id`.
   * @example "req_3f1c0e8a9b7d4c55"
   */
  @ApiProperty({ required: false })
  request_id?: string;
}
