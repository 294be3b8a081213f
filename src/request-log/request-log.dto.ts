import { ListOf } from '../http/list-of.js';
import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { IsIn, IsInt, IsNotEmpty, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import { PageQueryDto } from '../http/page-query.dto.js';
import { OPERATION_NAMES } from '../operations/operation-types.js';

/** The end of year 9999, in Unix seconds. */
const LATEST_EPOCH_SECONDS = 253_402_300_799;
const STATUSES = ['succeeded', 'failed', 'abandoned'] as const;

/** Which entries to list. */
export class RequestLogQueryDto extends PageQueryDto {
  /** Only of this request: its `x-request-id`. With `key_id` it is found by an index. */
  @ApiProperty({ required: false })
  @IsOptional()
  @IsString()
  @MaxLength(128)
  request_id?: string;

  /** Only of this key, by its id. */
  @ApiProperty({ required: false })
  @IsOptional()
  @IsString()
  @MaxLength(32)
  key_id?: string;

  /** Only of this session, as clients name it in `x-claude-code-session-id`, `session_id`, `x-session-affinity` or `x-session-id`. */
  @ApiProperty({ required: false })
  @IsOptional()
  @IsString()
  @MaxLength(128)
  session_id?: string;

  /** Only of this operation, such as `chat` or `embeddings`. */
  @ApiProperty({ required: false, enum: OPERATION_NAMES, enumName: 'OperationName' })
  @IsOptional()
  @IsIn(OPERATION_NAMES)
  operation?: string;

  /** Only of this model, as the client named it. */
  @ApiProperty({ required: false })
  @IsOptional()
  @IsString()
  @MaxLength(256)
  model?: string;

  /** Only those with this outcome. */
  @ApiProperty({ required: false, enum: STATUSES, enumName: 'CallStatus' })
  @IsOptional()
  @IsIn(STATUSES)
  status?: (typeof STATUSES)[number];

  /** Only those that began at this time or later, in Unix seconds. */
  @ApiProperty({ type: 'integer', required: false })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(LATEST_EPOCH_SECONDS)
  start?: number;

  /** Only those that began before this time, in Unix seconds. */
  @ApiProperty({ type: 'integer', required: false })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(LATEST_EPOCH_SECONDS)
  end?: number;
}

/** Which entries to delete. */
export class DeleteRequestLogQueryDto {
  /** All of this key, by its id. */
  @ApiProperty({ example: 'key_0123456789abcdef' })
  @IsString()
  @IsNotEmpty()
  @MaxLength(32)
  key_id!: string;
}

/** An entry of the request log without its content. Times are Unix seconds. */
export class RequestLogEntryDto {
  /** Id of the entry. */
  @ApiProperty({ example: 'rlog_0123456789abcdef01234567' })
  id!: string;
  /** Always `request_log.entry`. */
  @ApiProperty({ enum: ['request_log.entry'], example: 'request_log.entry' })
  object!: 'request_log.entry';
  /** The `x-request-id` of the call. */
  @ApiProperty({ example: 'req_0123456789abcdef01234567' })
  request_id!: string;
  /** Id of the key that called. */
  @ApiProperty({ example: 'key_0123456789abcdef' })
  key_id!: string;
  /** The operation: `chat`, `embeddings` and so on. */
  @ApiProperty({ example: 'chat' })
  operation!: string;
  /** The model of the request. */
  @ApiProperty({ example: 'sandbox/echo' })
  model!: string;
  /** The provider that was called last; null when none was. */
  @ApiProperty({ type: String, nullable: true, example: 'sandbox' })
  provider!: string | null;
  /** How the call ended; `abandoned` when its response was no longer needed. */
  @ApiProperty({ enum: STATUSES, enumName: 'CallStatus', example: 'succeeded' })
  status!: (typeof STATUSES)[number];
  /** Code of the error; null when it succeeded. */
  @ApiProperty({ type: String, nullable: true, example: null })
  error_code!: string | null;
  /** The client's session, of its headers; null if it named none. */
  @ApiProperty({ type: String, nullable: true, example: null })
  session_id!: string | null;
  /** The agent within the session; null for the main one. */
  @ApiProperty({ type: String, nullable: true, example: null })
  agent_id!: string | null;
  /** Id of the encryption key that decrypts the content. */
  @ApiProperty({ example: '5f0c9a1b2d3e' })
  encryption_key!: string;
  /** When the call began. */
  @ApiProperty({ type: 'integer', example: 1767225600 })
  created_at!: number;
  /** When the entry is deleted. */
  @ApiProperty({ type: 'integer', example: 1769817600 })
  expires_at!: number;
}

/** An entry with its content, without what the key's setting redacts. */
export class RequestLogContentDto extends RequestLogEntryDto {
  /** The body that the client sent. */
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    example: { model: 'sandbox/echo', messages: [{ role: 'user', content: 'Say hello to Ada.' }] },
  })
  request!: Record<string, unknown>;
  /** What the model generated, with streams merged; null when nothing was received. */
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    example: { model: 'sandbox/echo', choices: [{ content: 'Say hello to Ada.', finish_reason: 'stop' }] },
  })
  answer!: Record<string, unknown> | null;
  /** The usage as the provider reported it; null when it did not. */
  @ApiProperty({
    type: 'object',
    additionalProperties: true,
    nullable: true,
    example: { prompt_tokens: 4, completion_tokens: 4, total_tokens: 8 },
  })
  usage!: Record<string, unknown> | null;
  /** Fields and headers of the request that the provider did not receive. */
  @ApiProperty({ type: [String], example: [] })
  dropped_params!: readonly string[];
  /** The error that the client received; null when it succeeded. */
  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true, example: null })
  error!: Record<string, unknown> | null;
}

/** A page of the request log, newest first. */
export class RequestLogListDto extends ListOf(RequestLogEntryDto, 'The entries of this page.') {}

/** How many entries were deleted. */
export class DeletedRequestLogDto {
  /** Always `request_log.deleted`. */
  @ApiProperty({ enum: ['request_log.deleted'], example: 'request_log.deleted' })
  object!: 'request_log.deleted';
  /** Number of entries. */
  @ApiProperty({ type: 'integer', example: 1 })
  deleted!: number;
}
