import { Injectable, Logger } from '@nestjs/common';
import { EntityManager } from 'typeorm';
import { GatewayConfig } from '../../config/gateway-config.js';
import { Database } from '../../database/database.js';
import { runSql, SqlDialect } from '../../database/sql.js';
import { describeError } from '../../errors/describe-error.js';
import { boundNanoDollars, NO_COST, type NanoDollars } from '../../runtime/nano-dollars.js';
import type { ClaimedJob, ClaimedTask } from '../claimed-tasks.js';
import { Lanes } from '../lanes.js';
import { beyondCost, unpriced } from './cost-refusals.js';
import { HeldShares } from './held-shares.js';
import { timeStateOf, type HoldReason, type JobLimits } from './job-options.js';
import { LineSizes, type LineSize } from './line-sizes.js';
import { RateWindow, type RateLog } from './minute-rate.js';

/** Milliseconds after which tasks are looked at again when the database did not respond. */
const FAILED_DELAY_MS = 1_000;
/** Milliseconds within which a task starts that its rate admitted; later it waits again. See `RateWindow`. */
const RATED_START_MS = 1_000;
/** Milliseconds for which this process claims nothing of a job whose parts at providers hold what is left of `max_cost_usd`. */
const PART_BLOCK_MS = 5_000;
/** The latest moment at which a held job is looked at again, in milliseconds. */
const MAX_HOLD_MS = 86_400_000;

/** Whether a claimed task may start: now, later, in its order, or never. */
export type Verdict = 'start' | 'wait' | { readonly error: string };

/** The verdicts of one claim. */
export interface GateResult {
  /** By the task; tasks of jobs without limits are not in it. */
  readonly verdicts: ReadonlyMap<ClaimedTask, Verdict>;
  /** Milliseconds after which tasks of a held job may start; Infinity where none is held for a short time. */
  readonly nextMs: number;
}

interface Share {
  readonly worker: string;
  readonly slots: number;
  readonly reserved_nanos: string | number;
  readonly is_gone: number | boolean;
}

interface Hold {
  readonly until: number;
  readonly reason: HoldReason;
}

/**
 * Admits claimed tasks of jobs with limits: by window, rate, concurrency and cost, of which all processes together keep to. What it
 * does not admit waits in its lane without being looked at, as far as it is known until when. Jobs without limits never come here.
 * It locks rows in the order of all transactions: jobs, lanes, then its own.
 */
@Injectable()
export class JobGate {
  private readonly logger = new Logger('BatchRunner');
  private readonly held = new HeldShares();
  private readonly changed = new Set<string>();
  private flushing: Promise<void> | undefined;
  private readonly dialect: SqlDialect;
  private readonly leaseMs: number;
  private worker = '';
  private freedListener: () => void = () => undefined;

  constructor(
    private readonly database: Database,
    private readonly lanes: Lanes,
    private readonly sizes: LineSizes,
    config: GatewayConfig,
  ) {
    this.dialect = database.dialect;
    this.leaseMs = config.batch.lease;
  }

  /** @param onFreed called when tasks that found no room may find some */
  begin(worker: string, onFreed: () => void): void {
    this.worker = worker;
    this.freedListener = onFreed;
  }

  isBlocked(jobId: string): boolean {
    return this.held.isBlocked(jobId);
  }

  /** Lets this process claim no tasks of a job for a while. */
  block(jobId: string, milliseconds: number): void {
    this.held.block(jobId, milliseconds);
  }

  /** Tasks of a job that this process may run at once. */
  slotsOf(jobId: string): number {
    return this.held.slots(jobId);
  }

  /** Whether an admitted task may still start. */
  mayStart(task: Pick<ClaimedTask, 'jobId' | 'taskIndex'>): boolean {
    return this.held.mayStart(task);
  }

  /** Never rejects: tasks whose limits cannot be read wait. */
  async admit(tasks: readonly ClaimedTask[], jobs: ReadonlyMap<string, ClaimedJob>): Promise<GateResult> {
    const verdicts = new Map<ClaimedTask, Verdict>();
    let nextMs = Infinity;
    const perJob = new Map<ClaimedJob, ClaimedTask[]>();
    for (const task of tasks) {
      const job = jobs.get(task.jobId);
      if (job?.limits === undefined) continue;
      perJob.set(job, [...(perJob.get(job) ?? []), task]);
    }
    for (const [job, claimed] of perJob) {
      if (job.limits === undefined) continue;
      try {
        const result = await this.admitJob(job, job.limits, claimed);
        claimed.forEach((task, index) => verdicts.set(task, result.verdicts[index] ?? 'wait'));
        nextMs = Math.min(nextMs, result.nextMs);
      } catch (error) {
        this.logger.error({ msg: 'the limits of a batch could not be read', error: describeError(error) });
        for (const task of claimed) {
          this.held.end(task);
          verdicts.set(task, 'wait');
        }
        this.block(job.id, FAILED_DELAY_MS);
      }
    }
    return { verdicts, nextMs };
  }

  /** Tasks have ended and are stored, so that their parts of the limits are free. */
  ended(tasks: Iterable<Pick<ClaimedTask, 'jobId' | 'taskIndex'>>): void {
    for (const task of tasks) if (this.held.end(task)) this.changed.add(task.jobId);
    if (this.changed.size > 0) this.flush();
  }

  /** The most that a task which was admitted can cost. */
  mostOf(task: Pick<ClaimedTask, 'jobId' | 'taskIndex'>): number {
    return this.held.mostOf(task);
  }

  /** Another process has reclaimed a task whose call has ended here: its cost counts nevertheless. */
  lost(task: Pick<ClaimedTask, 'jobId' | 'taskIndex'>, spent: number): void {
    this.ended([task]);
    if (spent === 0) return;
    this.database
      .transaction((manager) =>
        this.run(manager, 'UPDATE batch_job SET spent_nanos = spent_nanos + $2 WHERE id = $1', [task.jobId, spent]),
      )
      .catch((error: unknown) => {
        this.logger.warn({ msg: 'the cost of a lost task was not counted', error: describeError(error) });
      });
  }

  /** Reserves the cost of a further attempt of a task. @returns false if `max_cost_usd` does not cover it */
  async coverAnother(task: Pick<ClaimedTask, 'jobId' | 'taskIndex'>, maxCost: NanoDollars): Promise<boolean> {
    const most = this.held.mostOf(task);
    try {
      return await this.database.transaction(async (manager) => {
        const { spent } = await this.lockJob(manager, task.jobId);
        const shares = await this.readShares(manager, task.jobId);
        const own = this.held.reserved(task.jobId);
        if (spent + sumOf(shares, 'reserved_nanos') + own + most > maxCost) return false;
        this.held.reserve(task, most);
        await this.writeShare(manager, task.jobId, this.held.slots(task.jobId), own + most);
        return true;
      });
    } catch (error) {
      this.logger.warn({
        msg: 'a further attempt is not made: its cost cannot be checked',
        error: describeError(error),
      });
      return false;
    }
  }

  /** Extends the shares of this process. */
  async renew(): Promise<void> {
    if (this.held.jobIds.length === 0) return;
    await this.database.transaction((manager) =>
      this.run(manager, `UPDATE batch_share SET expires_at = ${this.dialect.now} + ${this.leaseMs} WHERE worker = $1`, [
        this.worker,
      ]),
    );
  }

  /** Resolves when what this process held is released. */
  async close(): Promise<void> {
    while (this.flushing !== undefined) await this.flushing;
  }

  private async admitJob(
    { id: jobId, ...job }: ClaimedJob,
    limits: JobLimits,
    tasks: readonly ClaimedTask[],
  ): Promise<{ verdicts: readonly Verdict[]; nextMs: number }> {
    const needsCost = limits.maxCost !== undefined;
    const needsSize = needsCost || limits.rate?.tokens !== undefined;
    const sizes = needsSize
      ? await Promise.all(tasks.map((task) => this.sizes.of(task, job, { keyId: job.keyId }, needsCost)))
      : tasks.map((): LineSize => ({ tokens: 0, mostCost: NO_COST }));
    const isShared = needsCost || limits.concurrency !== undefined;
    return this.database.transaction(async (manager) => {
      // What an earlier run of the transaction has admitted.
      for (const task of tasks) this.held.end(task);
      const { spent: settled, now } = await this.lockJob(manager, jobId);
      const time = timeStateOf(limits, now);
      if (!time.mayStart) {
        const hold = { until: Math.min(time.until, now + MAX_HOLD_MS), reason: time.reason };
        await this.hold(manager, jobId, hold);
        return { verdicts: tasks.map(() => 'wait'), nextMs: hold.until - now };
      }
      const shares = isShared ? await this.readShares(manager, jobId) : [];
      const gone = shares.filter(({ is_gone: isGone }) => Boolean(isGone));
      const others = shares.filter(({ is_gone: isGone }) => !isGone);
      // The calls of a process that ended may be billed, and their cost is not known.
      const spent = settled + (await this.removeGone(manager, jobId, gone));
      const rate = limits.rate === undefined ? undefined : await this.readRate(manager, jobId, limits.rate);
      const ownCount = this.held.count(jobId);
      const slots = Math.max(
        0,
        Math.min((limits.concurrency ?? Infinity) - sumOf(others, 'slots'), ownCount + tasks.length),
      );
      // As many again wait in this process, so that no slot is empty between two claims. With a rate they would wait for too long.
      const mostHeld = limits.concurrency === undefined ? Infinity : rate === undefined ? 2 * slots : slots;
      const admitted: { taskIndex: number; most: NanoDollars }[] = [];
      let reserved = this.held.reserved(jobId);
      const reservedByOthers = sumOf(others, 'reserved_nanos');
      let waits = false;
      let isFull = false;
      let hold: Hold | undefined;
      const verdicts = tasks.map((task, index): Verdict => {
        const { tokens, mostCost } = sizes[index] ?? { tokens: 0, mostCost: NO_COST };
        if (limits.maxCost !== undefined) {
          if (mostCost === null) return { error: unpriced(task.lane) };
          if (spent + mostCost > limits.maxCost) return { error: beyondCost(limits.maxCost, spent, mostCost) };
        }
        if (waits) return 'wait';
        const most = mostCost ?? NO_COST;
        const hasRoom =
          ownCount + admitted.length < mostHeld &&
          (limits.maxCost === undefined || spent + reserved + reservedByOthers + most <= limits.maxCost);
        if (!hasRoom) {
          isFull = true;
          // It is the next to run; this process does not claim it before there may be room.
          waits = true;
          return 'wait';
        }
        const wait = rate?.take(now, tokens) ?? 0;
        if (wait > 0) {
          hold = { until: now + wait, reason: 'rate' };
          waits = true;
          return 'wait';
        }
        reserved += most;
        admitted.push({ taskIndex: task.taskIndex, most });
        return 'start';
      });
      if (hold === undefined && rate !== undefined) {
        const wait = rate.wait(now, 1);
        if (wait > 0) hold = { until: now + wait, reason: 'rate' };
      }
      isFull ||= ownCount + admitted.length >= mostHeld;
      if (hold !== undefined) await this.hold(manager, jobId, hold);
      if (rate !== undefined) await this.writeRate(manager, jobId, rate.log);
      const ownSlots = limits.concurrency === undefined ? 0 : slots;
      if (isShared && ownCount + admitted.length > 0) await this.writeShare(manager, jobId, ownSlots, reserved);
      const untilMs = Math.min(time.until - now, rate === undefined ? Infinity : RATED_START_MS);
      this.held.admit(jobId, admitted, {
        slots: limits.concurrency === undefined ? Infinity : slots,
        startsUntil: performance.now() + untilMs,
        isFull,
        isShared,
      });
      if (isFull && others.some(({ worker }) => worker.startsWith('part_'))) this.held.block(jobId, PART_BLOCK_MS);
      return { verdicts, nextMs: hold === undefined ? Infinity : hold.until - now };
    });
  }

  private async lockJob(manager: EntityManager, jobId: string): Promise<{ spent: number; now: number }> {
    const { now, isSqlite } = this.dialect;
    const { rows } = await this.run<{ spent: string | number; now: string | number }>(
      manager,
      `SELECT spent_nanos AS spent, ${now} AS now FROM batch_job WHERE id = $1 ${isSqlite ? '' : 'FOR UPDATE'}`,
      [jobId],
    );
    return { spent: Number(rows[0]?.spent ?? 0), now: Number(rows[0]?.now ?? Date.now()) };
  }

  /** The shares of other processes. */
  private async readShares(manager: EntityManager, jobId: string): Promise<readonly Share[]> {
    const { rows } = await this.run<Share>(
      manager,
      `SELECT worker, slots, reserved_nanos, CASE WHEN expires_at <= ${this.dialect.now} THEN 1 ELSE 0 END AS is_gone
       FROM batch_share WHERE job_id = $1 AND worker <> $2`,
      [jobId, this.worker],
    );
    return rows;
  }

  /** @returns the cost that they had reserved, which counts as spent from now on */
  private async removeGone(manager: EntityManager, jobId: string, gone: readonly Share[]): Promise<number> {
    for (const { worker } of gone) {
      await this.run(manager, 'DELETE FROM batch_share WHERE job_id = $1 AND worker = $2', [jobId, worker]);
    }
    const lost = sumOf(gone, 'reserved_nanos');
    if (lost > 0) {
      await this.run(manager, 'UPDATE batch_job SET spent_nanos = spent_nanos + $2 WHERE id = $1', [jobId, lost]);
    }
    return lost;
  }

  private async writeShare(manager: EntityManager, jobId: string, slots: number, reserved: number): Promise<void> {
    await this.run(
      manager,
      `INSERT INTO batch_share (job_id, worker, slots, reserved_nanos, expires_at)
       VALUES ($1, $2, $3, $4, ${this.dialect.now} + ${this.leaseMs})
       ON CONFLICT (job_id, worker) DO UPDATE SET slots = excluded.slots, reserved_nanos = excluded.reserved_nanos,
         expires_at = excluded.expires_at`,
      [jobId, this.worker, Number.isFinite(slots) ? slots : 0, boundNanoDollars(reserved)],
    );
  }

  private async readRate(
    manager: EntityManager,
    jobId: string,
    rate: NonNullable<JobLimits['rate']>,
  ): Promise<RateWindow> {
    const { rows } = await this.run<{ log: string }>(manager, 'SELECT log FROM batch_rate WHERE job_id = $1', [jobId]);
    return new RateWindow(rate, rows[0] === undefined ? [] : (JSON.parse(rows[0].log) as RateLog));
  }

  private async writeRate(manager: EntityManager, jobId: string, log: RateLog): Promise<void> {
    await this.run(
      manager,
      `INSERT INTO batch_rate (job_id, log) VALUES ($1, $2) ON CONFLICT (job_id) DO UPDATE SET log = excluded.log`,
      [jobId, JSON.stringify(log)],
    );
  }

  private async hold(manager: EntityManager, jobId: string, { until, reason }: Hold): Promise<void> {
    await this.run(manager, 'UPDATE batch_job SET held_until = $2, hold_reason = $3 WHERE id = $1', [
      jobId,
      Math.ceil(until),
      reason,
    ]);
    await this.lanes.hold(manager, jobId);
  }

  private flush(): void {
    this.flushing ??= this.writeChanged().finally(() => {
      this.flushing = undefined;
      if (this.changed.size > 0) this.flush();
    });
  }

  /** Releases what this process holds no longer, for the other processes. If that fails, its shares end with their lease or the next write. */
  private async writeChanged(): Promise<void> {
    await new Promise(setImmediate);
    const jobIds = [...this.changed];
    this.changed.clear();
    for (const jobId of jobIds) {
      try {
        await this.database.transaction(async (manager) => {
          await this.lockJob(manager, jobId);
          const count = this.held.count(jobId);
          if (count === 0) {
            await this.run(manager, 'DELETE FROM batch_share WHERE job_id = $1 AND worker = $2', [jobId, this.worker]);
          } else {
            const slots = Math.min(this.held.slots(jobId), count);
            await this.writeShare(manager, jobId, slots, this.held.reserved(jobId));
          }
        });
        if (this.held.count(jobId) === 0) this.held.forget(jobId);
      } catch (error) {
        this.logger.warn({ msg: 'the limits of a batch are not released yet', error: describeError(error) });
      }
    }
    this.freedListener();
  }

  private run<Row = Record<string, unknown>>(
    manager: EntityManager,
    statement: string,
    parameters: readonly unknown[] = [],
  ): Promise<{ rows: readonly Row[] }> {
    return runSql<Row>(manager, this.dialect, statement, parameters);
  }
}

function sumOf(shares: readonly Share[], column: 'slots' | 'reserved_nanos'): number {
  return shares.reduce((sum, share) => sum + Number(share[column]), 0);
}
