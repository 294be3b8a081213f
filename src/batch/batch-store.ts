import { Injectable } from '@nestjs/common';
import { DataSource, EntityManager } from 'typeorm';
import { Database } from '../database/database.js';
import { runSql, SqlDialect } from '../database/sql.js';
import { deleteJob } from './delete-job.js';
import { copyToDuplicates } from './duplicates.js';
import { countEnded } from './job-counters.js';
import { Lanes } from './lanes.js';
import { readLanes } from './stored-lanes.js';

/** Rows per statement in bulk changes, so that no statement blocks the event loop or holds locks for long. */
const ROWS_PER_STATEMENT = 2_000;
/** Milliseconds after which a job in `staging` must be the remains of a crash. */
const STAGING_MS = 120_000;
const JOBS_PER_QUERY = 100;

/**
 * Ends, recovers and deletes jobs. Each statement is conditional, so it is safe to run twice, late, or in two processes at once. Rows to
 * change are selected in a materialized CTE: PostgreSQL may run a subquery with LIMIT once for each row, and so change far more rows than
 * the limit.
 */
@Injectable()
export class BatchStore {
  private readonly dialect: SqlDialect;

  constructor(
    private readonly database: Database,
    private readonly dataSource: DataSource,
    private readonly lanes: Lanes,
  ) {
    this.dialect = database.dialect;
  }

  /**
   * Ends tasks of a job that have not ended: all of them, or only the waiting ones while `running` is left alone. Works in
   * chunks, and is safe to repeat.
   */
  async endTasks(
    jobId: string,
    status: 'cancelled' | 'expired' | 'failed',
    { running, error }: { running: 'leave' | 'end'; error: string | null },
  ): Promise<void> {
    await this.database.transaction((manager) => this.lanes.close(manager, jobId));
    if (running === 'leave') await this.endWaiting(jobId, status, error);
    else await this.endAll(jobId, status, error);
    await this.database.transaction((manager) => countEnded(manager, this.dialect, [], [jobId]));
  }

  /** Marks a job as failed to run; nothing more of it is claimed. */
  async beginFailure(jobId: string, message: string): Promise<void> {
    await this.database.transaction(async (manager) => {
      await runSql(
        manager,
        this.dialect,
        `UPDATE batch_job SET error = $2 WHERE id = $1 AND status IN ('queued', 'in_progress') AND error IS NULL`,
        [jobId, message],
      );
      await this.lanes.close(manager, jobId);
    });
  }

  /** Which of these jobs are being cancelled, and which are paused. */
  async interrupted(jobIds: readonly string[]): Promise<{ cancelled: readonly string[]; paused: readonly string[] }> {
    if (jobIds.length === 0) return { cancelled: [], paused: [] };
    const { rows } = await this.read<{ id: string; status: string }>(
      `SELECT id, status FROM batch_job WHERE (status = 'cancelling' OR paused_at IS NOT NULL)
         AND id IN (${jobIds.map((_id, index) => `$${index + 1}`).join(', ')})`,
      jobIds,
    );
    const idsOf = (isCancelled: boolean): string[] =>
      rows.filter(({ status }) => (status === 'cancelling') === isCancelled).map(({ id }) => id);
    return { cancelled: idsOf(true), paused: idsOf(false) };
  }

  /** Jobs that are ending: cancelled, failed or expired. */
  async jobsToEnd(): Promise<readonly { id: string; ending: 'cancelled' | 'failed' | 'expired' }[]> {
    const found = (which: string, order: string): string =>
      `SELECT * FROM (SELECT id, status, error FROM batch_job WHERE ${which} ORDER BY ${order} LIMIT ${JOBS_PER_QUERY}) f`;
    const isUnfinished = `status IN ('queued', 'in_progress')`;
    const { rows } = await this.read<{ id: string; status: string; error: string | null }>(
      [
        found(`status = 'cancelling'`, 'submitted_at'),
        found(`error IS NOT NULL AND ${isUnfinished}`, 'submitted_at'),
        found(`expires_at <= ${this.dialect.now} AND ${isUnfinished}`, 'expires_at'),
      ].join(' UNION ALL '),
    );
    // A job may be expired and failed at the same time.
    const perJob = new Map(rows.map((row) => [row.id, row]));
    return [...perJob.values()].map(({ id, status, error }) => ({
      id,
      ending: status === 'cancelling' ? 'cancelled' : error === null ? 'expired' : 'failed',
    }));
  }

  /**
   * Opens lanes for jobs with waiting tasks but no lane and no claim: jobs of version 0.1 after an upgrade, and jobs in an
   * unexpected state. Tasks that are still held under a lease of version 0.1 are left alone.
   *
   * @returns how many jobs
   */
  async recoverStalled(): Promise<number> {
    await this.lanes.removeEmpty();
    // One statement, so that a job between lane and claim is seen in one of them.
    const { rows } = await this.read<{ kind: string; text: string }>(
      `SELECT 'job' AS kind, id AS text FROM (
         SELECT j.id FROM batch_job j WHERE j.status IN ('queued', 'in_progress', 'cancelling')
           AND NOT EXISTS (SELECT 1 FROM batch_lane l WHERE l.job_id = j.id) LIMIT 1000) s
       UNION ALL SELECT 'claim', tasks FROM batch_claim`,
    );
    const claimed = new Set(
      rows.flatMap(({ kind, text }) => (kind === 'claim' ? readLanes(text).map(({ jobId }) => jobId) : [])),
    );
    let count = 0;
    for (const { kind, text: id } of rows) {
      if (kind === 'job' && !claimed.has(id) && (await this.recover(id))) count += 1;
    }
    return count;
  }

  /** Deletes jobs that ended more than `retention` milliseconds ago, and whose results are not to be written any more. @returns how many were deleted */
  async deleteFinished(retention: number): Promise<number> {
    const { rows } = await this.read<{ id: string }>(
      `SELECT id FROM batch_job WHERE completed_at <= ${this.dialect.now} - $1
         AND status IN ('completed', 'failed', 'cancelled', 'expired')
         AND NOT EXISTS (SELECT 1 FROM batch_output o WHERE o.job_id = batch_job.id) ORDER BY completed_at LIMIT ${JOBS_PER_QUERY}`,
      [retention],
    );
    await this.deleteJobs(rows);
    return rows.length;
  }

  /**
   * Deletes a job that has ended, with its tasks. It is invisible at once, and what a crash leaves of it is deleted as the remains
   * of a submission are.
   *
   * @returns whether it had ended
   */
  async deleteEnded(jobId: string): Promise<boolean> {
    const { affected } = await this.database.transaction((manager) =>
      runSql(
        manager,
        this.dialect,
        `UPDATE batch_job SET status = 'staging', idempotency_key = NULL, webhook_due_at = NULL
         WHERE id = $1 AND status IN ('completed', 'failed', 'cancelled', 'expired')`,
        [jobId],
      ),
    );
    if (affected === 0) return false;
    await this.deleteJobs([{ id: jobId }]);
    return true;
  }

  /** Deletes the remains of submissions that never completed. Files that are being read are none. */
  async deleteAbandoned(): Promise<void> {
    const { rows } = await this.read<{ id: string }>(
      `SELECT id FROM batch_job WHERE status = 'staging' AND submitted_at <= ${this.dialect.now} - $1
         AND NOT EXISTS (SELECT 1 FROM file_batch f WHERE f.job_id = batch_job.id AND f.stage = 'import')
       LIMIT ${JOBS_PER_QUERY}`,
      [STAGING_MS],
    );
    await this.deleteJobs(rows);
  }

  private async endWaiting(jobId: string, status: string, error: string | null): Promise<void> {
    for (;;) {
      const goesOn = await this.database.transaction(async (manager) => {
        // Locks the job before its lanes, as all transactions do.
        await countEnded(manager, this.dialect, [], [jobId]);
        const taken = await this.lanes.takeClosed(manager, jobId, ROWS_PER_STATEMENT);
        if (taken === undefined) return false;
        const { nextIndex, endIndex, indexes } = taken;
        const range = `task_index >= $4 AND task_index < $5 AND model IS NULL AND same_as IS NULL`;
        let count = await this.endChunk(manager, range, [jobId, status, error, nextIndex, endIndex]);
        if (indexes.length > 0) {
          const list = indexes.map((_index, position) => `$${position + 4}`).join(', ');
          count += await this.endChunk(manager, `task_index IN (${list})`, [jobId, status, error, ...indexes]);
        }
        await this.count(manager, jobId, status, count);
        return true;
      });
      if (!goesOn) return;
      await new Promise(setImmediate);
    }
  }

  private async endAll(jobId: string, status: string, error: string | null): Promise<void> {
    const { rows } = await this.read<{ task_count: number }>('SELECT task_count FROM batch_job WHERE id = $1', [jobId]);
    const taskCount = rows[0]?.task_count ?? 0;
    // Before the last task ends the job, and again for tasks that were requeued meanwhile.
    await this.database.transaction((manager) => this.lanes.remove(manager, jobId));
    for (let start = 0; start < taskCount; start += ROWS_PER_STATEMENT) {
      await this.database.transaction(async (manager) => {
        const range = 'task_index >= $4 AND task_index < $5';
        const count = await this.endChunk(manager, range, [jobId, status, error, start, start + ROWS_PER_STATEMENT]);
        await this.count(manager, jobId, status, count);
      });
      await new Promise(setImmediate);
    }
    await this.database.transaction((manager) => this.lanes.remove(manager, jobId));
  }

  private async endChunk(manager: EntityManager, which: string, parameters: readonly unknown[]): Promise<number> {
    const { rows } = await runSql<{ task_index: number }>(
      manager,
      this.dialect,
      `UPDATE batch_task SET status = $2, error = $3, finished_at = ${this.dialect.now}
       WHERE job_id = $1 AND ${which} AND status IN ('queued', 'running') RETURNING task_index`,
      parameters,
    );
    const copies = await copyToDuplicates(
      manager,
      this.dialect,
      rows.map(({ task_index: taskIndex }) => ({ jobId: String(parameters[0]), taskIndex })),
    );
    return rows.length + copies.length;
  }

  private async count(manager: EntityManager, jobId: string, status: string, count: number): Promise<void> {
    const ended = { jobId, status: status as 'cancelled' | 'expired' | 'failed' };
    await countEnded(
      manager,
      this.dialect,
      Array.from({ length: count }, () => ended),
      [jobId],
    );
  }

  private async recover(jobId: string): Promise<boolean> {
    const { now, isSqlite } = this.dialect;
    return this.database.transaction(async (manager) => {
      const { rows } = await runSql<{ task_count: number }>(
        manager,
        this.dialect,
        `SELECT task_count FROM batch_job WHERE id = $1 AND status IN ('queued', 'in_progress', 'cancelling')
           AND NOT EXISTS (SELECT 1 FROM batch_lane l WHERE l.job_id = batch_job.id) ${isSqlite ? '' : 'FOR UPDATE'}`,
        [jobId],
      );
      const job = rows[0];
      if (job === undefined || (await this.isClaimed(manager, jobId))) return false;
      await runSql(
        manager,
        this.dialect,
        `UPDATE batch_task SET status = 'queued', lease_until = NULL, worker = NULL
         WHERE job_id = $1 AND status = 'running' AND (lease_until IS NULL OR lease_until <= ${now})`,
        [jobId],
      );
      const { rows: waiting } = await runSql(
        manager,
        this.dialect,
        `SELECT 1 AS one FROM batch_task WHERE job_id = $1 AND status = 'queued' LIMIT 1`,
        [jobId],
      );
      if (waiting.length === 0) return false;
      await this.lanes.requeueOwnModels(manager, jobId, 0, job.task_count);
      await this.lanes.open(manager, jobId);
      return true;
    });
  }

  private async isClaimed(manager: EntityManager, jobId: string): Promise<boolean> {
    const { rows } = await runSql<{ tasks: string }>(manager, this.dialect, 'SELECT tasks FROM batch_claim');
    return rows.some(({ tasks }) => readLanes(tasks).some((lane) => lane.jobId === jobId));
  }

  private async deleteJobs(jobs: readonly { id: string }[]): Promise<void> {
    for (const { id } of jobs) await deleteJob(this.database, this.lanes, id);
  }

  private read<Row>(statement: string, parameters: readonly unknown[] = []): Promise<{ rows: readonly Row[] }> {
    return runSql<Row>(this.dataSource.manager, this.dialect, statement, parameters);
  }
}
