import { ApiProperty } from '@nestjs/swagger';
import {
  IsArray,
  IsBoolean,
  IsInt,
  IsNotEmpty,
  IsNumber,
  IsObject,
  IsOptional,
  IsString,
  Max,
  MaxLength,
  Min,
  Validate,
  ValidateNested,
} from 'class-validator';
import { GatewayFieldsDto } from '../model-endpoint/gateway-fields.dto.js';
import { IsResponseFormat, IsStop, IsToolChoice, IsTools, MAX_STOPS } from './chat-field-constraints.js';
import { ChatMessageDto } from './chat-message.dto.js';

/** The value that LangChain and other clients send for "no limit". */
const UNLIMITED = -1;

/** How a stream is sent. */
export class StreamOptionsDto {
  /**
   * Whether a last chunk with `choices: []` and the usage is sent before `[DONE]`.
   * @example true
   */
  @IsOptional()
  @IsBoolean()
  include_usage?: boolean | null;
}

/**
 * A chat completion request. Fields that are not named here (`top_k`, `logit_bias`, `seed`, `chat_template_kwargs`, future
 * ones) are passed unchanged to an OpenAI-compatible upstream. An explicit null means absent.
 */
export class ChatCompletionRequestDto extends GatewayFieldsDto {
  /**
   * The id of the model: one of GET /v1/models.
   * @example "sandbox/echo"
   */
  @IsString()
  @IsNotEmpty()
  @MaxLength(256)
  model!: string;

  /** The conversation so far, oldest first; at least one message and at most 10,000. */
  @ApiProperty({
    type: [ChatMessageDto],
    minItems: 1,
    maxItems: 10_000,
    example: [{ role: 'user', content: 'Say hello to Ada.' }],
  })
  messages!: unknown;

  /**
   * Most tokens of the response; -1 is no limit. Newer OpenAI models call it max_completion_tokens.
   * @example 100
   */
  @IsOptional()
  @IsInt()
  @Min(UNLIMITED)
  @Max(Number.MAX_SAFE_INTEGER)
  max_tokens?: number | null;

  /**
   * Most tokens of the response, reasoning included; -1 is no limit.
   * @example 100
   */
  @IsOptional()
  @IsInt()
  @Min(UNLIMITED)
  @Max(Number.MAX_SAFE_INTEGER)
  max_completion_tokens?: number | null;

  /**
   * Sampling temperature, 0 to 2.
   * @example 0.7
   */
  @IsOptional()
  @IsNumber()
  @Min(0)
  @Max(2)
  temperature?: number | null;

  /**
   * Nucleus sampling, 0 to 1; an alternative to temperature.
   * @example 1
   */
  @IsOptional()
  @IsNumber()
  @Min(0)
  @Max(1)
  top_p?: number | null;

  /**
   * Number of choices, 1 to 128.
   * @example 1
   */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(128)
  n?: number | null;

  /**
   * Whether the response is sent as server-sent events.
   * @example false
   */
  @IsOptional()
  @IsBoolean()
  stream?: boolean | null;

  /** Only read when `stream` is true. */
  @IsOptional()
  @IsObject()
  @ValidateNested()
  stream_options?: StreamOptionsDto | null;

  /**
   * Where the response stops: a string, or a list of them. Where a provider takes fewer (OpenAI takes 4), the first ones are
   * sent and the others are named in `x-gateway-dropped-params`.
   */
  @ApiProperty({
    required: false,
    nullable: true,
    oneOf: [{ type: 'string' }, { type: 'array', items: { type: 'string' }, maxItems: MAX_STOPS }],
    example: ['\n\n'],
  })
  @IsOptional()
  @Validate(IsStop)
  stop?: unknown;

  /** The functions that the model may call. */
  @ApiProperty({
    required: false,
    nullable: true,
    type: 'array',
    items: { type: 'object', additionalProperties: true },
    example: [
      {
        type: 'function',
        function: {
          name: 'get_weather',
          description: 'Current weather of a city.',
          parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
        },
      },
    ],
  })
  @IsOptional()
  @IsArray()
  @Validate(IsTools)
  tools?: unknown;

  /** `none`, `auto`, `required`, or the one function to call, such as `{"type": "function", "function": {"name": "lookup"}}`. */
  @ApiProperty({
    required: false,
    nullable: true,
    oneOf: [{ type: 'string' }, { type: 'object', additionalProperties: true }],
    example: 'auto',
  })
  @IsOptional()
  @Validate(IsToolChoice)
  tool_choice?: unknown;

  /**
   * Whether several tools may be called at once.
   * @example true
   */
  @IsOptional()
  @IsBoolean()
  parallel_tool_calls?: boolean | null;

  /** `text`, `json_object`, or `json_schema` with the schema that the response must satisfy. */
  @ApiProperty({
    selfRequired: false,
    nullable: true,
    type: 'object',
    required: ['type'],
    properties: { type: { type: 'string' } },
    additionalProperties: true,
    example: { type: 'text' },
  })
  @IsOptional()
  @IsObject()
  @Validate(IsResponseFormat)
  response_format?: unknown;

  /**
   * How much the model reasons before it responds, in the provider's terms: `none`, `minimal`, `low`, `medium`, `high`.
   * @example "low"
   */
  @IsOptional()
  @IsString()
  @MaxLength(64)
  reasoning_effort?: string | null;

  /**
   * Requests with the same key reach the same deployment for as long as it can be reached, so that its prompt cache hits.
   * @example "tenant-7"
   */
  @IsOptional()
  @IsString()
  @MaxLength(1024)
  prompt_cache_key?: string | null;

  /**
   * Your own id of the end user.
   * @example "user-42"
   */
  @IsOptional()
  @IsString()
  @MaxLength(512)
  user?: string | null;
}
