import type { IncomingHttpHeaders } from 'node:http';
import { upstreamError } from '../../errors/gateway-error.js';
import { type ResponseLimits, UpstreamErrorResponse } from './response-text.js';
import { UpstreamExchange } from './upstream-exchange.js';
import type { UpstreamPool } from './upstream-pool.js';
import type { FailureOrigin, ResponseSink, UpstreamRequest } from './upstream-request.js';

/** Bytes that wait for the reader, at which the upstream is held back. */
const HIGH_WATER_BYTES = 65_536;

type Result = IteratorResult<Buffer>;
const OVER: Result = Object.freeze({ done: true, value: undefined });

/**
 * The body of a successful response while it comes: a sound, or events of another operation than chat. A slow reader holds
 * the upstream back. Returning the iterator early (`break`) ends the upstream request.
 */
export class UpstreamByteStream implements ResponseSink, AsyncIterableIterator<Buffer> {
  status = 0;
  /** Names in lower case. */
  headers: IncomingHttpHeaders = {};
  private readonly exchange: UpstreamExchange;
  private errorResponse: UpstreamErrorResponse | undefined;
  private size = 0;
  private queue: Buffer[] = [];
  private queuedBytes = 0;
  private hasBegun = false;
  private ended = false;
  private failure: { readonly error: unknown } | undefined;
  private waiter: { resolve: (result: Result) => void; reject: (error: unknown) => void } | undefined;
  private opening: { resolve: () => void; reject: (error: unknown) => void } | undefined;

  /** @param limits `maxAnswerSize` is the most bytes of the whole stream */
  constructor(
    pool: UpstreamPool,
    request: UpstreamRequest,
    private readonly limits: ResponseLimits,
  ) {
    this.exchange = new UpstreamExchange(pool, request, this);
  }

  /**
   * Sends the request. Resolves with the first bytes, so that a failure before them can still be retried.
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

  next(): Promise<Result> {
    const value = this.queue.shift();
    if (value !== undefined) {
      this.queuedBytes -= value.length;
      if (this.queue.length === 0 && !this.ended) this.exchange.resume();
      return Promise.resolve({ done: false, value });
    }
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

  /** Ends the upstream request at once. */
  return(): Promise<Result> {
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
      this.errorResponse = new UpstreamErrorResponse(this.exchange, status, headers, this.limits.redact);
    }
  }

  data(chunk: Buffer): void {
    if (this.errorResponse !== undefined) {
      if (!this.errorResponse.add(chunk)) throw this.errorResponse.toError();
      return;
    }
    this.size += chunk.length;
    const { maxAnswerSize } = this.limits;
    if (this.size > maxAnswerSize) {
      throw upstreamError({
        message: `The upstream provider sent a response larger than the gateway takes (${maxAnswerSize} bytes).`,
      });
    }
    if (!this.hasBegun) {
      this.hasBegun = true;
      this.exchange.firstByteCame();
    }
    this.opened();
    if (this.waiter !== undefined) {
      this.waiter.resolve({ done: false, value: chunk });
      this.waiter = undefined;
      return;
    }
    this.queue.push(chunk);
    this.queuedBytes += chunk.length;
    if (this.queuedBytes > HIGH_WATER_BYTES) this.exchange.pause();
  }

  end(): void {
    if (this.errorResponse !== undefined) throw this.errorResponse.toError();
    this.ended = true;
    this.opened();
    this.waiter?.resolve(OVER);
    this.waiter = undefined;
  }

  fail(cause: unknown, origin: FailureOrigin): void {
    const error = this.errorResponse === undefined || origin === 'abort' ? cause : this.errorResponse.toError();
    if (origin === 'abort') this.queue = [];
    if (this.opening !== undefined) {
      this.opening.reject(error);
      this.opening = undefined;
      this.ended = true;
    } else if (this.waiter !== undefined) {
      this.waiter.reject(error);
      this.waiter = undefined;
      this.ended = true;
    } else {
      this.failure = { error };
    }
  }

  private opened(): void {
    this.opening?.resolve();
    this.opening = undefined;
  }
}

/** An abort's reason is chosen by the caller, so it need not be an Error. */
async function rejected(error: unknown): Promise<never> {
  await Promise.resolve();
  throw error;
}
