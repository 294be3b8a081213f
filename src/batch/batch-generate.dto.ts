import { ApiProperty } from '@nestjs/swagger';
import { Type } from 'class-transformer';
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
import { JobOptionsDto } from './control/job-options.dto.js';
import { IsJobExpiry } from './is-job-expiry.js';
import { IsJobPricing } from './is-job-pricing.js';
import type { JobPricing } from './native/tiers.js';
import { BatchOutputDto } from './output/output.dto.js';
import { JOB_PRIORITIES, type JobPriority } from './batch-job.entity.js';

/** Endpoints whose requests tasks can be, as the document names them; they add themselves to `JsonEndpoints`. */
export const BATCH_ENDPOINTS = [
  '/v1/chat/completions',
  '/v1/completions',
  '/v1/embeddings',
  '/v1/messages',
  '/v1/moderations',
  '/v1/rerank',
  '/v1/responses',
  '/v2/rerank',
] as const;

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
  @ApiProperty({ required: false, nullable: true, example: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw' })
  @IsOptional()
  @Matches(/^whsec_[A-Za-z0-9+/]{32,88}={0,2}$/, { message: '$property must be whsec_ and 24 to 64 bytes in base64' })
  secret?: string | null;
}

/** Where the tasks are read from. */
export class BatchInputDto {
  /**
   * An https or http address on the public internet, whose content is JSONL: one task a line, also compressed with gzip. No redirects
   * are followed.
   * @example "https://example.com/tasks.jsonl"
   */
  @IsString()
  @MaxLength(2048)
  @IsUrl({ protocols: ['https', 'http'], require_protocol: true, require_tld: false })
  url!: string;
}

/** A batch of requests. */
export class BatchGenerateDto extends JobOptionsDto {
  /**
   * The ID of the model to use for this request; a task may name its own.
   * @example "sandbox/echo"
   */
  @IsString()
  @IsNotEmpty()
  @MaxLength(256)
  model!: string;

  /**
   * The endpoint whose requests the tasks are, unless they name their own: /v1/chat/completions, /v1/completions, /v1/responses,
   * /v1/messages, /v1/embeddings, /v1/rerank, /v2/rerank or /v1/moderations.
   */
  @ApiProperty({
    type: String,
    required: false,
    nullable: true,
    enum: [...BATCH_ENDPOINTS],
    default: '/v1/chat/completions',
    example: '/v1/chat/completions',
  })
  @IsOptional()
  @IsString()
  endpoint?: string | null;

  /**
   * A list of tasks to be processed in the batch, 1 to 50,000. Each is a string, `{prompt}`, a request of its endpoint
   * (`{custom_id?, endpoint?, messages, ...}`), a line of OpenAI's batch files (`{custom_id, method?, url?, body}`) or of
   * Anthropic's (`{custom_id, params}`, which are requests of /v1/messages). A task's own fields override the job's. Required unless
   * there is an `input`.
   */
  @ApiProperty({
    type: 'array',
    required: false,
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
  tasks?: unknown[];

  /** Where the tasks are read from, in place of `tasks`. They are read before the response. */
  @ApiProperty({ type: BatchInputDto, required: false, nullable: true, example: null })
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => BatchInputDto)
  input?: BatchInputDto | null;

  /** Where the results are written to when the job has ended, beside being read from the gateway. */
  @ApiProperty({ type: BatchOutputDto, required: false, nullable: true, example: null })
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => BatchOutputDto)
  output?: BatchOutputDto | null;

  /** The maximum number of tokens to generate for each task; of responses it is `max_output_tokens`. */
  @ApiProperty({ type: 'integer', required: false, nullable: true, minimum: 0, example: 100 })
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  max_tokens?: number | null;

  /** The sampling temperature, between 0 and 2. */
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

  /** Whether the batch is only checked and estimated: the response is that of POST /v1/batch/estimate, and nothing is stored. */
  @ApiProperty({ type: Boolean, required: false, nullable: true, default: false, example: false })
  @IsOptional()
  @IsBoolean()
  dry_run?: boolean | null;

  /** Where to send the notification that the job has ended. */
  @ApiProperty({ type: WebhookDto, required: false, nullable: true, example: null })
  @IsOptional()
  @IsObject()
  @ValidateNested()
  @Type(() => WebhookDto)
  webhook?: WebhookDto | null;

  /** Seconds after which tasks that are not finished expire; 10 s to 30 days. */
  @IsJobExpiry()
  expires_in?: number | null;

  /** The weight of the job among your jobs when slots are shared: high is four times low, normal twice. */
  @ApiProperty({
    enum: JOB_PRIORITIES,
    enumName: 'BatchPriority',
    required: false,
    nullable: true,
    default: 'normal',
    example: 'normal',
  })
  @IsOptional()
  @IsIn(JOB_PRIORITIES)
  priority?: JobPriority | null;

  /**
   * How the price is chosen against time. `live`: at the list price, at once. `cheapest`: by the provider's own batch API at its lower
   * price while the deadline allows it, then in its flex tier, then at the list price, in time for the deadline. `native` and `flex`
   * are the same for models that have that tier, and are refused for others; `flex` uses no batch API.
   */
  @IsJobPricing()
  pricing?: JobPricing | null;
}
