import { Injectable, Logger } from '@nestjs/common';
import { ApiKeyAuthenticator } from '../../auth/api-key-authenticator.js';
import { GatewayConfig } from '../../config/gateway-config.js';
import { describeError } from '../../errors/describe-error.js';
import { newRequestId } from '../../http/request-id.js';
import type { Admission } from '../../limits/admission.js';
import type { BatchApi, BatchCall, PartState } from '../../providers/batch-api/batch-api.js';
import type { CreationCheck } from '../../providers/batch-api/creation-check.js';
import { Periodic } from '../../runtime/periodic.js';
import { BatchStore } from '../batch-store.js';
import { HeldClaim } from '../held-claim.js';
import { OutcomeWriter } from '../outcome-writer.js';
import type { BatchPart } from './batch-part.entity.js';
import { closedTime } from './closed-time.js';
import { PartComposer, releaseAll } from './part-composer.js';
import { PartCosts } from './part-costs.js';
import { describeMessage, isGone, isRefusal, pollDelay, retryDelay } from './part-failure.js';
import { PartFormer } from './part-former.js';
import { PartMetrics } from './part-metrics.js';
import { PartSettler } from './part-settler.js';
import { PartStore } from './part-store.js';
import { type PartJob, PartTasks } from './part-tasks.js';
import { TierPlanner } from './tier-planner.js';
import { tierTimes } from './tiers.js';

/** Milliseconds between two looks for parts that are due and tasks that wait for one. */
const LOOK_MS = 1_000;
/** Parts that one process works on at once. */
const PARTS_AT_ONCE = 4;
/** The deployment and the batch API of a part. */
interface PartTarget {
  readonly part: BatchPart;
  readonly job: PartJob;
  readonly api: BatchApi;
  /** The model's id at the provider. */
  readonly upstreamModel: string;
  readonly call: BatchCall;
}

/** A part that this process works on now. */
interface Work {
  readonly controller: AbortController;
  /** Milliseconds of `performance.now()` from which on the lease lasts at least. */
  leasedAt: number;
}

/** The part is not created now, because its job is paused, is ending or may not start anything. */
class HeldBack extends Error {
  override readonly name = 'HeldBack';
}

/**
 * Takes each part through its life: it is created once, polled, cancelled with its job or in time for its deadline, and its results are
 * settled. Any process continues with the parts of one that ended.
 */
@Injectable()
export class PartRunner {
  private readonly logger = new Logger('BatchParts');
  private readonly working = new Map<string, Work>();
  private readonly steps = new Set<Promise<void>>();
  /** What is reserved for the lines of parts that this process created. */
  private readonly admissions = new Map<string, Map<number, Admission>>();
  /** Parts at providers that this process keeps, because it has reserved what their lines may cost. */
  private readonly kept = new Set<string>();
  private worker = '';
  private periodics: readonly Periodic[] = [];
  private isStopping = false;
  private readonly stopping = new AbortController();

  constructor(
    private readonly parts: PartStore,
    private readonly partTasks: PartTasks,
    private readonly former: PartFormer,
    private readonly composer: PartComposer,
    private readonly settler: PartSettler,
    private readonly costs: PartCosts,
    private readonly planner: TierPlanner,
    private readonly keys: ApiKeyAuthenticator,
    private readonly writer: OutcomeWriter,
    private readonly jobs: BatchStore,
    private readonly metrics: PartMetrics,
    private readonly config: GatewayConfig,
  ) {}

  /** @param worker the name of this process in its leases */
  start(worker: string): void {
    this.worker = worker;
    const onError = (error: unknown): void =>
      this.logger.warn({ msg: 'looking for parts of batches failed; trying again', error: describeError(error) });
    const lookMs = Math.min(LOOK_MS, this.config.batch.native.pollInterval);
    this.periodics = [
      new Periodic(() => this.look(), { intervalMs: lookMs, onError }),
      new Periodic(() => this.renew(), { intervalMs: this.config.batch.lease / 3, onError }),
    ];
  }

  /** Gives the parts back, for other processes. */
  async stop(): Promise<void> {
    if (this.periodics.length === 0) return;
    this.isStopping = true;
    this.stopping.abort(new Error('The process is stopping.'));
    for (const { controller } of this.working.values()) controller.abort(new Error('The process is stopping.'));
    await Promise.all(this.periodics.map((periodic) => periodic.stop()));
    await Promise.all(this.steps);
    await this.parts.release(this.worker).catch(() => undefined);
  }

  private async look(): Promise<void> {
    if (this.isStopping) return;
    for (const lane of await this.parts.waiting()) {
      if (this.stopping.signal.aborted) return;
      await this.former.form(lane, this.worker);
    }
    const leasedAt = performance.now();
    const due = await this.parts.takeDue(this.worker, PARTS_AT_ONCE - this.working.size, [...this.working.keys()]);
    for (const part of due) {
      const controller = new AbortController();
      this.working.set(part.id, { controller, leasedAt });
      const step = this.step(part, controller.signal)
        .catch((error: unknown) => this.stepFailed(part, error))
        .finally(() => {
          this.working.delete(part.id);
          this.steps.delete(step);
        });
      this.steps.add(step);
    }
  }

  private async renew(): Promise<void> {
    const ids = [...new Set([...this.working.keys(), ...this.kept])];
    const leasedAt = performance.now();
    const held = await this.parts.renew(ids, this.worker);
    for (const id of ids) {
      const work = this.working.get(id);
      if (held.has(id)) {
        if (work !== undefined) work.leasedAt = leasedAt;
        continue;
      }
      work?.controller.abort(new Error('Another process has the part.'));
      // It reserves them itself.
      await this.forget(id);
    }
  }

  private async step(part: BatchPart, signal: AbortSignal): Promise<void> {
    const job = (await this.partTasks.job(part.jobId)) ?? deletedJob(part);
    const found = this.planner.withBatchApi(part.deployment);
    const call = { requestId: newRequestId(), signal };
    if (found === undefined) {
      await this.end({ part, job }, 'The configuration no longer has the deployment, or its batch API.');
      return;
    }
    const target = { part, job, call, ...found };
    try {
      if (part.state === 'submitted') await this.follow(target);
      else await this.create(target);
    } catch (error) {
      if (signal.aborted) throw error;
      await this.settler.stored(part.id);
      if (part.state === 'submitted' && isGone(error, part.failures)) {
        this.logger.warn({ msg: 'a provider no longer has a batch', part: part.id, error: describeError(error) });
        await this.end({ part, job }, describeMessage(error));
        return;
      }
      await this.abandonIfLate(target, error);
      throw error;
    }
  }

  /** Where the provider does not say what became of a part, its tasks go on in time for the deadline. */
  private async abandonIfLate({ part, job }: PartTarget, error: unknown): Promise<void> {
    const isLate = (await this.parts.now()) >= tierTimes(job).abandonAt;
    if (!isLate || part.abandonedAt !== null || job.stage !== 'running') return;
    this.logger.warn({ msg: 'a part of a batch was abandoned', part: part.id, error: describeError(error) });
    await this.abandon({ part, job });
  }

  /** Its lines run again, and are billed twice where the provider has run them: there is no more time to wait. */
  private async abandon({ part, job }: Pick<PartTarget, 'part' | 'job'>): Promise<void> {
    this.metrics.part('abandoned');
    await this.parts.abandoned(part.id, this.worker);
    await this.moveOnAll({ part, job });
  }

  private async create({ part, job, api, upstreamModel, call }: PartTarget): Promise<void> {
    const { pollInterval } = this.config.batch.native;
    if (part.state === 'creating') {
      const found = await api.find(
        {
          id: part.id,
          since: part.creatingAt ?? part.createdAt,
          lineCount: part.lineCount,
          known: await this.parts.knownIds(part.deployment.slice(0, part.deployment.indexOf('/') + 1)),
        },
        call,
      );
      if (found !== undefined) {
        this.metrics.part('found');
        await this.parts.submitted(part.id, this.worker, found, 0);
        // The next step reserves what its lines may cost again.
        return;
      }
    }
    if (job.stage === 'paused') {
      const waitMs = part.state === 'creating' ? pollInterval : LOOK_MS;
      await this.parts.pollLater(part.id, this.worker, waitMs, false);
      return;
    }
    const now = await this.parts.now();
    const closed = job.stage === 'running' ? closedTime(job, now) : undefined;
    if (closed !== undefined && closed.pollInMs > 0) {
      await this.parts.pollLater(part.id, this.worker, closed.pollInMs, false);
      return;
    }
    if (this.planner.isDrained({ id: part.deployment })) {
      await this.end({ part, job }, 'The deployment is drained.', { beginsAgain: true });
      return;
    }
    const isLate = now >= tierTimes(job).nativeUntil;
    const principal = await this.keys.principalOf(job.keyId);
    if (principal === null && job.stage === 'running') {
      await this.jobs.beginFailure(job.id, 'The key that submitted this job has been revoked or has expired.');
    }
    if (job.stage !== 'running' || isLate || principal === null) {
      await this.end({ part, job }, null);
      return;
    }
    const covered = await this.cover({ part, job }, await this.hold(part));
    const composed = await this.composer.compose(part, job, covered, { api, principal, signal: call.signal });
    try {
      await this.settler.moveOn({ part, job }, composed.left);
      this.writer.lose(part.id);
      if (composed.endpoint === undefined) {
        await this.parts.ended(part, this.worker, { error: null });
        return;
      }
      if (composed.lines.count < api.minLines) {
        await releaseAll(composed.admissions.values());
        await this.end({ part, job }, `The provider takes no batches of fewer than ${api.minLines} lines.`);
        return;
      }
      const { endpoint, headers, lines } = composed;
      const body = await lines.body('application/jsonl');
      const creation = this.creationOf(part, lines.count);
      const { id } = await api.create({ id: part.id, endpoint, upstreamModel, headers, lines: body, creation }, call);
      this.metrics.part('created');
      this.admissions.set(part.id, new Map(composed.admissions));
      this.kept.add(part.id);
      await this.parts.submitted(part.id, this.worker, id, pollInterval);
    } catch (error) {
      if (!this.admissions.has(part.id)) await releaseAll(composed.admissions.values());
      if (error instanceof HeldBack) {
        await this.parts.pollLater(part.id, this.worker, LOOK_MS, false);
        return;
      }
      if (!isRefusal(error)) throw error;
      this.metrics.part('refused');
      this.logger.warn({ msg: 'a provider refused a batch', part: part.id, error: describeError(error) });
      await this.end({ part, job }, describeMessage(error));
    } finally {
      await composed.lines.dispose();
    }
  }

  /**
   * Lets a part be created only while its job may start something and this process has its lease. A process that was stopped for longer
   * finds that out by its own clock before it sends anything more of the request, because another one has created the part by then.
   */
  private creationOf({ id, jobId }: BatchPart, lineCount: number): CreationCheck {
    return {
      begin: async () => {
        const job = await this.partTasks.job(jobId);
        if (job?.stage !== 'running' || closedTime(job, await this.parts.now()) !== undefined) throw new HeldBack();
        const leasedAt = performance.now();
        if (!(await this.parts.beginCreation(id, this.worker, lineCount))) throw new HeldBack();
        const work = this.working.get(id);
        if (work !== undefined) work.leasedAt = leasedAt;
      },
      check: () => {
        const { leasedAt = -Infinity } = this.working.get(id) ?? {};
        if (performance.now() - leasedAt < this.config.batch.lease) return;
        throw new Error('The lease of the part has ended.');
      },
    };
  }

  private async follow(target: PartTarget): Promise<void> {
    const { part, job, api, call } = target;
    const { providerId } = part;
    if (providerId === null) throw new Error('a submitted part has no id of the provider');
    const state = await api.state(providerId, call);
    if (state.isEnded) {
      await this.settle(target, state);
      return;
    }
    await this.keep(target);
    const now = await this.parts.now();
    const { nativeUntil, abandonAt } = tierTimes(job);
    if (part.cancelSentAt === null && (job.stage === 'ending' || job.stage === 'ended' || now >= nativeUntil)) {
      await api.cancel(providerId, call);
      this.metrics.part('cancelled');
      await this.parts.cancelSent(part.id, this.worker);
    }
    if (part.abandonedAt === null && job.stage === 'running' && now >= abandonAt) await this.abandon({ part, job });
    const { pollInterval } = this.config.batch.native;
    await this.parts.pollLater(part.id, this.worker, pollDelay(job, now, pollInterval), this.kept.has(part.id));
  }

  private async settle({ part, job, api, call }: PartTarget, state: PartState): Promise<void> {
    const pending = new Set(await this.hold(part));
    const admissions = this.admissions.get(part.id) ?? new Map<number, Admission>();
    const lateNanos = await this.settler.settle({ part, job, api, state, pending, admissions }, call);
    await this.settler.stored(part.id);
    this.admissions.delete(part.id);
    await releaseAll(admissions.values());
    this.writer.lose(part.id);
    await this.end({ part, job }, state.error ?? null, { lateNanos });
    // The part has ended, and with it the lease that the signal of the step depends on.
    const cleanUp = { ...call, signal: this.stopping.signal };
    for (const file of state.files) {
      await api.deleteFile(file, cleanUp).catch((error: unknown) => {
        this.logger.debug({ msg: 'a file of a batch was not deleted', part: part.id, error: describeError(error) });
      });
    }
  }

  /** Ends a part: what it still holds goes on to the next tier, or to the first again, or ends with its job. */
  private async end(
    { part, job }: Pick<PartTarget, 'part' | 'job'>,
    error: string | null,
    { lateNanos = 0, beginsAgain = false } = {},
  ): Promise<void> {
    await this.moveOnAll({ part, job }, { beginsAgain });
    if (await this.parts.ended(part, this.worker, { error, lateNanos })) this.metrics.part('ended');
    await this.forget(part.id);
  }

  /** Reserves what the tasks of a part may cost of the job's `max_cost_usd`. @returns those that it covers now */
  private async cover(
    { part, job }: Pick<PartTarget, 'part' | 'job'>,
    indexes: readonly number[],
  ): Promise<readonly number[]> {
    const maxCost = job.limits?.maxCost;
    if (maxCost === undefined) return indexes;
    const { covered, waiting, refused } = await this.costs.reserve(part, job, indexes, maxCost);
    await this.settler.refuse({ part, job }, refused);
    const { pollInterval: retryInMs } = this.config.batch.native;
    await this.settler.moveOn(
      { part, job },
      waiting.map((taskIndex) => ({ taskIndex, ownModel: null, retryInMs })),
    );
    return covered;
  }

  /** Keeps a part that another process has created, once the budgets of its lines are reserved here. */
  private async keep({ part, job, call }: PartTarget): Promise<void> {
    if (this.kept.has(part.id)) return;
    const principal = job.stage === 'ended' ? null : await this.keys.principalOf(job.keyId);
    if (principal !== null) {
      const claim = await this.parts.holdClaim(part.id, this.worker);
      const indexes = claim?.tasks.map(({ taskIndex }) => taskIndex) ?? [];
      const options = { principal, signal: call.signal };
      this.admissions.set(part.id, await this.composer.reserveAgain(part, job, indexes, options));
    }
    this.kept.add(part.id);
  }

  /** Releases what is reserved here for the lines of a part. */
  private async forget(partId: string): Promise<void> {
    const admissions = this.admissions.get(partId);
    this.admissions.delete(partId);
    this.kept.delete(partId);
    if (admissions !== undefined) await releaseAll(admissions.values());
  }

  private async moveOnAll(
    { part, job }: Pick<PartTarget, 'part' | 'job'>,
    { beginsAgain = false } = {},
  ): Promise<void> {
    const left = await this.hold(part);
    if (left.length > 0) {
      const models = new Map((await this.partTasks.ownModels(job.id, left)).map((each) => [each.taskIndex, each]));
      const tasks = left.map((taskIndex) => models.get(taskIndex) ?? { taskIndex, ownModel: null });
      await this.settler.moveOn({ part, job }, tasks, { beginsAgain });
    }
    await this.settler.stored(part.id);
    this.writer.lose(part.id);
  }

  /** Takes over the claim of a part. @returns the indexes of the tasks that it still holds */
  private async hold(part: BatchPart): Promise<readonly number[]> {
    const claim = await this.parts.holdClaim(part.id, this.worker);
    if (claim === undefined) return [];
    if (claim.tasks.length > 0) this.writer.hold(new HeldClaim(part.id, claim.tasks, claim.version));
    return claim.tasks.map(({ taskIndex }) => taskIndex);
  }

  private async stepFailed(part: BatchPart, error: unknown): Promise<void> {
    await this.settler.stored(part.id).catch(() => undefined);
    this.writer.lose(part.id);
    if (this.isStopping) return;
    this.logger.warn({
      msg: 'a part of a batch could not go on; trying again',
      part: part.id,
      error: describeError(error),
    });
    await this.retryLater(part, describeMessage(error)).catch(() => undefined);
  }

  private async retryLater(part: BatchPart, error: string): Promise<void> {
    const job = (await this.partTasks.job(part.jobId)) ?? deletedJob(part);
    const delayMs = retryDelay(part.failures, this.config.batch.native.pollInterval);
    await this.parts.failed(part.id, this.worker, error, {
      pollInMs: pollDelay(job, await this.parts.now(), delayMs),
      isKept: this.kept.has(part.id),
    });
  }
}

/** In place of a job that was deleted: its part is cancelled, and its results have no tasks. */
function deletedJob({ jobId, keyId, createdAt }: BatchPart): PartJob {
  const times = { submittedAt: createdAt, expiresAt: createdAt, limits: undefined };
  return { id: jobId, keyId, model: '', defaults: {}, headers: {}, ...times, stage: 'ended' };
}
