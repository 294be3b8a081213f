import { Injectable } from '@nestjs/common';
import { EntityManager } from 'typeorm';
import { Database } from '../database/database.js';
import { recordsOf, SqlDialect } from '../database/sql.js';
import { copyToDuplicates } from './duplicates.js';
import { countEnded } from './job-counters.js';
import { Lanes, type LaneTasks } from './lanes.js';
import { indexesOf } from './stored-lanes.js';
import { TaskClaims } from './task-claims.js';
import { listOf, returnedOf } from './task-outcomes.js';

/** How often a task may be lost with its process before it fails, because it may be what ends the processes. */
export const MAX_LOST_CLAIMS = 50;
/** Claims per transaction. */
const CLAIMS_PER_TRANSACTION = 20;

/** Requeues tasks of claims whose process has ended, or whose response was lost. All operations are idempotent. */
@Injectable()
export class LostClaims {
  private readonly dialect: SqlDialect;

  constructor(
    private readonly database: Database,
    private readonly lanes: Lanes,
    private readonly claims: TaskClaims,
  ) {
    this.dialect = database.dialect;
  }

  /**
   * Requeues tasks whose lease has expired. A task that was lost too often fails.
   *
   * @param error of such a task, as JSON text
   * @returns how many tasks there were
   */
  async requeueExpired(error: string): Promise<number> {
    let count = 0;
    for (;;) {
      const { claims, tasks } = await this.database.transaction(async (manager) => {
        const { ids, lanes } = await this.claims.lockExpired(manager, CLAIMS_PER_TRANSACTION);
        return { claims: ids.length, tasks: await this.requeueClaims(manager, ids, lanes, error) };
      });
      count += tasks;
      if (claims < CLAIMS_PER_TRANSACTION) return count;
    }
  }

  /** Requeues the tasks of a claim whose response was lost. @returns how many tasks there were */
  async release(claimId: string): Promise<number> {
    return this.database.transaction(async (manager) => {
      const { ids, lanes } = await this.claims.lockClaim(manager, claimId);
      return this.requeueClaims(manager, ids, lanes, undefined);
    });
  }

  /** @param lostError if the claims were lost with their process; otherwise undefined */
  private async requeueClaims(
    manager: EntityManager,
    claimIds: readonly string[],
    lanes: readonly LaneTasks[],
    lostError: string | undefined,
  ): Promise<number> {
    if (claimIds.length === 0) return 0;
    await this.database.run(manager, `DELETE FROM batch_claim WHERE id IN (${listOf(claimIds.length)})`, claimIds);
    const models = new Map<string, string>();
    const rows = lanes.flatMap((lane) =>
      [...indexesOf(lane)].map(([taskIndex, isSingle]) => {
        const key = `${lane.jobId}/${taskIndex}`;
        // A range also contains indexes of tasks that name another model and were claimed from its lane.
        if (isSingle || !models.has(key)) models.set(key, lane.model);
        return { job_id: lane.jobId, task_index: taskIndex, is_single: isSingle ? 1 : 0 };
      }),
    );
    // Tasks of a range that name a model wait in `batch_requeue`.
    const { rows: waiting } = await this.database.run<{ job_id: string; task_index: number; fence: number }>(
      manager,
      `UPDATE batch_task AS t SET fence = t.fence + ${lostError === undefined ? 0 : 1}
       FROM ${recordsOf(this.dialect, '$1', 'job_id text, task_index int, is_single int')}
       WHERE t.job_id = r.job_id AND t.task_index = r.task_index AND t.status = 'queued'
         AND t.same_as IS NULL AND (t.model IS NULL OR r.is_single = 1)
       RETURNING ${returnedOf(this.dialect, 'job_id, task_index, fence')}`,
      [JSON.stringify(rows)],
    );
    const tasks = waiting.map(({ job_id: jobId, task_index: taskIndex, fence }) => ({
      jobId,
      taskIndex,
      model: models.get(`${jobId}/${taskIndex}`) ?? '',
      delayMs: 0,
      isPoison: lostError !== undefined && fence >= MAX_LOST_CLAIMS,
    }));
    const poison = tasks.filter(({ isPoison }) => isPoison);
    if (poison.length > 0) {
      await this.database.run(
        manager,
        `UPDATE batch_task AS t SET status = 'failed', error = $2, finished_at = ${this.dialect.now}
         FROM ${recordsOf(this.dialect, '$1', 'job_id text, task_index int')}
         WHERE t.job_id = r.job_id AND t.task_index = r.task_index AND t.status = 'queued'`,
        [JSON.stringify(poison.map(({ jobId, taskIndex }) => ({ job_id: jobId, task_index: taskIndex }))), lostError],
      );
    }
    const ended = poison.map(({ jobId }) => ({ jobId, status: 'failed' as const }));
    const copies = await copyToDuplicates(manager, this.dialect, poison);
    await countEnded(
      manager,
      this.dialect,
      [...ended, ...copies],
      tasks.map(({ jobId }) => jobId),
    );
    await this.lanes.requeue(
      manager,
      tasks.filter(({ isPoison }) => !isPoison),
    );
    return tasks.length;
  }
}
