import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { wholeNumber } from '../database/whole-number.js';

export type TaskStatus = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'expired';

/**
 * One task of a job. `fence` counts how often it was claimed: a result is stored only by the claim that holds the task
 * now, so each task has one result whatever happens to workers. Times are epoch milliseconds of the database's clock.
 */
@Entity('batch_task')
@Check('CHK_batch_task_status', `status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'expired')`)
@Index('IDX_batch_task_status', ['jobId', 'status', 'taskIndex'])
export class BatchTask {
  @PrimaryColumn({ name: 'job_id', type: 'varchar', length: 40 })
  jobId!: string;

  /** Its place in the submission, from 0. */
  @PrimaryColumn({ name: 'task_index', type: 'int' })
  taskIndex!: number;

  @Column({ name: 'custom_id', type: 'varchar', length: 512 })
  customId!: string;

  /** Which endpoint the task is for; `chat` today. */
  @Column({ type: 'varchar', length: 16, default: 'chat' })
  kind!: string;

  /** The task's own fields of the request, as JSON text. */
  @Column({ type: 'text' })
  request!: string;

  @Column({ type: 'varchar', length: 16, default: 'queued' })
  status!: TaskStatus;

  @Column({ type: 'int', default: 0 })
  fence!: number;

  @Column({ name: 'lease_until', type: 'bigint', nullable: true, transformer: wholeNumber })
  leaseUntil!: number | null;

  @Column({ type: 'varchar', length: 64, nullable: true })
  worker!: string | null;

  @Column({ name: 'next_run_at', type: 'bigint', default: 0, transformer: wholeNumber })
  nextRunAt!: number;

  /** Upstream calls that ended, in success or failure. */
  @Column({ type: 'int', default: 0 })
  attempts!: number;

  /** `{status_code, request_id, body}` as JSON text. */
  @Column({ type: 'text', nullable: true })
  response!: string | null;

  /** `{message, type, param, code}` as JSON text. */
  @Column({ type: 'text', nullable: true })
  error!: string | null;

  @Column({ name: 'finished_at', type: 'bigint', nullable: true, transformer: wholeNumber })
  finishedAt!: number | null;
}
