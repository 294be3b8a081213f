import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Database } from '../database/database.js';
import { recordsOf, runSql, SqlDialect } from '../database/sql.js';
import { parseExact } from '../runtime/exact-integers.js';
import { limitsOf, type JobLimits, type JobOptions } from './control/job-options.js';
import type { LaneTasks } from './lanes.js';
import type { JobPricing } from './native/tiers.js';
import { indexesOf } from './stored-lanes.js';

/** The fields of a job that are needed to run its tasks. */
export interface ClaimedJob {
  readonly id: string;
  readonly keyId: string;
  readonly model: string;
  readonly defaults: Readonly<Record<string, unknown>>;
  /** Headers of its submission that belong to the formats of its tasks. */
  readonly headers: Readonly<Record<string, string>>;
  /** Whether tasks of it may have the result of another one. */
  readonly hasDuplicates: boolean;
  /** Whether its tasks start in an order of their own, which those keep to that a limit of the gateway refuses. */
  readonly isOrdered: boolean;
  /** What its options allow; undefined where they limit nothing. */
  readonly limits: JobLimits | undefined;
  /** How the price is chosen against time. */
  readonly pricing: JobPricing;
  /** Epoch milliseconds. */
  readonly submittedAt: number;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
  /** False once the job is paused, is being cancelled, or cannot run. */
  readonly isRunnable: boolean;
}

/** A task that this process has claimed. */
export interface ClaimedTask {
  readonly jobId: string;
  readonly taskIndex: number;
  /** The lane that it came from. */
  readonly lane: string;
  /** The operation that it requests, and the wire format where it is not the operation's own: they say which endpoint it is for. */
  readonly operation: string;
  readonly dialect: string | null;
  readonly request: Readonly<Record<string, unknown>>;
  /** Upstream calls that ended before this claim. */
  readonly attempts: number;
}

/** Reads the jobs and the requests of tasks that this process has claimed. */
@Injectable()
export class ClaimedTasks {
  private readonly dialect: SqlDialect;

  constructor(
    private readonly database: Database,
    private readonly dataSource: DataSource,
  ) {
    this.dialect = database.dialect;
  }

  /** The jobs of claimed lanes by id. A job that is queued becomes `in_progress`. */
  async jobsOf(lanes: readonly LaneTasks[]): Promise<Map<string, ClaimedJob>> {
    const { now, isSqlite } = this.dialect;
    const ids = [...new Set(lanes.map(({ jobId }) => jobId))];
    const list = ids.map((_id, index) => `$${index + 1}`).join(', ');
    const { rows } = await this.read<{
      id: string;
      key_id: string;
      model: string;
      defaults: string;
      headers: string | null;
      status: string;
      error: string | null;
      paused_at: string | number | null;
      options: string | null;
      pricing: JobPricing | null;
      submitted_at: string | number;
      expires_at: string | number;
    }>(
      `SELECT id, key_id, model, defaults, headers, status, error, paused_at, pricing, submitted_at, expires_at, options FROM batch_job WHERE id IN (${list})`,
      ids,
    );
    if (rows.some(({ status }) => status === 'queued')) {
      const lock = isSqlite ? '' : 'ORDER BY id FOR UPDATE';
      await this.database.transaction((manager) =>
        runSql(
          manager,
          this.dialect,
          `UPDATE batch_job SET status = 'in_progress', started_at = COALESCE(started_at, ${now}) WHERE id IN
             (SELECT id FROM batch_job WHERE id IN (${list}) AND status = 'queued' ${lock}) AND status = 'queued'`,
          ids,
        ),
      );
    }
    return new Map(
      rows.map((row) => [
        row.id,
        {
          id: row.id,
          keyId: row.key_id,
          model: row.model,
          defaults: JSON.parse(row.defaults) as Record<string, unknown>,
          headers: row.headers === null ? {} : (JSON.parse(row.headers) as Record<string, string>),
          ...readOptions(row.options),
          pricing: row.pricing ?? 'live',
          submittedAt: Number(row.submitted_at),
          expiresAt: Number(row.expires_at),
          isRunnable:
            (row.status === 'queued' || row.status === 'in_progress') && row.error === null && row.paused_at === null,
        },
      ]),
    );
  }

  /** The tasks of claimed lanes that are still queued, in the order in which they start. */
  async tasksOf(lanes: readonly LaneTasks[]): Promise<ClaimedTask[]> {
    const wanted = lanes.flatMap((lane) =>
      [...indexesOf(lane)].map(([taskIndex, isSingle]) => ({
        job_id: lane.jobId,
        task_index: taskIndex,
        lane: lane.model,
        is_single: isSingle ? 1 : 0,
      })),
    );
    const parameters = this.dialect.isSqlite
      ? [JSON.stringify(wanted)]
      : (['job_id', 'task_index', 'lane', 'is_single'] as const).map((name) => wanted.map((row) => row[name]));
    const { rows } = await this.read<{
      job_id: string;
      task_index: number;
      lane: string;
      operation: string;
      dialect: string | null;
      request: string;
      attempts: number;
      place: number;
    }>(this.tasksStatement(), parameters);
    const inOrder = [...rows].sort((a, b) => a.place - b.place);
    return inOrder.map((row) => ({
      jobId: row.job_id,
      taskIndex: row.task_index,
      lane: row.lane,
      attempts: row.attempts,
      operation: row.operation,
      dialect: row.dialect,
      request: parseExact(row.request) as Record<string, unknown>,
    }));
  }

  /** The tasks to run of a claim: of a range only those that name no model, since the others wait in `batch_requeue`. */
  tasksStatement(): string {
    const columns =
      't.job_id, t.task_index, r.lane, t.operation, t.dialect, t.request, t.attempts, COALESCE(t.rank, t.task_index) AS place';
    const which = `t.job_id = r.job_id AND t.task_index = r.task_index`;
    const condition = `t.status = 'queued' AND t.same_as IS NULL AND (t.model IS NULL OR r.is_single = 1)`;
    return this.dialect.isSqlite
      ? `SELECT ${columns} FROM ${recordsOf(this.dialect, '$1', 'job_id text, task_index int, lane text, is_single int')}
         CROSS JOIN batch_task t ON ${which} WHERE ${condition}`
      : `SELECT ${columns} FROM unnest(CAST($1 AS text[]), CAST($2 AS int[]), CAST($3 AS text[]), CAST($4 AS int[]))
           AS r(job_id, task_index, lane, is_single)
         CROSS JOIN LATERAL (SELECT * FROM batch_task t WHERE ${which} OFFSET 0) t WHERE ${condition}`;
  }

  private read<Row>(statement: string, parameters: readonly unknown[]): Promise<{ rows: readonly Row[] }> {
    return runSql<Row>(this.dataSource.manager, this.dialect, statement, parameters);
  }
}

function readOptions(text: string | null): Pick<ClaimedJob, 'hasDuplicates' | 'isOrdered' | 'limits'> {
  if (text === null) return { hasDuplicates: false, isOrdered: false, limits: undefined };
  const options = JSON.parse(text) as JobOptions;
  return {
    hasDuplicates: options.dedupe === true,
    isOrdered: options.order === 'prefix',
    limits: limitsOf(options),
  };
}
