import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { describeError } from '../errors/describe-error.js';
import { UsageRecorder } from '../usage/records/usage-recorder.service.js';
import { BatchMetrics } from './batch-metrics.js';
import { JobWatchers } from './events/job-watchers.js';
import { HeldClaim } from './held-claim.js';
import { isFaultOfData } from './is-fault-of-data.js';
import { ReturningTasks } from './returning-tasks.js';
import { taskKey, type TaskOutcome, TaskOutcomes } from './task-outcomes.js';

/** Outcomes per transaction, and their characters, since they are sent to the database as one text. */
const OUTCOMES_PER_TRANSACTION = 500;
const SET_CHARACTERS = 8_000_000;
/** Characters of results waiting for the database above which no further task begins. */
const MAX_WAITING_CHARACTERS = 64_000_000;
/**
 * Outcomes a second above which they are stored in sets, and milliseconds for which a set is then gathered. Below it each is stored at
 * once, because a crash repeats the calls of those that wait.
 */
const BUSY_OUTCOMES_PER_SECOND = 200;
const GATHER_MS = 20;
/** Milliseconds over which outcomes a second are counted: tasks that begin together also end together. */
const RATE_MS = 250;
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 5_000;
/** Retry delay at which a shutdown stops waiting for the database. */
const LAST_PAUSE_MS = 3_000;

/**
 * Stores the outcomes of tasks, those that ended together in one transaction. While the database is unreachable, outcomes
 * wait. An outcome that the database refuses because of its data is found by bisection and does not affect the others.
 */
@Injectable()
export class OutcomeWriter {
  /** The name of this process in what it stores. */
  worker = '';
  /** The tasks that go back to their lanes and are not there yet. */
  readonly returning = new ReturningTasks();
  private readonly logger = new Logger('BatchRunner');
  private readonly claims = new Map<string, HeldClaim>();
  private queue: TaskOutcome[] = [];
  private readonly unstored = new Set<TaskOutcome>();
  private readonly emptyClaims = new Set<HeldClaim>();
  private characters = 0;
  private writing: Promise<void> | undefined;
  private isClosing = false;
  private countedAt = 0;
  private counted = 0;
  private rate = 0;
  private storedListener: (outcomes: readonly TaskOutcome[]) => void = () => undefined;

  constructor(
    private readonly outcomes: TaskOutcomes,
    private readonly recorder: UsageRecorder,
    private readonly metrics: BatchMetrics,
    private readonly watchers: JobWatchers,
  ) {}

  /** Calls `listener` after each set. */
  onStored(listener: (outcomes: readonly TaskOutcome[]) => void): void {
    this.storedListener = listener;
  }

  /** Outcomes that are not in the database yet. */
  get size(): number {
    return this.unstored.size;
  }

  /** Whether so many tasks end that their outcomes are stored in sets. */
  get isBusy(): boolean {
    return this.rate > BUSY_OUTCOMES_PER_SECOND;
  }

  /** Whether outcomes of a claim are not in the database yet. */
  isWaiting(claimId: string): boolean {
    for (const outcome of this.unstored) if (outcome.claimId === claimId) return true;
    return false;
  }

  /** Whether further tasks may begin: false while too many or too large results wait. */
  hasRoom(concurrency: number): boolean {
    return this.unstored.size < 2 * concurrency && this.characters < MAX_WAITING_CHARACTERS;
  }

  /** Adds a new claim; every task of it ends with `add`. */
  hold(claim: HeldClaim): void {
    this.claims.set(claim.id, claim);
    if (!claim.isEmpty) return;
    this.emptyClaims.add(claim);
    this.write();
  }

  /** Ids of the claims that this process holds as far as it knows. */
  heldIds(): string[] {
    return [...this.claims.keys()];
  }

  /** Drops a claim whose tasks another process has reclaimed. */
  lose(claimId: string): void {
    this.claims.delete(claimId);
  }

  isHeld(claimId: string): boolean {
    return this.claims.has(claimId);
  }

  add(outcome: TaskOutcome): void {
    this.queue.push(outcome);
    this.unstored.add(outcome);
    this.returning.add(outcome);
    this.characters += sizeOf(outcome);
    this.write();
  }

  /** Resolves when everything is stored, or after a while in which the database accepted nothing. */
  async close(): Promise<void> {
    this.isClosing = true;
    while (this.writing !== undefined) await this.writing;
    const left = [...this.unstored].flatMap(({ usage }) => usage);
    if (left.length > 0) this.recorder.takeBack(left);
  }

  private write(): void {
    this.writing ??= this.writeAll().finally(() => {
      this.writing = undefined;
    });
  }

  private async writeAll(): Promise<void> {
    // Includes outcomes of this turn of the event loop.
    await new Promise(setImmediate);
    for (let pause = FIRST_PAUSE_MS; this.queue.length > 0 || this.emptyClaims.size > 0;) {
      if (this.isBusy && !this.isClosing) await sleep(GATHER_MS);
      const set = this.nextSet();
      try {
        await this.storeSet(set);
        this.measure(set.length);
        pause = FIRST_PAUSE_MS;
      } catch (error) {
        this.queue = [...set.filter((outcome) => this.unstored.has(outcome)), ...this.queue];
        this.logger.error({ msg: 'results could not be stored; trying again', error: describeError(error) });
        if (this.isClosing && pause > LAST_PAUSE_MS) return;
        await sleep(pause);
        pause = Math.min(pause * 2, MAX_PAUSE_MS);
      }
    }
  }

  private nextSet(): TaskOutcome[] {
    let characters = 0;
    let count = 0;
    for (const outcome of this.queue) {
      characters += sizeOf(outcome);
      if (count > 0 && (count === OUTCOMES_PER_TRANSACTION || characters > SET_CHARACTERS)) break;
      count += 1;
    }
    return this.queue.splice(0, count);
  }

  private measure(count: number): void {
    this.counted += count;
    const elapsedMs = performance.now() - this.countedAt;
    if (elapsedMs < RATE_MS) return;
    this.rate = (this.counted * 1_000) / elapsedMs;
    this.countedAt += elapsedMs;
    this.counted = 0;
  }

  /** @throws when the database was unreachable; what was stored by then is removed from `unstored` */
  private async storeSet(set: readonly TaskOutcome[]): Promise<void> {
    try {
      await this.storeAtOnce(set);
      return;
    } catch (error) {
      if (!isFaultOfData(error)) throw error;
      const first = set[0];
      if (first === undefined) throw error;
      if (set.length === 1) {
        await this.storeAsFailed(first, error);
        return;
      }
    }
    const half = Math.ceil(set.length / 2);
    await this.storeSet(set.slice(0, half));
    await this.storeSet(set.slice(half));
  }

  private async storeAtOnce(set: readonly TaskOutcome[], stands: readonly TaskOutcome[] = set): Promise<void> {
    const perClaim = new Map<HeldClaim, TaskOutcome[]>();
    for (const claim of this.emptyClaims) perClaim.set(claim, []);
    for (const outcome of set) {
      const claim = this.claims.get(outcome.claimId);
      if (claim === undefined) continue;
      const ended = perClaim.get(claim) ?? [];
      ended.push(outcome);
      perClaim.set(claim, ended);
    }
    const changes = [...perClaim].map(([claim, ended]) => ({
      id: claim.id,
      version: claim.version,
      lanes: claim.without(ended),
    }));
    const { stored, claims } = await this.outcomes.store(stands, changes, this.worker);
    // After an unconfirmed commit, outcomes added to the set since then still have to be stored.
    const left = set.filter((outcome) => claims.get(outcome.claimId)?.holds.has(taskKey(outcome)));
    const again = new Set(left);
    for (const [claim, ended] of perClaim) {
      for (const outcome of ended) if (!again.has(outcome)) claim.remove(outcome);
      const known = claims.get(claim.id);
      if (known === undefined) this.claims.delete(claim.id);
      else claim.version = known.version;
      this.emptyClaims.delete(claim);
    }
    this.queue.unshift(...left);
    set.forEach((outcome, index) => {
      const stand = stands[index];
      if (again.has(outcome) || stand === undefined) return;
      if (stored.has(stand)) this.recorder.stored(stand.usage);
      else this.recorder.takeBack(stand.usage);
    });
    this.done(set.filter((outcome) => !again.has(outcome)));
    this.metrics.finished([...stored], stands.length - stored.size - left.length);
  }

  private done(set: readonly TaskOutcome[]): void {
    for (const outcome of set) {
      if (!this.unstored.delete(outcome)) continue;
      this.characters -= sizeOf(outcome);
      this.returning.stored(outcome);
    }
    this.watchers.changed(set.map(({ jobId }) => jobId));
    this.storedListener(set);
  }

  /** The database refuses the data of this one outcome: it is stored as a failure that says so. */
  private async storeAsFailed(outcome: TaskOutcome, cause: unknown): Promise<void> {
    const task = { job_id: outcome.jobId, task_index: outcome.taskIndex };
    this.logger.error({ msg: 'a result cannot be stored; its task fails', ...task, error: describeError(cause) });
    const failed: TaskOutcome = { ...outcome, status: 'failed', response: null, error: JSON.stringify(NOT_STORABLE) };
    try {
      await this.storeAtOnce([outcome], [failed]);
      return;
    } catch (error) {
      if (!isFaultOfData(error)) throw error;
    }
    // Then the cause is the usage records: the recorder writes them separately.
    this.recorder.takeBack(outcome.usage);
    const withoutUsage = { ...outcome, usage: [] };
    try {
      await this.storeAtOnce([outcome], [withoutUsage]);
      return;
    } catch (error) {
      if (!isFaultOfData(error)) throw error;
    }
    try {
      await this.storeAtOnce([outcome], [{ ...failed, usage: [] }]);
    } catch (error) {
      if (!isFaultOfData(error)) throw error;
      this.logger.error({
        msg: 'a task could not be ended; it runs again later',
        ...task,
        error: describeError(error),
      });
      this.claims.get(outcome.claimId)?.remove(outcome);
      this.done([outcome]);
    }
  }
}

const NOT_STORABLE = {
  message:
    'The provider answered, but the database refused to store the result. Submit the task again, with a smaller max_tokens if its result is large.',
  type: 'server_error',
  param: null,
  code: 'result_not_storable',
};

function sizeOf({ response, error }: TaskOutcome): number {
  return (response?.length ?? 0) + (error?.length ?? 0);
}
