import { createHash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { ApiKeyAuthenticator } from '../../auth/api-key-authenticator.js';
import type { Principal } from '../../auth/principal.js';
import { toGatewayError } from '../../errors/to-gateway-error.js';
import { newRequestId } from '../../http/request-id.js';
import { BackgroundThrottle } from '../../lifecycle/background-throttle.js';
import type { Admission } from '../../limits/admission.js';
import { headerPrefixOf, upstreamHeaders } from '../../model-endpoint/upstream-headers.js';
import type { BatchApi, BatchCall, PartResult, PartState } from '../../providers/batch-api/batch-api.js';
import type { UsageRecord } from '../../usage/records/usage-record.entity.js';
import { UsageRecorder } from '../../usage/records/usage-recorder.service.js';
import { costOfCalls } from '../cost-of-calls.js';
import { OutcomeWriter } from '../outcome-writer.js';
import { TaskCalls } from '../task-calls.js';
import { TaskErrors } from '../task-errors.js';
import { outcomeOfFailure } from '../task-failure.js';
import type { TaskOutcome } from '../task-outcomes.js';
import { taskResponse } from '../task-response.js';
import type { BatchPart } from './batch-part.entity.js';
import { PartCosts } from './part-costs.js';
import { PartMetrics } from './part-metrics.js';
import { type PartJob, type PartTask, PartTasks } from './part-tasks.js';
import { TierPlanner } from './tier-planner.js';
import { lineId, taskIndexOf } from './tiers.js';

/** Results that are settled before the next ones are read. */
const RESULTS_PER_GROUP = 50;
/** Milliseconds between two checks whether outcomes are stored. */
const STORED_POLL_MS = 20;

/** A part whose results are read. */
export interface EndedPart {
  readonly part: BatchPart;
  readonly job: PartJob;
  readonly api: BatchApi;
  readonly state: PartState;
  /** Indexes of the tasks that it still holds. */
  readonly pending: Set<number>;
  /** What was reserved for its lines; empty where another process created it. */
  readonly admissions: Map<number, Admission>;
}

/** Turns the results of a part into the results of its tasks, each once, in whichever order they come. */
@Injectable()
export class PartSettler {
  constructor(
    private readonly partTasks: PartTasks,
    private readonly calls: TaskCalls,
    private readonly errors: TaskErrors,
    private readonly writer: OutcomeWriter,
    private readonly keys: ApiKeyAuthenticator,
    private readonly planner: TierPlanner,
    private readonly recorder: UsageRecorder,
    private readonly load: BackgroundThrottle,
    private readonly metrics: PartMetrics,
    private readonly costs: PartCosts,
  ) {}

  /**
   * Settles every line that has a response. What is left of `pending` had none.
   *
   * @returns the cost of lines whose tasks had gone on to another tier, in billionths of a US dollar
   */
  async settle(ended: EndedPart, call: BatchCall): Promise<number> {
    const principal = await this.keys.principalOf(ended.job.keyId);
    // The key is gone: the job fails as it does when its tasks run.
    if (principal === null) return 0;
    let lateNanos = 0;
    let group: PartResult[] = [];
    const settleGroup = async (): Promise<void> => {
      const results = group;
      group = [];
      lateNanos += await this.settleGroup(ended, results, principal, call);
    };
    for (const output of ended.state.outputs) {
      for await (const result of ended.api.results(output, call)) {
        if (result === undefined) {
          this.metrics.line('unreadable');
          continue;
        }
        if (result.response === undefined) continue;
        group.push(result);
        if (group.length === RESULTS_PER_GROUP) await settleGroup();
      }
    }
    await settleGroup();
    return lateNanos;
  }

  /** Ends tasks that what is left of `max_cost_usd` does not cover. Resolves when that is stored. */
  async refuse(
    { part, job }: Pick<EndedPart, 'part' | 'job'>,
    tasks: readonly { readonly taskIndex: number; readonly error: string }[],
  ): Promise<void> {
    for (const { taskIndex, error } of tasks) {
      const outcome = { status: 'failed', attempts: 0, error, limited: { spent: 0, isRefused: true } } as const;
      this.writer.add({ ...EMPTY, claimId: part.id, jobId: job.id, taskIndex, model: part.lane, ...outcome });
      if (!this.writer.hasRoom(RESULTS_PER_GROUP)) await this.stored(part.id);
    }
    await this.stored(part.id);
  }

  /**
   * Lets tasks without a result go on to the next tier, or ends them with their job. Resolves when that is stored.
   *
   * @param options `beginsAgain`: in place of the next tier, they take the first that there is for them now
   */
  async moveOn(
    { part, job }: Pick<EndedPart, 'part' | 'job'>,
    tasks: readonly { readonly taskIndex: number; readonly ownModel: string | null; readonly retryInMs?: number }[],
    { beginsAgain = false } = {},
  ): Promise<void> {
    for (const { taskIndex, ownModel, retryInMs } of tasks) {
      const isWaiting = retryInMs !== undefined;
      const own = ownModel ?? job.model;
      const model = isWaiting ? part.lane : beginsAgain ? own : this.planner.nextLane(own, job);
      const isOver = job.stage === 'ending' || job.stage === 'ended';
      this.writer.add({
        ...EMPTY,
        claimId: part.id,
        jobId: job.id,
        taskIndex,
        model,
        attempts: 0,
        status: isOver ? 'cancelled' : 'queued',
        delayMs: retryInMs ?? 0,
      });
      if (!isWaiting && !isOver) this.metrics.line('moved_on');
      if (!this.writer.hasRoom(RESULTS_PER_GROUP)) await this.stored(part.id);
    }
    await this.stored(part.id);
  }

  /** Resolves when every outcome of a part so far is stored. */
  async stored(partId: string): Promise<void> {
    while (this.writer.isWaiting(partId)) await new Promise((resolve) => setTimeout(resolve, STORED_POLL_MS));
  }

  private async settleGroup(
    ended: EndedPart,
    results: readonly PartResult[],
    principal: Principal,
    call: BatchCall,
  ): Promise<number> {
    const { part, job, pending } = ended;
    let lateNanos = 0;
    const byIndex = new Map<number, PartResult>();
    for (const result of results) {
      const index = taskIndexOf(part.id, result.customId);
      // A line may be there twice; one that is settled already is not settled again.
      if (index !== undefined && (pending.has(index) || part.abandonedAt !== null)) byIndex.set(index, result);
    }
    for (const task of await this.partTasks.tasks(job.id, part.lane, [...byIndex.keys()])) {
      call.signal.throwIfAborted();
      const response = byIndex.get(task.taskIndex)?.response;
      if (response === undefined) continue;
      await this.load.yieldToEventLoop();
      lateNanos += await this.settleTask(ended, task, response, principal, call);
      if (!this.writer.hasRoom(RESULTS_PER_GROUP)) await this.stored(part.id);
    }
    return lateNanos;
  }

  private async settleTask(
    { part, job, pending, admissions }: EndedPart,
    task: PartTask,
    response: { readonly status: number; readonly text: string },
    principal: Principal,
    { signal }: BatchCall,
  ): Promise<number> {
    const requestId = newRequestId();
    let usage: Promise<readonly UsageRecord[]> = Promise.resolve([]);
    let reads = 0;
    const { taskIndex, attempts } = task;
    const admission = admissions.get(taskIndex);
    admissions.delete(taskIndex);
    let outcome: Pick<TaskOutcome, 'status'> & Partial<TaskOutcome>;
    try {
      const { text, servedBy } = await this.calls.run(task, job, {
        principal,
        requestId,
        source: 'batch',
        headers: upstreamHeaders(job.headers, headerPrefixOf(task.dialect)),
        task: { jobId: job.id, index: taskIndex },
        takeUsage: (records) => {
          usage = records;
        },
        deferred: {
          deploymentId: part.deployment,
          reservationId: lineId(part.id, taskIndex),
          admission,
          exchange: () => {
            reads += 1;
            return Promise.resolve(response);
          },
        },
        signal,
      });
      outcome = { status: 'succeeded', response: taskResponse(requestId, text, servedBy.droppedParams) };
      this.metrics.line('succeeded');
    } catch (thrown) {
      signal.throwIfAborted();
      const error = toGatewayError(thrown);
      // The result is there: it is read again once the budget can be read.
      if (reads === 0 && error.code === 'database_unavailable') throw thrown;
      const failure = outcomeOfFailure(error, attempts, Infinity);
      // A provider that is to be asked again, also without a part of the request, is asked in the next tier.
      if (failure.status === 'queued' || reads > 1 || reads === 0) {
        outcome = { status: 'queued', model: this.planner.nextLane(task.ownModel ?? job.model, job), attempts };
        this.metrics.line('moved_on');
      } else {
        outcome = { status: 'failed', error: this.errors.stored(error, requestId) };
        this.metrics.line('failed');
      }
    }
    const records = this.recordsOfLine(part.id, taskIndex, await usage);
    // A job without a bound of its cost does not count what it has spent.
    const spent = job.limits?.maxCost === undefined ? 0 : await this.spentOn(task, job, records);
    if (!pending.delete(taskIndex)) {
      // The provider bills a line whose task has gone on to another tier.
      this.metrics.line('late');
      for (const record of records) this.recorder.add(record);
      return spent;
    }
    this.writer.add({
      ...EMPTY,
      claimId: part.id,
      jobId: job.id,
      taskIndex,
      model: part.lane,
      attempts: attempts + 1,
      ...outcome,
      ...(job.limits?.maxCost !== undefined && { limited: { spent, isRefused: false } }),
      usage: records,
    });
    return 0;
  }

  /** Where the cost of a call is not known, the most that it can be counts. */
  private async spentOn(task: PartTask, job: PartJob, records: readonly UsageRecord[]): Promise<number> {
    return costOfCalls(records) ?? (await this.costs.mostOfTask(task, job)) ?? 0;
  }

  /** Usage records have the same ids however often a line is read, also by several processes, so that each is stored once. */
  private recordsOfLine(partId: string, taskIndex: number, records: readonly UsageRecord[]): readonly UsageRecord[] {
    this.recorder.stored(records);
    return records.map((record, index) => {
      const hash = createHash('sha256').update(`${partId} ${taskIndex} ${index}`).digest('hex');
      return { ...record, id: `use_${hash.slice(0, 24)}` };
    });
  }
}

const EMPTY = { delayMs: 0, response: null, error: null, usage: [] } as const;
