import { Injectable, Logger } from '@nestjs/common';
import { ApiKeyAuthenticator } from '../auth/api-key-authenticator.js';
import { GatewayConfig } from '../config/gateway-config.js';
import { describeError } from '../errors/describe-error.js';
import { Periodic } from '../runtime/periodic.js';
import { toGatewayError } from '../errors/to-gateway-error.js';
import { BackgroundThrottle } from '../lifecycle/background-throttle.js';
import { newRequestId } from '../http/request-id.js';
import { headerPrefixOf, upstreamHeaders } from '../model-endpoint/upstream-headers.js';
import type { UsageRecord } from '../usage/records/usage-record.entity.js';
import { UsageRecorder } from '../usage/records/usage-recorder.service.js';
import { BatchMetrics } from './batch-metrics.js';
import { BatchStore } from './batch-store.js';
import { ClaimLoop } from './claim-loop.js';
import { costOfCalls } from './cost-of-calls.js';
import { JobGate } from './control/job-gate.js';
import { ModelRoom } from './model-room.js';
import { OutcomeWriter } from './outcome-writer.js';
import { BatchQueue } from './queue/batch-queue.js';
import { type HeldTask, HeldTasks } from './held-tasks.js';
import { TierPlanner } from './native/tier-planner.js';
import { flexDelay, isFlexUnavailable, laneFrom, tierOfLane, type Tier } from './native/tiers.js';
import type { TaskOutcome } from './task-outcomes.js';
import { TaskCalls } from './task-calls.js';
import { TaskClaims } from './task-claims.js';
import { TaskErrors } from './task-errors.js';
import { outcomeOfFailure } from './task-failure.js';
import { taskResponse } from './task-response.js';
import { newWorkerName } from './worker-name.js';

/** Milliseconds between polls for work and for cancelled or paused jobs while there are unfinished jobs. */
const POLL_MS = 1_000;
/** Milliseconds that a shutdown waits for calls in flight. */
const DRAIN_MS = 25_000;

const LEASE_LOST = Symbol('lease lost');
const CANCELLED = Symbol('cancelled');
const STOPPING = Symbol('stopping');

/**
 * Runs claimed tasks through the same engine as live requests, and passes on their outcomes. Correct with any number of
 * processes: the claims in the database decide, not the memory of a process. Does nothing until `start`.
 */
@Injectable()
export class BatchRunner {
  private readonly logger = new Logger('BatchRunner');
  /** The name of this process in its claims. */
  readonly worker = newWorkerName();
  private readonly held = new HeldTasks();
  private state: 'new' | 'running' | 'stopping' = 'new';
  private heartbeats: Periodic | undefined;
  private polls: Periodic | undefined;
  /** When the leases were last confirmed. */
  private renewedAt = performance.now();

  constructor(
    private readonly store: BatchStore,
    private readonly claims: TaskClaims,
    private readonly writer: OutcomeWriter,
    private readonly room: ModelRoom,
    private readonly gate: JobGate,
    private readonly loop: ClaimLoop,
    private readonly calls: TaskCalls,
    private readonly errors: TaskErrors,
    private readonly keys: ApiKeyAuthenticator,
    private readonly queue: BatchQueue,
    private readonly load: BackgroundThrottle,
    private readonly recorder: UsageRecorder,
    private readonly metrics: BatchMetrics,
    private readonly planner: TierPlanner,
    private readonly config: GatewayConfig,
  ) {}

  start(): void {
    if (this.state !== 'new') return;
    this.state = 'running';
    this.writer.worker = this.worker;
    this.gate.begin(this.worker, () => this.wake());
    this.writer.onStored((outcomes) => {
      for (const outcome of outcomes) this.held.storing.delete(outcome);
      this.gate.ended(outcomes);
      if (outcomes.some(({ status }) => status === 'queued')) this.loop.expectWork();
      this.startReady();
      this.pump();
    });
    this.loop.begin({ worker: this.worker, held: this.held, onClaimed: () => this.startReady() });
    this.queue.onWakeup(() => this.wake());
    this.heartbeats = new Periodic(() => this.renew(), {
      intervalMs: this.config.batch.lease / 3,
      onError: (error) => this.logger.error({ msg: 'leases could not be extended', error: describeError(error) }),
    });
    this.polls = new Periodic(() => this.poll(), {
      intervalMs: POLL_MS,
      onError: (error) =>
        this.logger.debug({ msg: 'polling for cancelled and paused jobs failed', error: describeError(error) }),
    });
    this.pump();
  }

  /** Polls for work now; also called by the sweeper. */
  wake(): void {
    if (this.state !== 'running') return;
    this.loop.expectWork();
    this.pump();
  }

  /** Stops claiming, requeues tasks that have not begun, waits for calls in flight for a while, and requeues the rest. */
  async stop(): Promise<void> {
    if (this.state !== 'running') return;
    this.state = 'stopping';
    void this.heartbeats?.stop();
    void this.polls?.stop();
    const deadline = performance.now() + Math.min(DRAIN_MS, this.config.server.drainTimeout);
    // The tasks of a claim whose response is still outstanding are requeued as well.
    const claimed = this.loop.stop().then(() => this.releaseReady(() => true));
    this.releaseReady(() => true);
    while (this.held.running.size > 0 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    for (const task of this.held.running) task.controller.abort(STOPPING);
    while (this.held.running.size > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    await claimed;
    await this.writer.close();
    await this.gate.close();
  }

  /** Aborts what this process runs of a job that is being cancelled. */
  cancelHere(jobId: string): void {
    for (const task of this.held.takeReady((each) => each.jobId === jobId)) this.ended(task, { status: 'cancelled' });
    for (const task of this.held.running) if (task.jobId === jobId) task.controller.abort(CANCELLED);
  }

  /** Requeues what this process has claimed of a paused job and not begun; running tasks continue. */
  pauseHere(jobId: string): void {
    this.releaseReady((each) => each.jobId === jobId);
  }

  private pump(): void {
    if (this.state === 'running') this.loop.pump();
  }

  private releaseReady(condition: (task: HeldTask) => boolean): void {
    for (const task of this.held.takeReady(condition)) this.release(task);
  }

  private startReady(): void {
    if (this.state === 'stopping') {
      this.releaseReady(() => true);
      return;
    }
    const { lease } = this.config.batch;
    if (performance.now() - this.renewedAt > lease && this.held.ready.length > 0) {
      // This process was suspended: check that it still holds its tasks before any begins.
      void this.heartbeats?.run();
      return;
    }
    const released = new Set<string>();
    for (const task of [...this.held.ready]) {
      const { job, jobId, lane } = task;
      // Tasks behind one that is released start after it, so they are released as well.
      if (released.has(`${jobId} ${lane}`) || !this.gate.mayStart(task)) {
        released.add(`${jobId} ${lane}`);
        this.release(task);
        continue;
      }
      if (!this.loop.mayStart(task) || !this.writer.hasRoom(this.loop.concurrency())) continue;
      if (this.room.pause(job.keyId, task.model) > 0 || !job.isRunnable) {
        released.add(`${jobId} ${lane}`);
        this.release(task);
        continue;
      }
      this.held.removeReady(task);
      this.held.begin(task);
      void this.run(task).finally(() => {
        this.held.end(task);
        this.startReady();
        this.pump();
      });
    }
  }

  private async run(task: HeldTask): Promise<void> {
    await this.load.yieldToEventLoop();
    const started = performance.now();
    const { job, controller } = task;
    const maxCost = job.limits?.maxCost;
    const requestId = newRequestId();
    let usage: Promise<readonly UsageRecord[]> = Promise.resolve([]);
    let tier: Tier = 'live';
    try {
      controller.signal.throwIfAborted();
      const principal = await this.keys.principalOf(job.keyId);
      if (principal === null) {
        await this.store.beginFailure(job.id, 'The key that submitted this job has been revoked or has expired.');
        this.release(task);
        return;
      }
      const plan = this.planner.planOf(task, task.model, job);
      tier = plan.tier;
      if (plan.lane !== undefined) {
        this.ended(task, { status: 'queued', model: plan.lane });
        return;
      }
      const { text, servedBy } = await this.calls.run(task, job, {
        principal,
        requestId,
        source: 'batch',
        headers: upstreamHeaders(job.headers, headerPrefixOf(task.dialect)),
        task: { jobId: task.jobId, index: task.taskIndex },
        ...(maxCost !== undefined && { coverAnother: () => this.gate.coverAnother(task, maxCost) }),
        takeUsage: (records) => {
          usage = records;
        },
        ...(tier === 'flex' && { serviceTier: tier }),
        signal: controller.signal,
      });
      this.room.succeeded(job.keyId, task.model);
      this.loop.measure(performance.now() - started);
      this.ended(task, {
        status: 'succeeded',
        attempts: task.attempts + 1,
        response: taskResponse(requestId, text, servedBy.droppedParams),
        usage: await usage,
      });
    } catch (error) {
      this.failed(task, error, requestId, await usage, tier);
    }
  }

  private failed(task: HeldTask, thrown: unknown, requestId: string, usage: readonly UsageRecord[], tier: Tier): void {
    const { reason } = task.controller.signal as { reason: unknown };
    if (reason === LEASE_LOST) {
      this.recorder.takeBack(usage);
      this.gate.lost(task, task.job.limits?.maxCost === undefined ? 0 : (costOfCalls(usage) ?? this.gate.mostOf(task)));
      return;
    }
    if (reason === STOPPING) {
      this.ended(task, { status: 'queued', isReleased: true, usage });
      return;
    }
    if (reason === CANCELLED) {
      this.ended(task, { status: 'cancelled', usage });
      return;
    }
    const error = toGatewayError(thrown);
    const { keyId } = task.job;
    if (tier === 'flex' && isFlexUnavailable(error)) {
      // The flex tier has no capacity now, which says nothing of the model's other calls.
      const model = laneFrom('flex', task.model);
      this.ended(task, { status: 'queued', model, usage, delayMs: flexDelay(task.job, Date.now()) });
      this.metrics.retried();
      return;
    }
    if (error.rejectedByGateway) this.room.refusedByGateway(keyId, task.model, error);
    else if (error.status === 429) this.room.refused(keyId, task.model, error);
    const outcome = outcomeOfFailure(error, task.attempts, this.config.batch.maxAttempts);
    if (outcome.status === 'failed' && error.status === 500) {
      this.logger.error({ msg: 'a batch task failed', error: describeError(error.cause ?? error) });
    }
    if (outcome.status === 'queued' && outcome.attempts !== undefined) this.metrics.retried();
    if (outcome.status === 'queued' && outcome.attempts === undefined && task.job.isOrdered) {
      // No provider was called: it starts again before those behind it, when the limit may admit it.
      this.gate.block(task.jobId, outcome.delayMs);
      this.ended(task, { status: 'queued', isReleased: true, usage });
      this.releaseReady(({ jobId }) => jobId === task.jobId);
      return;
    }
    const stored = outcome.status === 'failed' ? this.errors.stored(error, requestId) : null;
    this.ended(task, { ...outcome, error: stored, usage });
  }

  /** A task that has not started waits at its place again. */
  private release(task: HeldTask): void {
    this.held.removeReady(task);
    this.ended(task, { status: 'queued', isReleased: true });
  }

  /** Fields that are not given keep their defaults: no further attempt, nothing to store beside the status. */
  private ended(task: HeldTask, outcome: Pick<TaskOutcome, 'status'> & Partial<TaskOutcome>): void {
    const { claimId, jobId, taskIndex, attempts, job } = task;
    // Tiers that have failed stay behind.
    const model = tierOfLane(task.lane) === 'native' ? task.model : task.lane;
    const usage = outcome.usage ?? [];
    // Where the cost of a call is not known, the most that it can be counts.
    const spent = job.limits?.maxCost === undefined ? undefined : (costOfCalls(usage) ?? this.gate.mostOf(task));
    const complete: TaskOutcome = {
      claimId,
      jobId,
      taskIndex,
      model,
      attempts,
      delayMs: 0,
      response: null,
      error: null,
      usage: [],
      ...(job.hasDuplicates && { hasDuplicates: true }),
      ...(spent !== undefined && { limited: { spent, isRefused: false } }),
      ...outcome,
    };
    if (this.held.running.has(task)) this.held.storing.add(complete);
    this.writer.add(complete);
  }

  private async renew(): Promise<void> {
    const held = this.writer.heldIds();
    const startedAt = performance.now();
    if (held.length > 0) {
      const renewed = await this.claims.renew(this.worker);
      await this.gate.renew();
      for (const id of held) if (!renewed.has(id)) this.lose(id);
    }
    this.renewedAt = startedAt;
    this.startReady();
  }

  /** The claim has ended meanwhile, or another process has reclaimed its tasks, which may be running there by now. */
  private lose(claimId: string): void {
    if (!this.writer.isHeld(claimId)) return;
    this.writer.lose(claimId);
    this.gate.ended(this.held.takeReady((task) => task.claimId === claimId));
    for (const task of this.held.running) {
      if (task.claimId !== claimId) continue;
      this.metrics.leaseLost();
      task.controller.abort(LEASE_LOST);
    }
  }

  private async poll(): Promise<void> {
    try {
      const { cancelled, paused } = await this.store.interrupted(this.held.jobIds());
      for (const jobId of cancelled) this.cancelHere(jobId);
      for (const jobId of paused) this.pauseHere(jobId);
      await this.loop.look();
    } finally {
      this.startReady();
      this.pump();
    }
  }
}
