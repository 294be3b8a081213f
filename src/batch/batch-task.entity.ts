import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { wholeNumber } from '../database/whole-number.js';

export type TaskStatus = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled' | 'expired';

/**
 * One task of a job. Its row rarely changes before the task ends: `batch_claim` holds which process runs it, `batch_lane` what
 * waits. No index contains a column that changes, so that PostgreSQL updates rows in place. Times are epoch milliseconds of the
 * database's clock.
 */
@Entity('batch_task')
@Check('CHK_batch_task_status', `status IN ('queued', 'running', 'succeeded', 'failed', 'cancelled', 'expired')`)
@Index('IDX_batch_task_same_as', ['jobId', 'sameAs'], { where: 'same_as IS NOT NULL' })
export class BatchTask {
  @PrimaryColumn({ name: 'job_id', type: 'varchar', length: 40 })
  jobId!: string;

  /** Its position in the submission, from 0. */
  @PrimaryColumn({ name: 'task_index', type: 'int' })
  taskIndex!: number;

  @Column({ name: 'custom_id', type: 'varchar', length: 512 })
  customId!: string;

  /** The operation that the task requests. */
  @Column({ type: 'varchar', length: 16, default: 'chat' })
  operation!: string;

  /** The wire format of the request and of the result, where it is not the operation's own; with the operation it says which endpoint. */
  @Column({ type: 'varchar', length: 32, nullable: true })
  dialect!: string | null;

  /** The index of an identical task of the job, whose result it gets; null for a task that runs. */
  @Column({ name: 'same_as', type: 'int', nullable: true })
  sameAs!: number | null;

  /** Its rank in the order in which the tasks of its job start, from 1; null where that is the order of the submission. */
  @Column({ type: 'int', nullable: true })
  rank!: number | null;

  /** The task's own fields of the request, as JSON text. */
  @Column({ type: 'text' })
  request!: string;

  /** The model that the task itself names, if it differs from its job's. Such a task waits in `batch_requeue`. */
  @Column({ type: 'varchar', length: 256, nullable: true })
  model!: string | null;

  /** `queued` until it ends; `running` was used up to version 0.1. */
  @Column({ type: 'varchar', length: 16, default: 'queued' })
  status!: TaskStatus;

  /** How often the process that held it ended without releasing it. */
  @Column({ type: 'int', default: 0 })
  fence!: number;

  /** Version 0.1 only: until when a task that is `running` is held. */
  @Column({ name: 'lease_until', type: 'bigint', nullable: true, transformer: wholeNumber })
  leaseUntil!: number | null;

  /** The process that stored its outcome. */
  @Column({ type: 'varchar', length: 64, nullable: true })
  worker!: string | null;

  /** Version 0.1 only. */
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
