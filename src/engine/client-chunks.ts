import { GatewayError } from '../errors/gateway-error.js';
import type { ChunkStream } from '../operations/chat/preserialized-chunk.js';
import type { Attempt } from './attempt.js';
import { PreserializedChunk, type StreamedChunk } from '../operations/chat/preserialized-chunk.js';
import type { TrackedCall } from './tracked-call.js';

type Group = readonly StreamedChunk[];

/**
 * The chunks of a stream as its client gets them: without the usage chunk where it did not ask for it. At the end, whichever
 * way it comes to, it disposes of the attempt and reports. Not a generator, which costs each group three turns of the queue
 * of promises more.
 */
export class ClientChunks implements AsyncIterableIterator<Group> {
  private readonly chunks: AsyncIterator<Group>;
  private hasEnded = false;

  constructor(
    stream: ChunkStream,
    private readonly wantsUsage: boolean,
    private readonly attempt: Attempt,
    private readonly tracked: TrackedCall,
  ) {
    this.chunks = attempt.streams(stream);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Group>> {
    return this.chunks.next().then(this.onGroup, this.onFailure);
  }

  /** The client wants no more, or cannot be given more. */
  return(): Promise<IteratorResult<Group>> {
    this.close(this.attempt.reason);
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Ends a stream that has not ended yet. @param error why; undefined where it was the client that went away */
  close(error: unknown): void {
    this.end(() => this.tracked.broken(error));
  }

  private readonly onGroup = (
    result: IteratorResult<Group>,
  ): IteratorResult<Group> | Promise<IteratorResult<Group>> => {
    try {
      if (result.done === true) {
        this.attempt.streamEnded();
        this.end(() => this.tracked.streamEnded());
        return result;
      }
      const group = result.value;
      this.tracked.streamed(group);
      if (this.wantsUsage || !group.some(isUsageChunk)) return result;
      const value = group.filter((chunk) => !isUsageChunk(chunk));
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
      this.attempt.place.failed(error);
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

function isUsageChunk(chunk: StreamedChunk): boolean {
  return !(chunk instanceof PreserializedChunk) && chunk.choices.length === 0 && chunk.usage != null;
}
