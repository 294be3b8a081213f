import { GatewayError } from '../errors/gateway-error.js';
import type { ChunkOf, OperationName, OperationStream } from '../operations/operation-types.js';
import type { Attempt } from './attempt.js';
import type { TrackedCall } from './tracked-call.js';

/**
 * The chunks of a stream as its client gets them. At the end, whichever way it comes to, it disposes of the attempt and
 * reports. Not a generator, which costs each group three turns of the queue of promises more.
 */
export class CallStream<Name extends OperationName> implements AsyncIterableIterator<readonly ChunkOf<Name>[]> {
  private readonly chunks: AsyncIterator<readonly ChunkOf<Name>[]>;
  private hasEnded = false;

  constructor(
    stream: OperationStream<Name>,
    private readonly attempt: Attempt,
    private readonly call: TrackedCall<Name>,
  ) {
    this.chunks = attempt.streams(stream);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<readonly ChunkOf<Name>[]>> {
    return this.chunks.next().then(this.onGroup, this.onFailure);
  }

  /** The client wants no more, or cannot be given more. */
  return(): Promise<IteratorResult<readonly ChunkOf<Name>[]>> {
    this.close(this.attempt.reason);
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Ends a stream that has not ended yet. @param error why; undefined where it was the client that went away */
  close(error: unknown): void {
    this.end(() => this.call.broken(error));
  }

  private readonly onGroup = (
    result: IteratorResult<readonly ChunkOf<Name>[]>,
  ): IteratorResult<readonly ChunkOf<Name>[]> | Promise<IteratorResult<readonly ChunkOf<Name>[]>> => {
    try {
      if (result.done === true) {
        this.attempt.streamEnded();
        this.end(() => this.call.streamEnded());
        return result;
      }
      const group = result.value;
      const value = this.call.collector.streamed(group);
      if (value === group) return result;
      return value.length > 0 ? { done: false, value } : this.next();
    } catch (error) {
      // Whoever iterates does not return an iterator that threw.
      this.close(error);
      throw error;
    }
  };

  private readonly onFailure = (error: unknown): never => {
    // Broken after its first byte: nothing to retry, but the deployment's fault nevertheless.
    if (error instanceof GatewayError && error.retryable && !this.attempt.isEndedByCaller) {
      this.attempt.slot.failed(error);
    }
    this.close(error);
    throw error;
  };

  private end(report: () => void): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.attempt.dispose();
    report();
  }
}
