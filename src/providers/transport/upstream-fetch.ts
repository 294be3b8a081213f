import { restoreIntegers } from '../../runtime/exact-integers.js';
import { ExactEventLines, withExactArguments } from './exact-arguments.js';
import type { IncomingHttpHeaders } from 'node:http';
import { upstreamError } from '../../errors/gateway-error.js';
import { VERSION } from '../../runtime/version.js';
import { readResponse, ResponseLimits, UpstreamErrorResponse } from './response-text.js';
import { UpstreamExchange } from './upstream-exchange.js';
import type { UpstreamPool } from './upstream-pool.js';
import { UpstreamPools } from './upstream-pools.js';
import type { ResponseSink, UpstreamRequest } from './upstream-request.js';

/** A stream may have this many times the cap of a plain response, as with every other provider. */
const STREAM_SIZE_FACTOR = 4;
/** Bytes taken in and not yet read by the package, at which the upstream is held back. */
const HIGH_WATER_BYTES = 65_536;
const LINE_FEED = 0x0a;

/** What the connection decides, or what goes under another name. */
const OWN_HEADERS = new Set([
  'accept-encoding',
  'connection',
  'content-length',
  'host',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'user-agent',
  'x-request-id',
]);

export interface UpstreamAttempt {
  readonly timeouts: UpstreamRequest['timeouts'];
  /** Sent upstream as `x-request-id`. */
  readonly requestId: string;
  /** Whether the response is read while it arrives. */
  readonly stream: boolean;
}

/** One call of a language model, as its fetches see it. */
class OpenCall {
  /** What went wrong below the package, which would wrap it beyond recognition. */
  failure: unknown;
  body: StreamedBody | undefined;
  /** A package may send a second request where a response was too long for one. */
  hasBegun = false;

  constructor(readonly attempt: UpstreamAttempt) {}
}

/**
 * The `fetch` that the packages receive: the gateway's own connections, with its timeouts by phase, its cap on responses, its
 * refusals and no redirects. A package passes the signal of a call through to `fetch`, by which the request is matched to the call.
 */
export class UpstreamFetch {
  private readonly pools = new UpstreamPools();
  private readonly calls = new WeakMap<AbortSignal, OpenCall>();
  private readonly rehearsals = new WeakSet<AbortSignal>();

  constructor(
    private readonly limits: ResponseLimits,
    private readonly userAgent = `llm-gateway/${VERSION}`,
  ) {}

  /** To be called before the package is, with the signal that it will be given. */
  open(signal: AbortSignal, attempt: UpstreamAttempt): void {
    this.calls.set(signal, new OpenCall(attempt));
  }

  /** As `open`, for a call that is to be answered with an empty stream and never sent. */
  rehearse(signal: AbortSignal): void {
    this.rehearsals.add(signal);
  }

  /** The first event has come: from now on silence is measured between reads. */
  firstEventCame(signal: AbortSignal): void {
    const call = this.calls.get(signal);
    if (call === undefined) return;
    call.hasBegun = true;
    call.body?.firstEventCame();
  }

  /** What made a call fail, if it was the connection or the provider's refusal and not the package. */
  failureOf(signal: AbortSignal): unknown {
    return this.calls.get(signal)?.failure;
  }

  readonly fetch = async (input: string | URL | Request, init: RequestInit = {}): Promise<Response> => {
    const signal = init.signal ?? undefined;
    if (signal !== undefined && this.rehearsals.has(signal)) return new Response('', { status: 200 });
    const call = signal === undefined ? undefined : this.calls.get(signal);
    if (signal === undefined || call === undefined || input instanceof Request) {
      throw new TypeError('A package sent a request that belongs to no call.');
    }
    const url = new URL(input);
    const { timeouts, requestId, stream } = call.attempt;
    const request: UpstreamRequest = {
      method: init.method === 'GET' ? 'GET' : 'POST',
      path: `${url.pathname}${url.search}`,
      headers: this.headers(init.headers, requestId),
      body: typeof init.body === 'string' ? Buffer.from(restoreIntegers(init.body)) : null,
      timeouts,
      signal,
    };
    const pool = this.pools.of(url.origin);
    try {
      if (!stream) {
        const { text } = await readResponse(pool, request, this.limits);
        return jsonResponse(withExactArguments(text));
      }
      call.body = new StreamedBody(pool, request, this.limits, (error) => {
        call.failure = error;
      });
      const response = await call.body.open();
      if (call.hasBegun) call.body.firstEventCame();
      return response;
    } catch (error) {
      call.failure ??= error;
      throw error;
    }
  };

  async close(): Promise<void> {
    await this.pools.close();
  }

  private headers(given: RequestInit['headers'], requestId: string): string[] {
    const headers = ['accept-encoding', 'identity', 'user-agent', this.userAgent, 'x-request-id', requestId];
    new Headers(given).forEach((value, name) => {
      if (!OWN_HEADERS.has(name)) headers.push(name, value);
    });
    return headers;
  }
}

function jsonResponse(text: string): Response {
  return new Response(text, { status: 200, headers: { 'content-type': 'application/json' } });
}

/** A response that is read while it arrives, as the body of a Response. A package that reads slowly slows the upstream down. */
class StreamedBody implements ResponseSink {
  private readonly exchange: UpstreamExchange;
  private readonly stream: ReadableStream<Uint8Array>;
  private controller!: ReadableStreamDefaultController<Uint8Array>;
  private errorResponse: UpstreamErrorResponse | undefined;
  private lines: ExactEventLines | undefined;
  private opening: { resolve: (response: Response) => void; reject: (error: unknown) => void } | undefined;
  private size = 0;
  private lineSize = 0;
  private isOver = false;

  constructor(
    pool: UpstreamPool,
    request: UpstreamRequest,
    private readonly limits: ResponseLimits,
    private readonly onFailure: (error: unknown) => void,
  ) {
    this.exchange = new UpstreamExchange(pool, request, this);
    this.stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.controller = controller;
        },
        pull: () => {
          this.exchange.resume();
        },
        cancel: () => {
          this.isOver = true;
          this.exchange.cancel();
        },
      },
      new ByteLengthQueuingStrategy({ highWaterMark: HIGH_WATER_BYTES }),
    );
  }

  /** Sends the request. Resolves with status and headers of a success; rejects with a GatewayError for any other. */
  open(): Promise<Response> {
    return new Promise((resolve, reject) => {
      this.opening = { resolve, reject };
      this.exchange.send();
    });
  }

  firstEventCame(): void {
    // A short response may have ended before its first event was read; no wait begins then.
    if (!this.isOver) this.exchange.firstByteCame();
  }

  start(status: number, headers: IncomingHttpHeaders): void {
    if (status > 299) {
      this.errorResponse = new UpstreamErrorResponse(this.exchange, status, headers, this.limits.redact);
      return;
    }
    const contentType = headers['content-type'] ?? 'text/event-stream';
    if (/^text\/event-stream\b/i.test(contentType)) this.lines = new ExactEventLines();
    this.opening?.resolve(new Response(this.stream, { status: 200, headers: { 'content-type': contentType } }));
    this.opening = undefined;
  }

  data(chunk: Buffer): void {
    if (this.errorResponse !== undefined) {
      if (!this.errorResponse.add(chunk)) throw this.errorResponse.toError();
      return;
    }
    this.measure(chunk);
    if (this.lines === undefined) this.controller.enqueue(chunk);
    else {
      const whole = this.lines.push(chunk);
      if (whole.length > 0) this.controller.enqueue(whole);
    }
    if ((this.controller.desiredSize ?? 0) <= 0) this.exchange.pause();
  }

  end(): void {
    if (this.errorResponse !== undefined) throw this.errorResponse.toError();
    this.isOver = true;
    const rest = this.lines?.end();
    if (rest !== undefined && rest.length > 0) this.controller.enqueue(rest);
    this.controller.close();
  }

  fail(error: unknown, origin: 'abort' | 'connection' | 'response'): void {
    const failure = this.errorResponse === undefined || origin === 'abort' ? error : this.errorResponse.toError();
    this.isOver = true;
    this.onFailure(failure);
    if (this.opening === undefined) this.controller.error(failure);
    else this.opening.reject(failure);
    this.opening = undefined;
  }

  /** An event is a line, which the package's parser keeps until it ends; a stream is not kept. */
  private measure(chunk: Buffer): void {
    this.size += chunk.length;
    const lastLine = chunk.lastIndexOf(LINE_FEED);
    this.lineSize = lastLine === -1 ? this.lineSize + chunk.length : chunk.length - lastLine;
    const cap = this.limits.maxAnswerSize;
    if (this.lineSize > cap || this.size > cap * STREAM_SIZE_FACTOR) {
      throw upstreamError({
        message: `The upstream provider sent an answer larger than the gateway takes (${cap} bytes).`,
      });
    }
  }
}
