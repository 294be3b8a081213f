import { endBeforeBody } from './early-response.js';
import type { HttpRequest, HttpResponse } from './http-types.js';

/** The path with or without a version prefix, and with any query. */
const RESPONSES = /^\/(?:v1\/)?responses\/?(?:\?|$)/;

/**
 * 426 for a WebSocket at the Responses API, before anything else is looked at: agents try one first, and wait for this response
 * before they send the request over HTTP.
 */
export function refuseWebSocket(request: HttpRequest, response: HttpResponse, next: () => void): void {
  if (request.headers.upgrade?.toLowerCase() !== 'websocket' || !RESPONSES.test(request.url)) {
    next();
    return;
  }
  const error = {
    message: 'This gateway has no WebSockets. Send the request with POST.',
    type: 'invalid_request_error',
    param: null,
    code: 'upgrade_required',
  };
  endBeforeBody(request, response);
  response.statusCode = 426;
  response.setHeader('connection', 'close');
  response.setHeader('content-type', 'application/json; charset=utf-8');
  response.end(JSON.stringify({ error }));
}
