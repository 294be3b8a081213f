import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { describeError } from '../../errors/describe-error.js';
import { NO_COST, type NanoDollars } from '../../runtime/nano-dollars.js';
import type { ClaimedJob, ClaimedTask } from '../claimed-tasks.js';
import { admitTasks, type SizedLine, type Verdict } from './admit-tasks.js';
import { HeldShares } from './held-shares.js';
import { JobLimitStore, type JobShare } from './job-limit-store.js';
import { holdOf, timeStateOf, type JobLimits } from './job-options.js';
import { LineSizes, type LineSize } from './line-sizes.js';

/** Milliseconds after which tasks are looked at again when the database did not respond. */
const FAILED_DELAY_MS = 1_000;
/** Milliseconds within which a task starts that its rate admitted; later it waits again. See `RateWindow`. */
const RATED_START_MS = 1_000;
/** Milliseconds for which this process claims nothing of a job whose parts at providers hold what is left of `max_cost_usd`. */
const PART_BLOCK_MS = 5_000;

/** The verdicts of one claim. */
export interface GateResult {
  /** By the task; tasks of jobs without limits are not in it. */
  readonly verdicts: ReadonlyMap<ClaimedTask, Verdict>;
  /** Milliseconds after which tasks of a held job may start; Infinity where none is held for a short time. */
  readonly nextMs: number;
}

/**
 * Admits claimed tasks of jobs with limits: by window, rate, concurrency and cost, of which all processes together keep to. What it
 * does not admit waits in its lane without being looked at, as far as it is known until when. Jobs without limits never come here.
 */
@Injectable()
export class JobGate {
  private readonly logger = new Logger('BatchRunner');
  private readonly held = new HeldShares();
  private readonly changed = new Set<string>();
  private flushing: Promise<void> | undefined;
  private worker = '';
  private freedListener: () => void = () => undefined;

  constructor(
    private readonly store: JobLimitStore,
    private readonly sizes: LineSizes,
  ) {}

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
    this.store
      .transaction((manager) => this.store.addSpent(manager, task.jobId, spent))
      .catch((error: unknown) => {
        this.logger.warn({ msg: 'the cost of a lost task was not counted', error: describeError(error) });
      });
  }

  /** Reserves the cost of a further attempt of a task. @returns false if `max_cost_usd` does not cover it */
  async coverAnother(task: Pick<ClaimedTask, 'jobId' | 'taskIndex'>, maxCost: NanoDollars): Promise<boolean> {
    const most = this.held.mostOf(task);
    try {
      return await this.store.transaction(async (manager) => {
        const { spent } = await this.store.lockJob(manager, task.jobId);
        const others = await this.store.sharesOfOthers(manager, task.jobId, this.worker);
        const own = this.held.reserved(task.jobId);
        if (spent + sumOf(others, 'reserved') + own + most > maxCost) return false;
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
    await this.store.renewShares(this.worker);
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
    const sizeOf = async (task: ClaimedTask): Promise<LineSize> =>
      needsSize ? this.sizes.of(task, job, { keyId: job.keyId }, needsCost) : { tokens: 0, mostCost: NO_COST };
    const lines = await Promise.all(
      tasks.map(async (task): Promise<SizedLine> => ({ ...task, ...(await sizeOf(task)) })),
    );
    const isShared = needsCost || limits.concurrency !== undefined;
    return this.store.transaction(async (manager) => {
      // What an earlier run of the transaction has admitted.
      for (const task of tasks) this.held.end(task);
      const { spent: settled, now } = await this.store.lockJob(manager, jobId);
      const time = timeStateOf(limits, now);
      const closed = holdOf(time, now);
      if (closed !== undefined) {
        await this.store.hold(manager, jobId, closed);
        return { verdicts: tasks.map(() => 'wait'), nextMs: closed.until - now };
      }
      const shares = isShared ? await this.store.sharesOfOthers(manager, jobId, this.worker) : [];
      const others = shares.filter(({ isGone }) => !isGone);
      const gone = shares.filter(({ isGone }) => isGone);
      // The calls of a process that ended may be billed, and their cost is not known.
      const spent = settled + (await this.removeGone(manager, jobId, gone));
      const rate = limits.rate === undefined ? undefined : await this.store.readRate(manager, jobId, limits.rate);
      const ownCount = this.held.count(jobId);
      const slots = Math.max(
        0,
        Math.min((limits.concurrency ?? Infinity) - sumOf(others, 'slots'), ownCount + tasks.length),
      );
      // As many again wait in this process, so that no slot is empty between two claims. With a rate they would wait for too long.
      const mostHeld = limits.concurrency === undefined ? Infinity : rate === undefined ? 2 * slots : slots;
      const ownReserved = this.held.reserved(jobId);
      const { verdicts, admitted, isFull, hold } = admitTasks(lines, {
        now,
        maxCost: limits.maxCost,
        spent,
        reserved: ownReserved + sumOf(others, 'reserved'),
        places: mostHeld - ownCount,
        rate,
      });
      if (hold !== undefined) await this.store.hold(manager, jobId, hold);
      if (rate !== undefined) await this.store.writeRate(manager, jobId, rate.log);
      if (isShared && ownCount + admitted.length > 0) {
        const reserved = admitted.reduce((sum, { most }) => sum + most, ownReserved);
        await this.writeShare(manager, jobId, limits.concurrency === undefined ? 0 : slots, reserved);
      }
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

  /** @returns the nano-dollars that they had reserved, which count as spent from now on */
  private async removeGone(manager: EntityManager, jobId: string, gone: readonly JobShare[]): Promise<number> {
    for (const { worker } of gone) await this.store.deleteShare(manager, jobId, worker);
    const lost = sumOf(gone, 'reserved');
    if (lost > 0) await this.store.addSpent(manager, jobId, lost);
    return lost;
  }

  private writeShare(manager: EntityManager, jobId: string, slots: number, reserved: number): Promise<void> {
    return this.store.writeShare(manager, jobId, { worker: this.worker, slots, reserved });
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
        await this.store.transaction(async (manager) => {
          await this.store.lockJob(manager, jobId);
          const count = this.held.count(jobId);
          if (count === 0) {
            await this.store.deleteShare(manager, jobId, this.worker);
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
}

function sumOf(shares: readonly JobShare[], column: 'slots' | 'reserved'): number {
  return shares.reduce((sum, share) => sum + share[column], 0);
}
