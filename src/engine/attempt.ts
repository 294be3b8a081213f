import type { Slot } from '../routing/deployments/deployment-limiter.js';
import { AttemptTimeout } from './attempt-timeout.js';
import type { CancelSignal } from '../runtime/cancel-signal.js';

export interface AttemptTimes {
  /** Milliseconds that the deployment may take, by the configuration. */
  readonly total: number;
  /** Milliseconds that are left of the time that the request itself asked for; Infinity where it asked for none. */
  readonly left: number;
}

/**
 * One try at a deployment. It owns all that the try takes: the slot at the deployment, the timeout, and the provider's
 * stream once there is one. Whatever throws, `dispose` gives all of it back; further calls do nothing.
 */
export class Attempt implements Disposable {
  private timeout: AttemptTimeout | undefined;
  private stream: AsyncIterator<unknown> | undefined;
  private isDisposed = false;

  constructor(readonly slot: Slot) {}

  /** Starts the timeout. @returns the signal that calls the provider off */
  start(caller: CancelSignal, { total, left }: AttemptTimes): AttemptTimeout {
    this.timeout = new AttemptTimeout(caller, Math.min(total, left), left < total);
    return this.timeout;
  }

  /** Whether the attempt ended for a reason of its caller's: it has gone, or its own time was over. */
  get isEndedByCaller(): boolean {
    return this.timeout?.isEndedByCaller ?? false;
  }

  /** Why the provider was called off; undefined while it was not. */
  get reason(): unknown {
    return this.timeout?.reason;
  }

  /** Takes over the provider's stream. */
  streams<Group>(stream: AsyncIterable<Group>): AsyncIterator<Group> {
    const chunks = stream[Symbol.asyncIterator]();
    this.stream = chunks;
    return chunks;
  }

  /** The stream has ended by itself, so there is nothing to call off. */
  streamEnded(): void {
    this.stream = undefined;
  }

  dispose(): void {
    if (this.isDisposed) return;
    this.isDisposed = true;
    this.timeout?.clear();
    this.slot.free();
    // The stream has nothing more to say to anyone, so neither has its failure to end.
    this.stream?.return?.().catch(() => undefined);
    this.stream = undefined;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
