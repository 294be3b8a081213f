import type { Server, ServerResponse } from 'node:http';
import { Injectable } from '@nestjs/common';
import type { GatewayError } from '../errors/gateway-error.js';

/** What is under way, so that a shutdown can wait for it and, in the end, break it off. */
@Injectable()
export class InFlight {
  private responses = 0;
  private readonly controllers = new Set<AbortController>();
  private idle: (() => void) | undefined;

  /** Requests that have no whole answer yet, and calls without a request. */
  get size(): number {
    return Math.max(this.responses, this.controllers.size);
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
  add(controller: AbortController): void {
    this.controllers.add(controller);
  }

  release(controller: AbortController): void {
    this.controllers.delete(controller);
    this.tellWhenIdle();
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
