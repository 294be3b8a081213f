import { Check, Column, Entity, Index, PrimaryColumn } from 'typeorm';
import { wholeNumber } from '../../database/whole-number.js';

/** `import`: the lines are being read into tasks. `run`: the tasks run, or have ended and are not summed up yet. `done`: nothing is left to do. */
export type FileBatchStage = 'import' | 'run' | 'done';

/** What is known of a job of `/v1/batches` beside its row of `batch_job`. Times are epoch milliseconds of the database's clock. */
@Entity('file_batch')
@Check('CHK_file_batch_stage', `stage IN ('import', 'run', 'done')`)
@Index('IDX_file_batch_stage', ['stage', 'leaseUntil'], { where: `stage IN ('import', 'run')` })
export class FileBatch {
  @PrimaryColumn({ name: 'job_id', type: 'varchar', length: 40 })
  jobId!: string;

  @Column({ name: 'input_file_id', type: 'varchar', length: 40 })
  inputFileId!: string;

  /** The file of results; its row exists from the end of the import. */
  @Column({ name: 'output_file_id', type: 'varchar', length: 40 })
  outputFileId!: string;

  /** The file of requests without a result. */
  @Column({ name: 'error_file_id', type: 'varchar', length: 40 })
  errorFileId!: string;

  /** As the client sent it: `24h`. */
  @Column({ name: 'completion_window', type: 'varchar', length: 8 })
  completionWindow!: string;

  /** Seconds after the end of the job at which its files of results are deleted; null for the retention of jobs. */
  @Column({ name: 'output_expiry_seconds', type: 'int', nullable: true })
  outputExpirySeconds!: number | null;

  @Column({ type: 'varchar', length: 8 })
  stage!: FileBatchStage;

  /** The process that works on the stage, until `leaseUntil`. */
  @Column({ type: 'varchar', length: 64, nullable: true })
  worker!: string | null;

  @Column({ name: 'lease_until', type: 'bigint', default: 0, transformer: wholeNumber })
  leaseUntil!: number;

  /** The faults of the input file, see `LineFault`; null where there are none. */
  @Column({ type: 'simple-json', nullable: true })
  faults!: object | null;

  /** The sum of the usage of all responses, see `BatchUsage`; null before the job has ended. */
  @Column({ type: 'simple-json', nullable: true })
  usage!: object | null;

  /** The most frequent error of the requests, see `TopError`; null where none failed. */
  @Column({ name: 'top_error', type: 'simple-json', nullable: true })
  topError!: object | null;

  @Column({ name: 'imported_at', type: 'bigint', nullable: true, transformer: wholeNumber })
  importedAt!: number | null;

  /** When the stage became `done`. */
  @Column({ name: 'finished_at', type: 'bigint', nullable: true, transformer: wholeNumber })
  finishedAt!: number | null;
}
