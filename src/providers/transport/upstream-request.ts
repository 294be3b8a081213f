import type { IncomingHttpHeaders } from 'node:http';
import type { Timeouts } from '../../config/gateway-config.js';
import type { Exchange } from './exchange.js';
import type { CancelSignal } from '../../runtime/cancel-signal.js';

/** Milliseconds for each phase of a request. */
export type PhaseTimeouts = Pick<Timeouts, 'connect' | 'firstByte' | 'idle'>;

/** A body that is not held in memory. It may be sent several times, because a request may be repeated. */
export interface RepeatableBody {
  readonly contentType: string;
  /** Bytes. */
  readonly length: number;
  /** The body from its start. What the iterable throws fails the request. */
  open(): AsyncIterable<Buffer>;
}

/** An HTTP request to a provider. */
export interface UpstreamRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  /** Path and query. */
  readonly path: string;
  /** Flat list of names and values. */
  readonly headers: string[];
  /** The headers of a repeatable body must have the content type and length. */
  readonly body: Buffer | RepeatableBody | null;
  /** Milliseconds; Infinity leaves a phase to the signal. */
  readonly timeouts: PhaseTimeouts;
  readonly signal: CancelSignal;
  /** Called with the headers of the final response of any status, before the sink. */
  readonly onHeaders?: ((headers: IncomingHttpHeaders) => void) | undefined;
  /** Carries the request in place of HTTP. */
  readonly exchange?: Exchange | undefined;
}

/** The cause of the end of an exchange: the caller's signal, the connection (or its silence), or the content of the response. */
export type FailureOrigin = 'abort' | 'connection' | 'response';

/** Receives a response. Either `end` or `fail` is called, once, and nothing after it. */
export interface ResponseSink {
  /** Status and headers of the final response. Must call `firstByteCame` of the exchange when the wait is over. */
  start(status: number, headers: IncomingHttpHeaders): void;
  /** Decoded bytes. What it throws fails the exchange. */
  data(chunk: Buffer): void;
  /** The whole body has come. What it throws fails the exchange. */
  end(): void;
  /** @param error a GatewayError, or the reason of an abort */
  fail(error: unknown, origin: FailureOrigin): void;
}
