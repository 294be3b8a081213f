import { Injectable } from '@nestjs/common';
import { DataSource, EntityManager } from 'typeorm';
import { GatewayConfig } from '../config/gateway-config.js';
import { Database } from '../database/database.js';
import { runSql, SqlDialect } from '../database/sql.js';
import type { JobPriority } from './batch-job.entity.js';
import type { TaskStatus } from './batch-task.entity.js';

/** Rows of one statement where many are changed, so that no statement holds the event loop or locks for long. */
const CHUNK = 2_000;

/** Milliseconds after which a job that is still staging can only be what a crash left. */
const STAGING = 120_000;

/** A job that has tasks to run now. */
export interface RunnableJob {
  readonly id: string;
  readonly keyId: string;
  readonly model: string;
  readonly priority: JobPriority;
  readonly defaults: Readonly<Record<string, unknown>>;
}

/** A task that this worker holds until its lease is over. */
export interface ClaimedTask {
  readonly jobId: string;
  readonly taskIndex: number;
  readonly fence: number;
  readonly request: Readonly<Record<string, unknown>>;
  /** Upstream calls that ended before this claim. */
  readonly attempts: number;
}

/** What tells a claim from every other, this task's earlier ones included. */
export type Claim = Pick<ClaimedTask, 'jobId' | 'taskIndex' | 'fence'>;

/** A claim as the key of a set. */
export function claimId({ jobId, taskIndex, fence }: Claim): string {
  return `${jobId}/${taskIndex}/${fence}`;
}

/** How a claim ended. `queued` gives the task back, to run again after `delay` milliseconds. */
export interface TaskOutcome {
  readonly jobId: string;
  readonly taskIndex: number;
  readonly fence: number;
  readonly status: Exclude<TaskStatus, 'running'>;
  readonly attempts: number;
  readonly delay: number;
  readonly response: string | null;
  readonly error: string | null;
}

interface ChangedTask {
  job_id: string;
  task_index: number;
  status: TaskStatus;
}

/** More claims than any honest run of crashes and restarts needs; what a task that kills its worker is stopped by. */
export const MAX_CLAIMS = 50;

/**
 * Every statement that moves tasks from state to state. Each is fenced or conditional, so that running it twice, late, or
 * in two processes at once changes nothing that it should not. What a statement is to change is picked in a materialized
 * CTE: as a subquery with LIMIT, PostgreSQL may run it once for each row and so change far more than the limit. Within a transaction tasks are locked before jobs, and
 * jobs in the order of their ids, so that transactions never wait for each other in a circle.
 */
@Injectable()
export class BatchStore {
  private readonly dialect: SqlDialect;
  /** Milliseconds that a claim holds a task without being extended. */
  private readonly lease: number;

  constructor(
    private readonly database: Database,
    private readonly dataSource: DataSource,
    config: GatewayConfig,
  ) {
    this.lease = config.batch.lease;
    this.dialect = database.dialect;
  }

  /** Jobs that have at least one task to run now, the oldest first. */
  async runnableJobs(limit: number): Promise<readonly RunnableJob[]> {
    const { rows } = await this.read<{
      id: string;
      key_id: string;
      model: string;
      priority: JobPriority;
      defaults: string;
    }>(
      `SELECT id, key_id, model, priority, defaults FROM batch_job j
       WHERE j.status IN ('queued', 'in_progress') AND j.error IS NULL AND j.expires_at > ${this.dialect.now}
         AND EXISTS (SELECT 1 FROM batch_task t
                     WHERE t.job_id = j.id AND t.status = 'queued' AND t.next_run_at <= ${this.dialect.now})
       ORDER BY j.submitted_at LIMIT $1`,
      [limit],
    );
    return rows.map((row) => ({
      id: row.id,
      keyId: row.key_id,
      model: row.model,
      priority: row.priority,
      defaults: JSON.parse(row.defaults) as Record<string, unknown>,
    }));
  }

  /** How many jobs are not finished: what tells a worker to look again soon. */
  async unfinishedJobs(): Promise<number> {
    const { rows } = await this.read<{ count: string | number }>(
      `SELECT COUNT(*) AS count FROM batch_job WHERE status IN ('queued', 'in_progress', 'cancelling')`,
    );
    return Number(rows[0]?.count ?? 0);
  }

  /** Takes up to `count` queued tasks of each job, in task order. */
  async claim(shares: ReadonlyMap<string, number>, worker: string): Promise<ClaimedTask[]> {
    const { now, isSqlite } = this.dialect;
    return this.database.transaction(async (manager) => {
      const claimed: ClaimedTask[] = [];
      const ids = [...shares.keys()].sort();
      for (const jobId of ids) {
        const { rows } = await runSql<{ task_index: number; fence: number; request: string; attempts: number }>(
          manager,
          this.dialect,
          `WITH picked AS MATERIALIZED (
             SELECT job_id, task_index FROM batch_task
             WHERE job_id = $1 AND status = 'queued' AND next_run_at <= ${now}
             ORDER BY task_index LIMIT $3 ${isSqlite ? '' : 'FOR UPDATE SKIP LOCKED'})
           UPDATE batch_task AS t SET status = 'running', fence = t.fence + 1, lease_until = ${now} + ${this.lease},
             worker = $2
           FROM picked WHERE t.job_id = picked.job_id AND t.task_index = picked.task_index
           RETURNING ${this.returned('task_index, fence, request, attempts')}`,
          [jobId, worker, shares.get(jobId) ?? 0],
        );
        for (const { task_index: taskIndex, fence, request, attempts } of rows) {
          claimed.push({
            jobId,
            taskIndex,
            fence,
            attempts,
            request: JSON.parse(request) as Record<string, unknown>,
          });
        }
        if (rows.length > 0) {
          await runSql(
            manager,
            this.dialect,
            `UPDATE batch_job SET status = 'in_progress', started_at = COALESCE(started_at, ${now})
             WHERE id = $1 AND status = 'queued'`,
            [jobId],
          );
        }
      }
      return claimed.sort((a, b) => a.taskIndex - b.taskIndex);
    });
  }

  /**
   * Gives back what a claim took whose answer never came: a commit that succeeded just as the connection broke. Nobody
   * runs such tasks, and they would stand still until their leases are over.
   *
   * @param jobIds the jobs that were claimed from
   * @param held every task of these jobs that `worker` does hold
   * @returns how many were given back
   */
  async giveBackUnheld(worker: string, jobIds: readonly string[], held: readonly Claim[]): Promise<number> {
    const rows = JSON.stringify(held.map(({ jobId, taskIndex }) => ({ job_id: jobId, task_index: taskIndex })));
    const jobs = jobIds.map((_id, index) => `$${index + 3}`).join(', ');
    const { affected } = await this.change(
      `UPDATE batch_task SET status = 'queued', lease_until = NULL, worker = NULL
       WHERE job_id IN (${jobs}) AND status = 'running' AND worker = $1
         AND NOT EXISTS (SELECT 1 FROM ${this.records('$2', 'job_id text, task_index int')}
                         WHERE r.job_id = batch_task.job_id AND r.task_index = batch_task.task_index)`,
      [worker, rows, ...jobIds],
    );
    return affected;
  }

  /** Extends leases. @returns which of the claims are still held, by their `claimId` */
  async renew(claims: readonly Claim[]): Promise<ReadonlySet<string>> {
    const held = new Set<string>();
    const { isSqlite } = this.dialect;
    const claimed = this.records('$1', 'job_id text, task_index int, fence int');
    // A result that is being stored holds its row: waiting for that would let every other lease run out.
    const lockable = `(SELECT held.job_id, held.task_index, held.fence FROM batch_task held JOIN ${claimed}
      ON held.job_id = r.job_id AND held.task_index = r.task_index AND held.fence = r.fence
      FOR UPDATE OF held SKIP LOCKED) AS r`;
    for (let start = 0; start < claims.length; start += CHUNK) {
      const rows = JSON.stringify(
        claims
          .slice(start, start + CHUNK)
          .map(({ jobId, taskIndex, fence }) => ({ job_id: jobId, task_index: taskIndex, fence })),
      );
      const { rows: renewed } = await this.write<{ job_id: string; task_index: number; fence: number }>(
        `UPDATE batch_task AS t SET lease_until = ${this.dialect.now} + ${this.lease}
         FROM ${isSqlite ? claimed : lockable}
         WHERE t.job_id = r.job_id AND t.task_index = r.task_index AND t.fence = r.fence AND t.status = 'running'
         RETURNING ${this.returned('job_id, task_index, fence')}`,
        [rows],
      );
      for (const { job_id: jobId, task_index: taskIndex, fence } of renewed) {
        held.add(claimId({ jobId, taskIndex, fence }));
      }
    }
    return held;
  }

  /**
   * Stores how claims ended, the counters of their jobs, and the end of a job whose last task this was, in one
   * transaction. An outcome whose claim is no longer held is discarded.
   *
   * @returns how many outcomes were stored
   */
  async storeOutcomes(outcomes: readonly TaskOutcome[]): Promise<number> {
    const rows = JSON.stringify(
      outcomes.map((outcome) => ({
        job_id: outcome.jobId,
        task_index: outcome.taskIndex,
        fence: outcome.fence,
        status: outcome.status,
        attempts: outcome.attempts,
        delay: Math.round(outcome.delay),
        response: outcome.response,
        error: outcome.error,
      })),
    );
    const { now } = this.dialect;
    return this.database.transaction(async (manager) => {
      const { rows: changed } = await runSql<ChangedTask>(
        manager,
        this.dialect,
        `UPDATE batch_task AS t SET status = r.status, attempts = r.attempts, response = r.response, error = r.error,
           lease_until = NULL, worker = NULL,
           next_run_at = CASE WHEN r.status = 'queued' THEN ${now} + r.delay ELSE t.next_run_at END,
           finished_at = CASE WHEN r.status = 'queued' THEN NULL ELSE ${now} END
         FROM ${this.records('$1', 'job_id text, task_index int, fence int, status text, attempts int, delay bigint, response text, error text')}
         WHERE t.job_id = r.job_id AND t.task_index = r.task_index AND t.fence = r.fence AND t.status = 'running'
         RETURNING ${this.returned('job_id, task_index, status')}`,
        [rows],
      );
      await this.count(manager, changed);
      return changed.length;
    });
  }

  /** Gives back tasks whose lease is over, so that somebody claims them again. @returns how many */
  async requeueExpiredLeases(): Promise<number> {
    const { now, isSqlite } = this.dialect;
    const { rows } = await this.write<ChangedTask>(
      `WITH picked AS MATERIALIZED (
         SELECT t.job_id, t.task_index FROM batch_task t JOIN batch_job j ON j.id = t.job_id
         WHERE j.status IN ('queued', 'in_progress', 'cancelling') AND t.status = 'running' AND t.lease_until <= ${now}
         LIMIT ${CHUNK} ${isSqlite ? '' : 'FOR UPDATE OF t SKIP LOCKED'})
       UPDATE batch_task AS t SET status = 'queued', lease_until = NULL, worker = NULL
       FROM picked WHERE t.job_id = picked.job_id AND t.task_index = picked.task_index
       RETURNING ${this.returned('job_id, task_index, status')}`,
    );
    return rows.length;
  }

  /**
   * Ends every task of a job that has not been answered, except those that run while `running` is left alone. Works in
   * chunks, and is safe to be repeated.
   */
  async endTasks(
    jobId: string,
    status: 'cancelled' | 'expired' | 'failed',
    { running, error }: { running: 'leave' | 'end'; error: string | null },
  ): Promise<void> {
    const { now, isSqlite } = this.dialect;
    for (;;) {
      const ended = await this.database.transaction(async (manager) => {
        const { rows } = await runSql<ChangedTask>(
          manager,
          this.dialect,
          `WITH picked AS MATERIALIZED (
             SELECT job_id, task_index FROM batch_task
             WHERE job_id = $1 AND status IN (${running === 'end' ? `'queued', 'running'` : `'queued'`})
             LIMIT ${CHUNK} ${isSqlite ? '' : 'FOR UPDATE'})
           UPDATE batch_task AS t SET status = $2, error = $3, fence = t.fence + 1, lease_until = NULL, worker = NULL,
             finished_at = ${now}
           FROM picked WHERE t.job_id = picked.job_id AND t.task_index = picked.task_index
           RETURNING ${this.returned('job_id, task_index, status')}`,
          [jobId, status, error],
        );
        await this.count(manager, rows);
        return rows.length;
      });
      if (ended < CHUNK) break;
      await new Promise(setImmediate);
    }
    await this.database.transaction((manager) => this.finish(manager, jobId));
  }

  /** Marks a job so that nothing of it is claimed any more. @returns whether it was still to be cancelled */
  async beginCancel(jobId: string): Promise<boolean> {
    const { affected } = await this.change(
      `UPDATE batch_job SET status = 'cancelling' WHERE id = $1 AND status IN ('queued', 'in_progress')`,
      [jobId],
    );
    return affected > 0;
  }

  /** Marks a job as one that cannot run; nothing of it is claimed any more. */
  async beginFailure(jobId: string, message: string): Promise<void> {
    await this.change(
      `UPDATE batch_job SET error = $2 WHERE id = $1 AND status IN ('queued', 'in_progress') AND error IS NULL`,
      [jobId, message],
    );
  }

  /** Which of these jobs are being cancelled. */
  async cancelling(jobIds: readonly string[]): Promise<readonly string[]> {
    if (jobIds.length === 0) return [];
    const { rows } = await this.read<{ id: string }>(
      `SELECT id FROM batch_job WHERE status = 'cancelling'
         AND id IN (${jobIds.map((_id, index) => `$${index + 1}`).join(', ')})`,
      jobIds,
    );
    return rows.map(({ id }) => id);
  }

  /** Jobs whose ending has begun and is to be completed: cancelled, failed or past their time. */
  async jobsToEnd(): Promise<readonly { id: string; ending: 'cancelled' | 'failed' | 'expired' }[]> {
    const { rows } = await this.read<{ id: string; status: string; error: string | null }>(
      `SELECT id, status, error FROM batch_job
       WHERE status = 'cancelling'
          OR (status IN ('queued', 'in_progress') AND (error IS NOT NULL OR expires_at <= ${this.dialect.now}))
       ORDER BY submitted_at LIMIT 100`,
    );
    return rows.map(({ id, status, error }) => ({
      id,
      ending: status === 'cancelling' ? 'cancelled' : error === null ? 'expired' : 'failed',
    }));
  }

  /** Stops tasks that were claimed so often that they must be what ends their workers. @returns how many */
  async failPoisonous(error: string): Promise<number> {
    const { now } = this.dialect;
    return this.database.transaction(async (manager) => {
      const { rows } = await runSql<ChangedTask>(
        manager,
        this.dialect,
        `UPDATE batch_task SET status = 'failed', error = $1, finished_at = ${now}
         WHERE status = 'queued' AND fence >= ${MAX_CLAIMS}
           AND job_id IN (SELECT id FROM batch_job WHERE status = 'in_progress')
         RETURNING job_id, task_index, status`,
        [error],
      );
      await this.count(manager, rows);
      return rows.length;
    });
  }

  /** Deletes jobs that ended before `retention` milliseconds ago. @returns how many are gone */
  async deleteFinished(retention: number): Promise<number> {
    const { rows } = await this.read<{ id: string }>(
      `SELECT id FROM batch_job WHERE completed_at <= ${this.dialect.now} - $1
         AND status IN ('completed', 'failed', 'cancelled', 'expired') ORDER BY completed_at LIMIT 100`,
      [retention],
    );
    await this.deleteJobs(rows);
    return rows.length;
  }

  /** Deletes what submissions that never ended have left behind. */
  async deleteAbandoned(): Promise<void> {
    const { rows } = await this.read<{ id: string }>(
      `SELECT id FROM batch_job WHERE status = 'staging' AND submitted_at <= ${this.dialect.now} - $1 LIMIT 100`,
      [STAGING],
    );
    await this.deleteJobs(rows);
  }

  private async deleteJobs(jobs: readonly { id: string }[]): Promise<void> {
    for (const { id } of jobs) {
      for (;;) {
        const { affected } = await this.change(
          `DELETE FROM batch_task WHERE job_id = $1 AND task_index IN
             (SELECT task_index FROM batch_task WHERE job_id = $1 LIMIT ${CHUNK})`,
          [id],
        );
        if (affected < CHUNK) break;
        await new Promise(setImmediate);
      }
      await this.change('DELETE FROM batch_job WHERE id = $1', [id]);
    }
  }

  /** What operators watch: tasks by state of unfinished jobs, and the age of the oldest that waits, in milliseconds. */
  async depth(): Promise<{ queued: number; running: number; oldestWaiting: number }> {
    const { rows } = await this.read<{ status: string; count: string | number; oldest: string | number | null }>(
      `SELECT t.status AS status, COUNT(*) AS count, MIN(j.submitted_at) AS oldest
       FROM batch_task t JOIN batch_job j ON j.id = t.job_id
       WHERE j.status IN ('queued', 'in_progress', 'cancelling') AND t.status IN ('queued', 'running')
       GROUP BY t.status`,
    );
    const of = (status: string): { count: number; oldest: number } => {
      const row = rows.find((each) => each.status === status);
      return { count: Number(row?.count ?? 0), oldest: Number(row?.oldest ?? 0) };
    };
    const queued = of('queued');
    return {
      queued: queued.count,
      running: of('running').count,
      oldestWaiting: queued.oldest === 0 ? 0 : Math.max(0, Date.now() - queued.oldest),
    };
  }

  /** Adds ended tasks to their jobs' counters and finishes jobs that have no task left. */
  private async count(manager: EntityManager, changed: readonly ChangedTask[]): Promise<void> {
    const perJob = new Map<string, { succeeded: number; failed: number; cancelled: number; expired: number }>();
    for (const { job_id: jobId, status } of changed) {
      if (status === 'queued' || status === 'running') continue;
      let counts = perJob.get(jobId);
      if (counts === undefined) {
        counts = { succeeded: 0, failed: 0, cancelled: 0, expired: 0 };
        perJob.set(jobId, counts);
      }
      counts[status] += 1;
    }
    for (const jobId of [...perJob.keys()].sort()) {
      const { succeeded = 0, failed = 0, cancelled = 0, expired = 0 } = perJob.get(jobId) ?? {};
      await runSql(
        manager,
        this.dialect,
        `UPDATE batch_job SET completed_count = completed_count + $2, failed_count = failed_count + $3,
           cancelled_count = cancelled_count + $4, expired_count = expired_count + $5 WHERE id = $1`,
        [jobId, succeeded, failed, cancelled, expired],
      );
      await this.finish(manager, jobId);
    }
  }

  private async finish(manager: EntityManager, jobId: string): Promise<void> {
    const { now } = this.dialect;
    await runSql(
      manager,
      this.dialect,
      `UPDATE batch_job SET
         status = CASE WHEN status = 'cancelling' THEN 'cancelled' WHEN error IS NOT NULL THEN 'failed'
                       WHEN expired_count > 0 THEN 'expired' ELSE 'completed' END,
         completed_at = ${now},
         webhook_due_at = CASE WHEN webhook_url IS NULL THEN NULL ELSE ${now} END
       WHERE id = $1 AND status IN ('queued', 'in_progress', 'cancelling')
         AND completed_count + failed_count + cancelled_count + expired_count = task_count`,
      [jobId],
    );
  }

  /** A JSON array of objects as a table. */
  private records(parameter: string, columns: string): string {
    if (!this.dialect.isSqlite) return `json_to_recordset(CAST(${parameter} AS JSON)) AS r(${columns})`;
    const names = columns.split(',').map((column) => column.trim().split(' ')[0] ?? '');
    return `(SELECT ${names.map((name) => `value->>'${name}' AS ${name}`).join(', ')} FROM json_each(${parameter})) AS r`;
  }

  /** SQLite's RETURNING knows the changed table alone; PostgreSQL's also knows the FROM list. */
  private returned(columns: string): string {
    if (this.dialect.isSqlite) return columns;
    return columns
      .split(',')
      .map((column) => `t.${column.trim()}`)
      .join(', ');
  }

  private async read<Row>(statement: string, parameters: readonly unknown[] = []): Promise<{ rows: readonly Row[] }> {
    return runSql<Row>(this.dataSource.manager, this.dialect, statement, parameters);
  }

  private async write<Row>(statement: string, parameters: readonly unknown[] = []): Promise<{ rows: readonly Row[] }> {
    return this.database.transaction((manager) => runSql<Row>(manager, this.dialect, statement, parameters));
  }

  private async change(statement: string, parameters: readonly unknown[]): Promise<{ affected: number }> {
    return this.database.transaction((manager) => runSql(manager, this.dialect, statement, parameters));
  }
}
