import { ApiProperty } from '@nestjs/swagger';
import { Transform, Type } from 'class-transformer';
import { IsBoolean, IsInt, IsOptional, Max, Min } from 'class-validator';
import { ListOf } from '../http/list-of.js';
import { JOB_PRIORITIES, JOB_STATUSES, type JobPriority, type JobStatus } from './batch-job.entity.js';
import { JobControlDto } from './control/job-control.dto.js';
import { JobOutputDto } from './output/output.dto.js';
import { JOB_PRICINGS, type JobPricing } from './native/tiers.js';
import { TaskResultDto } from './task-result.dto.js';

/** A job that was accepted. */
export class BatchSubmittedDto {
  /**
   * A unique identifier for the batch job.
   * @example "batch_68f0c1d2a3b4c5d6e7f80912"
   */
  job_id!: string;
  /** The status of the batch job. */
  @ApiProperty({ enum: JOB_STATUSES, enumName: 'BatchStatus', example: 'queued' })
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
  @ApiProperty({ enum: JOB_STATUSES, enumName: 'BatchStatus', example: 'completed' })
  status!: JobStatus;
  /** The ID of the model that tasks use unless they name their own. */
  @ApiProperty({ example: 'sandbox/echo' })
  model!: string;
  /** The endpoint of tasks that name none. */
  @ApiProperty({ example: '/v1/chat/completions' })
  endpoint!: string;
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
  /** The Unix timestamp (in seconds) of when the batch job was paused: no task of it starts until it is resumed. Null while it is not paused. */
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
  /** How the price of the job is chosen against time. */
  @ApiProperty({ enum: JOB_PRICINGS, enumName: 'BatchPricing', example: 'live' })
  pricing!: JobPricing;
  /** US dollars that the calls of the job have cost so far, as far as prices are known. */
  @ApiProperty({ example: 0.00012 })
  cost!: number;
  /** US dollars that the same calls would have cost at the list price. */
  @ApiProperty({ example: 0.00024 })
  list_cost!: number;
  /** US dollars by which `cost` is below `list_cost`; negative where a tier costs more. */
  @ApiProperty({ example: 0.00012 })
  saved!: number;
  /** The weight of the job among the jobs of its key. */
  @ApiProperty({ enum: JOB_PRIORITIES, enumName: 'BatchPriority', example: 'normal' })
  priority!: JobPriority;
  /** The metadata that was submitted with the job. */
  @ApiProperty({ type: 'object', additionalProperties: true, nullable: true, example: { run: 7 } })
  batch_metadata!: Record<string, unknown> | null;
  /** An error message if the batch job failed. */
  @ApiProperty({ type: String, nullable: true, example: null })
  error!: string | null;
  /** The bounds of the job and what they let it do now; only of a job that has them, or that its key has paused. */
  @ApiProperty({ type: JobControlDto, required: false })
  control?: JobControlDto;
  /** The results in a bucket; only of a job that has an `output`. */
  @ApiProperty({ type: JobOutputDto, required: false })
  output?: JobOutputDto;
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

/** Where a stream of results begins. */
export class StreamResultsDto {
  /** Only results of tasks with a higher index than this. */
  @ApiProperty({ type: 'integer', required: false, minimum: 0 })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  @Max(2_147_483_647)
  after?: number;
}

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
