import { Injectable, Logger } from '@nestjs/common';
import { GatewayConfig } from '../config/gateway-config.js';
import { describeError } from '../errors/describe-error.js';
import { BackgroundThrottle } from '../lifecycle/background-throttle.js';
import { HeldClaim } from './held-claim.js';
import { groupOf, type HeldTask, type HeldTasks } from './held-tasks.js';
import { AHEAD_PER_SLOT, LanePicker } from './lane-picker.js';
import type { Verdict } from './control/admit-tasks.js';
import { JobGate, type GateResult } from './control/job-gate.js';
import { LostClaims } from './lost-claims.js';
import { ReadyLanes } from './ready-lanes.js';
import { ModelRoom } from './model-room.js';
import { OutcomeWriter } from './outcome-writer.js';
import { BatchQueue } from './queue/batch-queue.js';
import { type Claim, newClaimId, TaskClaims } from './task-claims.js';
import type { TaskOutcome } from './task-outcomes.js';

/** Milliseconds of work to claim ahead, so that short tasks keep every slot busy until the next claim, which is made when half is left. */
const AHEAD_MS = 50;
/**
 * Milliseconds from which on a task keeps its slot until its result is stored, so that a crash repeats at most as many calls as there
 * are slots. Slots of shorter tasks would be idle for too large a part of the time, as would all while results are stored in sets.
 */
const LONG_TASK_MS = 50;
/** Share of additional slots, for keys and models of which nothing runs while all slots are taken. */
const EXTRA_PART = 4;
/** Milliseconds between two polls for such keys. */
const EXTRA_LOOK_MS = 500;
/** Longest wait for a held job that has a timer of its own; polls find what waits longer. */
const MAX_HELD_TIMER_MS = 1_000;
/** Milliseconds between two notifications about tasks that a claim leaves to other processes. */
const NOTIFY_INTERVAL_MS = 250;

/** Callbacks and limits of a claim loop. */
export interface ClaimLoopOptions {
  readonly worker: string;
  readonly held: HeldTasks;
  /** Called when further tasks are ready. */
  readonly onClaimed: () => void;
}

/** Claims tasks for the free slots of this process, one claim at a time. */
@Injectable()
export class ClaimLoop {
  private readonly logger = new Logger('BatchRunner');
  private options: ClaimLoopOptions | undefined;
  private claiming: Promise<void> | undefined;
  private isAsked = false;
  private hasWork = true;
  private isStopping = false;
  /** Claims that failed, but whose transaction may have been committed. */
  private inDoubt: string[] = [];
  private extraLookAt = -Infinity;
  private notifiedAt = -Infinity;
  /** Looks at the lanes again when tasks of a held job may start. */
  private heldTimer: NodeJS.Timeout | undefined;
  /** Milliseconds that a task takes, averaged over the last ones. */
  private duration = 1_000;

  constructor(
    private readonly lanes: ReadyLanes,
    private readonly claims: TaskClaims,
    private readonly lostClaims: LostClaims,
    private readonly writer: OutcomeWriter,
    private readonly picker: LanePicker,
    private readonly room: ModelRoom,
    private readonly gate: JobGate,
    private readonly queue: BatchQueue,
    private readonly load: BackgroundThrottle,
    private readonly config: GatewayConfig,
  ) {}

  begin(options: ClaimLoopOptions): void {
    this.options = options;
  }

  expectWork(): void {
    this.hasWork = true;
  }

  measure(duration: number): void {
    this.duration += (duration - this.duration) * 0.1;
  }

  /** Claims for the slots that are free now. */
  pump(): void {
    if (this.claiming !== undefined) {
      this.isAsked = true;
      return;
    }
    if (this.options === undefined || this.isStopping) return;
    this.claiming = this.claimAll(this.options).finally(() => {
      this.claiming = undefined;
      if (!this.isAsked) return;
      this.isAsked = false;
      this.pump();
    });
  }

  /** Polls for waiting tasks: a wake-up may have been lost, or processes may have no way to notify each other. */
  async look(): Promise<void> {
    await this.lanes.wakeDelayed();
    if (!this.hasWork) this.hasWork = await this.lanes.hasAny();
  }

  /** Resolves when no claim is in flight, and claims whose response was lost are released, if the database can be reached. */
  async stop(): Promise<void> {
    this.isStopping = true;
    clearTimeout(this.heldTimer);
    await this.claiming;
    await this.reclaimLostClaims().catch((error: unknown) => this.logFailure(error));
  }

  /** Tasks that run at once. */
  concurrency(): number {
    return this.load.scale(this.config.batch.concurrency);
  }

  /** Whether there is a slot for a task now. */
  mayStart(task: HeldTask): boolean {
    const { held } = this.options ?? {};
    if (held === undefined) return false;
    const concurrency = this.concurrency();
    const slots = task.isExtra ? concurrency + extraSlots(concurrency) : concurrency;
    const unstored = this.duration < LONG_TASK_MS || this.writer.isBusy ? 0 : held.storing.size;
    if (held.running.size + unstored >= slots) return false;
    const ofModel = this.room.ofModel(task.job.keyId, task.model);
    const ofGroup = this.room.ofGroup(task.job.keyId, task.model);
    // 0 is a pause: the task is requeued.
    return (
      (ofModel === 0 || held.runningOfModel(task.modelName) < ofModel) &&
      (ofGroup === 0 || held.runningOfGroup(groupOf(task)) < ofGroup) &&
      held.runningOfJob(task.jobId) < this.gate.slotsOf(task.jobId)
    );
  }

  private async claimAll({ worker, held, onClaimed }: ClaimLoopOptions): Promise<void> {
    try {
      while (!this.isStopping && this.hasWork) {
        const concurrency = this.concurrency();
        const ahead = this.ahead();
        let slots = concurrency + ahead - held.size + held.extraCount;
        const onlyIdle = slots <= 0;
        if (onlyIdle) {
          slots = this.extraLook(concurrency, held);
          if (slots <= 0) return;
        }
        // A claim costs a transaction: with short tasks it waits for several free slots.
        else if (slots < Math.max(concurrency / 4, ahead / 2) && held.ready.length > 0) return;
        await this.load.yieldToEventLoop();
        await this.reclaimLostClaims();
        this.writer.returning.beginClaim();
        const shares = await this.picker.pick({ slots, ahead, load: held, onlyIdle });
        if (shares.length === 0) {
          if (!onlyIdle) this.hasWork = await this.lanes.hasAny();
          return;
        }
        const id = newClaimId();
        this.inDoubt.push(id);
        const claim = await this.claims.claim(shares, worker, id);
        this.inDoubt = this.inDoubt.filter((each) => each !== id);
        if (!claim.hasTaken) return;
        const gate = await this.gate.admit(
          claim.tasks.filter(({ jobId }) => !this.writer.returning.hasReturned(jobId)),
          claim.jobs,
        );
        this.take(claim, gate, held, onlyIdle);
        // Other processes may have free slots for the rest.
        const first = shares[0];
        if (claim.tasks.length >= slots && first !== undefined) this.notifyOthers(first.jobId);
        onClaimed();
      }
    } catch (error) {
      this.logFailure(error);
    }
  }

  private take({ id, jobs, tasks }: Claim, gate: GateResult, held: HeldTasks, isExtra: boolean): void {
    const known = tasks.filter(({ jobId }) => jobs.has(jobId));
    const returned = new Set(known.flatMap(({ jobId }) => (this.writer.returning.hasReturned(jobId) ? [jobId] : [])));
    this.writer.hold(new HeldClaim(id, known));
    for (const task of known) {
      const job = jobs.get(task.jobId);
      if (job === undefined) continue;
      const { model: own } = task.request;
      const model = typeof own === 'string' ? own : job.model;
      // Tasks that were released meanwhile start before those of this claim.
      const verdict = returned.has(task.jobId) ? 'wait' : (gate.verdicts.get(task) ?? 'start');
      if (verdict !== 'start') {
        this.writer.add(outcomeOfVerdict(verdict, { ...task, claimId: id, model, job }));
        continue;
      }
      const modelName = this.room.nameOf(model);
      held.add({ ...task, claimId: id, job, model, modelName, isExtra, controller: new AbortController() });
    }
    this.lookAfter(gate.nextMs);
  }

  /** Shorter waits than that between two polls, such as those of a rate. */
  private lookAfter(milliseconds: number): void {
    if (milliseconds > MAX_HELD_TIMER_MS || this.isStopping) return;
    clearTimeout(this.heldTimer);
    this.heldTimer = setTimeout(() => {
      this.look().then(
        () => this.pump(),
        (error: unknown) => this.logFailure(error),
      );
    }, milliseconds);
    this.heldTimer.unref();
  }

  /** Additional slots that are free, when it is time to poll for keys that could use them. */
  private extraLook(concurrency: number, held: HeldTasks): number {
    const now = performance.now();
    if (now - this.extraLookAt < EXTRA_LOOK_MS) return 0;
    this.extraLookAt = now;
    return extraSlots(concurrency) - held.extraCount;
  }

  private notifyOthers(jobId: string): void {
    const now = performance.now();
    if (now - this.notifiedAt < NOTIFY_INTERVAL_MS) return;
    this.notifiedAt = now;
    this.queue.notify(jobId);
  }

  private async reclaimLostClaims(): Promise<void> {
    for (const id of [...this.inDoubt]) {
      const count = await this.lostClaims.release(id);
      if (count > 0) this.logger.log({ msg: 'the response to a claim was lost; its tasks are requeued', count });
      this.inDoubt = this.inDoubt.filter((each) => each !== id);
    }
  }

  private logFailure(error: unknown): void {
    this.logger.error({ msg: 'polling for batches failed; trying again', error: describeError(error) });
  }

  private ahead(): number {
    const { concurrency } = this.config.batch;
    return Math.min(AHEAD_PER_SLOT * concurrency, Math.floor((concurrency * AHEAD_MS) / Math.max(1, this.duration)));
  }
}

/** The outcome of a task that its job's limits do not let start. */
function outcomeOfVerdict(
  verdict: Exclude<Verdict, 'start'>,
  {
    claimId,
    jobId,
    taskIndex,
    attempts,
    model,
    job,
  }: Pick<HeldTask, 'claimId' | 'jobId' | 'taskIndex' | 'attempts' | 'model' | 'job'>,
): TaskOutcome {
  const { hasDuplicates } = job;
  const task = { claimId, jobId, taskIndex, attempts, model, hasDuplicates, response: null, usage: [] };
  return verdict !== 'wait'
    ? { ...task, status: 'failed', error: verdict.error, delayMs: 0, limited: { spent: 0, isRefused: true } }
    : { ...task, status: 'queued', error: null, delayMs: 0, isReleased: true };
}

function extraSlots(concurrency: number): number {
  return Math.max(1, Math.floor(concurrency / EXTRA_PART));
}
