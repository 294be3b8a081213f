import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/** A rest of a body that is short enough to be read, so that the connection can be used again. */
const SHORT_REST_BYTES = 64 * 1024;
/** How much is still read from a client that has its response but continues to send: the time, a pause in it, and the bytes. */
const LINGER_MS = 30_000;
const LINGER_IDLE_MS = 5_000;
const LINGER_BYTES = 512 * 1024 * 1024;

/**
 * Prepares a response that is sent before the body has been read. A short rest is read by Node.js, and the connection stays open.
 * Otherwise the connection is closed in stages (RFC 9112, 9.6): the response, then the end of our half, then what the client
 * still sends is discarded for a limited time. If the connection were closed at once, the client's next bytes would reset it and
 * the client would lose the response. To be called before the headers are sent.
 */
export function endBeforeBody(request: IncomingMessage, response: ServerResponse): void {
  const { headers } = request;
  const length = headers['content-length'];
  if (request.complete || (length === undefined && headers['transfer-encoding'] === undefined)) return;
  request.resume();
  if (length !== undefined && Number(length) <= SHORT_REST_BYTES) return;
  closeInStages(request, response);
}

/** Closes the connection in these stages once the response has been sent. To be called before the headers are sent. */
export function closeInStages(request: IncomingMessage, response: ServerResponse): void {
  const { socket } = request;
  response.setHeader('connection', 'close');
  // Node.js calls it on the socket once a response with `connection: close` has been sent.
  socket.destroySoon = () => lingerThenClose(request, socket);
}

/** The same for a connection whose bytes are no request: sends `text`, if there is one, and the end, and discards what still comes. */
export function endInStages(socket: Socket, text?: string): void {
  const close = (): void => {
    clearTimeout(timer);
    socket.destroy();
  };
  const timer = setTimeout(close, LINGER_IDLE_MS);
  socket.once('close', () => clearTimeout(timer)).on('error', close);
  const closeOnceSent = (): void => {
    if (socket.writableFinished) close();
    else socket.once('finish', close);
  };
  if (text === undefined) socket.end();
  else socket.end(text);
  if (socket.readableEnded) closeOnceSent();
  else socket.once('end', closeOnceSent);
  socket.resume();
}

function lingerThenClose(request: IncomingMessage, socket: Socket): void {
  const stop = (): void => {
    clearTimeout(timer);
    clearTimeout(idleTimer);
  };
  const close = (): void => {
    stop();
    socket.destroy();
  };
  const timer = setTimeout(close, LINGER_MS);
  const idleTimer = setTimeout(close, LINGER_IDLE_MS);
  const start = socket.bytesRead;
  socket.end();
  socket.once('close', stop);
  request.on('data', () => {
    if (socket.bytesRead - start > LINGER_BYTES) close();
    else idleTimer.refresh();
  });
  request.on('end', () => {
    // Nothing is left that could reset the connection.
    if (socket.writableFinished) close();
    else socket.once('finish', close);
  });
  request.resume();
}

/** Whether the request has a body that its route does not read and that may be long. GET and HEAD usually have none. */
export function hasUnreadBody({ method, headers }: IncomingMessage): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false;
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > SHORT_REST_BYTES;
}

/** Asks a client that waits with its body (`expect: 100-continue`) to send it: the head is accepted. */
export function acceptBody(request: IncomingMessage, response: ServerResponse): void {
  if (request.headers.expect !== undefined && request.httpVersion === '1.1') response.writeContinue();
}
