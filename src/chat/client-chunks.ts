import { GatewayError } from '../errors/gateway-error.js';
import type { Place } from '../models/deployments/deployment-queue.js';
import type { CallDeadline } from './call-deadline.js';
import { TextChunk, type StreamedChunk } from './text-chunk.js';
import type { TrackedCall } from './tracked-call.js';

type Group = readonly StreamedChunk[];

/**
 * The chunks of a stream as its client gets them: without the usage chunk where it did not ask for it. At the end, whichever
 * way it comes to, it lets go of the place and the deadline and reports. Not a generator, which costs each group three turns
 * of the queue of promises more.
 */
export class ClientChunks implements AsyncIterableIterator<Group> {
  private readonly chunks: AsyncIterator<Group>;
  private hasEnded = false;

  constructor(
    stream: AsyncIterable<Group>,
    private readonly wantsUsage: boolean,
    private readonly deadline: CallDeadline,
    private readonly place: Place,
    private readonly tracked: TrackedCall,
  ) {
    this.chunks = stream[Symbol.asyncIterator]();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Group>> {
    return this.chunks.next().then(this.onGroup, this.onFailure);
  }

  /** The client wants no more, or cannot be given more. */
  async return(): Promise<IteratorResult<Group>> {
    this.end(() => this.tracked.broken(this.deadline.reason));
    await this.chunks.return?.();
    return { done: true, value: undefined };
  }

  private readonly onGroup = (
    result: IteratorResult<Group>,
  ): IteratorResult<Group> | Promise<IteratorResult<Group>> => {
    if (result.done === true) {
      this.end(() => this.tracked.streamEnded());
      return result;
    }
    const group = result.value;
    this.tracked.streamed(group);
    if (this.wantsUsage || !group.some(isUsageChunk)) return result;
    const value = group.filter((chunk) => !isUsageChunk(chunk));
    return value.length > 0 ? { done: false, value } : this.next();
  };

  private readonly onFailure = (error: unknown): never => {
    // Broken after its first byte: nothing to retry, but the deployment's fault nevertheless.
    if (error instanceof GatewayError && error.retryable && !this.deadline.isAbandoned) this.place.health.failed(error);
    this.end(() => this.tracked.broken(error));
    throw error;
  };

  private end(report: () => void): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.deadline.clear();
    this.place.free();
    report();
  }
}

function isUsageChunk(chunk: StreamedChunk): boolean {
  return !(chunk instanceof TextChunk) && chunk.choices.length === 0 && chunk.usage != null;
}
