import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { GatewayConfig } from '../../config/gateway-config.js';
import { Database } from '../../database/database.js';
import { runSql, type SqlDialect, type SqlResult } from '../../database/sql.js';
import { timeOrderedId } from '../../runtime/random-id.js';
import { JobLimitStore } from '../control/job-limit-store.js';
import type { HeldTaskKey } from '../held-claim.js';
import { Lanes } from '../lanes.js';
import { countOf, indexesOf, readLanes, storedLanes } from '../stored-lanes.js';
import { BatchPart } from './batch-part.entity.js';

/** Milliseconds until the lease of a part's claim expires: never, because the part decides when its tasks go on. */
const CLAIM_LEASE_MS = 100 * 365 * 86_400_000;
const LANES_PER_QUERY = 100;

/** A lane whose tasks wait for a part. */
export interface WaitingLane {
  readonly jobId: string;
  readonly lane: string;
  readonly waiting: number;
  /** Milliseconds since the first of them began to wait. */
  readonly ageMs: number;
  /** Whether further tasks of the job are likely to come. */
  readonly mayGrow: boolean;
}

/** The tasks that a part still holds. */
export interface PartClaim {
  readonly version: number;
  readonly tasks: readonly HeldTaskKey[];
}

/** Stores the parts of jobs that are batches of a provider. Every change of a part is conditional on its lease. */
@Injectable()
export class PartStore {
  private readonly dialect: SqlDialect;
  private readonly leaseMs: number;

  constructor(
    private readonly database: Database,
    private readonly dataSource: DataSource,
    private readonly lanes: Lanes,
    private readonly limits: JobLimitStore,
    config: GatewayConfig,
  ) {
    this.dialect = database.dialect;
    this.leaseMs = config.batch.lease;
  }

  /** Epoch milliseconds, by the database's clock. */
  async now(): Promise<number> {
    const { rows } = await this.read<{ now: string | number }>(`SELECT ${this.dialect.now} AS now`);
    return Number(rows[0]?.now);
  }

  /** Lanes whose tasks may become parts now. */
  async waiting(): Promise<readonly WaitingLane[]> {
    const { now } = this.dialect;
    const isNative = (lane: string): string => `substr(${lane}.model, 1, 8) = '~native:'`;
    const { rows } = await this.read<{
      job_id: string;
      model: string;
      waiting: number;
      age: string | number;
      may_grow: boolean | number;
    }>(
      `SELECT l.job_id, l.model, l.end_index - l.next_index + l.requeued AS waiting, ${now} - l.served_at AS age,
         EXISTS (SELECT 1 FROM batch_lane o WHERE o.job_id = l.job_id AND o.state = 'ready' AND NOT ${isNative('o')}) AS may_grow
       FROM batch_lane l WHERE l.state = 'ready' AND ${isNative('l')} LIMIT ${LANES_PER_QUERY}`,
    );
    return rows.map((row) => ({
      jobId: row.job_id,
      lane: row.model,
      waiting: row.waiting,
      ageMs: Number(row.age),
      mayGrow: Boolean(row.may_grow),
    }));
  }

  /** Records a part of up to `count` tasks of a lane; undefined where nothing waits in it any more. */
  async form(
    { jobId, lane }: WaitingLane,
    part: Pick<BatchPart, 'keyId' | 'deployment'>,
    count: number,
    worker: string,
  ): Promise<string | undefined> {
    const { now } = this.dialect;
    const id = timeOrderedId('part_');
    return this.database.transaction(async (manager) => {
      const taken = await this.lanes.take(manager, { jobId, model: lane, count, state: 'ready' });
      if (taken === undefined || countOf(taken) === 0) return undefined;
      await this.database.run(
        manager,
        `INSERT INTO batch_claim (id, worker, lease_until, tasks, task_count) VALUES ($1, $2, ${now} + ${CLAIM_LEASE_MS}, $3, $4)`,
        [id, worker, storedLanes([taken]), countOf(taken)],
      );
      await this.database.run(
        manager,
        `INSERT INTO batch_part (id, job_id, key_id, deployment, lane, state, line_count, created_at)
         VALUES ($1, $2, $3, $4, $5, 'new', $6, ${now})`,
        [id, jobId, part.keyId, part.deployment, lane, countOf(taken)],
      );
      return id;
    });
  }

  /**
   * Takes the lease of parts that are due, also of those of processes that have ended.
   *
   * @param working parts that this process works on now
   */
  async takeDue(worker: string, limit: number, working: readonly string[]): Promise<readonly BatchPart[]> {
    const { now, isSqlite } = this.dialect;
    // Of a job that is ending, a part is due at once, so that it is cancelled.
    const isEnding = `(cancel_sent_at IS NULL AND NOT EXISTS
      (SELECT 1 FROM batch_job j WHERE j.id = job_id AND j.status IN ('queued', 'in_progress') AND j.error IS NULL))`;
    const isFree = `(lease_until <= ${now} OR worker IS NULL OR worker = $1)`;
    const others = working.length === 0 ? '' : `AND id NOT IN (${listOf(working, 2)})`;
    const due = `state <> 'ended' AND (poll_at <= ${now} OR ${isEnding}) AND ${isFree} ${others}`;
    const { rows: found } = await this.read(`SELECT 1 AS one FROM batch_part WHERE ${due} LIMIT 1`, [
      worker,
      ...working,
    ]);
    if (limit <= 0 || found.length === 0) return [];
    const { rows } = await this.write<{ id: string }>(
      `UPDATE batch_part SET worker = $1, lease_until = ${now} + ${this.leaseMs} WHERE id IN
         (SELECT id FROM batch_part WHERE ${due} ORDER BY poll_at LIMIT ${limit} ${isSqlite ? '' : 'FOR UPDATE SKIP LOCKED'})
         AND state <> 'ended' AND ${isFree} RETURNING id`,
      [worker, ...working],
    );
    if (rows.length === 0) return [];
    return this.dataSource.manager.findBy(
      BatchPart,
      rows.map(({ id }) => ({ id, worker })),
    );
  }

  /** Extends the leases of parts that this process works on. @returns those that it still has */
  async renew(ids: readonly string[], worker: string): Promise<ReadonlySet<string>> {
    if (ids.length === 0) return new Set();
    const { now } = this.dialect;
    const { rows } = await this.write<{ id: string }>(
      `UPDATE batch_part SET lease_until = ${now} + ${this.leaseMs} WHERE id IN (${listOf(ids, 2)}) AND worker = $1 RETURNING id`,
      [worker, ...ids],
    );
    return new Set(rows.map(({ id }) => id));
  }

  /**
   * Changes a part that this process has the lease of.
   *
   * @param change SQL, whose parameters begin at $3
   * @returns whether it had the lease
   */
  async change(id: string, worker: string, change: string, parameters: readonly unknown[] = []): Promise<boolean> {
    const { affected } = await this.write(
      `UPDATE batch_part SET ${change} WHERE id = $1 AND worker = $2 AND lease_until > ${this.dialect.now}`,
      [id, worker, ...parameters],
    );
    return affected > 0;
  }

  /**
   * Records that a request to create the part is about to be sent, and extends its lease.
   *
   * @returns false where another process has the part, or its job is paused or is ending
   */
  async beginCreation(id: string, worker: string, lineCount: number): Promise<boolean> {
    const { now } = this.dialect;
    const { affected } = await this.write(
      `UPDATE batch_part SET state = 'creating', line_count = $3, creating_at = COALESCE(creating_at, ${now}),
         lease_until = ${now} + ${this.leaseMs}
       WHERE id = $1 AND worker = $2 AND lease_until > ${now} AND EXISTS
         (SELECT 1 FROM batch_job j WHERE j.id = job_id AND j.status IN ('queued', 'in_progress') AND j.error IS NULL
            AND j.paused_at IS NULL)`,
      [id, worker, lineCount],
    );
    return affected > 0;
  }

  /** The process keeps the part, because it has reserved what its lines may cost. */
  submitted(id: string, worker: string, providerId: string, pollInMs: number): Promise<boolean> {
    const { now } = this.dialect;
    return this.change(
      id,
      worker,
      `state = 'submitted', provider_id = $3, submitted_at = COALESCE(submitted_at, ${now}), failures = 0,
       poll_at = ${now} + $4, lease_until = ${now} + ${this.leaseMs}`,
      [providerId, Math.round(pollInMs)],
    );
  }

  /** Lets the part wait. @param isKept whether for this process, or for any */
  pollLater(id: string, worker: string, pollInMs: number, isKept: boolean): Promise<boolean> {
    const change = `poll_at = ${this.dialect.now} + $3, failures = 0, ${this.leaseAfter(isKept)}`;
    return this.change(id, worker, change, [Math.round(pollInMs)]);
  }

  failed(
    id: string,
    worker: string,
    error: string,
    { pollInMs, isKept }: { readonly pollInMs: number; readonly isKept: boolean },
  ): Promise<boolean> {
    const change = `poll_at = ${this.dialect.now} + $3, failures = failures + 1, error = $4, ${this.leaseAfter(isKept)}`;
    return this.change(id, worker, change, [Math.round(pollInMs), error.slice(0, 1_000)]);
  }

  cancelSent(id: string, worker: string): Promise<boolean> {
    return this.change(id, worker, `cancel_sent_at = ${this.dialect.now}`);
  }

  abandoned(id: string, worker: string): Promise<boolean> {
    return this.change(id, worker, `abandoned_at = ${this.dialect.now}`);
  }

  /**
   * Ends a part, and what is reserved for it of its job's `max_cost_usd`.
   *
   * @param lateNanos cost of lines whose tasks have gone on to another tier, in billionths of a US dollar
   */
  async ended(
    { id, jobId }: Pick<BatchPart, 'id' | 'jobId'>,
    worker: string,
    { error, lateNanos = 0 }: { readonly error: string | null; readonly lateNanos?: number },
  ): Promise<boolean> {
    const { now } = this.dialect;
    return this.database.transaction(async (manager) => {
      const { affected } = await this.database.run(
        manager,
        `UPDATE batch_part SET state = 'ended', ended_at = ${now}, error = COALESCE($3, error), worker = NULL
         WHERE id = $1 AND worker = $2 AND lease_until > ${now}`,
        [id, worker, error],
      );
      if (affected === 0) return false;
      if (lateNanos > 0) await this.limits.addSpent(manager, jobId, lateNanos);
      await this.limits.deleteShare(manager, jobId, id);
      return true;
    });
  }

  private leaseAfter(isKept: boolean): string {
    return isKept ? `lease_until = ${this.dialect.now} + ${this.leaseMs}` : 'worker = NULL';
  }

  /** Gives parts back at once, so that other processes continue with them. */
  async release(worker: string): Promise<void> {
    await this.write(`UPDATE batch_part SET worker = NULL, lease_until = 0 WHERE worker = $1 AND state <> 'ended'`, [
      worker,
    ]);
  }

  /** The provider's ids of all parts at a deployment's provider. @param prefix `provider/` */
  async knownIds(prefix: string): Promise<ReadonlySet<string>> {
    const { rows } = await this.read<{ provider_id: string }>(
      `SELECT provider_id FROM batch_part WHERE provider_id IS NOT NULL AND substr(deployment, 1, $1) = $2`,
      [prefix.length, prefix],
    );
    return new Set(rows.map(({ provider_id: id }) => id));
  }

  /** The claim of a part, which this process holds from now on; undefined where no task is left, or another process has the part. */
  async holdClaim(id: string, worker: string): Promise<PartClaim | undefined> {
    const { rows } = await this.write<{ version: number; tasks: string }>(
      `UPDATE batch_claim SET worker = $2 WHERE id = $1 AND EXISTS
         (SELECT 1 FROM batch_part p WHERE p.id = $1 AND p.worker = $2 AND p.lease_until > ${this.dialect.now})
       RETURNING version, tasks`,
      [id, worker],
    );
    const row = rows[0];
    if (row === undefined) return undefined;
    const tasks = readLanes(row.tasks).flatMap((lane) =>
      [...indexesOf(lane)].map(([taskIndex]) => ({ jobId: lane.jobId, taskIndex, lane: lane.model })),
    );
    return { version: row.version, tasks };
  }

  private read<Row>(statement: string, parameters: readonly unknown[] = []): Promise<SqlResult<Row>> {
    return runSql<Row>(this.dataSource.manager, this.dialect, statement, parameters);
  }

  private write<Row>(statement: string, parameters: readonly unknown[]): Promise<SqlResult<Row>> {
    return this.database.transaction((manager) => this.database.run<Row>(manager, statement, parameters));
  }
}

/** Placeholders of parameters, from a number on. */
export function listOf(values: readonly unknown[], first: number): string {
  return values.map((_value, index) => `$${index + first}`).join(', ');
}
