import type { GatewayError } from '../../errors/gateway-error.js';
import { isObject, type JsonObject } from '../../runtime/json-value.js';
import { googleOverflowMessage } from '../errors/context-overflow.js';
import { mapErrorObject } from '../errors/map-error.js';
import type { Redact } from '../errors/redact.js';

/** Canonical codes of google.rpc by HTTP status. */
const NAMES: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  402: 'RESOURCE_EXHAUSTED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  405: 'UNIMPLEMENTED',
  408: 'DEADLINE_EXCEEDED',
  409: 'ABORTED',
  413: 'INVALID_ARGUMENT',
  415: 'INVALID_ARGUMENT',
  422: 'INVALID_ARGUMENT',
  426: 'FAILED_PRECONDITION',
  429: 'RESOURCE_EXHAUSTED',
  451: 'FAILED_PRECONDITION',
  499: 'CANCELLED',
  501: 'UNIMPLEMENTED',
  502: 'UNAVAILABLE',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
};
const STATUSES: Readonly<Record<string, number>> = {
  INVALID_ARGUMENT: 400,
  FAILED_PRECONDITION: 400,
  OUT_OF_RANGE: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  RESOURCE_EXHAUSTED: 429,
  INTERNAL: 500,
  UNKNOWN: 500,
  UNAVAILABLE: 503,
  DEADLINE_EXCEEDED: 504,
};

/** An error within a response of status 200. */
export function readErrorObject(error: JsonObject, redact: Redact): GatewayError {
  const inner = isObject(error['error']) ? error['error'] : error;
  const { status } = inner;
  const known = typeof status === 'string' && Object.hasOwn(STATUSES, status) ? STATUSES[status] : undefined;
  return mapErrorObject({ error: inner }, redact, known);
}

/**
 * google.rpc.Status. Clients of Google read how long to wait from `RetryInfo` and what is wrong from `BadRequest`; the gateway's
 * own code is the reason of `ErrorInfo`.
 */
export function writeError(error: GatewayError, requestId: string): JsonObject {
  const { status, code, param, retryAfterMs } = error;
  const details: JsonObject[] = [];
  if (code !== null) {
    details.push({
      '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
      reason: code.toUpperCase().replace(/[^A-Z0-9_]/g, '_'),
      domain: 'llm-gateway',
    });
  }
  if (param !== null) {
    details.push({
      '@type': 'type.googleapis.com/google.rpc.BadRequest',
      fieldViolations: [{ field: param, description: error.message }],
    });
  }
  if (retryAfterMs !== undefined) {
    const seconds = Math.ceil(retryAfterMs) / 1000;
    details.push({ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: `${seconds}s` });
  }
  details.push({ '@type': 'type.googleapis.com/google.rpc.RequestInfo', requestId });
  return {
    error: {
      code: status,
      message: code === 'context_length_exceeded' ? googleOverflowMessage(error.message) : error.message,
      status: NAMES[status] ?? (status < 500 ? 'INVALID_ARGUMENT' : 'INTERNAL'),
      details,
    },
  };
}
