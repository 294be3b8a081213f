import { GatewayError } from '../errors/gateway-error.js';
import type { ChunkOf, OperationName, OperationStream } from '../operations/operation-types.js';
import { CancelSource, type CancelSignal } from '../runtime/cancel-signal.js';
import type { Attempt } from './attempt.js';
import type { Resume } from './prepared-attempt.js';
import type { ChunkFilter } from './hook-runner.js';
import type { StreamRecovery } from './recovery/stream-recovery.js';
import { Contradiction } from './recovery/text-join.js';
import type { TrackedCall } from './tracked-call.js';

/** The attempt that a stream comes from. */
export interface StreamOrigin<Name extends OperationName> {
  readonly attempt: Attempt;
  /** Aborted when the client has disconnected, and when the total timeout of the attempt is over. */
  readonly signal: CancelSignal;
  readonly resume: Resume<Name>;
  /** Undefined where a stream that breaks is not recovered. */
  readonly recovery: StreamRecovery<Name> | undefined;
}

type Group<Name extends OperationName> = readonly ChunkOf<Name>[];
type Next<Name extends OperationName> = IteratorResult<Group<Name>>;

/**
 * The chunks of a stream as its client receives them. When it breaks, another deployment goes on with it where that is possible.
 * When it ends, for any reason, it disposes of the attempt and reports the outcome. Not a generator, which would cost three more
 * microtasks per group.
 */
export class CallStream<Name extends OperationName> implements AsyncIterableIterator<Group<Name>> {
  /** The signal of the attempt that sends. */
  readonly signal = new CancelSource();
  private followed: CancelSignal | undefined;
  private readonly onAbort = (): void => {
    this.signal.abort(this.followed?.reason);
  };
  private chunks: AsyncIterator<Group<Name>>;
  private attempt: Attempt | undefined;
  private resume: Resume<Name> | undefined;
  private readonly recovery: StreamRecovery<Name> | undefined;
  /** What broke the stream, since another deployment has gone on with it. */
  private broken: GatewayError | undefined;
  private hasEnded = false;
  private readonly filter: ChunkFilter<Name> | undefined;

  /**
   * @param origin undefined for a stream that no provider sends
   * @param signal of the client, for such a stream
   */
  constructor(
    stream: OperationStream<Name>,
    private readonly call: TrackedCall<Name>,
    origin: StreamOrigin<Name> | undefined,
    signal: CancelSignal,
  ) {
    this.chunks = origin === undefined ? stream[Symbol.asyncIterator]() : origin.attempt.streams(stream);
    this.attempt = origin?.attempt;
    this.resume = origin?.resume;
    this.recovery = origin?.recovery;
    this.filter = call.hooks.filterOf(call);
    this.follow(signal);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<Next<Name>> {
    return this.chunks.next().then(this.onGroup, this.onFailure);
  }

  /** The client does not want more, or cannot receive more. */
  return(): Promise<Next<Name>> {
    this.close(this.attempt?.reason);
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Ends a stream that has not ended yet. @param error why; undefined if the client disconnected */
  close(error: unknown): void {
    this.end(() => this.call.broken(error));
  }

  private readonly onGroup = (result: Next<Name>): Next<Name> | Promise<Next<Name>> => {
    try {
      const { recovery } = this;
      if (result.done === true) {
        const rest = recovery?.end() ?? [];
        if (rest.length > 0) return this.send(rest);
        this.attempt?.streamEnded();
        this.end(() => this.call.streamEnded());
        return result;
      }
      return this.send(recovery?.pass(result.value) ?? result.value);
    } catch (error) {
      // A second response that disagrees is no fault of its deployment: the client gets what broke the first one.
      const reason = error instanceof Contradiction && this.broken !== undefined ? this.broken : error;
      if (reason !== error) this.call.hasFailedRecovery = true;
      // A `for await` loop does not call return() on an iterator that threw.
      this.close(reason);
      throw reason;
    }
  };

  private send(group: Group<Name>): Next<Name> | Promise<Next<Name>> {
    const value = this.call.collector.streamed(group);
    if (this.filter !== undefined && value.length > 0)
      return this.filter(value).then(this.onFiltered, this.onHookFailure);
    return value.length > 0 ? { done: false, value } : this.next();
  }

  private readonly onFiltered = (value: Group<Name>): Next<Name> | Promise<Next<Name>> =>
    value.length > 0 ? { done: false, value } : this.next();

  private readonly onHookFailure = (error: unknown): never => {
    this.close(error);
    throw error;
  };

  private readonly onFailure = (error: unknown): Promise<Next<Name>> => {
    const { attempt, recovery, resume } = this;
    // Broken after its first content: the deployment's fault.
    if (error instanceof GatewayError && error.retryable && attempt?.isEndedByCaller === false) {
      attempt.slot.failed(error);
      const canGoOn = !this.hasEnded && attempt.reason === undefined && recovery?.isPossible === true;
      if (canGoOn && resume !== undefined) return this.recover(error, attempt, recovery, resume);
    }
    this.close(error);
    throw error;
  };

  /** Lets another deployment go on. @throws GatewayError what broke the stream, where none can */
  private async recover(
    failure: GatewayError,
    broken: Attempt,
    recovery: StreamRecovery<Name>,
    resume: Resume<Name>,
  ): Promise<Next<Name>> {
    const { call } = this;
    try {
      call.attemptEnds(failure, recovery.broke());
      broken.dispose();
      const next = await resume(
        failure,
        (deployment) => recovery.requestFor(deployment),
        async (prepared) => {
          const { attempt, providerCall } = prepared;
          const chunks = attempt.streams(await recovery.open(prepared));
          attempt.slot.health.responded(call.responds());
          return { attempt, chunks, signal: providerCall.signal, resume: prepared.resume };
        },
      );
      if (this.hasEnded) {
        next.attempt.dispose();
        throw failure;
      }
      ({ attempt: this.attempt, chunks: this.chunks, resume: this.resume } = next);
      this.follow(next.signal);
    } catch (error) {
      call.hasFailedRecovery = true;
      // The error that broke the stream explains more than why no other deployment can go on, unless the client has gone.
      const reason: unknown = call.context.signal.aborted ? error : failure;
      this.close(reason);
      throw reason;
    }
    this.broken = failure;
    call.recovered = recovery.recovered;
    recovery.describe(call.collector);
    return this.next();
  }

  private follow(signal: CancelSignal): void {
    this.followed?.removeEventListener('abort', this.onAbort);
    this.followed = signal;
    if (signal.aborted) this.onAbort();
    else signal.addEventListener('abort', this.onAbort, { once: true });
  }

  private end(report: () => void): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    this.followed?.removeEventListener('abort', this.onAbort);
    if (this.attempt === undefined) this.chunks.return?.().catch(() => undefined);
    else this.attempt.dispose();
    report();
  }
}
