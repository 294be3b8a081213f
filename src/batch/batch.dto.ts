import { ListOf } from '../http/list-of.js';
import { ApiProperty, getSchemaPath } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import {
  Allow,
  IsBoolean,
  IsIn,
  IsInt,
  IsNotEmpty,
  IsNumber,
  IsObject,
  IsOptional,
  IsString,
  IsUrl,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';
import { IsSmallObject } from '../http/is-small-object.js';
import { ChatCompletionDto } from '../chat/chat-completion.dto.js';
import { ErrorDetailDto } from '../errors/error-body.dto.js';
import type { JobPriority, JobStatus } from './batch-job.entity.js';

export const STATUSES: readonly JobStatus[] = [
  'queued',
  'in_progress',
  'completed',
  'failed',
  'cancelling',
  'cancelled',
  'expired',
];
export const PRIORITIES: readonly JobPriority[] = ['high', 'normal', 'low'];
const DAY_SECONDS = 86_400;

/** Where to send the notification that a job has ended. */
export class WebhookDto {
  /**
   * An https or http address on the public internet; no redirects are followed.
   * @example "https://example.com/hooks/gateway"
   */
  @IsString()
  @MaxLength(2048)
  @IsUrl({ protocols: ['https', 'http'], require_protocol: true, require_tld: false })
  url!: string;

  /** `whsec_` and 24 to 64 bytes in base64, which sign each delivery; if absent, one is generated and returned in the response. */
  @ApiProperty({ required: false, example: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' })
  @IsOptional()
  @Matches(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/, { message: '$property must be whsec_ and 24 to 64 bytes in base64' })
  secret?: string;
}

/** A batch of chat completions. */
export class BatchGenerateDto {
  /**
   * The ID of the model to use for this request; a task may name its own.
   * @example "sandbox/echo"
   */
  @IsString()
  @IsNotEmpty()
  @MaxLength(256)
  model!: string;

  /**
   * A list of tasks to be processed in the batch, 1 to 50,000. Each is a string, `{prompt}`, a chat request
   * (`{custom_id?, messages, ...}`), a line of OpenAI's batch files (`{custom_id, method?, url?, body}`) or of
   * Anthropic's (`{custom_id, params}`). A task's own fields override the job's.
   */
  @ApiProperty({
    type: 'array',
    minItems: 1,
    items: {
      oneOf: [
        { type: 'string', minLength: 1 },
        { type: 'object', additionalProperties: true },
      ],
    },
    example: [
      'Say hello to Ada.',
      { custom_id: 'grace', messages: [{ role: 'user', content: 'Say hello to Grace.' }], max_tokens: 20 },
    ],
  })
  // Read and checked one by one as they arrive; this DTO does not contain them.
  @Allow()
  tasks!: unknown[];

  /** The maximum number of tokens to generate in each chat completion. */
  @ApiProperty({ type: 'integer', required: false, nullable: true, minimum: 0, example: 100 })
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  max_tokens?: number | null;

  /** What sampling temperature to use, between 0 and 2. */
  @ApiProperty({ required: false, nullable: true, minimum: 0, maximum: 2, example: 0.7 })
  @IsOptional()
  @IsNumber()
  @Min(0)
  @Max(2)
  temperature?: number | null;

  /** An alternative to sampling with temperature, called nucleus sampling. */
  @ApiProperty({ required: false, nullable: true, minimum: 0, maximum: 1, example: 1 })
  @IsOptional()
  @IsNumber()
  @Min(0)
  @Max(1)
  top_p?: number | null;

  /** A JSON object to store any additional information about the batch; 16 KB at most. */
  @ApiProperty({ type: 'object', additionalProperties: true, selfRequired: false, nullable: true, example: { run: 7 } })
  @IsOptional()
  @IsObject()
  @IsSmallObject()
  batch_metadata?: Record<string, unknown> | null;

  /** Where to send the notification that the job has ended. */
  @ApiProperty({ type: WebhookDto, required: false, nullable: true, example: null })
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => WebhookDto)
  webhook?: WebhookDto | null;

  /** Seconds after which tasks that are not finished expire; 10 s to 30 days. */
  @ApiProperty({
    type: 'integer',
    required: false,
    nullable: true,
    default: DAY_SECONDS,
    minimum: 10,
    maximum: 30 * DAY_SECONDS,
    example: DAY_SECONDS,
  })
  @IsOptional()
  @IsInt()
  @Min(10)
  @Max(30 * DAY_SECONDS)
  expires_in?: number | null;

  /** The weight of the job among your jobs when slots are shared: high is four times low, normal twice. */
  @ApiProperty({ enum: PRIORITIES, required: false, nullable: true, default: 'normal', example: 'normal' })
  @IsOptional()
  @IsIn(PRIORITIES)
  priority?: JobPriority | null;
}

/** A job that was accepted. */
export class BatchSubmittedDto {
  /**
   * A unique identifier for the batch job.
   * @example "batch_68f0c1d2a3b4c5d6e7f80912"
   */
  job_id!: string;
  /** The status of the batch job. */
  @ApiProperty({ enum: STATUSES, example: 'queued' })
  status!: JobStatus;
  /** The Unix timestamp (in seconds) of when the batch job was submitted. */
  @ApiProperty({ type: 'integer', example: 1767225600 })
  submitted_at!: number;
  /** The number of tasks in the batch job. */
  @ApiProperty({ type: 'integer', example: 2 })
  task_count!: number;
  /** The webhook's secret, only if it was generated because none was sent; shown this once. */
  @ApiProperty({ required: false, example: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' })
  webhook_secret?: string;
}

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
   * What happened to it.
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
  /** The completion, as a live request would have received it. */
  body!: ChatCompletionDto;
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
  /** The response; null when there is none. */
  @ApiProperty({ nullable: true, allOf: [{ $ref: getSchemaPath(TaskResponseDto) }] })
  response!: TaskResponseDto | null;
  /** Why there is no response; null when there is one. */
  @ApiProperty({ nullable: true, allOf: [{ $ref: getSchemaPath(ErrorDetailDto) }], example: null })
  error!: ErrorDetailDto | null;
  /** Calls that were made for the task and have ended. */
  @ApiProperty({ type: 'integer', example: 1 })
  attempts!: number;
  /** Token counts of the response; null when there is none. */
  @ApiProperty({
    type: 'object',
    nullable: true,
    additionalProperties: true,
    example: { prompt_tokens: 4, completion_tokens: 4, total_tokens: 8 },
  })
  usage!: unknown;
}

/** A job without its results. */
export class BatchSummaryDto {
  /**
   * A unique identifier for the batch job.
   * @example "batch_68f0c1d2a3b4c5d6e7f80912"
   */
  job_id!: string;
  /**
   * The status of the batch job. A job some of whose tasks failed is `completed` with `failed_count` above 0; `failed`
   * means that the job itself could not run.
   */
  @ApiProperty({ enum: STATUSES, example: 'completed' })
  status!: JobStatus;
  /** The ID of the model that tasks use unless they name their own. */
  @ApiProperty({ example: 'sandbox/echo' })
  model!: string;
  /** The Unix timestamp (in seconds) of when the batch job was submitted. */
  @ApiProperty({ type: 'integer', example: 1767225600 })
  submitted_at!: number;
  /** The Unix timestamp (in seconds) of when the batch job started processing. */
  @ApiProperty({ type: 'integer', nullable: true, example: 1767225601 })
  started_at!: number | null;
  /** The Unix timestamp (in seconds) of when the batch job was completed. */
  @ApiProperty({ type: 'integer', nullable: true, example: 1767225602 })
  completed_at!: number | null;
  /** The Unix timestamp (in seconds) at which tasks that are not finished expire. */
  @ApiProperty({ type: 'integer', example: 1767312000 })
  expires_at!: number;
  /** The Unix timestamp (in seconds) of when an operator paused the batch job: no task of it starts until it is resumed. Null while it is not paused. */
  @ApiProperty({ type: 'integer', nullable: true, example: null })
  paused_at!: number | null;
  /** The number of tasks in the batch job. */
  @ApiProperty({ type: 'integer', example: 2 })
  task_count!: number;
  /** The number of completed tasks in the batch job. */
  @ApiProperty({ type: 'integer', example: 2 })
  completed_count!: number;
  /** The number of failed tasks in the batch job. */
  @ApiProperty({ type: 'integer', example: 0 })
  failed_count!: number;
  /** Tasks that were cancelled before they had a response. */
  @ApiProperty({ type: 'integer', example: 0 })
  cancelled_count!: number;
  /** Tasks that expired before they had a response. */
  @ApiProperty({ type: 'integer', example: 0 })
  expired_count!: number;
  /** The weight of the job among the jobs of its key. */
  @ApiProperty({ enum: PRIORITIES, example: 'normal' })
  priority!: JobPriority;
  /** The metadata that was submitted with the job. */
  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true, example: { run: 7 } })
  batch_metadata!: Record<string, unknown> | null;
  /** An error message if the batch job failed. */
  @ApiProperty({ type: String, nullable: true, example: null })
  error!: string | null;
}

/** A job with a page of its results. */
export class BatchDto extends BatchSummaryDto {
  /** A list of results for each task that is finished, in task order; empty with `results=false`. */
  @ApiProperty({ type: [TaskResultDto] })
  results!: TaskResultDto[];
  /** Whether there are finished tasks after this page. */
  @ApiProperty({ example: false })
  has_more!: boolean;
  /** Send it as `after` for the next page; null on the last. */
  @ApiProperty({ type: 'integer', nullable: true, example: null })
  next!: number | null;
}

/** A page of jobs, newest first. */
export class BatchListDto extends ListOf(BatchSummaryDto, 'The jobs of this page, without their results.') {}

/** Which results of a job to return. */
export class ReadBatchDto {
  /** Most results, 1 to 1000. */
  @ApiProperty({ type: 'integer', required: false, default: 100, minimum: 1, maximum: 1000, example: 100 })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(1000)
  limit?: number;

  /** Results of tasks with a higher index than this: the `next` of the page before. */
  @ApiProperty({ type: 'integer', required: false, minimum: 0 })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(2_147_483_647)
  after?: number;

  /** `false` leaves the results out. */
  @ApiProperty({ required: false, default: true, example: true })
  @IsOptional()
  @Transform(({ value }: { value: unknown }) => (value === 'true' ? true : value === 'false' ? false : value))
  @IsBoolean()
  results?: boolean;
}
