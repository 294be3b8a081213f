import { GatewayError } from '../errors/gateway-error.js';
import type { ChunkOf, OperationName, OperationStream } from '../operations/operation-types.js';
import type { Attempt } from './attempt.js';
import type { ChunkFilter } from './hook-runner.js';
import type { TrackedCall } from './tracked-call.js';

/**
 * The chunks of a stream as its client receives them. When it ends, for any reason, it disposes of the attempt and reports the
 * outcome. Not a generator, which would cost three more microtasks per group.
 */
export class CallStream<Name extends OperationName> implements AsyncIterableIterator<readonly ChunkOf<Name>[]> {
  private readonly chunks: AsyncIterator<readonly ChunkOf<Name>[]>;
  private hasEnded = false;

  private readonly filter: ChunkFilter<Name> | undefined;

  /** @param attempt undefined for a stream that no provider sends */
  constructor(
    stream: OperationStream<Name>,
    private readonly call: TrackedCall<Name>,
    private readonly attempt?: Attempt,
  ) {
    this.chunks = attempt === undefined ? stream[Symbol.asyncIterator]() : attempt.streams(stream);
    this.filter = call.hooks.filterOf(call);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<readonly ChunkOf<Name>[]>> {
    return this.chunks.next().then(this.onGroup, this.onFailure);
  }

  /** The client does not want more, or cannot receive more. */
  return(): Promise<IteratorResult<readonly ChunkOf<Name>[]>> {
    this.close(this.attempt?.reason);
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Ends a stream that has not ended yet. @param error why; undefined if the client disconnected */
  close(error: unknown): void {
    this.end(() => this.call.broken(error));
  }

  private readonly onGroup = (
    result: IteratorResult<readonly ChunkOf<Name>[]>,
  ): IteratorResult<readonly ChunkOf<Name>[]> | Promise<IteratorResult<readonly ChunkOf<Name>[]>> => {
    try {
      if (result.done === true) {
        this.attempt?.streamEnded();
        this.end(() => this.call.streamEnded());
        return result;
      }
      const group = result.value;
      const value = this.call.collector.streamed(group);
      if (this.filter !== undefined && value.length > 0)
        return this.filter(value).then(this.onFiltered, this.onHookFailure);
      if (value === group) return result;
      return value.length > 0 ? { done: false, value } : this.next();
    } catch (error) {
      // A `for await` loop does not call return() on an iterator that threw.
      this.close(error);
      throw error;
    }
  };

  private readonly onFiltered = (
    value: readonly ChunkOf<Name>[],
  ): IteratorResult<readonly ChunkOf<Name>[]> | Promise<IteratorResult<readonly ChunkOf<Name>[]>> =>
    value.length > 0 ? { done: false, value } : this.next();

  private readonly onHookFailure = (error: unknown): never => {
    this.close(error);
    throw error;
  };

  private readonly onFailure = (error: unknown): never => {
    // Broken after its first byte: nothing to retry, but the deployment's fault nevertheless.
    if (error instanceof GatewayError && error.retryable && this.attempt?.isEndedByCaller === false) {
      this.attempt.slot.failed(error);
    }
    this.close(error);
    throw error;
  };

  private end(report: () => void): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    if (this.attempt === undefined) this.chunks.return?.().catch(() => undefined);
    else this.attempt.dispose();
    report();
  }
}
