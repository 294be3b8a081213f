import type { IncomingHttpHeaders } from 'node:http';
import { GatewayError, invalidRequest, notFound, upstreamError } from '../../errors/gateway-error.js';
import { isObject, JsonObject, nonEmptyString } from '../../runtime/json-value.js';
import { mapErrorResponse, mapErrorObject } from '../../wire/errors/map-error.js';
import type { Redact } from '../../wire/errors/redact.js';

/** Statuses of the error types that Anthropic and Google name in the middle of a stream, where no status is left. */
const STATUS_OF_TYPE: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  permission_error: 403,
  billing_error: 402,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  timeout_error: 504,
  overloaded_error: 529,
  INVALID_ARGUMENT: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  RESOURCE_EXHAUSTED: 429,
  DEADLINE_EXCEEDED: 504,
  UNAVAILABLE: 503,
};
const MAX_CAUSES = 5;

/**
 * The client's view of anything that a provider's package throws, or puts into a stream as an error. The packages' classes are
 * recognised by name, so that none has to be loaded for it. They contain the request, the response and the address, therefore none
 * of them is kept as a cause.
 */
export function toGatewayError(error: unknown, redact: Redact, now: number): GatewayError {
  if (error instanceof GatewayError) return error;
  const own = gatewayErrorIn(error);
  if (own !== undefined) return own;
  if (error instanceof Error) return fromPackage(error, redact, now);
  if (isObject(error)) return fromObject(error, redact);
  if (typeof error === 'string') return mapErrorObject(error, redact);
  return upstreamError({ message: 'The upstream provider reported an error instead of an answer.' });
}

/** The packages wrap what their `fetch` throws, once or twice. */
function gatewayErrorIn(error: unknown): GatewayError | undefined {
  let current: unknown = error;
  for (let depth = 0; depth < MAX_CAUSES && current instanceof Error; depth += 1) {
    if (current instanceof GatewayError) return current;
    current = current.cause;
  }
  return undefined;
}

function fromPackage(error: Error, redact: Redact, now: number): GatewayError {
  const fields = { ...error } as JsonObject;
  switch (error.name) {
    case 'AI_UnsupportedFunctionalityError':
      return invalidRequest(
        `This model's provider cannot do that: ${redact(error.message)}`,
        null,
        'unsupported_value',
      );
    case 'AI_InvalidPromptError':
      return invalidRequest(
        "This model's provider cannot take these messages: check their order and parts.",
        'messages',
      );
    case 'AI_InvalidArgumentError':
      return invalidRequest("This model's provider cannot take one of the parameters: check their values.", null);
    case 'AI_NoSuchModelError':
      return notFound('The model does not exist at its provider.', 'model_not_found', 'model');
    case 'AI_LoadAPIKeyError':
    case 'AI_LoadSettingError':
      return upstreamError({
        message:
          'The credentials of the upstream provider are incomplete. The operator of the gateway must check them.',
        cause: withoutContent(error),
      });
    default:
      return fromAnswer(error, fields, redact, now);
  }
}

/** The provider has responded: with a refusal, or with something invalid. */
function fromAnswer(error: Error, fields: JsonObject, redact: Redact, now: number): GatewayError {
  const { statusCode, responseHeaders, responseBody } = fields;
  if (typeof statusCode === 'number' && statusCode >= 300) {
    const body = nonEmptyString(responseBody) ?? JSON.stringify({ message: error.message });
    return mapErrorResponse(statusCode, headersOf(responseHeaders), body, redact, now);
  }
  // A status of 200 and an error in its body.
  const value = rejectedValue(error);
  if (isObject(value) && value['error'] != null) return fromObject(value, redact);
  return upstreamError({
    message: error.name.startsWith('AI_')
      ? 'The upstream provider answered in a form that the gateway does not know.'
      : // Such as a login to a cloud that has failed.
        'The upstream provider could not be called. The operator of the gateway must check its settings.',
    cause: withoutContent(error),
  });
}

function rejectedValue(error: Error): unknown {
  if ('value' in error) return error.value;
  return error.cause instanceof Error ? rejectedValue(error.cause) : undefined;
}

function fromObject(error: JsonObject, redact: Redact): GatewayError {
  const inner = isObject(error['error']) ? error['error'] : error;
  for (const name of [inner['type'], inner['status'], inner['code']]) {
    const status = typeof name === 'string' && Object.hasOwn(STATUS_OF_TYPE, name) ? STATUS_OF_TYPE[name] : undefined;
    if (status !== undefined) return mapErrorObject({ error: inner }, redact, status);
  }
  return mapErrorObject(inner, redact);
}

function headersOf(headers: unknown): IncomingHttpHeaders {
  return isObject(headers) ? (headers as IncomingHttpHeaders) : {};
}

/** The name and the stack of an error for the log; its message may quote the request or the response. */
function withoutContent(error: Error): Error {
  const copy = new Error('The message is left out, because it may quote the request or the answer.');
  copy.name = error.name;
  const frames = (error.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  copy.stack = [copy.name, ...frames].join('\n');
  return copy;
}
