import { ListOf } from '../http/list-of.js';
import { ApiProperty } from '@nestjs/swagger';
import { IsIn, IsOptional, IsString, MaxLength } from 'class-validator';
import { PageQueryDto } from '../http/page-query.dto.js';
import { JOB_PRIORITIES, JOB_STATUSES, type JobPriority, type JobStatus } from './batch-job.entity.js';
import { BatchSummaryDto } from './batch.dto.js';

/** Which jobs of all keys to list. */
export class AdminBatchQueryDto extends PageQueryDto {
  /** Only jobs of this status. */
  @ApiProperty({ enum: JOB_STATUSES, enumName: 'BatchStatus', required: false })
  @IsOptional()
  @IsIn(JOB_STATUSES)
  status?: JobStatus;

  /** Only jobs that are paused (`true`), or are not (`false`). */
  @ApiProperty({ enum: ['true', 'false'], required: false })
  @IsOptional()
  @IsIn(['true', 'false'])
  paused?: 'true' | 'false';

  /** Only jobs that this key submitted. */
  @ApiProperty({ required: false })
  @IsOptional()
  @IsString()
  @MaxLength(64)
  key_id?: string;

  /** Only jobs of this model: the one that tasks use unless they name their own. */
  @ApiProperty({ required: false })
  @IsOptional()
  @IsString()
  @MaxLength(256)
  model?: string;
}

/** The changes to a job. */
export class UpdateBatchDto {
  /** Tasks of a higher priority are claimed first. It applies to tasks that have not begun. */
  @ApiProperty({ enum: JOB_PRIORITIES, enumName: 'BatchPriority', example: 'high' })
  @IsIn(JOB_PRIORITIES)
  priority!: JobPriority;
}

/** A job as operators see it. */
export class AdminBatchDto extends BatchSummaryDto {
  /** The key that submitted the job. */
  @ApiProperty({ example: 'key_0123456789abcdef' })
  key_id!: string;
  /** Seconds since the job was submitted. */
  @ApiProperty({ type: 'integer', example: 12 })
  age_seconds!: number;
  /** Tasks finished per second since the job started; null before that. */
  @ApiProperty({ type: Number, nullable: true, example: 41.5 })
  tasks_per_second!: number | null;
}

/** A page of all jobs, newest first, and what waits. */
export class AdminBatchListDto extends ListOf(AdminBatchDto, 'The jobs of this page.') {
  /** Tasks that wait, of all jobs. */
  @ApiProperty({ type: 'integer', example: 0 })
  queued_tasks!: number;
  /** Tasks that run now, in all processes. */
  @ApiProperty({ type: 'integer', example: 0 })
  running_tasks!: number;
  /** Seconds since the submission of the oldest task that waits; 0 when none does. */
  @ApiProperty({ type: 'integer', example: 0 })
  oldest_waiting_seconds!: number;
}
