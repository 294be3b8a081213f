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
  /** Called with the place that was taken for it. */
  readonly give: (place: Slot) => void;
}

export interface QueueRequest {
  readonly model: ResolvedModel;
  /** Id of the key that calls. */
  readonly key: string;
  /** Those that are full now, the preferred one first. */
  readonly deployments: readonly Deployment[];
  /** Live calls are served before those of batches. */
  readonly isBatch: boolean;
  /** Milliseconds until the call itself is too late. */
  readonly maxWaitMs: number;
  readonly signal: CancelSignal;
}

/** A call's place at a deployment, which must be freed once. */
export class Slot {
  private readonly since = performance.now();
  private isFree = false;

  constructor(
    readonly deployment: Deployment,
    readonly health: DeploymentHealth,
    private readonly key: string,
    private readonly onFree: (place: Slot) => void,
  ) {
    health.begin(key);
  }

  /** The call failed in a way that may be the provider's fault. */
  failed(error: GatewayError): void {
    this.health.failed(error, this.key);
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

/** Why no place could be had. */
export interface NoPlace {
  /** Milliseconds after which it is worth another try. */
  readonly retryAfter: number;
}

/** The places at deployments that have a `concurrency`, and the calls that wait for one. */
@Injectable()
export class DeploymentLimiter {
  /** In the order in which they are served. */
  private readonly waiters: Waiter[] = [];

  constructor(private readonly deployments: Deployments) {}

  /** A place now, or undefined while the deployment has as many calls as it may. */
  take(deployment: Deployment, key: string): Slot | undefined {
    const health = this.deployments.healthOf(deployment);
    if (health.inFlight >= (deployment.concurrency ?? Infinity)) return undefined;
    return new Slot(deployment, health, key, this.onFree);
  }

  /**
   * The first place that becomes free at one of the deployments. Refused at once when the queue is full, or when by the calls
   * before it and their usual length the turn would come too late.
   *
   * @throws the signal's reason when it is aborted
   */
  async wait(request: QueueRequest): Promise<Slot | NoPlace> {
    const { model, key, deployments, isBatch, maxWaitMs, signal } = request;
    signal.throwIfAborted();
    const { id: queueId, size, timeout } = model.queue;
    const ahead = this.waiters.filter((waiter) => waiter.queueId === queueId && (isBatch || !waiter.isBatch)).length;
    const expected = this.expectedWait(deployments, ahead);
    const longest = Math.min(timeout, maxWaitMs);
    if (ahead >= size || expected > longest) return { retryAfter: Math.max(1_000, expected) };
    return new Promise((resolve, reject: (reason: Error) => void) => {
      const waiter: Waiter = {
        queueId,
        key,
        isBatch,
        deployments,
        give: (place) => {
          done();
          resolve(place);
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
        resolve({ retryAfter: Math.max(1_000, expected) });
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

  private join(waiter: Waiter): void {
    const firstBatch = waiter.isBatch ? -1 : this.waiters.findIndex(({ isBatch }) => isBatch);
    if (firstBatch === -1) this.waiters.push(waiter);
    else this.waiters.splice(firstBatch, 0, waiter);
  }

  private leave(waiter: Waiter): void {
    const position = this.waiters.indexOf(waiter);
    if (position !== -1) this.waiters.splice(position, 1);
  }

  /** Milliseconds until the turn of a call that has so many before it. */
  private expectedWait(deployments: readonly Deployment[], ahead: number): number {
    let perMillisecond = 0;
    for (const deployment of deployments) {
      const { callTime } = this.deployments.healthOf(deployment);
      // Nothing is known before the first call has ended.
      if (callTime === undefined) return 0;
      perMillisecond += (deployment.concurrency ?? 1) / callTime;
    }
    return perMillisecond === 0 ? 0 : (ahead + 1) / perMillisecond;
  }

  private readonly onFree = ({ deployment, health }: Slot): void => {
    if (this.waiters.length === 0) return;
    for (const waiter of [...this.waiters]) {
      const wanted = waiter.deployments.find(({ id }) => id === deployment.id);
      if (wanted === undefined) continue;
      if (!health.canCall(waiter.key) || health.waitFor(waiter.key) > 0) continue;
      const place = this.take(wanted, waiter.key);
      // Full for this waiter's model may be free for another's, where two models share a deployment.
      if (place === undefined) continue;
      this.leave(waiter);
      waiter.give(place);
    }
  };
}
