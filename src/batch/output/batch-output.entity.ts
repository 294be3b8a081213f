import { Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { wholeNumber } from '../../database/whole-number.js';

/** Of a multipart upload that was asked for, and whose id is not known: a crash may have left one. */
export const UNKNOWN_UPLOAD = '';

/**
 * The results of a job that are to be written to a bucket, from the submission until they are written or abandoned. What clients see is
 * in the row of the job. Times are epoch milliseconds of the database's clock.
 */
@Entity('batch_output')
@Index('IDX_batch_output_object', ['bucket', 'objectKey'], { unique: true })
@Index('IDX_batch_output_lease_until', ['leaseUntil'])
export class BatchOutput {
  @PrimaryColumn({ name: 'job_id', type: 'varchar', length: 40 })
  jobId!: string;

  @Column({ type: 'varchar', length: 63 })
  bucket!: string;

  @Column({ name: 'object_key', type: 'varchar', length: 1100 })
  objectKey!: string;

  /** The process that writes, until `leaseUntil`. */
  @Column({ type: 'varchar', length: 64, nullable: true })
  worker!: string | null;

  /** Until when no other process takes it, be it because one writes, or because an attempt failed. */
  @Column({ name: 'lease_until', type: 'bigint', default: 0, transformer: wholeNumber })
  leaseUntil!: number;

  /** Attempts that failed since the last part was written. */
  @Column({ type: 'int', default: 0 })
  attempts!: number;

  /** When the first of those attempts failed. */
  @Column({ name: 'failing_since', type: 'bigint', nullable: true, transformer: wholeNumber })
  failingSince!: number | null;

  /** The multipart upload; null before the first part, see also UNKNOWN_UPLOAD. */
  @Column({ name: 'upload_id', type: 'varchar', length: 2048, nullable: true })
  uploadId!: string | null;

  /** Bytes of the parts so far. */
  @Column({ type: 'bigint', default: 0, transformer: wholeNumber })
  bytes!: number;

  /** Where the next part begins: at results after this index, without so many bytes of them. */
  @Column({ name: 'after_index', type: 'int', default: -1 })
  afterIndex!: number;

  @Column({ name: 'skip_bytes', type: 'bigint', default: 0, transformer: wholeNumber })
  skipBytes!: number;
}

/** A part of a multipart upload that the bucket has. */
@Entity('batch_output_part')
export class BatchOutputPart {
  @PrimaryColumn({ name: 'job_id', type: 'varchar', length: 40 })
  jobId!: string;

  /** From 1. */
  @PrimaryColumn({ type: 'int' })
  number!: number;

  /** The `ETag` of the bucket's response. */
  @Column({ type: 'varchar', length: 256 })
  tag!: string;
}
