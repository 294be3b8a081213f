import type { Server, ServerResponse } from 'node:http';
import { Injectable } from '@nestjs/common';
import type { Cancel } from '../chat/cancellation.js';
import type { GatewayError } from '../errors/gateway-error.js';
import { Roster, type Entry } from '../roster/roster.js';

/** An AbortController, or what stands in for one. */
type Cancels = Pick<Cancel, 'abort'>;

/** What is under way, so that a shutdown can wait for it and, in the end, break it off. */
@Injectable()
export class InFlight {
  private responses = 0;
  /** When the last call began, by the monotonic clock in milliseconds; -Infinity before the first. */
  lastCallAt = -Infinity;
  private readonly controllers = new Roster<Cancels>();
  private readonly watchers = new Set<AbortController>();
  /** Set once a shutdown has begun. */
  private drainReason: GatewayError | undefined;
  private idle: (() => void) | undefined;

  /** Requests that have no whole answer yet, and calls without a request. */
  get size(): number {
    return Math.max(this.responses, this.controllers.size);
  }

  /** Live calls to providers that are under way. */
  get calls(): number {
    return this.controllers.size;
  }

  /** Counts every request of the server from its headers on, before anything has looked at it. */
  watch(server: Server): void {
    const closed = (): void => {
      this.responses -= 1;
      this.tellWhenIdle();
    };
    server.on('request', (_request: unknown, response: ServerResponse) => {
      this.responses += 1;
      response.once('close', closed);
    });
  }

  /** The call counts as under way until `release`; `controller` is aborted when a shutdown runs out of patience. */
  add(controller: Cancels): Entry<Cancels> {
    this.lastCallAt = performance.now();
    return this.controllers.add(controller);
  }

  release(call: Entry<Cancels>): void {
    this.controllers.remove(call);
    this.tellWhenIdle();
  }

  /** A stream that watches something and may last for hours: a shutdown does not wait for it. */
  addWatcher(controller: AbortController): void {
    if (this.drainReason !== undefined) controller.abort(this.drainReason);
    this.watchers.add(controller);
  }

  releaseWatcher(controller: AbortController): void {
    this.watchers.delete(controller);
  }

  /** Ends streams that only watch; called once, when a shutdown begins. */
  endWatchers(reason: GatewayError): void {
    this.drainReason = reason;
    for (const controller of this.watchers) controller.abort(reason);
  }

  /**
   * Waits until nothing is under way.
   *
   * @param timeout milliseconds
   * @returns whether it came to that in time
   */
  async drained(timeout: number): Promise<boolean> {
    if (this.size === 0) return true;
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.idle = undefined;
        resolve(false);
      }, timeout);
      this.idle = () => {
        clearTimeout(timer);
        this.idle = undefined;
        resolve(true);
      };
    });
  }

  /** Breaks off what is under way; each client gets `reason`, in a stream as its error event. */
  abortAll(reason: GatewayError): void {
    for (const controller of this.controllers) controller.abort(reason);
  }

  private tellWhenIdle(): void {
    if (this.size === 0) this.idle?.();
  }
}
