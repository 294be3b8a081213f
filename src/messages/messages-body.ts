import type { IncomingHttpHeaders } from 'node:http';
import { readCallSession, readUserIdSession } from '../calls/call-session.js';
import { invalidRequest } from '../errors/gateway-error.js';
import type { CanonicalRequest } from '../operations/chat/canonical/canonical-request.js';
import { isObject, type JsonObject } from '../runtime/json-value.js';

/** @throws GatewayError 400 for a body that is not an object */
export function messagesBody(body: unknown): JsonObject {
  if (isObject(body)) return body;
  throw invalidRequest('The request body must be a JSON object with model and messages.', null, 'invalid_type');
}

/** Providers of other formats get the session as the key of their prompt cache. */
export function withSession(headers: IncomingHttpHeaders): (request: CanonicalRequest) => CanonicalRequest {
  const session = readCallSession(headers);
  return (request) => {
    const { key } = session ?? readUserIdSession(request.endUser) ?? {};
    return key === undefined ? request : { promptCacheKey: key, ...request };
  };
}
