import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { GatewayConfig } from '../../config/gateway-config.js';
import { Database } from '../../database/database.js';
import { SqlDialect } from '../../database/sql.js';
import { boundNanoDollars } from '../../runtime/nano-dollars.js';
import { Lanes } from '../lanes.js';
import type { Hold, JobLimits } from './job-options.js';
import { RateWindow, type RateLog } from './minute-rate.js';

/** What one worker holds of the limits of a job. */
export interface JobShare {
  readonly worker: string;
  /** Tasks that it may run at once; 0 where the job has no such limit. */
  readonly slots: number;
  /** The most that its tasks can cost, in nano-dollars. */
  readonly reserved: number;
  /** Whether its lease has ended. */
  readonly isGone: boolean;
}

interface ShareRow {
  readonly worker: string;
  readonly slots: number;
  readonly reserved_nanos: string | number;
  readonly is_gone: number | boolean;
}

/**
 * The rows of the limits of jobs, of which all processes together keep to. Callers lock rows in the order of all transactions: jobs,
 * lanes, then shares and rates.
 */
@Injectable()
export class JobLimitStore {
  private readonly dialect: SqlDialect;
  private readonly leaseMs: number;

  constructor(
    private readonly database: Database,
    private readonly lanes: Lanes,
    config: GatewayConfig,
  ) {
    this.dialect = database.dialect;
    this.leaseMs = config.batch.lease;
  }

  transaction<Result>(work: (manager: EntityManager) => Promise<Result>): Promise<Result> {
    return this.database.transaction(work);
  }

  /** Locks the row of a job. @returns what it has spent, and the database's time in Unix milliseconds */
  async lockJob(manager: EntityManager, jobId: string): Promise<{ spent: number; now: number }> {
    const { now, isSqlite } = this.dialect;
    const { rows } = await this.database.run<{ spent: string | number; now: string | number }>(
      manager,
      `SELECT spent_nanos AS spent, ${now} AS now FROM batch_job WHERE id = $1 ${isSqlite ? '' : 'FOR UPDATE'}`,
      [jobId],
    );
    return { spent: Number(rows[0]?.spent ?? 0), now: Number(rows[0]?.now ?? Date.now()) };
  }

  /** Adds nano-dollars to what a job has spent. */
  async addSpent(manager: EntityManager, jobId: string, amount: number): Promise<void> {
    await this.database.run(manager, 'UPDATE batch_job SET spent_nanos = spent_nanos + $2 WHERE id = $1', [
      jobId,
      amount,
    ]);
  }

  /** The shares of all workers but one. */
  async sharesOfOthers(manager: EntityManager, jobId: string, worker: string): Promise<readonly JobShare[]> {
    const { rows } = await this.database.run<ShareRow>(
      manager,
      `SELECT worker, slots, reserved_nanos, CASE WHEN expires_at <= ${this.dialect.now} THEN 1 ELSE 0 END AS is_gone
       FROM batch_share WHERE job_id = $1 AND worker <> $2`,
      [jobId, worker],
    );
    return rows.map((row) => ({
      worker: row.worker,
      slots: row.slots,
      reserved: Number(row.reserved_nanos),
      isGone: Boolean(row.is_gone),
    }));
  }

  async writeShare(
    manager: EntityManager,
    jobId: string,
    { worker, slots, reserved }: Omit<JobShare, 'isGone'>,
    lifetimeMs = this.leaseMs,
  ): Promise<void> {
    await this.database.run(
      manager,
      `INSERT INTO batch_share (job_id, worker, slots, reserved_nanos, expires_at)
       VALUES ($1, $2, $3, $4, ${this.dialect.now} + ${lifetimeMs})
       ON CONFLICT (job_id, worker) DO UPDATE SET slots = excluded.slots, reserved_nanos = excluded.reserved_nanos,
         expires_at = excluded.expires_at`,
      [jobId, worker, Number.isFinite(slots) ? slots : 0, boundNanoDollars(reserved)],
    );
  }

  async deleteShare(manager: EntityManager, jobId: string, worker: string): Promise<void> {
    await this.database.run(manager, 'DELETE FROM batch_share WHERE job_id = $1 AND worker = $2', [jobId, worker]);
  }

  /** Extends all shares of a worker by a lease. */
  async renewShares(worker: string): Promise<void> {
    await this.transaction((manager) =>
      this.database.run(
        manager,
        `UPDATE batch_share SET expires_at = ${this.dialect.now} + ${this.leaseMs} WHERE worker = $1`,
        [worker],
      ),
    );
  }

  async readRate(manager: EntityManager, jobId: string, rate: NonNullable<JobLimits['rate']>): Promise<RateWindow> {
    const { rows } = await this.database.run<{ log: string }>(manager, 'SELECT log FROM batch_rate WHERE job_id = $1', [
      jobId,
    ]);
    return new RateWindow(rate, rows[0] === undefined ? [] : (JSON.parse(rows[0].log) as RateLog));
  }

  async writeRate(manager: EntityManager, jobId: string, log: RateLog): Promise<void> {
    await this.database.run(
      manager,
      `INSERT INTO batch_rate (job_id, log) VALUES ($1, $2) ON CONFLICT (job_id) DO UPDATE SET log = excluded.log`,
      [jobId, JSON.stringify(log)],
    );
  }

  /** Holds a job and its lanes back. */
  async hold(manager: EntityManager, jobId: string, { until, reason }: Hold): Promise<void> {
    await this.database.run(manager, 'UPDATE batch_job SET held_until = $2, hold_reason = $3 WHERE id = $1', [
      jobId,
      Math.ceil(until),
      reason,
    ]);
    await this.lanes.hold(manager, jobId);
  }
}
