import { Injectable } from '@nestjs/common';
import type { CancelSignal } from '../../runtime/cancel-signal.js';
import type { GatewayError } from '../../errors/gateway-error.js';
import type { DeploymentHealth } from './deployment-health.js';
import type { Deployment, ResolvedModel } from '../resolved-model.js';
import { Deployments } from './deployments.service.js';

interface Waiter {
  /** The queue that it waits in. */
  readonly queueId: string;
  /** The key that calls. */
  readonly key: string;
  readonly isBatch: boolean;
  readonly deployments: readonly Deployment[];
  /** Called with the slot that was taken for it, or once there will be none. */
  readonly give: (slot: Slot | NoSlot) => void;
}

/** A call that needs a slot. */
export interface QueueRequest {
  readonly model: ResolvedModel;
  /** Id of the key that calls. */
  readonly key: string;
  /** Deployments that are full now, the preferred one first. */
  readonly deployments: readonly Deployment[];
  /** Live calls are served before those of batches. */
  readonly isBatch: boolean;
  /** Milliseconds until the deadline of the call itself. */
  readonly maxWaitMs: number;
  readonly signal: CancelSignal;
}

/** A call's slot at a deployment, which must be freed once. */
export class Slot {
  private readonly since = performance.now();
  private isFree = false;

  constructor(
    readonly deployment: Deployment,
    readonly health: DeploymentHealth,
    private readonly key: string,
    private readonly onFree: (slot: Slot) => void,
  ) {
    health.begin(key);
  }

  /** The call failed in a way that may be the provider's fault. */
  failed(error: GatewayError): void {
    this.health.failed(error, this.key, performance.now() - this.since);
  }

  /** The call ended without evidence for or against the deployment. */
  recordNeutral(): void {
    this.health.recordNeutral(this.key);
  }

  free(): void {
    if (this.isFree) return;
    this.isFree = true;
    this.health.end(performance.now() - this.since);
    this.onFree(this);
  }
}

/** The result when there is no slot. */
export interface NoSlot {
  /** Milliseconds after which a retry may succeed. */
  readonly retryAfterMs: number;
  /** All deployments that it waited for were drained meanwhile. */
  readonly isDrained?: boolean;
}

/** The slots of deployments that have a `concurrency`, and the calls that wait for one. */
@Injectable()
export class DeploymentLimiter {
  /** Waiting calls in the order in which they are served. */
  private readonly waiters: Waiter[] = [];

  constructor(private readonly deployments: Deployments) {
    deployments.drains.onChange(() => this.dismissDrained());
  }

  /** A slot, or undefined while the deployment is full. */
  take(deployment: Deployment, key: string): Slot | undefined {
    const health = this.deployments.healthOf(deployment);
    if (health.inFlight >= (deployment.concurrency ?? Infinity)) return undefined;
    return new Slot(deployment, health, key, this.onFree);
  }

  /**
   * Waits for a slot at one of the deployments. Refuses at once when the queue is full, or when the expected wait, by the calls
   * before it and their usual duration, is too long.
   *
   * @throws the signal's reason when it is aborted
   */
  async wait(request: QueueRequest): Promise<Slot | NoSlot> {
    const { model, key, deployments, isBatch, maxWaitMs, signal } = request;
    signal.throwIfAborted();
    const { id: queueId, size, timeout } = model.queue;
    const ahead = this.waiters.filter((waiter) => waiter.queueId === queueId && (isBatch || !waiter.isBatch)).length;
    const expected = this.expectedWait(deployments, ahead);
    const longest = Math.min(timeout, maxWaitMs);
    if (ahead >= size || expected > longest) return { retryAfterMs: Math.max(1_000, expected) };
    return new Promise((resolve, reject: (reason: Error) => void) => {
      const waiter: Waiter = {
        queueId,
        key,
        isBatch,
        deployments,
        give: (slot) => {
          done();
          resolve(slot);
        },
      };
      const onAbort = (): void => {
        this.leave(waiter);
        done();
        reject(signal.reason as Error);
      };
      const timer = setTimeout(() => {
        this.leave(waiter);
        done();
        resolve({ retryAfterMs: Math.max(1_000, expected) });
      }, longest);
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.join(waiter);
    });
  }

  /** Calls that wait in the queue of a model of the file. */
  waitingFor(configuredId: string): number {
    return this.waiters.reduce((sum, { queueId }) => sum + (queueId === configuredId ? 1 : 0), 0);
  }

  /** Ends the wait of calls all of whose deployments are drained. */
  private dismissDrained(): void {
    const { drains } = this.deployments;
    for (const waiter of [...this.waiters]) {
      if (!waiter.deployments.every((deployment) => drains.has(deployment))) continue;
      this.leave(waiter);
      waiter.give({ retryAfterMs: 0, isDrained: true });
    }
  }

  private join(waiter: Waiter): void {
    const firstBatch = waiter.isBatch ? -1 : this.waiters.findIndex(({ isBatch }) => isBatch);
    if (firstBatch === -1) this.waiters.push(waiter);
    else this.waiters.splice(firstBatch, 0, waiter);
  }

  private leave(waiter: Waiter): void {
    const position = this.waiters.indexOf(waiter);
    if (position !== -1) this.waiters.splice(position, 1);
  }

  /** Milliseconds until a call with this many calls before it gets a slot. */
  private expectedWait(deployments: readonly Deployment[], ahead: number): number {
    let perMillisecond = 0;
    for (const deployment of deployments) {
      const { callTime } = this.deployments.healthOf(deployment);
      // The duration is unknown before the first call has ended.
      if (callTime === undefined) return 0;
      perMillisecond += (deployment.concurrency ?? 1) / callTime;
    }
    return perMillisecond === 0 ? 0 : (ahead + 1) / perMillisecond;
  }

  private readonly onFree = ({ deployment, health }: Slot): void => {
    if (this.waiters.length === 0) return;
    for (const waiter of [...this.waiters]) {
      const wanted = waiter.deployments.find(({ id }) => id === deployment.id);
      if (wanted === undefined || this.deployments.drains.has(wanted)) continue;
      if (!health.canCall(waiter.key) || health.waitFor(waiter.key) > 0) continue;
      const slot = this.take(wanted, waiter.key);
      // A deployment that is full for this waiter's model may have a free slot for another model that shares it.
      if (slot === undefined) continue;
      this.leave(waiter);
      waiter.give(slot);
    }
  };
}
