import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { wholeNumber } from '../../database/whole-number.js';

/**
 * `new`: nothing was sent to the provider. `creating`: a request to create it may have been sent, so that it is looked for before
 * another. `submitted`: the provider's id is known. `ended`: its results are stored.
 */
export type PartStage = 'new' | 'creating' | 'submitted' | 'ended';

/**
 * Tasks of one job that are one batch of a provider. The row exists before the batch does; a claim with the same id holds the tasks.
 * Times are epoch milliseconds of the database's clock.
 */
@Entity('batch_part')
@Check('CHK_batch_part_state', `state IN ('new', 'creating', 'submitted', 'ended')`)
@Index('IDX_batch_part_poll_at', ['pollAt'], { where: `state <> 'ended'` })
@Index('IDX_batch_part_job_id', ['jobId'])
export class BatchPart {
  /** `part_` and 24 hexadecimal digits; the provider knows the part by it. */
  @PrimaryColumn({ type: 'varchar', length: 40 })
  id!: string;

  @Column({ name: 'job_id', type: 'varchar', length: 40 })
  jobId!: string;

  @Column({ name: 'key_id', type: 'varchar', length: 32 })
  keyId!: string;

  /** `provider/model`. */
  @Column({ type: 'varchar', length: 400 })
  deployment!: string;

  /** Where its tasks waited, and where those wait again that no limit admits now. */
  @Column({ type: 'varchar', length: 64 })
  lane!: string;

  @Column({ type: 'varchar', length: 16 })
  state!: PartStage;

  /** The provider's id of the batch. */
  @Column({ name: 'provider_id', type: 'varchar', length: 256, nullable: true })
  providerId!: string | null;

  /** Lines that were sent; tasks that it holds until then. */
  @Column({ name: 'line_count', type: 'int' })
  lineCount!: number;

  @Column({ name: 'created_at', type: 'bigint', transformer: wholeNumber })
  createdAt!: number;

  /** When a request to create it was first sent. */
  @Column({ name: 'creating_at', type: 'bigint', nullable: true, transformer: wholeNumber })
  creatingAt!: number | null;

  @Column({ name: 'submitted_at', type: 'bigint', nullable: true, transformer: wholeNumber })
  submittedAt!: number | null;

  @Column({ name: 'cancel_sent_at', type: 'bigint', nullable: true, transformer: wholeNumber })
  cancelSentAt!: number | null;

  /** When its tasks went on to the next tier although the provider had not ended it. */
  @Column({ name: 'abandoned_at', type: 'bigint', nullable: true, transformer: wholeNumber })
  abandonedAt!: number | null;

  @Column({ name: 'ended_at', type: 'bigint', nullable: true, transformer: wholeNumber })
  endedAt!: number | null;

  @Column({ name: 'poll_at', type: 'bigint', default: 0, transformer: wholeNumber })
  pollAt!: number;

  /** Failures of its last step, one after the other. */
  @Column({ type: 'int', default: 0 })
  failures!: number;

  /** What the last of them was, or why the provider failed it. */
  @Column({ type: 'text', nullable: true })
  error!: string | null;

  /** The process that attends to it until the lease expires. */
  @Column({ type: 'varchar', length: 64, nullable: true })
  worker!: string | null;

  @Column({ name: 'lease_until', type: 'bigint', default: 0, transformer: wholeNumber })
  leaseUntil!: number;
}
