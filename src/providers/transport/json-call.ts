import type { IncomingHttpHeaders } from 'node:http';
import type { ProviderConfig, Timeouts } from '../../config/gateway-config.js';
import type { CancelSignal } from '../../runtime/cancel-signal.js';
import { printExact } from '../../runtime/exact-integers.js';
import type { JsonObject } from '../../runtime/json-value.js';
import { VERSION } from '../../runtime/version.js';
import { type Redact, redactor } from '../../wire/errors/redact.js';
import type { AuthorizationHeaders, Authorize } from '../credentials/authorize.js';
import { raced, untilAuthorized, withoutCredentials } from '../credentials/until-authorized.js';
import { PROJECT_OF_LOGIN } from '../definitions/logins/google-login.js';
import { UpstreamByteStream } from './byte-stream.js';
import { CONNECTION_HEADERS } from './request-headers.js';
import { readResponse, type ResponseLimits, type UpstreamResponse } from './response-text.js';
import type { UpstreamPool } from './upstream-pool.js';
import { UpstreamPools } from './upstream-pools.js';
import type { PhaseTimeouts, RepeatableBody, UpstreamRequest } from './upstream-request.js';

/** One call of a provider's HTTP API, as a wire format writes it: no transport, no credentials. */
export interface JsonCall {
  /** Default POST. */
  readonly method?: UpstreamRequest['method'];
  /** Path and query below the provider's base URL, with a leading slash; a whole URL where another host serves the call. */
  readonly path: string;
  /** An object is sent as JSON, a repeatable body as its bytes. Default: no body. */
  readonly body?: JsonObject | RepeatableBody;
  /** Headers of this call, such as `accept`. They replace the client's. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Most bytes of the response, decompressed. Default: `upstream.max_answer_size`. */
  readonly maxResponseBytes?: number;
}

/** A request with its credentials. */
interface PreparedCall {
  readonly origin: string;
  readonly request: UpstreamRequest;
  readonly authorization: AuthorizationHeaders;
  readonly redact: Redact;
}

/** The members of a call that come from its attempt. Every `ProviderCall` has them. */
export interface CallContext {
  /** Milliseconds. `total` is held by the signal. */
  readonly timeouts: Timeouts;
  /** Sent as `x-request-id`. */
  readonly requestId: string;
  /** The client's headers that the allow-list lets through, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: CancelSignal;
  /** Called with the headers of the response, errors included. */
  readonly onHeaders?: UpstreamRequest['onHeaders'];
  readonly exchange?: UpstreamRequest['exchange'];
}

/**
 * Calls of a provider's HTTP API for all operations that need no client of their own. Timeouts, size limits, redaction and the
 * mapping of error responses to `GatewayError` (retryable, retry-after, the provider's words) are those of chat.
 */
export class JsonClient {
  private readonly pools = new UpstreamPools();
  private readonly redact: Redact;
  private readonly fixed: Readonly<Record<string, string>>;

  /** @param maxResponseBytes most bytes of a response, decompressed */
  constructor(
    private readonly config: ProviderConfig,
    private readonly maxResponseBytes: number,
    private readonly authorize: Authorize,
  ) {
    this.redact = redactor(config);
    this.fixed = Object.fromEntries(
      Object.entries(config.headers)
        .map(([name, value]) => [name.toLowerCase(), value] as const)
        .filter(([name]) => !CONNECTION_HEADERS.has(name)),
    );
  }

  /**
   * Reads a whole response. The provider may work on it for as long as the call's total timeout allows.
   *
   * @throws GatewayError for any status but a success, a broken connection, a timeout and a body over the limit; the
   *   reason of an abort
   */
  async call(call: JsonCall, context: CallContext): Promise<UpstreamResponse> {
    const timeouts = { connect: context.timeouts.connect, firstByte: Infinity, idle: Infinity };
    return this.send(call, context, timeouts, readResponse);
  }

  /**
   * Reads a response while it comes, with the timeouts of streams. Resolves with the first bytes.
   *
   * @throws GatewayError as `call` does, here or from the iterator
   */
  async open(call: JsonCall, context: CallContext): Promise<UpstreamByteStream> {
    return this.send(call, context, context.timeouts, (...sent) => new UpstreamByteStream(...sent).open());
  }

  /**
   * The same for a response whose bytes become items, such as the events of a stream.
   *
   * @param create makes the stream that the request is sent by
   */
  async openWith<Stream extends { open(): Promise<unknown> }>(
    call: JsonCall,
    context: CallContext,
    create: (pool: UpstreamPool, request: UpstreamRequest, limits: ResponseLimits) => Stream,
  ): Promise<Stream> {
    return this.send(call, context, context.timeouts, async (...sent) => {
      const stream = create(...sent);
      await stream.open();
      return stream;
    });
  }

  /** Closes every connection; called once, when no call is in flight. */
  async close(): Promise<void> {
    await this.pools.close();
  }

  private limits({ maxResponseBytes = this.maxResponseBytes }: JsonCall, redact: Redact): ResponseLimits {
    return { maxResponseBytes: maxResponseBytes, redact };
  }

  private send<Result>(
    call: JsonCall,
    context: CallContext,
    timeouts: PhaseTimeouts,
    by: (pool: UpstreamPool, request: UpstreamRequest, limits: ResponseLimits) => Promise<Result>,
  ): Promise<Result> {
    return untilAuthorized(
      this.authorize,
      context.signal,
      () => this.prepare(call, context, timeouts),
      ({ origin, request, redact }) => by(this.pools.of(origin), request, this.limits(call, redact)),
    );
  }

  private async prepare(
    call: JsonCall,
    { requestId, headers: clientHeaders, signal, onHeaders, exchange }: CallContext,
    timeouts: PhaseTimeouts,
  ): Promise<PreparedCall> {
    signal.throwIfAborted();
    const method = call.method ?? 'POST';
    const url = this.urlOf(await raced(this.withProject(call.path), signal));
    const body = bodyOf(call.body);
    const headers: Record<string, string> = {
      ...clientHeaders,
      accept: 'application/json',
      'accept-encoding': 'identity',
      'user-agent': `llm-gateway/${VERSION}`,
      ...contentHeaders(body),
      ...call.headers,
      ...this.fixed,
      'x-request-id': requestId,
    };
    const request = { method, url: url.href, headers, body: Buffer.isBuffer(body) ? body : undefined };
    const authorization = await raced(this.authorize(request), signal);
    // The operator's own headers replace those of the credentials, as for every request to a provider.
    const all = { ...headers, ...authorization, ...this.fixed };
    return {
      origin: url.origin,
      authorization,
      redact: withoutCredentials(authorization, this.redact),
      request: {
        method,
        path: `${url.pathname}${url.search}`,
        headers: Object.entries(all).flat(),
        body,
        timeouts,
        signal,
        onHeaders,
        exchange,
      },
    };
  }

  /** The path with the project of the login, where it has a place for it. */
  private withProject(path: string): string | Promise<string> {
    const { project } = this.authorize;
    if (project === undefined || !path.includes(PROJECT_OF_LOGIN)) return path;
    return project().then((id) => path.replaceAll(PROJECT_OF_LOGIN, encodeURIComponent(id)));
  }

  /** A query of the base URL, such as Azure's api-version, belongs to every request. */
  private urlOf(path: string): URL {
    if (!path.startsWith('/')) return new URL(path);
    const base = new URL(this.config.baseUrl);
    const url = new URL(`${base.origin}${base.pathname.replace(/\/+$/, '')}${path}`);
    for (const [name, value] of base.searchParams) if (!url.searchParams.has(name)) url.searchParams.set(name, value);
    return url;
  }
}

function bodyOf(body: JsonCall['body']): Buffer | RepeatableBody | null {
  if (body === undefined) return null;
  return isRepeatable(body) ? body : Buffer.from(printExact(body));
}

function isRepeatable(body: JsonObject | RepeatableBody): body is RepeatableBody {
  return typeof body.open === 'function';
}

function contentHeaders(body: Buffer | RepeatableBody | null): Record<string, string> {
  if (body === null) return {};
  if (Buffer.isBuffer(body)) return { 'content-type': 'application/json' };
  return { 'content-type': body.contentType, 'content-length': String(body.length) };
}

/** The value of a response header that may come once; of several, the first. */
export function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}
