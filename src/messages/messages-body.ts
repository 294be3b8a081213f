import type { IncomingHttpHeaders } from 'node:http';
import { invalidRequest } from '../errors/gateway-error.js';
import type { CanonicalRequest } from '../operations/chat/canonical/canonical-request.js';
import { isObject, type JsonObject } from '../runtime/json-value.js';

/** Longest id of a session that is taken as one. */
const MAX_SESSION_LENGTH = 256;
/** Headers by which clients name their session, in the order in which they are asked. */
const SESSION_HEADERS = ['x-claude-code-session-id', 'x-session-affinity', 'x-session-id'] as const;

/** @throws GatewayError 400 for a body that is no object */
export function messagesBody(body: unknown): JsonObject {
  if (isObject(body)) return body;
  throw invalidRequest('The request body must be a JSON object with model and messages.', null, 'invalid_type');
}

/** Requests of one session go to one deployment, whose prompt cache has what they share. */
export function withSession(headers: IncomingHttpHeaders): (request: CanonicalRequest) => CanonicalRequest {
  const session = SESSION_HEADERS.map((name) => headers[name]).find(
    (value) => typeof value === 'string' && value !== '' && value.length <= MAX_SESSION_LENGTH,
  );
  return (request) => (typeof session === 'string' ? { promptCacheKey: session, ...request } : request);
}
