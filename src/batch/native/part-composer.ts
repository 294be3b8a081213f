import { join } from 'node:path';
import { Injectable } from '@nestjs/common';
import { GatewayConfig } from '../../config/gateway-config.js';
import { ComposedCall, NotDeferrable } from '../../engine/deferred-run.js';
import { toGatewayError } from '../../errors/to-gateway-error.js';
import { newRequestId } from '../../http/request-id.js';
import { BackgroundThrottle } from '../../lifecycle/background-throttle.js';
import type { Admission } from '../../limits/admission.js';
import type { Principal } from '../../auth/principal.js';
import { headerPrefixOf, upstreamHeaders } from '../../model-endpoint/upstream-headers.js';
import type { CancelSignal } from '../../runtime/cancel-signal.js';
import type { BatchApi } from '../../providers/batch-api/batch-api.js';
import type { ExchangedRequest } from '../../providers/transport/exchange.js';
import { TaskCalls } from '../task-calls.js';
import { NO_COST } from '../../runtime/nano-dollars.js';
import { NO_TOKENS } from '../../runtime/token-count.js';
import { PartLines } from './part-lines.js';
import { type PartJob, type PartTask, PartTasks } from './part-tasks.js';
import { lineId } from './tiers.js';

/** Tasks that are read at once. */
const TASKS_PER_READ = 100;
/** Milliseconds until a task is written again that no limit admits, where it is not known how long to wait. */
const REFUSED_DELAY_MS = 5_000;
/** Headers of a client's format that hold for the lines of a part. */
const PART_HEADERS = /^(?:anthropic|openai)-/;

/** A task that is not a line of the part. */
export interface LeftTask {
  readonly taskIndex: number;
  readonly ownModel: string | null;
  /** Milliseconds after which it waits for another part; undefined where it goes on to the next tier. */
  readonly retryInMs?: number;
}

/** The lines of a part, and what is reserved for them. */
export interface ComposedPart {
  readonly lines: PartLines;
  /** The endpoint of all lines; undefined where there are none. */
  readonly endpoint: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly admissions: ReadonlyMap<number, Admission>;
  readonly left: readonly LeftTask[];
}

/** Writes the requests of tasks as lines of a provider's batch, and reserves the limits of each. */
@Injectable()
export class PartComposer {
  constructor(
    private readonly partTasks: PartTasks,
    private readonly calls: TaskCalls,
    private readonly load: BackgroundThrottle,
    private readonly config: GatewayConfig,
  ) {}

  /** @param indexes of the tasks of the part. The lines must be disposed of. */
  async compose(
    part: { readonly id: string; readonly deployment: string; readonly lane: string },
    job: PartJob,
    indexes: readonly number[],
    {
      api,
      principal,
      signal,
    }: { readonly api: BatchApi; readonly principal: Principal; readonly signal: CancelSignal },
  ): Promise<ComposedPart> {
    const directory = join(this.config.dataDirectory, 'spool');
    const lines = new PartLines(directory, `${part.id}-${newRequestId()}`, api.separator);
    const admissions = new Map<number, Admission>();
    const left: LeftTask[] = [];
    let endpoint: string | undefined;
    let headers: Readonly<Record<string, string>> = {};
    const maxBytes = Math.min(api.maxBytes, this.config.batch.native.maxBytes);
    try {
      for (let start = 0; start < indexes.length; start += TASKS_PER_READ) {
        const group = indexes.slice(start, start + TASKS_PER_READ);
        for (const task of await this.partTasks.tasks(job.id, part.lane, group)) {
          signal.throwIfAborted();
          await this.load.yieldToEventLoop();
          const { taskIndex, ownModel } = task;
          if (lines.bytes >= maxBytes) {
            left.push({ taskIndex, ownModel, retryInMs: 0 });
            continue;
          }
          const written = await this.write(task, job, part, { principal, signal, isSubmitted: false });
          if ('left' in written) {
            left.push({ taskIndex, ownModel, ...written.left });
            continue;
          }
          const { request, admission } = written;
          const own = api.endpointOf(request.path);
          const line =
            own && api.line({ customId: lineId(part.id, taskIndex), endpoint: own, body: request.body.toString() });
          const isTooLong = line !== undefined && Buffer.byteLength(line) > maxBytes;
          if (own === undefined || line === undefined || (endpoint !== undefined && own !== endpoint) || isTooLong) {
            await admission?.settle(NO_TOKENS, NO_COST);
            left.push({ taskIndex, ownModel });
            continue;
          }
          if (endpoint === undefined) {
            endpoint = own;
            headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => PART_HEADERS.test(name)));
          }
          if (admission !== undefined) admissions.set(taskIndex, admission);
          await lines.add(line);
        }
      }
      return { lines, endpoint, headers, admissions, left };
    } catch (error) {
      await lines.dispose();
      await releaseAll(admissions.values());
      throw error;
    }
  }

  /**
   * Reserves the budgets of the lines of a part again that another process had reserved. No limit refuses them: the provider has them.
   *
   * @returns the reservations by the index of their task
   */
  async reserveAgain(
    part: { readonly id: string; readonly deployment: string; readonly lane: string },
    job: PartJob,
    indexes: readonly number[],
    { principal, signal }: { readonly principal: Principal; readonly signal: CancelSignal },
  ): Promise<Map<number, Admission>> {
    const admissions = new Map<number, Admission>();
    try {
      for (let start = 0; start < indexes.length; start += TASKS_PER_READ) {
        for (const task of await this.partTasks.tasks(
          job.id,
          part.lane,
          indexes.slice(start, start + TASKS_PER_READ),
        )) {
          signal.throwIfAborted();
          await this.load.yieldToEventLoop();
          const written = await this.write(task, job, part, { principal, signal, isSubmitted: true });
          const admission = 'left' in written ? undefined : written.admission;
          if (admission !== undefined) admissions.set(task.taskIndex, admission);
        }
      }
      return admissions;
    } catch (error) {
      await releaseAll(admissions.values());
      throw error;
    }
  }

  private async write(
    task: PartTask,
    job: PartJob,
    part: { readonly id: string; readonly deployment: string },
    {
      principal,
      signal,
      isSubmitted,
    }: { readonly principal: Principal; readonly signal: CancelSignal; readonly isSubmitted: boolean },
  ): Promise<
    | { readonly request: ExchangedRequest; readonly admission: Admission | undefined }
    | { readonly left: { readonly retryInMs?: number } }
  > {
    const written: { request?: ExchangedRequest; admission?: Admission | undefined } = {};
    try {
      await this.calls.run(task, job, {
        principal,
        requestId: newRequestId(),
        source: 'batch',
        headers: upstreamHeaders(job.headers, headerPrefixOf(task.dialect)),
        task: { jobId: job.id, index: task.taskIndex },
        deferred: {
          deploymentId: part.deployment,
          reservationId: lineId(part.id, task.taskIndex),
          isSubmitted,
          composed: (composed) => {
            written.request = composed;
          },
          admitted: (admitted) => {
            written.admission = admitted;
          },
        },
        signal,
      });
    } catch (error) {
      signal.throwIfAborted();
      const { request, admission } = written;
      if (error instanceof ComposedCall && request !== undefined) return { request, admission };
      if (error instanceof NotDeferrable || error instanceof ComposedCall) return { left: {} };
      const { rejectedByGateway, code, retryAfterMs, status } = toGatewayError(error);
      // The limits of the key: the task waits as it would for a slot.
      if (code === 'database_unavailable' || (rejectedByGateway && status === 429)) {
        return { left: { retryInMs: (retryAfterMs ?? REFUSED_DELAY_MS) * (0.5 + Math.random()) } };
      }
    }
    // What is wrong with it is found when it runs by itself.
    return { left: {} };
  }
}

/** Releases reservations of lines that were not sent, or had no response. */
export async function releaseAll(admissions: Iterable<Admission>): Promise<void> {
  for (const admission of admissions) await admission.settle(NO_TOKENS, NO_COST);
}
