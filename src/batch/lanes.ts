import { Injectable } from '@nestjs/common';
import { DataSource, EntityManager } from 'typeorm';
import { Database } from '../database/database.js';
import { recordsOf, runSql, SqlDialect } from '../database/sql.js';

/** Milliseconds after which a lane is checked again whose next run time could not be determined. */
const RECHECK_DELAY_MS = 500;
/**
 * `next_run_at` of a task that may run at any time is its place in its job: its rank, or else its index. Values above this one are
 * times, at which a retried task may run.
 */
const LAST_PLACE = 1_000_000_000;

/** Tasks of one lane: a range of indexes, its end excluded, and single indexes. */
export interface LaneTasks {
  readonly jobId: string;
  readonly model: string;
  readonly nextIndex: number;
  readonly endIndex: number;
  readonly indexes: readonly number[];
}

/** A task to requeue. */
export interface RequeuedTask {
  readonly jobId: string;
  readonly model: string;
  readonly taskIndex: number;
  /** Milliseconds from now. */
  readonly delayMs: number;
}

/** The unit between which slots are shared: a key's tasks for one model. */
export function laneGroup(keyId: string, model: string): string {
  return `${keyId} ${model}`;
}

/** The id of the key of a group, see `laneGroup`. */
export function keyOfGroup(group: string): string {
  return group.slice(0, group.indexOf(' '));
}

/** The model of a group, see `laneGroup`. */
export function modelOfGroup(group: string): string {
  return group.slice(group.indexOf(' ') + 1);
}

/**
 * Every statement that changes lanes. All of them use an index, at a cost that does not grow with the number of waiting tasks. Rows are locked in this order: claims, tasks, jobs, lanes, and within a table in the order of their keys.
 */
@Injectable()
export class Lanes {
  private readonly dialect: SqlDialect;

  constructor(
    private readonly database: Database,
    private readonly dataSource: DataSource,
  ) {
    this.dialect = database.dialect;
  }

  /**
   * Opens the lanes of a job that has none: one for the tasks that name no model, and one for each model that tasks name, which
   * are in `batch_requeue`. The job's row must be locked.
   *
   * @param isOrdered whether all its tasks are in `batch_requeue`, in the order in which they run
   */
  async open(manager: EntityManager, jobId: string, isOrdered = false): Promise<void> {
    const { now, isSqlite } = this.dialect;
    const insert = (model: string, nextIndex: string, endIndex: string, requeued: string, source: string): string =>
      `INSERT INTO batch_lane (job_id, model, lane_group, priority, submitted_at, expires_at, next_index, end_index,
         requeued, state, ready_at, max_claim, served_at)
       SELECT j.id, ${model}, j.key_id || ' ' || ${model}, ${priorityOf('j')}, j.submitted_at, j.expires_at, ${nextIndex},
         ${endIndex}, ${requeued}, ${this.stateOf('j', `'ready'`)}, COALESCE(j.held_until, 0), j.max_claim, ${now}
       FROM batch_job j ${source} WHERE j.id = $1`;
    if (!isOrdered) {
      await this.database.run(manager, `${insert('j.model', '0', 'j.task_count', '0', '')} ON CONFLICT DO NOTHING`, [
        jobId,
      ]);
    }
    const own = `JOIN (SELECT job_id, model, COUNT(*) AS count FROM batch_requeue WHERE job_id = $1 GROUP BY job_id, model) q
      ON q.job_id = j.id`;
    const requeued = isSqlite ? 'q.count' : 'CAST(q.count AS INT)';
    await this.database.run(
      manager,
      `${insert('q.model', '0', '0', requeued, own)}
       ON CONFLICT (job_id, model) DO UPDATE SET requeued = excluded.requeued`,
      [jobId],
    );
  }

  /** Puts tasks of a range that name a model into `batch_requeue`. Must run before the lanes of their job are opened. */
  async requeueOwnModels(manager: EntityManager, jobId: string, start: number, end: number): Promise<void> {
    await this.database.run(
      manager,
      `INSERT INTO batch_requeue (job_id, task_index, model, next_run_at)
       SELECT job_id, task_index, model, task_index FROM batch_task WHERE job_id = $1 AND task_index >= $2 AND task_index < $3
         AND model IS NOT NULL AND status = 'queued' AND same_as IS NULL
       ON CONFLICT DO NOTHING`,
      [jobId, start, end],
    );
  }

  /** Puts tasks of a job into `batch_requeue` in the order in which they run, before its lanes are opened. */
  async enqueueInOrder(
    manager: EntityManager,
    jobId: string,
    tasks: readonly { readonly taskIndex: number; readonly model: string; readonly rank: number }[],
  ): Promise<void> {
    const rows = tasks.map(({ taskIndex, model, rank }) => ({ task_index: taskIndex, model, rank }));
    await this.database.run(
      manager,
      `UPDATE batch_task AS t SET rank = r.rank FROM ${recordsOf(this.dialect, '$2', 'task_index int, rank int')}
       WHERE t.job_id = $1 AND t.task_index = r.task_index`,
      [jobId, JSON.stringify(rows)],
    );
    await this.database.run(
      manager,
      `INSERT INTO batch_requeue (job_id, task_index, model, next_run_at)
       SELECT $1, r.task_index, r.model, r.rank FROM ${recordsOf(this.dialect, '$2', 'task_index int, model text, rank bigint')}
       WHERE true ON CONFLICT DO NOTHING`,
      [jobId, JSON.stringify(rows)],
    );
  }

  /**
   * Requeues tasks: without a delay at their place in the order of their job, with one as soon as it is over. Those that already wait
   * stay unchanged. The rows of their jobs must be locked.
   */
  async requeue(manager: EntityManager, tasks: readonly RequeuedTask[]): Promise<void> {
    if (tasks.length === 0) return;
    const { now, isSqlite } = this.dialect;
    const rows = tasks.map(({ jobId, model, taskIndex, delayMs }) => ({
      job_id: jobId,
      model,
      task_index: taskIndex,
      delay: Math.round(delayMs),
    }));
    rows.sort((a, b) => (a.job_id === b.job_id ? a.task_index - b.task_index : a.job_id < b.job_id ? -1 : 1));
    const { rows: added } = await this.database.run<{ job_id: string; model: string; next_run_at: string | number }>(
      manager,
      `INSERT INTO batch_requeue (job_id, task_index, model, next_run_at)
       SELECT r.job_id, r.task_index, r.model, CASE WHEN r.delay > 0 THEN ${now} + r.delay ELSE COALESCE(
         (SELECT COALESCE(t.rank, t.task_index) FROM batch_task t WHERE t.job_id = r.job_id AND t.task_index = r.task_index), 0) END
       FROM ${recordsOf(this.dialect, '$1', 'job_id text, task_index int, model text, delay bigint')} WHERE true
       ON CONFLICT (job_id, task_index) DO NOTHING RETURNING job_id, model, next_run_at`,
      [JSON.stringify(rows)],
    );
    const perLane = new Map<string, { job_id: string; model: string; count: number; ready_at: number }>();
    for (const { job_id, model, next_run_at } of added) {
      const lane = perLane.get(`${job_id} ${model}`) ?? { job_id, model, count: 0, ready_at: Infinity };
      lane.count += 1;
      lane.ready_at = Math.min(lane.ready_at, Number(next_run_at));
      perLane.set(`${job_id} ${model}`, lane);
    }
    if (perLane.size === 0) return;
    const state = this.stateOf('j', `CASE WHEN r.ready_at <= ${now} THEN 'ready' ELSE 'delayed' END`);
    await this.database.run(
      manager,
      `INSERT INTO batch_lane (job_id, model, lane_group, priority, submitted_at, expires_at, requeued, state, ready_at,
         max_claim, served_at)
       SELECT j.id, r.model, j.key_id || ' ' || r.model, ${priorityOf('j')}, j.submitted_at, j.expires_at, r.count, ${state},
         ${isSqlite ? 'MAX' : 'GREATEST'}(r.ready_at, COALESCE(j.held_until, 0)), j.max_claim, ${now}
       FROM ${recordsOf(this.dialect, '$1', 'job_id text, model text, count int, ready_at bigint')}
         JOIN batch_job j ON j.id = r.job_id
       WHERE true ORDER BY j.id, r.model
       ON CONFLICT (job_id, model) DO UPDATE SET requeued = batch_lane.requeued + excluded.requeued,
         state = CASE WHEN 'closed' IN (batch_lane.state, excluded.state) THEN 'closed'
                      WHEN 'paused' IN (batch_lane.state, excluded.state) THEN 'paused'
                      WHEN 'ready' IN (batch_lane.state, excluded.state) THEN 'ready' ELSE 'delayed' END,
         ready_at = ${isSqlite ? 'MIN' : 'LEAST'}(batch_lane.ready_at, excluded.ready_at)`,
      [JSON.stringify([...perLane.values()])],
    );
  }

  /** Prevents further claims from a job. */
  async close(manager: EntityManager, jobId: string): Promise<void> {
    await this.database.run(manager, `UPDATE batch_lane SET state = 'closed' WHERE job_id = $1 AND state <> 'closed'`, [
      jobId,
    ]);
  }

  /** Prevents claims from a job until `resume`. Its row must be locked. */
  async pause(manager: EntityManager, jobId: string): Promise<void> {
    await this.database.run(
      manager,
      `UPDATE batch_lane SET state = 'paused' WHERE job_id = $1 AND state IN ('ready', 'delayed')`,
      [jobId],
    );
  }

  /** Undoes `pause`: the next check of the lane determines when its next task may run. The job's row must be locked. */
  async resume(manager: EntityManager, jobId: string): Promise<void> {
    await this.database.run(
      manager,
      `UPDATE batch_lane SET state = 'ready', served_at = ${this.dialect.now} WHERE job_id = $1 AND state = 'paused'`,
      [jobId],
    );
  }

  /** Lets no lane of a job be claimed from before its `held_until`. Its row must be locked. */
  async hold(manager: EntityManager, jobId: string): Promise<void> {
    const { isSqlite } = this.dialect;
    const until = '(SELECT j.held_until FROM batch_job j WHERE j.id = $1)';
    const waits = `job_id = $1 AND state IN ('ready', 'delayed')
      AND EXISTS (SELECT 1 FROM batch_job j WHERE j.id = $1 AND j.held_until > ${this.dialect.now})`;
    await this.database.run(
      manager,
      `UPDATE batch_lane SET state = 'delayed',
         ready_at = CASE state WHEN 'ready' THEN ${until} ELSE ${isSqlite ? 'MAX' : 'GREATEST'}(ready_at, ${until}) END
       WHERE ${waits} AND model IN (SELECT model FROM batch_lane WHERE ${waits} ${isSqlite ? '' : 'ORDER BY model FOR UPDATE'})`,
      [jobId],
    );
  }

  /** Copies the priority of a job, whose row must be locked, to its lanes. */
  async prioritise(manager: EntityManager, jobId: string): Promise<void> {
    await this.database.run(
      manager,
      `UPDATE batch_lane SET priority = (SELECT ${priorityOf('j')} FROM batch_job j WHERE j.id = $1) WHERE job_id = $1`,
      [jobId],
    );
  }

  /** Deletes everything that waits of a job. */
  async remove(manager: EntityManager, jobId: string): Promise<void> {
    await this.database.run(manager, 'DELETE FROM batch_lane WHERE job_id = $1', [jobId]);
    await this.database.run(manager, 'DELETE FROM batch_requeue WHERE job_id = $1', [jobId]);
  }

  /** Removes empty lanes, which would seem to wait without end. */
  async removeEmpty(): Promise<void> {
    const isEmpty = `state = 'ready' AND next_index >= end_index AND requeued <= 0`;
    const { rows } = await this.read(`SELECT 1 AS one FROM batch_lane WHERE ${isEmpty} LIMIT 1`);
    if (rows.length === 0) return;
    const lock = this.dialect.isSqlite ? '' : 'ORDER BY job_id, model FOR UPDATE SKIP LOCKED';
    await this.database.transaction((manager) =>
      this.database.run(
        manager,
        `DELETE FROM batch_lane WHERE ${isEmpty} AND (job_id, model) IN
           (SELECT job_id, model FROM batch_lane WHERE ${isEmpty} ${lock})`,
      ),
    );
  }

  /** Takes up to `count` tasks out of a closed lane of a job, in order to end them. Undefined if there is none left. */
  async takeClosed(manager: EntityManager, jobId: string, count: number): Promise<LaneTasks | undefined> {
    const lock = this.dialect.isSqlite ? '' : 'FOR UPDATE';
    const { rows } = await this.database.run<{ model: string }>(
      manager,
      `SELECT model FROM batch_lane WHERE job_id = $1 AND state = 'closed' ORDER BY model LIMIT 1 ${lock}`,
      [jobId],
    );
    const model = rows[0]?.model;
    return model === undefined ? undefined : this.take(manager, { jobId, model, count, state: 'closed' });
  }

  /**
   * Takes up to `count` tasks that may run by now, or any of a closed lane, and deletes the lane when it is empty: first retried tasks,
   * then others by their place. Undefined when there is no such lane in that state.
   */
  async take(
    manager: EntityManager,
    { jobId, model, count, state }: { jobId: string; model: string; count: number; state: 'ready' | 'closed' },
  ): Promise<LaneTasks | undefined> {
    const { now, isSqlite } = this.dialect;
    const key = 'job_id = $1 AND model = $2';
    const { rows } = await this.database.run<{ next_index: number; end_index: number; requeued: number }>(
      manager,
      `SELECT next_index, end_index, requeued FROM batch_lane WHERE ${key} AND state = $3 ${isSqlite ? '' : 'FOR UPDATE'}`,
      [jobId, model, state],
    );
    const lane = rows[0];
    if (lane === undefined) return undefined;
    const { next_index: nextIndex, end_index: laneEnd, requeued } = lane;
    const picked =
      state === 'closed'
        ? `SELECT task_index AS id FROM batch_requeue WHERE ${key} ORDER BY next_run_at LIMIT $3`
        : this.dueStatement('task_index', key, '$3');
    const due =
      requeued === 0
        ? []
        : (
            await this.database.run<{ task_index: number }>(
              manager,
              `WITH picked AS MATERIALIZED (${picked})
               DELETE FROM batch_requeue WHERE job_id = $1 AND task_index IN (SELECT id FROM picked)
               RETURNING task_index`,
              [jobId, model, count],
            )
          ).rows;
    const endIndex = Math.min(laneEnd, nextIndex + count - due.length);
    // Of a closed lane the rows decide, not their count.
    const mayWait = state === 'closed' || due.length < requeued;
    const mayBeMore = endIndex < laneEnd || (due.length >= count && mayWait);
    if (!mayBeMore && (requeued <= due.length || state === 'closed')) {
      await this.database.run(manager, `DELETE FROM batch_lane WHERE ${key}`, [jobId, model]);
    } else {
      await this.database.run(
        manager,
        `UPDATE batch_lane SET next_index = $3, requeued = requeued - $4, served_at = ${now}
           ${mayBeMore || state === 'closed' ? '' : `, state = 'delayed', ready_at = ${this.nextRun('batch_lane')}`}
         WHERE ${key}`,
        [jobId, model, endIndex, due.length],
      );
    }
    return { jobId, model, nextIndex, endIndex, indexes: due.map(({ task_index }) => task_index) };
  }

  /**
   * SQL that selects, as `id`, the first tasks of a lane that may run by now, by two ranges of its index.
   *
   * @param column of `batch_requeue`
   * @param key which lane
   */
  dueStatement(column: string, key: string, count: string): string {
    const range = (part: number, bounds: string): string =>
      `SELECT * FROM (SELECT ${column} AS id, ${part} AS part, next_run_at FROM batch_requeue q WHERE ${key} AND ${bounds}
         ORDER BY next_run_at LIMIT ${count}) r${part}`;
    return `SELECT id FROM (
        ${range(0, `next_run_at > ${LAST_PLACE} AND next_run_at <= ${this.dialect.now}`)}
        UNION ALL ${range(1, `next_run_at <= ${LAST_PLACE}`)}) due ORDER BY part, next_run_at LIMIT ${count}`;
  }

  private stateOf(job: string, ifRunnable: string): string {
    return `CASE WHEN ${job}.status = 'cancelling' OR ${job}.error IS NOT NULL THEN 'closed'
      WHEN ${job}.paused_at IS NOT NULL THEN 'paused' WHEN ${job}.held_until > ${this.dialect.now} THEN 'delayed'
      ELSE ${ifRunnable} END`;
  }

  /** An SQL expression: when the first task of a lane that cannot run now may run. */
  nextRun(lane: string): string {
    const { now } = this.dialect;
    return `COALESCE((SELECT MIN(q.next_run_at) FROM batch_requeue q WHERE q.job_id = ${lane}.job_id
      AND q.model = ${lane}.model AND q.next_run_at > ${now}), ${now} + ${RECHECK_DELAY_MS})`;
  }

  private read<Row>(statement: string, parameters: readonly unknown[] = []): Promise<{ rows: readonly Row[] }> {
    return runSql<Row>(this.dataSource.manager, this.dialect, statement, parameters);
  }
}

function priorityOf(job: string): string {
  return `CASE ${job}.priority WHEN 'high' THEN 0 WHEN 'low' THEN 2 ELSE 1 END`;
}
