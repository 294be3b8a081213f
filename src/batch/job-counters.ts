import type { EntityManager } from 'typeorm';
import { recordsOf, runSql, type SqlDialect } from '../database/sql.js';
import type { UsageRecord } from '../usage/records/usage-record.entity.js';
import type { TaskStatus } from './batch-task.entity.js';

/** A task that has ended, for the counters of its job. */
export interface EndedTask {
  readonly jobId: string;
  readonly status: Exclude<TaskStatus, 'queued' | 'running'>;
}

/** What calls have cost, and what they would have cost at the list price, in billionths of a US dollar. */
export interface JobCost {
  readonly cost: number;
  readonly list_cost: number;
}

const NO_JOB_COST: JobCost = { cost: 0, list_cost: 0 };

/** The cost of the usage of tasks, by job. */
export function costsOf(
  outcomes: Iterable<{ readonly jobId: string; readonly usage: readonly UsageRecord[] }>,
): ReadonlyMap<string, JobCost> {
  const costs = new Map<string, JobCost>();
  for (const { jobId, usage } of outcomes) {
    for (const { costNanos, listCostNanos = costNanos } of usage) {
      const { cost, list_cost: list } = costs.get(jobId) ?? NO_JOB_COST;
      costs.set(jobId, { cost: cost + (costNanos ?? 0), list_cost: list + (listCostNanos ?? 0) });
    }
  }
  return costs;
}

/**
 * Adds ended tasks to the counters of their jobs, and ends jobs without unfinished tasks: one statement for all of them, one new
 * row version for each job however many tasks ended. Locks the jobs until the transaction ends. The webhook of a job with an output is
 * due when that has ended.
 *
 * @param costs what their calls have cost, by job
 * @param others jobs to lock and check although none of their tasks ended
 */
export async function countEnded(
  manager: EntityManager,
  dialect: SqlDialect,
  ended: readonly EndedTask[],
  others: Iterable<string>,
  costs: ReadonlyMap<string, JobCost> = new Map(),
): Promise<void> {
  const perJob = new Map<string, { succeeded: number; failed: number; cancelled: number; expired: number }>();
  const countsOf = (jobId: string): Record<EndedTask['status'], number> => {
    let counts = perJob.get(jobId);
    if (counts === undefined) {
      counts = { succeeded: 0, failed: 0, cancelled: 0, expired: 0 };
      perJob.set(jobId, counts);
    }
    return counts;
  };
  for (const { jobId, status } of ended) countsOf(jobId)[status] += 1;
  for (const jobId of others) countsOf(jobId);
  if (perJob.size === 0) return;
  const rows = [...perJob.keys()].sort().map((id) => ({ id, ...perJob.get(id), ...(costs.get(id) ?? NO_JOB_COST) }));
  const added = recordsOf(
    dialect,
    '$1',
    'id text, succeeded int, failed int, cancelled int, expired int, cost bigint, list_cost bigint',
  );
  const { now, isSqlite } = dialect;
  // In the order of their ids, to avoid deadlocks.
  const locked = `(SELECT r.* FROM ${added} JOIN batch_job b ON b.id = r.id ORDER BY b.id FOR UPDATE OF b) AS r`;
  const isOver = `(j.status IN ('queued', 'in_progress', 'cancelling')
    AND j.completed_count + r.succeeded + j.failed_count + r.failed + j.cancelled_count + r.cancelled
      + j.expired_count + r.expired = j.task_count)`;
  await runSql(
    manager,
    dialect,
    `UPDATE batch_job AS j SET
       cost_nanos = j.cost_nanos + r.cost, list_cost_nanos = j.list_cost_nanos + r.list_cost,
       completed_count = j.completed_count + r.succeeded, failed_count = j.failed_count + r.failed,
       cancelled_count = j.cancelled_count + r.cancelled, expired_count = j.expired_count + r.expired,
       status = CASE WHEN NOT ${isOver} THEN j.status WHEN j.status = 'cancelling' THEN 'cancelled'
                     WHEN j.error IS NOT NULL THEN 'failed' WHEN j.expired_count + r.expired > 0 THEN 'expired'
                     ELSE 'completed' END,
       completed_at = CASE WHEN ${isOver} THEN ${now} ELSE j.completed_at END,
       webhook_due_at = CASE WHEN ${isOver} AND j.webhook_url IS NOT NULL AND j.output IS NULL THEN ${now} ELSE j.webhook_due_at END
     FROM ${isSqlite ? added : locked} WHERE j.id = r.id`,
    [JSON.stringify(rows)],
  );
}

/** Adds the cost of tasks to jobs with `max_cost_usd`. Their rows must be locked. */
export async function countCost(
  manager: EntityManager,
  dialect: SqlDialect,
  tasks: readonly {
    readonly jobId: string;
    readonly limited?: { readonly spent: number; readonly isRefused: boolean };
  }[],
): Promise<void> {
  const perJob = new Map<string, { id: string; spent: number; refused: number }>();
  for (const { jobId, limited } of tasks) {
    if (limited === undefined) continue;
    const sums = perJob.get(jobId) ?? { id: jobId, spent: 0, refused: 0 };
    sums.spent += limited.spent;
    sums.refused += Number(limited.isRefused);
    perJob.set(jobId, sums);
  }
  if (perJob.size === 0) return;
  await runSql(
    manager,
    dialect,
    `UPDATE batch_job AS j SET spent_nanos = j.spent_nanos + r.spent, cost_refused_count = j.cost_refused_count + r.refused
     FROM ${recordsOf(dialect, '$1', 'id text, spent bigint, refused int')} WHERE j.id = r.id`,
    [JSON.stringify([...perJob.values()])],
  );
}
