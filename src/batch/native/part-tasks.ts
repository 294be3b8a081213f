import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Database } from '../../database/database.js';
import { runSql, type SqlResult } from '../../database/sql.js';
import { parseExact } from '../../runtime/exact-integers.js';
import type { ClaimedTask } from '../claimed-tasks.js';
import { limitsOf, type JobLimits, type JobOptions } from '../control/job-options.js';
import { listOf } from './part-store.js';

const INDEXES_PER_QUERY = 1_000;

/** What a part must know of its job. Times are epoch milliseconds. */
export interface PartJob {
  readonly id: string;
  readonly keyId: string;
  readonly model: string;
  readonly defaults: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly submittedAt: number;
  readonly expiresAt: number;
  /** What its options allow; undefined where they limit nothing. */
  readonly limits: JobLimits | undefined;
  /** `running`: its tasks go on. `paused`: no further task starts. `ending`: it is cancelled or cannot run. `ended`: nothing is left. */
  readonly stage: 'running' | 'paused' | 'ending' | 'ended';
}

/** A task of a part. */
export interface PartTask extends ClaimedTask {
  /** The model that it names itself, where it is not its job's. */
  readonly ownModel: string | null;
}

/** Reads jobs and tasks of parts, in whichever state they are. */
@Injectable()
export class PartTasks {
  constructor(
    private readonly database: Database,
    private readonly dataSource: DataSource,
  ) {}

  /** Undefined where the job was deleted. */
  async job(id: string): Promise<PartJob | undefined> {
    const { rows } = await this.read<{
      key_id: string;
      model: string;
      defaults: string;
      headers: string | null;
      status: string;
      error: string | null;
      paused_at: string | number | null;
      submitted_at: string | number;
      expires_at: string | number;
      options: string | null;
    }>(
      `SELECT options, key_id, model, defaults, headers, status, error, paused_at, submitted_at, expires_at FROM batch_job
       WHERE id = $1 AND status <> 'staging'`,
      [id],
    );
    const row = rows[0];
    if (row === undefined) return undefined;
    const isUnfinished = row.status === 'queued' || row.status === 'in_progress';
    const isEnding = row.status === 'cancelling' || (isUnfinished && row.error !== null);
    return {
      id,
      keyId: row.key_id,
      model: row.model,
      defaults: JSON.parse(row.defaults) as Record<string, unknown>,
      headers: row.headers === null ? {} : (JSON.parse(row.headers) as Record<string, string>),
      submittedAt: Number(row.submitted_at),
      expiresAt: Number(row.expires_at),
      limits: row.options === null ? undefined : limitsOf(JSON.parse(row.options) as JobOptions),
      stage: isEnding ? 'ending' : !isUnfinished ? 'ended' : row.paused_at === null ? 'running' : 'paused',
    };
  }

  /** What the first task of a lane is for; those of a lane are alike. */
  async kindOf(
    jobId: string,
    lane: string,
  ): Promise<
    { readonly model: string | null; readonly operation: string; readonly dialect: string | null } | undefined
  > {
    const { rows } = await this.read<{ model: string | null; operation: string; dialect: string | null }>(
      `SELECT t.model, t.operation, t.dialect FROM batch_requeue q
       JOIN batch_task t ON t.job_id = q.job_id AND t.task_index = q.task_index
       WHERE q.job_id = $1 AND q.model = $2 LIMIT 1`,
      [jobId, lane],
    );
    return rows[0];
  }

  /** The models that tasks name themselves; tasks that were deleted are left out. */
  async ownModels(
    jobId: string,
    indexes: readonly number[],
  ): Promise<readonly { readonly taskIndex: number; readonly ownModel: string | null }[]> {
    const found: { taskIndex: number; ownModel: string | null }[] = [];
    for (let start = 0; start < indexes.length; start += INDEXES_PER_QUERY) {
      const group = indexes.slice(start, start + INDEXES_PER_QUERY);
      const { rows } = await this.read<{ task_index: number; model: string | null }>(
        `SELECT task_index, model FROM batch_task WHERE job_id = $1 AND task_index IN (${listOf(group, 2)})`,
        [jobId, ...group],
      );
      for (const row of rows) found.push({ taskIndex: row.task_index, ownModel: row.model });
    }
    return found;
  }

  /** Tasks of a job by their indexes and in the order of these, also those that have ended. */
  async tasks(jobId: string, lane: string, indexes: readonly number[]): Promise<readonly PartTask[]> {
    if (indexes.length === 0) return [];
    const { rows } = await this.read<{
      task_index: number;
      operation: string;
      dialect: string | null;
      request: string;
      attempts: number;
      model: string | null;
    }>(
      `SELECT task_index, operation, dialect, request, attempts, model FROM batch_task
       WHERE job_id = $1 AND task_index IN (${listOf(indexes, 2)})`,
      [jobId, ...indexes],
    );
    const places = new Map(indexes.map((taskIndex, place) => [taskIndex, place]));
    const placeOf = (row: (typeof rows)[number]): number => places.get(row.task_index) ?? 0;
    const inOrder = [...rows].sort((a, b) => placeOf(a) - placeOf(b));
    return inOrder.map((row) => ({
      jobId,
      lane,
      taskIndex: row.task_index,
      operation: row.operation,
      dialect: row.dialect,
      request: parseExact(row.request) as Record<string, unknown>,
      attempts: row.attempts,
      ownModel: row.model,
    }));
  }

  private read<Row>(statement: string, parameters: readonly unknown[]): Promise<SqlResult<Row>> {
    return runSql<Row>(this.dataSource.manager, this.database.dialect, statement, parameters);
  }
}
