import type { IncomingHttpHeaders } from 'node:http';
import type { GatewayError } from '../../errors/gateway-error.js';
import type { Redact } from '../../wire/errors/redact.js';
import { asBilled } from './call-in-groups.js';
import { responseTooLarge, UpstreamErrorResponse } from './response-text.js';
import { UpstreamExchange } from './upstream-exchange.js';
import type { UpstreamPool } from './upstream-pool.js';
import type { FailureOrigin, ResponseSink, UpstreamRequest } from './upstream-request.js';

const OVER: IteratorReturnResult<undefined> = Object.freeze({ done: true, value: undefined });

/** How long the end of a stream is waited for once everything that matters has come. */
const END_TIMEOUT_MS = 5000;

/**
 * How far a response is. It decides which timeout bounds the silence of the provider:
 * - `waiting`: nothing of the response itself has come, at most comments and items without content. The first-byte timeout.
 * - `begun`: more is to come. The idle timeout.
 * - `ending`: at most the usage and the end marker are missing. Five seconds, or the idle timeout if that is shorter.
 * - `over`: the last item has come. The stream ends, and the connection is used again.
 */
export type StreamProgress = 'waiting' | 'begun' | 'ending' | 'over';

/** Limits of a stream. */
export interface ItemStreamOptions {
  /** Most bytes of the whole response, decompressed. */
  readonly maxBytes: number;
  /** Bytes of items that wait for the reader, above which the provider is held back. */
  readonly highWaterBytes: number;
  readonly redact: Redact;
}

/**
 * A response that is read while it comes, as a sequence of items: the bytes of a sound, the chunks of a chat completion.
 * A subclass turns bytes into items and says which one is the last. This class does what all streams have in common:
 *
 * - `open` resolves with the first item that has content, and with those before it, so that a refusal, or a failure before it, is still an HTTP status and can be retried;
 * - items are grouped by what the socket delivered at once, so that one read costs one write;
 * - a slow reader slows the provider down, and the provider's silence is not measured meanwhile;
 * - items that came before a failure are delivered before it is thrown, except where the caller aborts;
 * - `break` in a `for await` loop ends the request to the provider.
 *
 * There is one reader: `next` must not be called again before it has resolved.
 */
export abstract class UpstreamItemStream<Item> implements ResponseSink, AsyncIterableIterator<readonly Item[]> {
  /** HTTP status of the response, once `open` has resolved. */
  status = 0;
  /** Headers of the response, once `open` has resolved; names in lower case. */
  headers: IncomingHttpHeaders = {};
  private readonly exchange: UpstreamExchange;
  private errorResponse: UpstreamErrorResponse | undefined;
  private progress: StreamProgress = 'waiting';
  private size = 0;
  private queue: Item[] = [];
  private queuedBytes = 0;
  private ended = false;
  private failure: { readonly error: unknown } | undefined;
  private waiter:
    | { readonly resolve: (result: IteratorResult<readonly Item[]>) => void; readonly reject: (error: unknown) => void }
    | undefined;
  private wakeScheduled = false;
  private opening: { readonly resolve: () => void; readonly reject: (error: unknown) => void } | undefined;

  constructor(
    pool: UpstreamPool,
    request: UpstreamRequest,
    private readonly options: ItemStreamOptions,
  ) {
    this.exchange = new UpstreamExchange(pool, request, this);
  }

  /**
   * Reads bytes of a successful response. What it throws ends the stream, after the items that it has added.
   *
   * @param items takes the items that are complete
   * @throws GatewayError where the provider reports an error, or sends what cannot be read
   */
  protected abstract read(bytes: Buffer, items: Item[]): StreamProgress;

  /**
   * The provider has ended the response before the last item.
   *
   * @param items takes what is complete now
   * @throws GatewayError where something is missing
   */
  protected abstract readEnd(items: Item[]): void;

  /**
   * The connection broke, or was silent for too long.
   *
   * @param items takes what was held back until the end
   * @returns whether the response is complete all the same; else the reader gets the failure. Default: it is not
   */
  protected readBreak(_items: Item[]): boolean {
    return false;
  }

  /** Whether an item is content, which a provider bills. */
  protected isContent(_item: Item): boolean {
    return true;
  }

  /** The failure of a response above `maxBytes`. Default: not retryable, because the same request has the same response. */
  protected tooLarge(maxBytes: number): GatewayError {
    return responseTooLarge(maxBytes);
  }

  /**
   * Sends the request. Called once. Resolves with the first content, or with the end of a response that has none.
   *
   * @throws GatewayError as for a response that is read whole; the reason of an abort
   */
  open(): Promise<this> {
    return new Promise<void>((resolve, reject) => {
      this.opening = { resolve, reject };
      this.exchange.send();
    }).then(() => this);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** @throws GatewayError what ended the stream; the reason of an abort */
  next(): Promise<IteratorResult<readonly Item[]>> {
    if (this.queue.length > 0) return Promise.resolve({ done: false, value: this.take() });
    if (this.failure !== undefined) {
      const { error } = this.failure;
      this.failure = undefined;
      this.ended = true;
      return rejected(error);
    }
    if (this.ended) return Promise.resolve(OVER);
    return new Promise((resolve, reject) => {
      this.waiter = { resolve, reject };
    });
  }

  /** Ends the request to the provider at once. */
  return(): Promise<IteratorResult<readonly Item[]>> {
    this.exchange.cancel();
    this.queue = [];
    this.ended = true;
    this.failure = undefined;
    this.waiter?.resolve(OVER);
    this.waiter = undefined;
    return Promise.resolve(OVER);
  }

  start(status: number, headers: IncomingHttpHeaders): void {
    this.status = status;
    this.headers = headers;
    if (status > 299) {
      this.errorResponse = new UpstreamErrorResponse(this.exchange, status, headers, this.options.redact);
    }
  }

  data(chunk: Buffer): void {
    if (this.errorResponse !== undefined) {
      if (!this.errorResponse.add(chunk)) throw this.errorResponse.toError();
      return;
    }
    this.size += chunk.length;
    if (this.size > this.options.maxBytes) throw this.tooLarge(this.options.maxBytes);
    this.queuedBytes += chunk.length;
    const progress = this.read(chunk, this.queue);
    if (progress === 'over') {
      this.ended = true;
      this.exchange.finish();
    } else {
      if (progress !== this.progress) this.enter(progress);
      if (this.queue.length === 0) this.queuedBytes = 0;
      // The first content is not there yet, so there is no reader.
      else if (progress !== 'waiting' && this.queuedBytes > this.options.highWaterBytes) this.exchange.pause();
    }
    this.wake();
  }

  end(): void {
    if (this.errorResponse !== undefined) throw this.errorResponse.toError();
    this.readEnd(this.queue);
    this.ended = true;
    this.wake();
  }

  fail(error: unknown, origin: FailureOrigin): void {
    if (origin === 'abort') {
      this.queue = [];
      this.settle(error);
    } else if (this.errorResponse !== undefined) {
      this.settle(this.errorResponse.toError());
    } else if (origin === 'connection') {
      this.endByBreak(error);
    } else {
      this.settle(error);
    }
  }

  private endByBreak(error: unknown): void {
    let isComplete: boolean;
    try {
      isComplete = this.readBreak(this.queue);
    } catch (fault) {
      this.settle(fault);
      return;
    }
    if (!isComplete) {
      this.settle(error);
      return;
    }
    this.ended = true;
    this.wake();
  }

  private enter(progress: StreamProgress): void {
    // This also applies when the provider sends more after the apparent end: the idle timeout works as before.
    if (progress === 'begun' || this.progress === 'waiting') this.exchange.firstByteCame();
    if (progress === 'ending') this.exchange.expectEnd(END_TIMEOUT_MS);
    this.progress = progress;
  }

  /** Delivers later in the same turn of the event loop, so that everything that the socket has is one group. */
  private wake(): void {
    const hasBegun = this.progress !== 'waiting' && this.queue.length > 0;
    if (this.opening !== undefined && (hasBegun || this.ended)) {
      this.opening.resolve();
      this.opening = undefined;
    }
    if (this.waiter === undefined || this.wakeScheduled) return;
    this.wakeScheduled = true;
    queueMicrotask(this.deliver);
  }

  private readonly deliver = (): void => {
    this.wakeScheduled = false;
    const { waiter } = this;
    if (waiter === undefined || (this.queue.length === 0 && !this.ended && this.failure === undefined)) return;
    this.waiter = undefined;
    this.next().then(waiter.resolve, waiter.reject);
  };

  private settle(error: unknown): void {
    if (this.opening !== undefined) {
      // What came together with the failure was generated, although no client gets it.
      this.opening.reject(this.queue.some((item) => this.isContent(item)) ? asBilled(error) : error);
      this.opening = undefined;
      this.ended = true;
      return;
    }
    this.failure = { error };
    this.wake();
  }

  private take(): Item[] {
    const group = this.queue;
    this.queue = [];
    this.queuedBytes = 0;
    if (!this.ended) this.exchange.resume();
    return group;
  }
}

/** An abort's reason is chosen by the caller, so it need not be an Error. */
async function rejected(error: unknown): Promise<never> {
  await Promise.resolve();
  throw error;
}
