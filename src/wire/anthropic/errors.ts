import type { GatewayError } from '../../errors/gateway-error.js';
import { isObject, type JsonObject } from '../../runtime/json-value.js';
import { mapErrorObject } from '../errors/map-error.js';
import type { Redact } from '../errors/redact.js';
import { anthropicOverflowMessage } from '../errors/context-overflow.js';

/** HTTP statuses of Anthropic's types of errors, for those that come within a response of status 200. */
const STATUS_OF_TYPE: Readonly<Record<string, number>> = {
  invalid_request_error: 400,
  authentication_error: 401,
  billing_error: 402,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  rate_limit_error: 429,
  api_error: 500,
  timeout_error: 504,
  overloaded_error: 529,
};
/** The types by HTTP status. Others of 400 to 499 are `invalid_request_error`, all above `api_error`. */
const TYPE_OF_STATUS: Readonly<Record<number, string>> = {
  401: 'authentication_error',
  402: 'billing_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  503: 'overloaded_error',
  504: 'timeout_error',
  529: 'overloaded_error',
};

/** An error that came where a message or an event should be: `{"type": "error", "error": {"type", "message"}}`. */
export function readReportedError(body: JsonObject, redact: Redact): GatewayError {
  const error = isObject(body['error']) ? body['error'] : body;
  const { type } = error;
  const status = typeof type === 'string' && Object.hasOwn(STATUS_OF_TYPE, type) ? STATUS_OF_TYPE[type] : undefined;
  return mapErrorObject(body, redact, status);
}

/** The body of an error as Anthropic's clients read it. */
export function writeError(error: GatewayError, requestId: string): JsonObject {
  const { code, status } = error;
  const message = code === 'context_length_exceeded' ? anthropicOverflowMessage(error.message) : error.message;
  return { type: 'error', error: { type: typeOf(error.type, status), message }, request_id: requestId };
}

function typeOf(type: string, status: number): string {
  // Anthropic's own type, of a provider that has said it, where it belongs to the status.
  if (Object.hasOwn(STATUS_OF_TYPE, type) && STATUS_OF_TYPE[type] === status) return type;
  return TYPE_OF_STATUS[status] ?? (status < 500 ? 'invalid_request_error' : 'api_error');
}
