import { ApiProperty, getSchemaPath } from '@nestjs/swagger';
import { ChatCompletionDto } from '../chat/chat-completion.dto.js';
import { CompletionDto } from '../completions/completions.dto.js';
import { EmbeddingListDto } from '../embeddings/embeddings.dto.js';
import { ErrorDetailDto } from '../errors/error-body.dto.js';
import { MessageDto, MessagesErrorDetailDto } from '../messages/messages.dto.js';
import { ModerationResponseDto } from '../moderations/moderations.dto.js';
import { RerankResponseDto } from '../rerank/rerank.dto.js';
import { ResponseObjectDto } from '../responses/response.dto.js';

/** The bodies of responses of all endpoints. */
const BODIES = [
  ChatCompletionDto,
  CompletionDto,
  ResponseObjectDto,
  MessageDto,
  EmbeddingListDto,
  RerankResponseDto,
  ModerationResponseDto,
];
/** The members that a chat completion has; those of other endpoints have others. */
export type TaskBody = ChatCompletionDto & Record<string, unknown>;
/** Schemas that results refer to. */
export const RESULT_SCHEMAS = [...BODIES, ErrorDetailDto, MessagesErrorDetailDto];

/** A part of the request that the task was run without. */
export class TaskWarningDto {
  /** `dropped_param`: a parameter was not sent. */
  @ApiProperty({ enum: ['dropped_param'], example: 'dropped_param' })
  code!: string;
  /**
   * The field of the request.
   * @example "frequency_penalty"
   */
  param!: string;
  /**
   * The effect on the parameter.
   * @example "'frequency_penalty' was not sent, because the provider cannot take it or the key may not choose it."
   */
  message!: string;
}

/** The upstream's response to one task. */
export class TaskResponseDto {
  /** Always 200: what failed is in `error`. */
  @ApiProperty({ type: 'integer', example: 200 })
  status_code!: number;
  /**
   * The id of the call in the log.
   * @example "req_3f1c0e8a9b7d4c55"
   */
  request_id!: string;
  /** What the endpoint of the task responds with to a live request, in the same format. */
  @ApiProperty({
    anyOf: BODIES.map((dto) => ({ $ref: getSchemaPath(dto) })),
  })
  body!: TaskBody;
  /** Parameters that were not sent, as the header `x-gateway-dropped-params` names it for a live request; absent when nothing was left out. */
  @ApiProperty({ required: false, type: [TaskWarningDto] })
  warnings?: TaskWarningDto[];
}

/** How one task ended. */
export class TaskResultDto {
  /** Its position in the submission, from 0. */
  @ApiProperty({ type: 'integer', example: 0 })
  index!: number;
  /**
   * The `custom_id` of the task, or `task-<index>`.
   * @example "grace"
   */
  custom_id!: string;
  /** Whether the task succeeded. */
  @ApiProperty({ enum: ['succeeded', 'failed', 'cancelled', 'expired'], example: 'succeeded' })
  status!: string;
  /** The response; null if there is none. */
  @ApiProperty({ nullable: true, allOf: [{ $ref: getSchemaPath(TaskResponseDto) }] })
  response!: TaskResponseDto | null;
  /** Why there is no response, as the `error` of the endpoint's error body; null when there is a response. */
  @ApiProperty({
    nullable: true,
    anyOf: [{ $ref: getSchemaPath(ErrorDetailDto) }, { $ref: getSchemaPath(MessagesErrorDetailDto) }],
    example: null,
  })
  error!: ErrorDetailDto | null;
  /** Of a failed task: the HTTP status with which its endpoint would have responded. Absent where `error` is null. */
  @ApiProperty({ type: 'integer', required: false, example: 400 })
  status_code?: number;
  /** Of a failed task: the id of its last call in the log, or null if it has none. Absent where `error` is null. */
  @ApiProperty({ type: String, required: false, nullable: true, example: 'req_3f1c0e8a9b7d4c55' })
  request_id?: string | null;
  /** Calls that were made for the task and have ended. */
  @ApiProperty({ type: 'integer', example: 1 })
  attempts!: number;
  /** The `usage` of the response, by the names of its format; null when there is none. */
  @ApiProperty({
    type: 'object',
    nullable: true,
    additionalProperties: true,
    example: { prompt_tokens: 4, completion_tokens: 4, total_tokens: 8 },
  })
  usage!: unknown;
}
