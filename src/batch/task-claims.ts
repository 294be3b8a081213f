import { Injectable } from '@nestjs/common';
import { DataSource, EntityManager } from 'typeorm';
import { GatewayConfig } from '../config/gateway-config.js';
import { Database } from '../database/database.js';
import { recordsOf, runSql, SqlDialect } from '../database/sql.js';
import { timeOrderedId } from '../runtime/random-id.js';
import { ClaimedTasks, type ClaimedJob, type ClaimedTask } from './claimed-tasks.js';
import { Lanes, type LaneTasks } from './lanes.js';
import { countOf, readLanes, storedLanes } from './stored-lanes.js';

/** How many tasks to claim from a lane. */
export interface LaneShare {
  readonly jobId: string;
  readonly model: string;
  readonly count: number;
}

/** Tasks that this process holds until the lease expires. */
export interface Claim {
  readonly id: string;
  /** False when the lanes were empty. */
  readonly hasTaken: boolean;
  readonly jobs: ReadonlyMap<string, ClaimedJob>;
  readonly tasks: readonly ClaimedTask[];
}

/**
 * Claims tasks for this process. A process that takes an index out of a lane holds it exclusively: the lane's row is locked
 * during that statement. A claim's row says which process holds which tasks; without it they can be claimed again.
 */
@Injectable()
export class TaskClaims {
  private readonly dialect: SqlDialect;
  private readonly leaseMs: number;

  constructor(
    private readonly database: Database,
    private readonly dataSource: DataSource,
    private readonly lanes: Lanes,
    private readonly claimed: ClaimedTasks,
    config: GatewayConfig,
  ) {
    this.leaseMs = config.batch.lease;
    this.dialect = database.dialect;
  }

  /** Takes tasks out of lanes. @param id see `newClaimId` */
  async claim(shares: readonly LaneShare[], worker: string, id: string): Promise<Claim> {
    const lanes = this.dialect.isSqlite
      ? await this.database.transaction((manager) => this.takeInSteps(manager, id, shares, worker))
      : await this.takeAtOnce(id, shares, worker);
    if (lanes.length === 0) return { id, hasTaken: false, jobs: new Map(), tasks: [] };
    const jobs = await this.claimed.jobsOf(lanes);
    return { id, hasTaken: true, jobs, tasks: await this.claimed.tasksOf(lanes) };
  }

  /** Extends the leases of a process. @returns the ids of its existing claims */
  async renew(worker: string): Promise<ReadonlySet<string>> {
    const { isSqlite } = this.dialect;
    // Storing a result locks its claim and extends it as well; waiting for the lock would let other leases expire.
    const lock = isSqlite ? '' : 'FOR UPDATE SKIP LOCKED';
    await this.database.transaction((manager) =>
      runSql(
        manager,
        this.dialect,
        `UPDATE batch_claim SET lease_until = ${extendedLease(this.dialect, this.leaseMs)}
         WHERE id IN (SELECT id FROM batch_claim WHERE worker = $1 ${lock})`,
        [worker],
      ),
    );
    const { rows } = await this.read<{ id: string }>('SELECT id FROM batch_claim WHERE worker = $1', [worker]);
    return new Set(rows.map(({ id }) => id));
  }

  /** Locks and returns ids and tasks of expired claims. Claims that others are changing are skipped. */
  async lockExpired(manager: EntityManager, limit: number): Promise<{ ids: string[]; lanes: LaneTasks[] }> {
    const { now, isSqlite } = this.dialect;
    return this.lock(
      manager,
      `SELECT id, tasks FROM batch_claim WHERE lease_until <= ${now} ORDER BY id LIMIT ${limit} ${isSqlite ? '' : 'FOR UPDATE SKIP LOCKED'}`,
      [],
    );
  }

  /** Locks and returns the tasks of one claim; none when there is no such claim. */
  async lockClaim(manager: EntityManager, id: string): Promise<{ ids: string[]; lanes: LaneTasks[] }> {
    const lock = this.dialect.isSqlite ? '' : 'FOR UPDATE';
    return this.lock(manager, `SELECT id, tasks FROM batch_claim WHERE id = $1 ${lock}`, [id]);
  }

  /**
   * One statement, so that no lock waits for this process, which may be stopped at any moment. Requeued rows never change, so they
   * are deleted by their physical row id: joined by their key, the whole table might be read and hashed.
   */
  takeStatement(): string {
    const { now } = this.dialect;
    const key = 'lane.requeued > 0 AND q.job_id = lane.job_id AND q.model = lane.model';
    return `WITH lane AS MATERIALIZED (
        SELECT l.*, r.count AS wanted
        FROM ${recordsOf(this.dialect, '$1', 'job_id text, model text, count int')}
          CROSS JOIN LATERAL (
            SELECT l.job_id, l.model, l.next_index, l.end_index, l.requeued FROM batch_lane l
            WHERE l.job_id = r.job_id AND l.model = r.model AND l.state = 'ready' FOR UPDATE) l),
      picked AS MATERIALIZED (
        SELECT d.row_id FROM lane CROSS JOIN LATERAL (${this.lanes.dueStatement('ctid', key, 'lane.wanted')}) d(row_id)),
      due AS (
        DELETE FROM batch_requeue q WHERE q.ctid = ANY (ARRAY(SELECT row_id FROM picked))
        RETURNING q.job_id, q.model, q.task_index),
      share AS MATERIALIZED (
        SELECT lane.job_id, lane.model, lane.next_index, lane.requeued - COALESCE(d.count, 0) AS left_over,
          LEAST(lane.end_index, lane.next_index + lane.wanted - COALESCE(d.count, 0)) AS end_index,
          COALESCE(d.count, 0) AS due_count, COALESCE(d.indexes, '[]') AS indexes,
          lane.next_index + lane.wanted - COALESCE(d.count, 0) < lane.end_index
            OR (COALESCE(d.count, 0) >= lane.wanted AND COALESCE(d.count, 0) < lane.requeued) AS may_be_more
        FROM lane LEFT JOIN (SELECT job_id, model, CAST(COUNT(*) AS INT) AS count, CAST(json_agg(task_index) AS TEXT) AS indexes
                             FROM due GROUP BY job_id, model) d ON d.job_id = lane.job_id AND d.model = lane.model),
      moved AS (
        UPDATE batch_lane l SET next_index = s.end_index, requeued = s.left_over, served_at = ${now},
          state = CASE WHEN s.may_be_more THEN 'ready' ELSE 'delayed' END,
          ready_at = CASE WHEN s.may_be_more THEN l.ready_at ELSE ${this.lanes.nextRun('s')} END
        FROM share s WHERE l.job_id = s.job_id AND l.model = s.model AND (s.may_be_more OR s.left_over > 0)),
      emptied AS (
        DELETE FROM batch_lane l USING share s
        WHERE l.job_id = s.job_id AND l.model = s.model AND NOT s.may_be_more AND s.left_over <= 0),
      claimed AS (
        INSERT INTO batch_claim (id, worker, lease_until, tasks, task_count)
        SELECT $2, $3, ${now} + ${this.leaseMs},
          CAST(json_agg(json_build_array(job_id, model, next_index, end_index, CAST(indexes AS JSON))) AS TEXT),
          SUM(end_index - next_index + due_count)
        FROM share HAVING SUM(end_index - next_index + due_count) > 0)
      SELECT job_id, model, next_index, end_index, indexes FROM share WHERE end_index > next_index OR due_count > 0`;
  }

  private async takeAtOnce(id: string, shares: readonly LaneShare[], worker: string): Promise<LaneTasks[]> {
    // Locked in this order to avoid deadlocks between claims.
    const inOrder = [...shares].sort((a, b) => compare(a.jobId, b.jobId) || compare(a.model, b.model));
    const wanted = JSON.stringify(inOrder.map(({ jobId, model, count }) => ({ job_id: jobId, model, count })));
    const { rows } = await this.read<{
      job_id: string;
      model: string;
      next_index: number;
      end_index: number;
      indexes: string;
    }>(this.takeStatement(), [wanted, id, worker]);
    return rows.map((row) => ({
      jobId: row.job_id,
      model: row.model,
      nextIndex: row.next_index,
      endIndex: row.end_index,
      indexes: JSON.parse(row.indexes) as number[],
    }));
  }

  private async takeInSteps(
    manager: EntityManager,
    id: string,
    shares: readonly LaneShare[],
    worker: string,
  ): Promise<LaneTasks[]> {
    const lanes: LaneTasks[] = [];
    for (const share of shares) {
      const taken = await this.lanes.take(manager, { ...share, state: 'ready' });
      if (taken !== undefined && countOf(taken) > 0) lanes.push(taken);
    }
    if (lanes.length === 0) return lanes;
    await runSql(
      manager,
      this.dialect,
      `INSERT INTO batch_claim (id, worker, lease_until, tasks, task_count)
       VALUES ($1, $2, ${this.dialect.now} + ${this.leaseMs}, $3, $4)`,
      [id, worker, storedLanes(lanes), lanes.reduce((sum, lane) => sum + countOf(lane), 0)],
    );
    return lanes;
  }

  private async lock(
    manager: EntityManager,
    statement: string,
    parameters: readonly unknown[],
  ): Promise<{ ids: string[]; lanes: LaneTasks[] }> {
    const { rows } = await runSql<{ id: string; tasks: string }>(manager, this.dialect, statement, parameters);
    return { ids: rows.map(({ id }) => id), lanes: rows.flatMap(({ tasks }) => readLanes(tasks)) };
  }

  private read<Row>(statement: string, parameters: readonly unknown[]): Promise<{ rows: readonly Row[] }> {
    return runSql<Row>(this.dataSource.manager, this.dialect, statement, parameters);
  }
}

/** SQL of the lease of a claim from now on. The claim of a part has one that ends far later, which stays. */
export function extendedLease({ now }: SqlDialect, leaseMs: number, table = ''): string {
  return `CASE WHEN ${table}lease_until > ${now} + ${leaseMs} THEN ${table}lease_until ELSE ${now} + ${leaseMs} END`;
}

/** Generated by the claiming process, so that it can find the claim when the response to it is lost. */
export function newClaimId(): string {
  return timeOrderedId('claim_');
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
