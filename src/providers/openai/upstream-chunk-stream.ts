import type { IncomingHttpHeaders } from 'node:http';
import type { ChatCompletionChunk } from '../../operations/chat/chat-completion.js';
import type { StreamedChunk } from '../../operations/chat/preserialized-chunk.js';
import { SseEvent, SseEventTooLargeError, SseParser } from '../../wire/sse/sse-parser.js';
import { upstreamError } from '../../errors/gateway-error.js';
import { ResponseLimits, BodyText, UpstreamErrorResponse } from '../transport/response-text.js';
import { completionToChunks } from '../../wire/openai-chat/completion-to-chunks.js';
import { parseCompletion } from '../../wire/openai-chat/parse-completion.js';
import { StreamNormaliser, StreamNormaliserOptions } from '../../wire/openai-chat/stream-normaliser.js';
import { UpstreamExchange } from '../transport/upstream-exchange.js';
import type { UpstreamPool } from '../transport/upstream-pool.js';
import type { FailureOrigin, ResponseSink, UpstreamRequest } from '../transport/upstream-request.js';

/**
 * A stream may have this many times the cap of a plain response: around the same text it repeats ids, dates and names for every
 * token. It bounds streams that never end; none of it is held in memory.
 */
const STREAM_SIZE_FACTOR = 4;
/** Bytes taken in and not yet read by the client, at which the upstream is held back. */
const HIGH_WATER_BYTES = 16_384;
/** How long usage and `[DONE]` are waited for once every choice has ended. */
const END_TIMEOUT_MS = 5000;

type Group = readonly StreamedChunk[];
const OVER: IteratorResult<Group> = Object.freeze({ done: true, value: undefined });

/**
 * The chunks of an upstream's streamed response. Chunks are grouped by what the socket delivered at once, so that one read costs
 * one write; a client that reads slowly slows the upstream down.
 */
export class UpstreamChunkStream implements ResponseSink, AsyncIterableIterator<Group> {
  private readonly exchange: UpstreamExchange;
  private readonly normaliser: StreamNormaliser;
  private readonly parser: SseParser;
  private mode: 'undecided' | 'events' | 'json' = 'undecided';
  private errorResponse: UpstreamErrorResponse | undefined;
  private json: BodyText | undefined;
  private readonly maxStreamSize: number;
  private size = 0;
  private firstEventCame = false;

  private queue: StreamedChunk[] = [];
  private queuedBytes = 0;
  private ended = false;
  private failure: { readonly error: unknown } | undefined;
  private waiter: { resolve: (result: IteratorResult<Group>) => void; reject: (error: unknown) => void } | undefined;
  private wakeScheduled = false;
  private opening: { resolve: () => void; reject: (error: unknown) => void } | undefined;

  constructor(
    pool: UpstreamPool,
    request: UpstreamRequest,
    private readonly limits: ResponseLimits,
    private readonly options: StreamNormaliserOptions,
  ) {
    this.exchange = new UpstreamExchange(pool, request, this);
    this.normaliser = new StreamNormaliser(options);
    this.maxStreamSize = limits.maxAnswerSize * STREAM_SIZE_FACTOR;
    this.parser = new SseParser(limits.maxAnswerSize);
  }

  /** Sends the request. Resolves with the first chunk, so that a refusal can still become a real HTTP status. */
  open(): Promise<this> {
    return new Promise<void>((resolve, reject) => {
      this.opening = { resolve, reject };
      this.exchange.send();
    }).then(() => this);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Group>> {
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

  /** Ends the upstream request at once. */
  return(): Promise<IteratorResult<Group>> {
    this.exchange.cancel();
    this.queue = [];
    this.ended = true;
    this.failure = undefined;
    this.waiter?.resolve(OVER);
    this.waiter = undefined;
    return Promise.resolve(OVER);
  }

  start(status: number, headers: IncomingHttpHeaders): void {
    if (status > 299)
      this.errorResponse = new UpstreamErrorResponse(this.exchange, status, headers, this.limits.redact);
  }

  data(chunk: Buffer): void {
    if (this.errorResponse !== undefined) {
      if (!this.errorResponse.add(chunk)) throw this.errorResponse.toError();
      return;
    }
    this.size += chunk.length;
    if (this.size > this.maxStreamSize) {
      throw upstreamError({
        message: `The upstream provider sent a stream larger than the gateway takes (${this.maxStreamSize} bytes).`,
      });
    }
    if (this.mode === 'undecided') this.decide(chunk);
    if (this.mode === 'json') this.json?.add(chunk);
    else if (this.mode === 'events') this.readEvents(chunk);
  }

  end(): void {
    if (this.errorResponse !== undefined) throw this.errorResponse.toError();
    if (this.mode === 'json') this.queue.push(...this.completeJson());
    else {
      this.normalise(this.parser.end());
      this.normaliser.end(this.queue);
    }
    this.ended = true;
    this.wake();
  }

  fail(error: unknown, origin: FailureOrigin): void {
    if (origin === 'abort') {
      this.queue = [];
      this.settle({ error });
    } else if (this.errorResponse !== undefined) {
      this.settle({ error: this.errorResponse.toError() });
    } else if (origin === 'connection' && this.normaliser.whole) {
      // All that can be missing is the usage and the word that this was all.
      this.normaliser.end(this.queue);
      this.ended = true;
      this.wake();
    } else {
      this.settle({ error });
    }
  }

  /**
   * Some servers respond in JSON although a stream was requested, errors with status 200 among them; some name the wrong
   * content-type. The first character decides: an event stream begins with a field name, a comment or a blank line.
   */
  private decide(chunk: Buffer): void {
    for (const byte of chunk) {
      if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) continue;
      // The bytes of a byte order mark, which may come before either.
      if (byte === 0xef || byte === 0xbb || byte === 0xbf) continue;
      if (byte === 0x3c) throw upstreamError({ message: 'The upstream provider answered with a web page.' });
      if (byte === 0x7b || byte === 0x5b) {
        this.mode = 'json';
        this.json = new BodyText(this.limits.maxAnswerSize);
        this.exchange.firstByteCame();
      } else {
        this.mode = 'events';
      }
      return;
    }
  }

  private readEvents(chunk: Buffer): void {
    this.queuedBytes += chunk.length;
    const waited = !this.firstEventCame;
    const { nearEnd } = this.normaliser;
    this.normalise(this.parse(chunk));
    if (this.normaliser.done) {
      this.ended = true;
      this.exchange.finish();
    } else {
      if (waited && this.firstEventCame) this.exchange.firstByteCame();
      if (!nearEnd && this.normaliser.nearEnd) this.exchange.expectEnd(END_TIMEOUT_MS);
      // It went on after its finish reason: silence is measured as before.
      else if (nearEnd && !this.normaliser.nearEnd) this.exchange.firstByteCame();
      if (this.queue.length === 0) this.queuedBytes = 0;
      else if (this.queuedBytes > HIGH_WATER_BYTES) this.exchange.pause();
    }
    this.wake();
  }

  private parse(chunk: Buffer): SseEvent[] {
    try {
      return this.parser.push(chunk);
    } catch (cause) {
      if (!(cause instanceof SseEventTooLargeError)) throw cause;
      throw upstreamError({
        message: `The upstream provider sent an event larger than the gateway takes (${this.limits.maxAnswerSize} bytes).`,
        cause,
      });
    }
  }

  private normalise(events: readonly SseEvent[]): void {
    for (const event of events) {
      if (event.data !== '') this.firstEventCame = true;
      this.normaliser.push(event, this.queue);
    }
  }

  private completeJson(): ChatCompletionChunk[] {
    return completionToChunks(parseCompletion(String(this.json), this.options));
  }

  /** Later in the same turn of the loop, so that everything that the socket gives at once is one group. */
  private wake(): void {
    if (this.opening !== undefined && (this.queue.length > 0 || this.ended)) {
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

  private settle(failure: { readonly error: unknown }): void {
    if (this.opening !== undefined) {
      this.opening.reject(failure.error);
      this.opening = undefined;
      this.ended = true;
      return;
    }
    this.failure = failure;
    this.wake();
  }

  private take(): Group {
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
