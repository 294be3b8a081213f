import { ApiProperty } from '@nestjs/swagger';
import { OpenObject } from '../openapi/open-object.decorator.js';
import { ITEM } from './response-request.dto.js';

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

/** Tokens of an input. */
export class InputTokensDto {
  /** Always `response.input_tokens`. */
  @ApiProperty({ enum: ['response.input_tokens'], example: 'response.input_tokens' })
  object!: string;
  /** Tokens of the prompt. */
  @ApiProperty({ type: 'integer', example: 14 })
  input_tokens!: number;
}

/** Items of a request's input. */
export class InputItemListDto {
  /** Always `list`. */
  @ApiProperty({ enum: ['list'], example: 'list' })
  object!: string;
  /** The items, each with an id. */
  @ApiProperty({ type: 'array', items: ITEM })
  data!: unknown[];
  /** Id of the first item of the page; null if it is empty. */
  @ApiProperty({ type: 'string', nullable: true, example: 'msg_1' })
  first_id!: string | null;
  /** Id of the last item of the page; null if it is empty. */
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
