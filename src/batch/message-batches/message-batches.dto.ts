import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import { Allow, IsInt, IsOptional, IsString, Max, MaxLength, Min } from 'class-validator';
import { IsJobExpiry } from '../is-job-expiry.js';
import { IsJobPricing } from '../is-job-pricing.js';
import type { JobPricing } from '../native/tiers.js';
import { JobOptionsDto } from '../control/job-options.dto.js';

const PROCESSING_STATUSES = ['in_progress', 'canceling', 'ended'] as const;
export type ProcessingStatus = (typeof PROCESSING_STATUSES)[number];

/** A request of a message batch. */
export class MessageBatchRequestDto {
  /** The name of the request, unique in its batch, by which its result is found: 1 to 512 characters, none of them a control character. */
  @ApiProperty({ minLength: 1, maxLength: 512, pattern: '^[^\\u0000-\\u001f\\u007f-\\u009f]*$', example: 'ada' })
  custom_id!: string;
  /** The body of a request of POST /v1/messages, without `stream: true`. */
  @ApiProperty({
    type: 'object',
    selfRequired: true,
    required: ['model', 'messages'],
    properties: {
      model: { type: 'string', minLength: 1 },
      messages: {
        type: 'array',
        minItems: 1,
        items: { type: 'object', required: ['role', 'content'], additionalProperties: true },
      },
    },
    additionalProperties: true,
    example: { model: 'sandbox/echo', max_tokens: 50, messages: [{ role: 'user', content: 'Say hello to Ada.' }] },
  })
  params!: Record<string, unknown>;
}

/** Messages to create, in any number of models. The options of jobs are the gateway's own. */
export class CreateMessageBatchDto extends JobOptionsDto {
  /** 1 to 50,000 requests. */
  @ApiProperty({ type: [MessageBatchRequestDto], minItems: 1 })
  // Read and checked one by one as they arrive; this DTO does not contain them.
  @Allow()
  requests!: MessageBatchRequestDto[];

  /**
   * The gateway's own: how the price is chosen against time, as for POST /v1/batch/generate. A tier that the model of a request does
   * not have is refused.
   */
  @IsJobPricing()
  pricing?: JobPricing | null;

  /** The gateway's own: seconds after which requests that have not ended expire; 10 s to 30 days, by default 24 hours. */
  @IsJobExpiry()
  expires_in?: number | null;
}

/** The number of requests of a message batch by status. Their sum is the number of its requests. */
export class MessageBatchCountsDto {
  /** Requests that have not ended. */
  @ApiProperty({ type: 'integer', example: 0 })
  processing!: number;
  /** Requests with a message. */
  @ApiProperty({ type: 'integer', example: 2 })
  succeeded!: number;
  /** Requests that failed. */
  @ApiProperty({ type: 'integer', example: 0 })
  errored!: number;
  /** Requests that were cancelled before they had a message. */
  @ApiProperty({ type: 'integer', example: 0 })
  canceled!: number;
  /** Requests that expired before they had a message. */
  @ApiProperty({ type: 'integer', example: 0 })
  expired!: number;
}

/** A message batch. Times are texts of RFC 3339. */
export class MessageBatchDto {
  /**
   * The id of the batch.
   * @example "msgbatch_68f0c1d2a3b4c5d6e7f80912"
   */
  id!: string;
  /** Always `message_batch`. */
  @ApiProperty({ enum: ['message_batch'], example: 'message_batch' })
  type!: 'message_batch';
  /** `ended` when every request has ended, with any outcome. */
  @ApiProperty({ enum: PROCESSING_STATUSES, enumName: 'MessageBatchStatus', example: 'ended' })
  processing_status!: ProcessingStatus;
  /** The requests by status, as they are now. */
  request_counts!: MessageBatchCountsDto;
  /** When the last request ended; null before. */
  @ApiProperty({ type: String, nullable: true, format: 'date-time', example: '2026-01-01T00:00:02.000Z' })
  ended_at!: string | null;
  /** When the batch was created. */
  @ApiProperty({ format: 'date-time', example: '2026-01-01T00:00:00.000Z' })
  created_at!: string;
  /** When requests that have not ended expire: 24 hours after the creation. */
  @ApiProperty({ format: 'date-time', example: '2026-01-02T00:00:00.000Z' })
  expires_at!: string;
  /** When cancelling was asked for; null if it was not. */
  @ApiProperty({ type: String, nullable: true, format: 'date-time', example: null })
  cancel_initiated_at!: string | null;
  /** Always null: a batch is kept with its results, and deleted with them. */
  @ApiProperty({ type: String, nullable: true, format: 'date-time', example: null })
  archived_at!: string | null;
  /** Where the results are; null before the batch has ended. */
  @ApiProperty({
    type: String,
    nullable: true,
    example: 'http://127.0.0.1:3000/v1/messages/batches/msgbatch_68f0c1d2a3b4c5d6e7f80912/results',
  })
  results_url!: string | null;
}

/** A page of message batches, newest first. */
export class MessageBatchListDto {
  /** The batches of this page. */
  @ApiProperty({ type: [MessageBatchDto] })
  data!: MessageBatchDto[];
  /** Whether there are more in the direction of the page. */
  @ApiProperty({ example: false })
  has_more!: boolean;
  /** The id of the first batch of the page, for `before_id`; null if the page is empty. */
  @ApiProperty({ type: String, nullable: true, example: 'msgbatch_68f0c1d2a3b4c5d6e7f80912' })
  first_id!: string | null;
  /** The id of the last batch of the page, for `after_id`; null if the page is empty. */
  @ApiProperty({ type: String, nullable: true, example: 'msgbatch_68f0c1d2a3b4c5d6e7f80912' })
  last_id!: string | null;
}

/** A message batch that was deleted. */
export class DeletedMessageBatchDto {
  /**
   * The id of the batch.
   * @example "msgbatch_68f0c1d2a3b4c5d6e7f80912"
   */
  id!: string;
  /** Always `message_batch_deleted`. */
  @ApiProperty({ enum: ['message_batch_deleted'], example: 'message_batch_deleted' })
  type!: 'message_batch_deleted';
}

/** Which message batches to list. */
export class MessageBatchPageDto {
  /** Most batches, 1 to 1000. */
  @ApiProperty({ type: 'integer', required: false, default: 20, minimum: 1, maximum: 1000, example: 20 })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(1000)
  limit?: number;

  /** Batches that follow this one in the list, so older ones. */
  @ApiProperty({ required: false })
  @IsOptional()
  @IsString()
  @MaxLength(64)
  after_id?: string;

  /** Batches that precede this one in the list, so newer ones: those next to it. */
  @ApiProperty({ required: false })
  @IsOptional()
  @IsString()
  @MaxLength(64)
  before_id?: string;

  /** Sent by the beta client of Anthropic's SDKs; it has no effect. */
  @ApiProperty({ required: false })
  @IsOptional()
  @IsString()
  @MaxLength(16)
  beta?: string;
}
