import type { ResolvedModel } from '../routing/resolved-model.js';
import type { Slot } from '../routing/deployments/deployment-limiter.js';
import type { CancelSignal } from '../runtime/cancel-signal.js';
import { AttemptTimeout } from './attempt-timeout.js';

/** The times of an attempt. */
export interface AttemptTimes {
  /** Timeout of the deployment in milliseconds, from the configuration. */
  readonly total: number;
  /** Milliseconds left of the timeout that the request itself set; Infinity where it set none. */
  readonly left: number;
}

/**
 * One try at a deployment. It owns all that the try takes: the slot at the deployment, the timeout, and the provider's
 * stream once there is one. The attempt loop disposes of it when the try is over; an attempt that has a stream lives on until
 * the stream has ended, and the stream disposes of it then.
 */
export class Attempt implements Disposable {
  private timeout: AttemptTimeout | undefined;
  private stream: AsyncIterator<unknown> | undefined;
  private isDisposed = false;

  constructor(
    readonly model: ResolvedModel,
    readonly slot: Slot,
  ) {}

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

  /** Whether a stream of the provider is open, which disposes of the attempt at its end. */
  get isStreaming(): boolean {
    return this.stream !== undefined;
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

  /** Releases everything. Further calls do nothing. */
  dispose(): void {
    if (this.isDisposed) return;
    this.isDisposed = true;
    this.timeout?.clear();
    this.slot.free();
    const { stream } = this;
    this.stream = undefined;
    // Its chunks have no reader any more, so a failure to end it changes nothing.
    stream?.return?.().catch(() => undefined);
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
