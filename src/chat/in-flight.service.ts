import { Injectable } from '@nestjs/common';
import type { GatewayError } from '../errors/gateway-error.js';

/** Calls that are under way, so that a shutdown can wait for them and, in the end, break them off. */
@Injectable()
export class InFlight {
  private readonly controllers = new Set<AbortController>();
  private idle: (() => void) | undefined;

  get size(): number {
    return this.controllers.size;
  }

  /** The call counts as under way until `release`; `controller` is aborted when a shutdown runs out of patience. */
  add(controller: AbortController): void {
    this.controllers.add(controller);
  }

  release(controller: AbortController): void {
    this.controllers.delete(controller);
    if (this.controllers.size === 0) this.idle?.();
  }

  /**
   * Waits until nothing is under way.
   *
   * @param timeout milliseconds
   * @returns whether it came to that in time
   */
  async drained(timeout: number): Promise<boolean> {
    if (this.controllers.size === 0) return true;
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
}
