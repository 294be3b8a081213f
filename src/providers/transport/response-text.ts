import type { IncomingHttpHeaders } from 'node:http';
import { GatewayError, upstreamError } from '../../errors/gateway-error.js';
import { mapErrorResponse } from '../../wire/errors/map-error.js';
import type { Redact } from '../../wire/errors/redact.js';
import { readExchanged } from './exchange.js';
import { UpstreamExchange } from './upstream-exchange.js';
import type { UpstreamPool } from './upstream-pool.js';
import type { FailureOrigin, ResponseSink, UpstreamRequest } from './upstream-request.js';

/** The body of an error is a few lines; of a longer one the start is read. */
const MAX_ERROR_BYTES = 1_048_576;
/** Longest wait for the body of an error, once its status is known. */
const ERROR_TIMEOUT_MS = 2000;

/** Collects a body up to a cap. */
export class BodyText {
  private readonly chunks: Buffer[] = [];
  private length = 0;

  constructor(private readonly cap: number) {}

  /** @throws GatewayError `upstream_error` above the cap */
  add(chunk: Buffer): void {
    this.length += chunk.length;
    if (this.length > this.cap) {
      this.chunks.length = 0;
      throw responseTooLarge(this.cap);
    }
    this.chunks.push(chunk);
  }

  toString(): string {
    return Buffer.concat(this.chunks).toString('utf8');
  }
}

/**
 * 502: a response above a limit of the gateway. Not retryable, because the same request has a response of the same size; the
 * provider has made it and may bill it.
 */
export function responseTooLarge(maxBytes: number, what = 'a response'): GatewayError {
  return upstreamError({
    message: `The upstream provider sent ${what} larger than the gateway takes (${maxBytes} bytes).`,
    retryable: false,
    mayBeBilled: true,
  });
}

/**
 * Reads a response whose status is no success. The status alone makes an error, even if the body is cut short, silent or
 * endless.
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
    exchange.endWithin(ERROR_TIMEOUT_MS);
  }

  /** @returns false when no more is needed */
  add(chunk: Buffer): boolean {
    const rest = MAX_ERROR_BYTES - this.size;
    this.size += chunk.length;
    this.body.add(chunk.length > rest ? chunk.subarray(0, rest) : chunk);
    return this.size < MAX_ERROR_BYTES;
  }

  toError(): GatewayError {
    return mapErrorResponse(this.status, this.headers, this.body.toString(), this.redact, Date.now());
  }
}

/** Limits of reading a response, and the redaction of its texts. */
export interface ResponseLimits {
  /** Bytes, decompressed. */
  readonly maxResponseBytes: number;
  readonly redact: Redact;
}

/** A successful response that has come whole. */
export interface UpstreamResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** The body, decompressed, as UTF-8. */
  readonly text: string;
}

/**
 * Sends a request and reads its whole response.
 *
 * @throws GatewayError for any status but a success, a broken connection and a timeout; the reason of an abort
 */
export function readResponse(
  pool: UpstreamPool,
  request: UpstreamRequest,
  limits: ResponseLimits,
): Promise<UpstreamResponse> {
  if (request.exchange !== undefined) return readExchanged(request.exchange, request, limits);
  return new Promise((resolve, reject) => {
    new TextSink(pool, request, limits, resolve, reject).exchange.send();
  });
}

class TextSink implements ResponseSink {
  readonly exchange: UpstreamExchange;
  private readonly body: BodyText;
  private status = 0;
  private headers: IncomingHttpHeaders = {};
  private errorResponse: UpstreamErrorResponse | undefined;

  constructor(
    pool: UpstreamPool,
    request: UpstreamRequest,
    private readonly limits: ResponseLimits,
    private readonly resolve: (response: UpstreamResponse) => void,
    private readonly reject: (error: unknown) => void,
  ) {
    this.exchange = new UpstreamExchange(pool, request, this);
    this.body = new BodyText(limits.maxResponseBytes);
  }

  start(status: number, headers: IncomingHttpHeaders): void {
    this.exchange.firstByteCame();
    this.status = status;
    this.headers = headers;
    if (status > 299) {
      this.errorResponse = new UpstreamErrorResponse(this.exchange, status, headers, this.limits.redact);
    }
  }

  data(chunk: Buffer): void {
    if (this.errorResponse === undefined) this.body.add(chunk);
    else if (!this.errorResponse.add(chunk)) throw this.errorResponse.toError();
  }

  end(): void {
    if (this.errorResponse !== undefined) this.reject(this.errorResponse.toError());
    else this.resolve({ status: this.status, headers: this.headers, text: this.body.toString() });
  }

  fail(error: unknown, origin: FailureOrigin): void {
    this.reject(this.errorResponse === undefined || origin === 'abort' ? error : this.errorResponse.toError());
  }
}
