import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { wholeNumber } from '../../database/whole-number.js';

/** When tasks of a job with a rate started, for the last minute. */
@Entity('batch_rate')
export class BatchRate {
  @PrimaryColumn({ name: 'job_id', type: 'varchar', length: 40 })
  jobId!: string;

  /** JSON: see `RateLog`. */
  @Column({ type: 'text' })
  log!: string;
}

/** The part of a job's concurrency and of its `max_cost_usd` that one process holds. */
@Entity('batch_share')
@Index('IDX_batch_share_worker', ['worker'])
export class BatchShare {
  @PrimaryColumn({ name: 'job_id', type: 'varchar', length: 40 })
  jobId!: string;

  @PrimaryColumn({ type: 'varchar', length: 64 })
  worker!: string;

  /** Tasks that it may run at once. */
  @Column({ type: 'int' })
  slots!: number;

  /** The most that the tasks that it holds can cost, in billionths of a US dollar. */
  @Column({ name: 'reserved_nanos', type: 'bigint', transformer: wholeNumber })
  reservedNanos!: number;

  /** When the process counts as ended, in epoch milliseconds of the database's clock. */
  @Column({ name: 'expires_at', type: 'bigint', transformer: wholeNumber })
  expiresAt!: number;
}

/** The tokens of a job that count against the limit `batch_tokens` of a key or a group. The row stays until the job has ended. */
@Entity('batch_enqueued')
@Index('IDX_batch_enqueued_job_id', ['jobId'])
export class BatchEnqueued {
  @PrimaryColumn({ name: 'account_id', type: 'varchar', length: 32 })
  accountId!: string;

  @PrimaryColumn({ name: 'job_id', type: 'varchar', length: 40 })
  jobId!: string;

  /** Of all its tasks; those that have ended count no more. */
  @Column({ type: 'bigint', transformer: wholeNumber })
  tokens!: number;
}
