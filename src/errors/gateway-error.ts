import type { ErrorCode, ProviderCode } from './error-codes.js';

/** The `type` values of the error body, as OpenAI's clients know them. */
export type ErrorType =
  | 'invalid_request_error'
  | 'authentication_error'
  | 'permission_error'
  | 'rate_limit_error'
  | 'insufficient_quota'
  | 'server_error';

/** The error body of every route; all four keys are always present. */
export interface ErrorBody {
  error: { message: string; type: string; param: string | null; code: string | null };
}

/** The members of a GatewayError. */
export interface GatewayErrorOptions {
  /** HTTP status of the response, when headers have not been sent yet. */
  status: number;
  type: ErrorType | (string & {});
  code: ErrorCode | ProviderCode | null;
  /** Shown to the client: names the field and the fix, never a key, an upstream address or a stack. */
  message: string;
  /** Path of the offending field, `messages[2].content`; null when no field is to blame. */
  param?: string | null;
  /** Whether another attempt (another deployment, or later) may succeed. Retry code reads this, never a message. */
  retryable?: boolean;
  /** How long the upstream asked to wait, in milliseconds. */
  retryAfterMs?: number;
  /** The gateway itself refused, and no provider was asked: a batch's task may wait without losing an attempt. */
  rejectedByGateway?: boolean;
  /** The provider was working on the request when it was abandoned or ended early, so that it may bill it. */
  mayBeBilled?: boolean;
  /** No connection to the provider could be made, which has nothing to do with the request. */
  isConnectionFault?: boolean;
  /** The provider declined the content of the request; another model is not asked for what this one declined. */
  isContentRefusal?: boolean;
  /** The operator's account at the provider has no quota or credit left, or its limit of a day is reached. */
  isOutOfQuota?: boolean;
  /** Extra response headers, such as `retry-after`. */
  headers?: Readonly<Record<string, string>>;
  cause?: unknown;
}

/** The error message of a provider, only for the log: clients get the gateway's own message. */
export interface UpstreamFailureReport {
  /** HTTP status of its response; undefined where it came inside a response of status 200. */
  readonly status: number | undefined;
  /** Its own code or type of the error. */
  readonly code: string | undefined;
  /** Its own words, without credentials and addresses. They may quote the request. */
  readonly message: string | undefined;
}

/** The one class of errors that clients see. The exception filter and the stream encoder print it; nothing else does. */
export class GatewayError extends Error {
  readonly status: number;
  readonly type: string;
  readonly code: ErrorCode | ProviderCode | null;
  readonly param: string | null;
  readonly retryable: boolean;
  readonly retryAfterMs: number | undefined;
  readonly rejectedByGateway: boolean;
  readonly mayBeBilled: boolean;
  readonly isConnectionFault: boolean;
  readonly isContentRefusal: boolean;
  readonly isOutOfQuota: boolean;
  /** Extra response headers; those of a provider's response are added where its client gets them. */
  headers: Readonly<Record<string, string>>;
  /** Set where a provider has responded with a failure. */
  upstream: UpstreamFailureReport | undefined;

  constructor(options: GatewayErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'GatewayError';
    this.status = options.status;
    this.type = options.type;
    this.code = options.code;
    this.param = options.param ?? null;
    this.retryable = options.retryable ?? false;
    this.retryAfterMs = options.retryAfterMs;
    this.rejectedByGateway = options.rejectedByGateway ?? false;
    this.mayBeBilled = options.mayBeBilled ?? false;
    this.isConnectionFault = options.isConnectionFault ?? false;
    this.isContentRefusal = options.isContentRefusal ?? false;
    this.isOutOfQuota = options.isOutOfQuota ?? false;
    this.headers = options.headers ?? {};
  }

  /** The wire form, used by the filter and by the error event of a broken stream. */
  toBody(): ErrorBody {
    return { error: { message: this.message, type: this.type, param: this.param, code: this.code } };
  }
}

/** 400: the client's request is at fault. `param` is the path of the field. */
export function invalidRequest(
  message: string,
  param: string | null,
  code: ErrorCode | ProviderCode = 'invalid_value',
): GatewayError {
  return new GatewayError({ status: 400, type: 'invalid_request_error', code, message, param });
}

/** 400: the body is no JSON object or array. The parser's own message quotes the body, so it is not passed on. */
export function invalidJson(): GatewayError {
  return invalidRequest('The request body is not valid JSON. Send one JSON object.', null, 'invalid_json');
}

/** 404: the id is unknown, or it belongs to another key (the two must be indistinguishable). */
export function notFound(message: string, code: ErrorCode = 'not_found', param: string | null = null): GatewayError {
  return new GatewayError({ status: 404, type: 'invalid_request_error', code, message, param });
}

/** 409: something else has changed meanwhile, or is in a state that excludes the request. */
export function conflict(message: string, param: string | null = null, cause?: unknown): GatewayError {
  return new GatewayError({ status: 409, type: 'invalid_request_error', code: 'conflict', message, param, cause });
}

/** 401: no key, a wrong, revoked or expired one. The text is the same for all, so that it reveals nothing. */
export function invalidApiKey(
  message = 'Incorrect API key provided. Send a valid key as `Authorization: Bearer <key>` or `x-api-key: <key>`.',
): GatewayError {
  return new GatewayError({
    status: 401,
    type: 'authentication_error',
    code: 'invalid_api_key',
    message,
    headers: { 'www-authenticate': 'Bearer' },
  });
}

/** 403: the key is good, but not for this. */
export function permissionDenied(
  message: string,
  code:
    'configuration_read_only' | 'model_not_allowed' | 'insufficient_scope' | 'model_unpriced' | 'csrf_token_invalid',
  param: string | null = null,
): GatewayError {
  return new GatewayError({ status: 403, type: 'permission_error', code, message, param });
}

/** How long to wait, for the gateway's own retries and for the client. Nothing where it is not known. */
export function retryAfter(
  milliseconds: number | undefined,
): Pick<GatewayErrorOptions, 'retryAfterMs' | 'headers'> | undefined {
  if (milliseconds === undefined) return undefined;
  const headers = { 'retry-after': String(Math.ceil(milliseconds / 1_000)), 'retry-after-ms': String(milliseconds) };
  return { retryAfterMs: milliseconds, headers };
}

interface RateLimit extends Pick<GatewayErrorOptions, 'message' | 'retryable' | 'rejectedByGateway' | 'isOutOfQuota'> {
  /** Milliseconds to wait; sent to the client as `retry-after` and `retry-after-ms`. */
  retryAfterMs: number | undefined;
}

/** 429: too many requests; with how long to wait where that is known. */
export function rateLimitExceeded({ retryAfterMs, ...limit }: RateLimit): GatewayError {
  return new GatewayError({
    status: 429,
    type: 'rate_limit_error',
    code: 'rate_limit_exceeded',
    ...limit,
    ...retryAfter(retryAfterMs),
  });
}

/** 500: constant text; the cause goes to the log alone. */
export function internalError(cause: unknown): GatewayError {
  return new GatewayError({
    status: 500,
    type: 'server_error',
    code: 'internal_error',
    message:
      'The gateway failed to process this request. Retry, and report the x-request-id header if it happens again.',
    cause,
  });
}

interface UpstreamFailure extends Pick<
  GatewayErrorOptions,
  'message' | 'cause' | 'retryable' | 'rejectedByGateway' | 'mayBeBilled' | 'isConnectionFault' | 'isOutOfQuota'
> {
  /** Milliseconds to wait; sent to the client with a 503. */
  retryAfterMs?: number | undefined;
}

/** 502: the upstream's response was invalid or ended early, or it refused the operator's credentials. */
export function upstreamError({ retryable = true, retryAfterMs, ...failure }: UpstreamFailure): GatewayError {
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
  return new GatewayError({
    status: 502,
    type: 'server_error',
    code: 'upstream_error',
    retryable,
    ...failure,
    ...wait,
  });
}

/** 503: the upstream cannot take the request now. */
export function upstreamUnavailable({ retryable = true, ...failure }: UpstreamFailure): GatewayError {
  return new GatewayError({
    status: 503,
    type: 'server_error',
    code: 'upstream_unavailable',
    retryable,
    ...failure,
    ...retryAfter(failure.retryAfterMs),
  });
}

/** 504: the upstream was silent for longer than the timeout of a phase. */
export function upstreamTimeout({ retryable = true, ...failure }: UpstreamFailure): GatewayError {
  return new GatewayError({ status: 504, type: 'server_error', code: 'upstream_timeout', retryable, ...failure });
}
