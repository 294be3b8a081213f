import type { Slot } from '../routing/deployments/deployment-limiter.js';
import { AttemptTimeout } from './attempt-timeout.js';
import type { CancelSignal } from '../runtime/cancel-signal.js';

export interface AttemptTimes {
  /** Timeout of the deployment in milliseconds, from the configuration. */
  readonly total: number;
  /** Milliseconds left of the timeout that the request itself set; Infinity where it set none. */
  readonly left: number;
}

/**
 * One try at a deployment. It owns all resources of the try: the slot at the deployment, the timeout, and the provider's stream
 * once there is one. `dispose` releases all of them, also after an exception; further calls do nothing.
 */
export class Attempt implements Disposable {
  private timeout: AttemptTimeout | undefined;
  private stream: AsyncIterator<unknown> | undefined;
  private isDisposed = false;

  constructor(readonly slot: Slot) {}

  /** Starts the timeout. @returns the signal that aborts the provider's call */
  start(caller: CancelSignal, { total, left }: AttemptTimes): AttemptTimeout {
    this.timeout = new AttemptTimeout(caller, Math.min(total, left), left < total);
    return this.timeout;
  }

  /** Whether the attempt ended because its caller disconnected or its own timeout was over. */
  get isEndedByCaller(): boolean {
    return this.timeout?.isEndedByCaller ?? false;
  }

  /** Why the provider's call was aborted; undefined while it was not. */
  get reason(): unknown {
    return this.timeout?.reason;
  }

  /** Takes over the provider's stream. */
  streams<Group>(stream: AsyncIterable<Group>): AsyncIterator<Group> {
    const chunks = stream[Symbol.asyncIterator]();
    this.stream = chunks;
    return chunks;
  }

  /** The stream has ended on its own, so there is nothing to abort. */
  streamEnded(): void {
    this.stream = undefined;
  }

  dispose(): void {
    if (this.isDisposed) return;
    this.isDisposed = true;
    this.timeout?.clear();
    this.slot.free();
    // Nothing reads the stream any more, so its failure to end is ignored.
    this.stream?.return?.().catch(() => undefined);
    this.stream = undefined;
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
