import { ApiProperty } from '@nestjs/swagger';
import { TASK_ORDERS, type TaskOrder } from './job-options.js';
import { JobRateDto } from './job-options.dto.js';

/** Why no task of a job starts now. */
export const WAIT_REASONS = ['paused', 'not_before', 'window', 'rate'] as const;
export type WaitReason = (typeof WAIT_REASONS)[number];

/** The bounds of a job, and what they let it do now. */
export class JobControlDto {
  /** US dollars that the job does not exceed. */
  @ApiProperty({ type: Number, nullable: true, example: 25 })
  max_cost_usd!: number | null;
  /** US dollars of the calls that have ended, of a job with `max_cost_usd`. */
  @ApiProperty({ type: Number, nullable: true, example: 0.42 })
  spent_usd!: number | null;
  /** Tasks that failed with `cost_limit_reached`, because `max_cost_usd` did not cover them. */
  @ApiProperty({ type: 'integer', example: 0 })
  cost_refused_count!: number;
  /** The rate at which tasks start. */
  @ApiProperty({ type: JobRateDto, nullable: true })
  rate!: JobRateDto | null;
  /** Tasks that run at once. */
  @ApiProperty({ type: 'integer', nullable: true, example: 10 })
  concurrency!: number | null;
  /** The Unix timestamp (in seconds) before which no task starts. */
  @ApiProperty({ type: 'integer', nullable: true, example: null })
  not_before!: number | null;
  /** Times of day in which tasks may start. */
  @ApiProperty({ type: [String], nullable: true, example: ['22:00-06:00 Europe/Berlin'] })
  windows!: string[] | null;
  /** Whether tasks with the same request are run once. */
  @ApiProperty({ example: false })
  dedupe!: boolean;
  /** The order in which tasks start. */
  @ApiProperty({ enum: TASK_ORDERS, enumName: 'BatchTaskOrder', example: 'submitted' })
  order!: TaskOrder;
  /** The job some of whose tasks it repeats; null for none. */
  @ApiProperty({ type: String, nullable: true, example: null })
  retry_of!: string | null;
  /** Who paused the job: `key` can resume it, while the pause of an operator ends by an operator. Null while it is not paused. */
  @ApiProperty({ enum: ['key', 'operator'], nullable: true, example: null })
  paused_by!: 'key' | 'operator' | null;
  /** Why no task starts now; null where tasks may start, and of a job that has ended. */
  @ApiProperty({ enum: WAIT_REASONS, enumName: 'BatchWaitReason', nullable: true, example: 'window' })
  waiting_for!: WaitReason | null;
  /** The Unix timestamp (in seconds) of when the next task may start; null where that is not known. */
  @ApiProperty({ type: 'integer', nullable: true, example: 1767225600 })
  waiting_until!: number | null;
}
