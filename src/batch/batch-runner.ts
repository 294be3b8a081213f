import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import { Injectable, Logger } from '@nestjs/common';
import { KeyCheck } from '../auth/key-check.service.js';
import type { ChatRequest } from '../chat/chat-completion.js';
import { ChatService } from '../chat/chat.service.js';
import { GatewayConfig } from '../config/gateway-config.js';
import { describeError } from '../errors/describe-error.js';
import { toGatewayError } from '../errors/to-gateway-error.js';
import { LiveLoad } from '../health/live-load.service.js';
import { newRequestId } from '../http/request-id.js';
import { AdaptiveLimit } from './adaptive-limit.js';
import { BatchMetrics } from './batch-metrics.js';
import { BatchStore, type ClaimedTask, claimId, type RunnableJob, type TaskOutcome } from './batch-store.js';
import { BatchQueue } from './queue/batch-queue.js';
import { retryDelay } from './retry-delay.js';
import { shareSlots } from './share-slots.js';

/** Milliseconds between looks for work and for cancelled jobs while there are unfinished jobs. */
const POLL = 1_000;
/** Milliseconds that a shutdown gives to calls in flight. */
const DRAIN = 25_000;
/** Jobs of one look. */
const JOBS = 200;
/** Milliseconds of work that are claimed ahead, so that short tasks keep every slot busy between two claims. */
const AHEAD = 30;

/** Dropped parameters that the result of one task names, and characters of each name. */
const MOST_WARNINGS = 50;
const LONGEST_NAME = 200;

const LEASE_LOST = Symbol('lease lost');
const CANCELLED = Symbol('cancelled');
const STOPPING = Symbol('stopping');

interface Running extends ClaimedTask {
  readonly job: RunnableJob;
  readonly controller: AbortController;
}

/**
 * Claims tasks, runs them through the same ChatService as live requests, and stores how they ended. Correct under any
 * number of processes: what decides is the fence in the database, never what a process believes.
 */
@Injectable()
export class BatchRunner {
  private readonly logger = new Logger('BatchRunner');
  /** Names this process in the tasks that it holds. */
  readonly worker = `${hostname().slice(0, 40)}-${process.pid}-${randomBytes(4).toString('hex')}`;
  private readonly running = new Set<Running>();
  /** Claimed, and waiting for a slot. */
  private ready: Running[] = [];
  private readonly limits = new Map<string, AdaptiveLimit>();
  private outcomes: TaskOutcome[] = [];
  /** Ended, and not stored yet: still held, so that nobody else runs them while the database makes us wait. */
  private readonly unstored = new Map<TaskOutcome, Running>();
  private flushing: Promise<void> | undefined;
  /** Jobs of a claim that failed, which may have been committed for all that. */
  private inDoubt: readonly string[] = [];
  private pumping = false;
  private pumpAgain = false;
  private hasWork = true;
  private stopping = false;
  private timers: NodeJS.Timeout[] = [];
  /** Milliseconds that a task takes, averaged over the last ones. */
  private duration = 1_000;

  constructor(
    private readonly store: BatchStore,
    private readonly chat: ChatService,
    private readonly keys: KeyCheck,
    private readonly queue: BatchQueue,
    private readonly load: LiveLoad,
    private readonly metrics: BatchMetrics,
    private readonly config: GatewayConfig,
  ) {}

  start(): void {
    this.queue.listen(() => this.wake());
    this.timers = [
      setInterval(() => void this.heartbeat(), this.config.batch.lease / 3),
      setInterval(() => void this.poll(), POLL),
    ];
    this.pump();
  }

  /** Looks for work now; the sweeper calls it too. */
  wake(): void {
    this.hasWork = true;
    this.pump();
  }

  /** Stops claiming, gives back what has not begun, lets calls in flight end for a while, and gives back the rest. */
  async stop(): Promise<void> {
    if (this.stopping) return;
    this.stopping = true;
    for (const timer of this.timers) clearInterval(timer);
    for (const task of this.ready.splice(0)) this.giveBack(task);
    const deadline = performance.now() + Math.min(DRAIN, this.config.server.drainTimeout);
    while (this.running.size > 0 && performance.now() < deadline) {
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    for (const task of this.running) task.controller.abort(STOPPING);
    while (this.running.size > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    await this.flush();
  }

  private pump(): void {
    if (this.pumping) {
      this.pumpAgain = true;
      return;
    }
    this.pumping = true;
    void this.claimAndStart().finally(() => {
      this.pumping = false;
      if (this.pumpAgain && !this.stopping) {
        this.pumpAgain = false;
        this.pump();
      }
    });
  }

  private async claimAndStart(): Promise<void> {
    try {
      this.startReady();
      while (!this.stopping && this.hasWork) {
        const slots = this.concurrency() + this.ahead() - this.running.size - this.ready.length;
        // A claim costs a transaction: small tasks are worth waiting for a handful of free slots.
        if (slots <= 0 || (slots < this.config.batch.concurrency / 4 && this.ready.length > 0)) return;
        await this.load.yieldIfLong();
        await this.settleDoubt();
        const jobs = await this.store.runnableJobs(JOBS);
        const shares = shareSlots(this.slotRequests(jobs), slots);
        if (shares.size === 0) {
          if (jobs.length === 0) this.hasWork = (await this.store.unfinishedJobs()) > 0;
          return;
        }
        this.inDoubt = [...shares.keys()];
        const claimed = await this.store.claim(shares, this.worker);
        this.inDoubt = [];
        if (claimed.length === 0) return;
        const byId = new Map(jobs.map((job) => [job.id, job]));
        for (const task of claimed) {
          const job = byId.get(task.jobId);
          if (job !== undefined) this.ready.push({ ...task, job, controller: new AbortController() });
        }
        // Others may have free slots for what is left.
        if (claimed.length >= slots && jobs[0] !== undefined) this.queue.ring(jobs[0].id);
        this.startReady();
        if (claimed.length < slots) return;
      }
    } catch (error) {
      this.logger.error({ msg: 'looking for batches failed; trying again', error: describeError(error) });
    }
  }

  private async settleDoubt(): Promise<void> {
    if (this.inDoubt.length === 0) return;
    const count = await this.store.giveBackUnheld(this.worker, this.inDoubt, this.held());
    if (count > 0) this.logger.log({ msg: 'the answer to a claim was lost; its tasks are given back', count });
    this.inDoubt = [];
  }

  private held(): Running[] {
    return [...this.running, ...this.ready, ...this.unstored.values()];
  }

  private startReady(): void {
    const concurrency = this.concurrency();
    // Results that cannot be stored hold up what would only add to them.
    while (!this.stopping && this.running.size < concurrency && this.unstored.size < 2 * concurrency) {
      const task = this.ready.shift();
      if (task === undefined) return;
      this.running.add(task);
      void this.run(task).finally(() => {
        this.running.delete(task);
        this.startReady();
        this.pump();
      });
    }
  }

  private async run(task: Running): Promise<void> {
    await this.load.yieldIfLong();
    const started = performance.now();
    const { job, controller } = task;
    const limit = this.limitOf(job.model);
    const requestId = newRequestId();
    try {
      controller.signal.throwIfAborted();
      const principal = await this.keys.principalOf(job.keyId);
      if (principal === null) {
        await this.store.beginFailure(job.id, 'The key that submitted this job has been revoked or has expired.');
        this.giveBack(task);
        return;
      }
      const { completion, droppedParams } = await this.chat.complete(
        { model: job.model, ...job.defaults, ...task.request, stream: false } as unknown as ChatRequest,
        {
          principal,
          requestId,
          source: 'batch',
          headers: {},
          task: { jobId: task.jobId, index: task.taskIndex },
          signal: controller.signal,
        },
      );
      limit.succeeded();
      this.duration += (performance.now() - started - this.duration) * 0.1;
      this.ended(task, {
        status: 'succeeded',
        attempts: task.attempts + 1,
        response: JSON.stringify({
          status_code: 200,
          request_id: requestId,
          body: completion,
          ...(droppedParams.length > 0 && { warnings: droppedParams.slice(0, MOST_WARNINGS).map(toWarning) }),
        }),
      });
    } catch (error) {
      this.failed(task, error, limit);
    }
  }

  private failed(task: Running, thrown: unknown, limit: AdaptiveLimit): void {
    const { reason } = task.controller.signal as { reason: unknown };
    if (reason === LEASE_LOST) return;
    if (reason === STOPPING) {
      this.giveBack(task);
      return;
    }
    if (reason === CANCELLED) {
      this.ended(task, { status: 'cancelled' });
      return;
    }
    const error = toGatewayError(thrown);
    if (error.code === 'database_unavailable') {
      // Nobody was asked: the task waits for our own database, and loses none of its attempts to it.
      this.ended(task, { status: 'queued', delay: 1_000 });
      return;
    }
    if (error.isOwnRefusal) {
      // Spread, or all that were refused together would come back together.
      this.ended(task, { status: 'queued', delay: (error.retryAfterMs ?? 1_000) * (0.5 + Math.random()) });
      return;
    }
    const attempts = task.attempts + 1;
    if (error.status === 429) limit.refused(error.retryAfterMs);
    const mayRetry =
      error.retryable || (error.status === 429 && error.code !== 'insufficient_quota') || error.status === 503;
    if (mayRetry && attempts < this.config.batch.maxAttempts) {
      this.metrics.retried();
      this.ended(task, { status: 'queued', attempts, delay: retryDelay(attempts, error.retryAfterMs) });
      return;
    }
    if (error.status === 500)
      this.logger.error({ msg: 'a batch task failed', error: describeError(error.cause ?? error) });
    this.ended(task, { status: 'failed', attempts, error: JSON.stringify(error.toBody().error) });
  }

  private giveBack(task: Running): void {
    this.ended(task, { status: 'queued' });
  }

  /** What is not said stays as it was: no further attempt, nothing to store beside the status. */
  private ended(task: Running, outcome: Pick<TaskOutcome, 'status'> & Partial<TaskOutcome>): void {
    const { jobId, taskIndex, fence, attempts } = task;
    const ended = { jobId, taskIndex, fence, attempts, delay: 0, response: null, error: null, ...outcome };
    this.outcomes.push(ended);
    this.unstored.set(ended, task);
    this.flushing ??= this.flushOutcomes();
  }

  private async flushOutcomes(): Promise<void> {
    // What ends in this turn of the event loop goes along.
    await new Promise(setImmediate);
    const areStored = await this.storeAll();
    this.flushing = areStored && this.outcomes.length > 0 ? this.flushOutcomes() : undefined;
  }

  private async flush(): Promise<void> {
    while (this.flushing !== undefined) await this.flushing;
  }

  /**
   * What ended together is stored together. While the database is away, outcomes wait; slots are not given again.
   *
   * @returns false when a shutdown gave up waiting
   */
  private async storeAll(): Promise<boolean> {
    for (let wait = 100; this.outcomes.length > 0;) {
      const outcomes = this.outcomes.splice(0, 500);
      try {
        const stored = await this.store.storeOutcomes(outcomes);
        for (const outcome of outcomes) this.unstored.delete(outcome);
        this.startReady();
        this.metrics.finished(outcomes, outcomes.length - stored);
        if (outcomes.some(({ delay }) => delay > 0)) this.hasWork = true;
        wait = 100;
      } catch (error) {
        this.outcomes.unshift(...outcomes);
        this.logger.error({ msg: 'results could not be stored; trying again', error: describeError(error) });
        await new Promise((resolve) => setTimeout(resolve, wait));
        if (this.stopping && wait > 3_000) return false;
        wait = Math.min(wait * 2, 5_000);
      }
    }
    return true;
  }

  private async heartbeat(): Promise<void> {
    const held = this.held();
    if (held.length === 0) return;
    try {
      const renewed = await this.store.renew(held);
      const lost = new Set(held.filter((task) => !renewed.has(claimId(task))));
      this.ready = this.ready.filter((task) => !lost.has(task));
      for (const task of lost) {
        // Ended in the meantime, or lost: another process may be running it by now.
        if (!this.running.has(task)) continue;
        this.metrics.leaseLost();
        task.controller.abort(LEASE_LOST);
      }
    } catch (error) {
      this.logger.error({ msg: 'leases could not be extended', error: describeError(error) });
    }
  }

  private async poll(): Promise<void> {
    try {
      const jobIds = [...new Set([...this.running, ...this.ready].map(({ jobId }) => jobId))];
      for (const jobId of await this.store.cancelling(jobIds)) this.cancelHere(jobId);
      // A ring may have been lost, or there may be no bell between processes at all.
      if (!this.hasWork) this.hasWork = (await this.store.unfinishedJobs()) > 0;
    } catch (error) {
      this.logger.debug({ msg: 'looking for cancelled jobs failed', error: describeError(error) });
    }
    if (this.hasWork) this.pump();
  }

  /** Aborts what this process runs of a job that is being cancelled. */
  cancelHere(jobId: string): void {
    const waiting = this.ready.filter((task) => task.jobId === jobId);
    this.ready = this.ready.filter((task) => task.jobId !== jobId);
    for (const task of waiting) this.ended(task, { status: 'cancelled' });
    for (const task of this.running) if (task.jobId === jobId) task.controller.abort(CANCELLED);
  }

  private slotRequests(jobs: readonly RunnableJob[]) {
    const perJob = new Map<string, number>();
    const perModel = new Map<string, number>();
    for (const { jobId, job } of [...this.running, ...this.ready]) {
      perJob.set(jobId, (perJob.get(jobId) ?? 0) + 1);
      perModel.set(job.model, (perModel.get(job.model) ?? 0) + 1);
    }
    const ahead = this.ahead();
    return jobs.map(({ id, keyId, priority, model }) => {
      const limit = this.limitOf(model).value;
      return {
        id,
        keyId,
        priority,
        running: perJob.get(id) ?? 0,
        room: limit === 0 ? 0 : Math.max(0, limit + ahead - (perModel.get(model) ?? 0)),
      };
    });
  }

  private limitOf(model: string): AdaptiveLimit {
    let limit = this.limits.get(model);
    if (limit === undefined) {
      limit = new AdaptiveLimit(this.config.batch.concurrency);
      this.limits.set(model, limit);
    }
    return limit;
  }

  private concurrency(): number {
    return this.load.share(this.config.batch.concurrency);
  }

  private ahead(): number {
    const { concurrency } = this.config.batch;
    return Math.min(concurrency, Math.floor((concurrency * AHEAD) / Math.max(1, this.duration)));
  }
}

/** Part of a task's result: the task succeeded without this part of its request. */
function toWarning(name: string): { code: string; param: string; message: string } {
  const param = name.slice(0, LONGEST_NAME);
  return {
    code: 'dropped_param',
    param,
    message: `'${param}' was not sent, because the provider cannot take it or the key may not choose it.`,
  };
}
