import { createHash } from 'node:crypto';
import type { EntityManager } from 'typeorm';
import { recordsOf, runSql, type SqlDialect } from '../database/sql.js';
import type { EndedTask } from './job-counters.js';
import type { NewTask } from './submission/submission-store.js';

/** Gives the results of tasks to the tasks that are identical to them. @returns the tasks that ended by it, to be counted */
export async function copyToDuplicates(
  manager: EntityManager,
  dialect: SqlDialect,
  tasks: readonly { readonly jobId: string; readonly taskIndex: number }[],
): Promise<EndedTask[]> {
  if (tasks.length === 0) return [];
  const rows = tasks.map(({ jobId, taskIndex }) => ({ job_id: jobId, task_index: taskIndex }));
  const { isSqlite } = dialect;
  const records = recordsOf(dialect, '$1', 'job_id text, task_index int');
  // Statistics of a table that had another number of duplicates make PostgreSQL read the whole table for each task.
  if (!isSqlite) await runSql(manager, dialect, 'SET LOCAL enable_seqscan = off', []);
  const { rows: ended } = await runSql<{ job_id: string; status: EndedTask['status'] }>(
    manager,
    dialect,
    // A planner whose statistics know of no duplicates looks through all of them: the joins are in this order, and made once.
    isSqlite
      ? `UPDATE batch_task AS t SET (status, response, error, finished_at, worker) =
           (SELECT o.status, o.response, o.error, o.finished_at, o.worker FROM batch_task o
            WHERE o.job_id = t.job_id AND o.task_index = t.same_as)
         WHERE t.rowid IN (SELECT d.rowid FROM ${records}
           CROSS JOIN batch_task o ON o.job_id = r.job_id AND o.task_index = r.task_index AND o.status <> 'queued'
           CROSS JOIN batch_task d ON d.job_id = r.job_id AND d.same_as IS NOT NULL AND d.same_as = r.task_index
             AND d.status = 'queued')
         RETURNING job_id, status`
      : `WITH d AS MATERIALIZED (SELECT same.job_id, same.task_index, o.status, o.response, o.error, o.finished_at, o.worker
           FROM ${records}
           CROSS JOIN LATERAL (SELECT * FROM batch_task o WHERE o.job_id = r.job_id AND o.task_index = r.task_index
             AND o.status <> 'queued' OFFSET 0) o
           CROSS JOIN LATERAL (SELECT * FROM batch_task same WHERE same.job_id = o.job_id AND same.same_as = o.task_index
             AND same.status = 'queued' OFFSET 0) same)
         UPDATE batch_task AS t SET status = d.status, response = d.response, error = d.error, finished_at = d.finished_at,
           worker = d.worker
         FROM d WHERE t.job_id = d.job_id AND t.task_index = d.task_index AND t.status = 'queued'
         RETURNING t.job_id, t.status`,
    [JSON.stringify(rows)],
  );
  return ended.map(({ job_id: jobId, status }) => ({ jobId, status }));
}

/** Finds the tasks whose request is the same, character by character, as that of an earlier task of the job. */
export class DuplicateFinder {
  private readonly first = new Map<string, number>();
  private index = 0;

  /** Marks the next task of the job, if there is one like it before. */
  mark<Task extends NewTask>(task: Task): Task {
    const hash = createHash('sha256')
      .update(`${task.operation ?? 'chat'}\n${task.dialect ?? ''}\n${task.request}`)
      .digest('base64');
    const sameAs = this.first.get(hash);
    if (sameAs === undefined) this.first.set(hash, this.index);
    this.index += 1;
    return sameAs === undefined ? task : { ...task, sameAs };
  }
}

/** Marks tasks whose request is the same as that of an earlier task of the job. */
export function* markDuplicates(groups: Iterable<readonly NewTask[]>): Generator<NewTask[]> {
  const duplicates = new DuplicateFinder();
  for (const group of groups) yield group.map((task) => duplicates.mark(task));
}
