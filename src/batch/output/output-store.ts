import { Injectable } from '@nestjs/common';
import { DataSource, type EntityManager } from 'typeorm';
import { GatewayConfig } from '../../config/gateway-config.js';
import { Database } from '../../database/database.js';
import { runSql, type SqlResult } from '../../database/sql.js';
import { conflict } from '../../errors/gateway-error.js';
import { BatchOutput, BatchOutputPart, UNKNOWN_UPLOAD } from './batch-output.entity.js';
import type { JobOutput } from './job-output.js';
import type { Place } from './part-cutter.js';
import { newWorkerName } from '../worker-name.js';

/** Outputs that one look takes up. */
const OUTPUTS_PER_LOOK = 10;
/** How long attempts may fail before an output is abandoned: no part was written in all that time. */
const ABANDON_AFTER_MS = 24 * 3_600_000;

/** The output was taken over by another process, or its job was deleted. */
export class OutputLost extends Error {
  override readonly name = 'OutputLost';

  constructor() {
    super('The lease of the output is lost.');
  }
}

/** A part that the bucket has, and where the next one begins. */
export interface StoredPart {
  readonly number: number;
  readonly tag: string;
  readonly bytes: number;
  readonly next: Place;
}

type Row = Pick<BatchOutput, 'jobId' | 'bucket' | 'objectKey'>;

/**
 * Outputs that are to be written, how far each is, and which process writes it. The database decides, by its own clock. Each change is
 * made only by the process that holds the lease.
 */
@Injectable()
export class OutputStore {
  private readonly worker = newWorkerName();

  constructor(
    private readonly database: Database,
    private readonly dataSource: DataSource,
    private readonly config: GatewayConfig,
  ) {}

  /** Stores the output of a new job. @throws GatewayError 409 while another job is to write to the same object */
  async insert(manager: EntityManager, jobId: string, { bucket, key }: JobOutput): Promise<void> {
    const { affected } = await runSql(
      manager,
      this.database.dialect,
      `INSERT INTO batch_output (job_id, bucket, object_key) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
      [jobId, bucket, key],
    );
    if (affected === 1) return;
    const message =
      "Another batch that has not ended writes to the object of 'output.s3'. Wait for it, or name another object.";
    throw conflict(message, 'output.s3.key');
  }

  /** Jobs that have ended, whose output no process writes. */
  async due(): Promise<readonly string[]> {
    const { dialect } = this.database;
    const { rows } = await runSql<{ job_id: string }>(
      this.dataSource.manager,
      dialect,
      `SELECT o.job_id FROM batch_output o JOIN batch_job j ON j.id = o.job_id
       WHERE o.lease_until <= ${dialect.now} AND j.completed_at IS NOT NULL
       ORDER BY o.lease_until LIMIT ${OUTPUTS_PER_LOOK}`,
    );
    return rows.map(({ job_id: jobId }) => jobId);
  }

  /** @returns the output, where this process has it now, with the tags of its parts */
  async take(jobId: string): Promise<{ output: BatchOutput; tags: string[] } | undefined> {
    const { now } = this.database.dialect;
    return this.database.transaction(async (manager) => {
      const { affected } = await this.run(
        manager,
        `UPDATE batch_output SET worker = $2, lease_until = ${now} + $3 WHERE job_id = $1 AND lease_until <= ${now}`,
        [jobId, this.worker, this.config.batch.lease],
      );
      if (affected === 0) return undefined;
      const output = await manager.findOneByOrFail(BatchOutput, { jobId });
      const parts = await manager.find(BatchOutputPart, { where: { jobId }, order: { number: 'ASC' } });
      return { output, tags: parts.map(({ tag }) => tag) };
    });
  }

  /** Extends the lease. @throws OutputLost */
  extend(jobId: string): Promise<void> {
    return this.database.transaction((manager) => this.change(manager, jobId));
  }

  /** Notes that a multipart upload is asked for, so that one is searched for after a crash. @throws OutputLost */
  beginUpload(jobId: string): Promise<void> {
    return this.database.transaction((manager) => this.change(manager, jobId, 'upload_id = $4', [UNKNOWN_UPLOAD]));
  }

  /** @throws OutputLost */
  setUpload(jobId: string, uploadId: string): Promise<void> {
    return this.database.transaction((manager) => this.change(manager, jobId, 'upload_id = $4', [uploadId]));
  }

  /** Notes a part that the bucket has. @throws OutputLost */
  async addPart(output: Row, { number, tag, bytes, next }: StoredPart): Promise<void> {
    const { jobId } = output;
    await this.database.transaction(async (manager) => {
      await this.change(
        manager,
        jobId,
        'bytes = $4, after_index = $5, skip_bytes = $6, attempts = 0, failing_since = NULL',
        [bytes, next.after, next.skip],
      );
      await this.run(manager, 'INSERT INTO batch_output_part (job_id, number, tag) VALUES ($1, $2, $3)', [
        jobId,
        number,
        tag,
      ]);
      await this.show(manager, output, { state: 'writing', bytes, error: null });
    });
  }

  /** Forgets the multipart upload and its parts: the output begins again. @throws OutputLost */
  async restart(output: Row): Promise<void> {
    const { jobId } = output;
    await this.database.transaction(async (manager) => {
      await this.change(manager, jobId, 'upload_id = NULL, bytes = 0, after_index = -1, skip_bytes = 0');
      await this.run(manager, 'DELETE FROM batch_output_part WHERE job_id = $1', [jobId]);
    });
  }

  /** Ends an output that is complete in its bucket. @throws OutputLost */
  async end(output: Row, bytes: number): Promise<void> {
    await this.database.transaction(async (manager) => {
      await this.change(manager, output.jobId);
      await this.remove(manager, output, { state: 'written', bytes, error: null });
    });
  }

  /**
   * Notes a failed attempt; the next one comes after a while.
   *
   * @param message for the client
   * @returns whether the output is abandoned, as it has failed for a day. @throws OutputLost
   */
  async fail(output: BatchOutput, message: string, delayMs: number): Promise<boolean> {
    const { now } = this.database.dialect;
    const { jobId } = output;
    return this.database.transaction(async (manager) => {
      const { rows } = await this.run<{ bytes: string | number; failing_ms: string | number }>(
        manager,
        `UPDATE batch_output SET worker = NULL, attempts = attempts + 1, failing_since = COALESCE(failing_since, ${now}),
           lease_until = ${now} + $3
         WHERE job_id = $1 AND worker = $2 RETURNING bytes, ${now} - failing_since AS failing_ms`,
        [jobId, this.worker, delayMs],
      );
      const row = rows[0];
      if (row === undefined) throw new OutputLost();
      const bytes = Number(row.bytes);
      const isAbandoned = Number(row.failing_ms) >= ABANDON_AFTER_MS;
      if (isAbandoned) await this.remove(manager, output, { state: 'failed', bytes, error: message });
      else await this.show(manager, output, { state: 'writing', bytes, error: message });
      return isAbandoned;
    });
  }

  /** Allows another process to go on at once. */
  async release(jobId: string): Promise<void> {
    await this.database.transaction((manager) =>
      this.run(manager, 'UPDATE batch_output SET worker = NULL, lease_until = 0 WHERE job_id = $1 AND worker = $2', [
        jobId,
        this.worker,
      ]),
    );
  }

  /** Changes an output that this process holds, and extends its lease. @param sets with parameters from `$4` on */
  private async change(
    manager: EntityManager,
    jobId: string,
    sets?: string,
    values: readonly unknown[] = [],
  ): Promise<void> {
    const { affected } = await this.run(
      manager,
      `UPDATE batch_output SET lease_until = ${this.database.dialect.now} + $3${sets === undefined ? '' : `, ${sets}`}
       WHERE job_id = $1 AND worker = $2`,
      [jobId, this.worker, this.config.batch.lease, ...values],
    );
    if (affected === 0) throw new OutputLost();
  }

  private async remove(manager: EntityManager, output: Row, shown: Shown): Promise<void> {
    await removeOutput(manager, this.database, output.jobId);
    await this.show(manager, output, shown);
    // The notification that the job has ended waits for its output.
    await this.run(
      manager,
      `UPDATE batch_job SET webhook_due_at = ${this.database.dialect.now} WHERE id = $1 AND webhook_url IS NOT NULL`,
      [output.jobId],
    );
  }

  private async show(manager: EntityManager, { jobId, bucket, objectKey: key }: Row, shown: Shown): Promise<void> {
    const output: JobOutput = { bucket, key, ...shown };
    await this.run(manager, 'UPDATE batch_job SET output = $2 WHERE id = $1', [jobId, JSON.stringify(output)]);
  }

  private run<Found>(
    manager: EntityManager,
    statement: string,
    parameters: readonly unknown[],
  ): Promise<SqlResult<Found>> {
    return runSql<Found>(manager, this.database.dialect, statement, parameters);
  }
}

type Shown = Pick<JobOutput, 'state' | 'bytes' | 'error'>;

/** Removes what is left to write of a job. */
export async function removeOutput(manager: EntityManager, { dialect }: Database, jobId: string): Promise<void> {
  await runSql(manager, dialect, 'DELETE FROM batch_output_part WHERE job_id = $1', [jobId]);
  await runSql(manager, dialect, 'DELETE FROM batch_output WHERE job_id = $1', [jobId]);
}
