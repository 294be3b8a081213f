import type { IncomingHttpHeaders } from 'node:http';
import { GatewayError, upstreamError } from '../../errors/gateway-error.js';
import { mapErrorResponse } from '../../wire/errors/map-error.js';
import type { Redact } from '../../wire/errors/redact.js';
import { ResponseSink, FailureOrigin, UpstreamExchange, UpstreamRequest } from './upstream-exchange.js';
import type { UpstreamPool } from './upstream-pool.js';

/** A refusal is a few lines; of a longer one the start will do. */
const MAX_REFUSAL_BYTES = 1_048_576;
/** How long the body of a refusal is waited for, once its status is known. */
const REFUSAL_TIMEOUT_MS = 2000;

/** Collects a body up to a cap. */
export class BodyText {
  private readonly chunks: Buffer[] = [];
  private length = 0;

  constructor(private readonly cap: number) {}

  /** @throws GatewayError `upstream_error` beyond the cap */
  add(chunk: Buffer): void {
    this.length += chunk.length;
    if (this.length > this.cap) {
      this.chunks.length = 0;
      throw upstreamError({
        message: `The upstream provider sent an answer larger than the gateway takes (${this.cap} bytes).`,
      });
    }
    this.chunks.push(chunk);
  }

  toString(): string {
    return Buffer.concat(this.chunks).toString('utf8');
  }
}

/**
 * Reads an answer whose status is no success. Whatever happens to its body, cut short, silent or endless, the status
 * alone makes an error.
 */
export class UpstreamErrorResponse {
  private readonly body = new BodyText(Number.MAX_SAFE_INTEGER);
  private size = 0;

  constructor(
    exchange: UpstreamExchange,
    private readonly status: number,
    private readonly headers: IncomingHttpHeaders,
    private readonly redact: Redact,
  ) {
    exchange.endWithin(REFUSAL_TIMEOUT_MS);
  }

  /** @returns false when enough is known */
  add(chunk: Buffer): boolean {
    const rest = MAX_REFUSAL_BYTES - this.size;
    this.size += chunk.length;
    this.body.add(chunk.length > rest ? chunk.subarray(0, rest) : chunk);
    return this.size < MAX_REFUSAL_BYTES;
  }

  toError(): GatewayError {
    return mapErrorResponse(this.status, this.headers, this.body.toString(), this.redact, Date.now());
  }
}

export interface ResponseLimits {
  /** Bytes, decompressed. */
  readonly maxAnswerSize: number;
  readonly redact: Redact;
}

/** The body of a successful answer as text. @throws GatewayError for any other answer; an abort's reason */
export function requestText(pool: UpstreamPool, request: UpstreamRequest, limits: ResponseLimits): Promise<string> {
  return new Promise((resolve, reject) => {
    new TextSink(pool, request, limits, resolve, reject).exchange.send();
  });
}

class TextSink implements ResponseSink {
  readonly exchange: UpstreamExchange;
  private readonly body: BodyText;
  private errorResponse: UpstreamErrorResponse | undefined;

  constructor(
    pool: UpstreamPool,
    request: UpstreamRequest,
    private readonly limits: ResponseLimits,
    private readonly resolve: (text: string) => void,
    private readonly reject: (error: unknown) => void,
  ) {
    this.exchange = new UpstreamExchange(pool, request, this);
    this.body = new BodyText(limits.maxAnswerSize);
  }

  start(status: number, headers: IncomingHttpHeaders): void {
    this.exchange.firstByteCame();
    if (status > 299)
      this.errorResponse = new UpstreamErrorResponse(this.exchange, status, headers, this.limits.redact);
  }

  data(chunk: Buffer): void {
    if (this.errorResponse === undefined) this.body.add(chunk);
    else if (!this.errorResponse.add(chunk)) throw this.errorResponse.toError();
  }

  end(): void {
    if (this.errorResponse === undefined) this.resolve(this.body.toString());
    else this.reject(this.errorResponse.toError());
  }

  fail(error: unknown, origin: FailureOrigin): void {
    this.reject(this.errorResponse === undefined || origin === 'abort' ? error : this.errorResponse.toError());
  }
}
