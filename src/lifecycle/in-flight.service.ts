import type { Server, ServerResponse } from 'node:http';
import { Injectable } from '@nestjs/common';
import type { CancelSource } from '../runtime/cancel-signal.js';
import type { GatewayError } from '../errors/gateway-error.js';
import { SwapRemoveSet, type Entry } from '../runtime/swap-remove-set.js';

/** An AbortController, or what stands in for one. */
type Cancels = Pick<CancelSource, 'abort'>;

/** The key that something is done for. */
export interface WorkOwner {
  readonly keyId: string;
  /** The ancestors of the key, with which it ends; absent for none. */
  readonly makerIds?: readonly string[];
}

/** Work that can be aborted, and its owner. */
interface Work {
  readonly cancel: Cancels;
  readonly owner: WorkOwner;
}

/** Work in flight, so that a shutdown can wait for it and finally abort it. */
@Injectable()
export class InFlight {
  private responses = 0;
  /** When the last call began, by the monotonic clock in milliseconds; -Infinity before the first. */
  lastCallAt = -Infinity;
  private readonly work = new SwapRemoveSet<Work>();
  private readonly watchers = new Map<AbortController, WorkOwner>();
  /** Set once a shutdown has begun. */
  private drainReason: GatewayError | undefined;
  private idle: (() => void) | undefined;

  /** Requests without a complete response yet, and calls without a request. */
  get size(): number {
    return Math.max(this.responses, this.work.size);
  }

  /** Live calls to providers that are in flight. */
  get calls(): number {
    return this.work.size;
  }

  /** Counts every request of the server from its headers on, before anything has looked at it. */
  watch(server: Server): void {
    const closed = (): void => {
      this.responses -= 1;
      this.notifyWhenIdle();
    };
    server.on('request', (_request: unknown, response: ServerResponse) => {
      this.responses += 1;
      response.once('close', closed);
    });
  }

  /** The call counts as in flight until `release`; `cancel` is called when a shutdown has waited long enough, or `abortOf`. */
  add(cancel: Cancels, owner: WorkOwner): Entry<Work> {
    this.lastCallAt = performance.now();
    return this.work.add({ cancel, owner });
  }

  release(call: Entry<Work>): void {
    this.work.remove(call);
    this.notifyWhenIdle();
  }

  /** A stream that watches something and may last for hours: a shutdown does not wait for it. */
  addWatcher(controller: AbortController, owner: WorkOwner): void {
    if (this.drainReason !== undefined) controller.abort(this.drainReason);
    this.watchers.set(controller, owner);
  }

  releaseWatcher(controller: AbortController): void {
    this.watchers.delete(controller);
  }

  /** Ends streams that only watch; called once, when a shutdown begins. */
  endWatchers(reason: GatewayError): void {
    this.drainReason = reason;
    for (const controller of this.watchers.keys()) controller.abort(reason);
  }

  /**
   * Waits until nothing is in flight.
   *
   * @param timeoutMs milliseconds
   * @returns whether that was reached within the timeout
   */
  async drained(timeoutMs: number): Promise<boolean> {
    if (this.size === 0) return true;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.idle = undefined;
        resolve(false);
      }, timeoutMs);
      this.idle = () => {
        clearTimeout(timer);
        this.idle = undefined;
        resolve(true);
      };
    });
  }

  /** Aborts all calls in flight; each client receives `reason`, in a stream as its error event. */
  abortAll(reason: GatewayError): void {
    for (const { cancel } of this.work) cancel.abort(reason);
  }

  /** Aborts the calls in flight of a key and of the keys that it created. */
  abortOf(keyId: string, reason: GatewayError): void {
    for (const { cancel, owner } of this.work) if (isFor(owner, keyId)) cancel.abort(reason);
    for (const [controller, owner] of this.watchers) if (isFor(owner, keyId)) controller.abort(reason);
  }

  private notifyWhenIdle(): void {
    if (this.size === 0) this.idle?.();
  }
}

function isFor(owner: WorkOwner, keyId: string): boolean {
  return owner.keyId === keyId || owner.makerIds?.includes(keyId) === true;
}
