import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** A rest of a body that is short enough to be read, so that the connection can be used again. */
const SHORT_REST_BYTES = 64 * 1024;
/** How long, and how much, is still read from a client that has its answer but goes on sending. */
const LINGER_MS = 5_000;
const LINGER_BYTES = 256 * 1024 * 1024;

/**
 * Prepares an answer that is given before the body has been read. A short rest is read by Node, and the connection goes on.
 * Else the connection is closed in stages (RFC 9112, 9.6): the answer, then the end of our half, then what the client still
 * sends is discarded for a bounded while. A connection that is closed at once is reset by the client's next bytes, and with it
 * the client loses the answer. To be called before the headers are sent.
 */
export function endBeforeBody(request: IncomingMessage, response: ServerResponse): void {
  const { headers, socket } = request;
  const length = headers['content-length'];
  if (request.complete || (length === undefined && headers['transfer-encoding'] === undefined)) return;
  request.resume();
  if (length !== undefined && Number(length) <= SHORT_REST_BYTES) return;
  response.setHeader('connection', 'close');
  // What Node calls on the socket once an answer with `connection: close` has been sent.
  socket.destroySoon = () => lingerThenClose(request, socket);
}

function lingerThenClose(request: IncomingMessage, socket: Socket): void {
  const close = (): void => {
    clearTimeout(timer);
    socket.destroy();
  };
  const timer = setTimeout(close, LINGER_MS);
  const start = socket.bytesRead;
  socket.end();
  socket.once('close', () => clearTimeout(timer));
  request.on('data', () => {
    if (socket.bytesRead - start > LINGER_BYTES) close();
  });
  request.on('end', () => {
    // Nothing is left that could reset the connection.
    if (socket.writableFinished) close();
    else socket.once('finish', close);
  });
  request.resume();
}

/** Whether the request has a body that its route does not read and that may be long: GET and HEAD as a rule have none. */
export function hasUnreadBody({ method, headers }: IncomingMessage): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false;
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > SHORT_REST_BYTES;
}

/** Tells a client that waits with its body (`expect: 100-continue`) to send it: the head is good. */
export function acceptBody(request: IncomingMessage, response: ServerResponse): void {
  if (request.headers.expect !== undefined && request.httpVersion === '1.1') response.writeContinue();
}
