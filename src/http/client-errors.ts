import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { ErrorCode } from '../errors/error-codes.js';
import { closeInStages, endInStages } from './early-response.js';
import { newRequestId, requestIdOf } from './request-id.js';

interface Refusal {
  readonly status: number;
  readonly reason: string;
  readonly code: ErrorCode;
  readonly message: string;
}

const REFUSALS: Readonly<Record<string, Refusal>> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    reason: 'Request Header Fields Too Large',
    code: 'headers_too_large',
    message: 'The request line and headers are larger than 16 KB. Send fewer or shorter ones.',
  },
  HPE_CHUNK_EXTENSIONS_OVERFLOW: {
    status: 413,
    reason: 'Content Too Large',
    code: 'request_too_large',
    message: 'The chunk extensions of the request are larger than 16 KB. Leave them out.',
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    reason: 'Request Timeout',
    code: 'request_timeout',
    message: 'The request was not sent in time. Retry.',
  },
};
const BAD_REQUEST: Refusal = {
  status: 400,
  reason: 'Bad Request',
  code: 'invalid_http',
  message: 'The request is not valid HTTP/1.1.',
};
const NO_HOST: Refusal = { ...BAD_REQUEST, message: "The request has no header 'Host', which HTTP/1.1 requires." };
const TWO_HOSTS: Refusal = { ...BAD_REQUEST, message: "The request has more than one header 'Host'. Send it once." };
const NOT_CHUNKED: Refusal = {
  ...BAD_REQUEST,
  message: "The header 'Transfer-Encoding' does not end with chunked, so the end of the body is unknown.",
};
const UNKNOWN_CODING: Refusal = {
  status: 501,
  reason: 'Not Implemented',
  code: 'unsupported_transfer_encoding',
  message: "The header 'Transfer-Encoding' takes chunked alone. Compress the body with 'Content-Encoding' instead.",
};
const UNKNOWN_EXPECTATION: Refusal = {
  status: 417,
  reason: 'Expectation Failed',
  code: 'unsupported_expectation',
  message: "The header 'Expect' takes 100-continue alone. Leave it out.",
};
const NO_TUNNEL: Refusal = {
  status: 501,
  reason: 'Not Implemented',
  code: 'unsupported_method',
  message: 'The gateway is no proxy and makes no tunnels, so it does not serve CONNECT.',
};

const HOST = 'host';
const ENDS_CHUNKED = /(?:^|,)\s*chunked\s*$/i;

/** Requests that Node.js rejects itself get the same error body and a request id as all others. */
export function respondToClientErrors(server: Server): void {
  // Node's own responses to these have no body. Its limit of 2,000 header lines would drop those behind; 16 KB of them is the limit.
  Object.assign(server, { requireHostHeader: false, maxHeadersCount: 0 });
  const listeners = server.listeners('request') as ((request: IncomingMessage, response: ServerResponse) => void)[];
  server.removeAllListeners('request');
  /** The latest response of each connection. */
  const responses = new WeakMap<Socket, ServerResponse>();
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    responses.set(request.socket, response);
    const refusal = refusalOf(request);
    if (refusal !== undefined) refuse(request, response, refusal);
    else for (const listener of listeners) listener.call(server, request, response);
  });
  // The reader of the body decides whether to send 100 Continue.
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    server.emit('request', request, response);
  });
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    refuse(request, response, UNKNOWN_EXPECTATION);
  });
  server.on('connect', (_request: IncomingMessage, socket: Socket) => {
    endInStages(socket, textOf(NO_TUNNEL));
  });
  const refused = new WeakSet<Socket>();
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    // Everything that follows on the connection is an error again.
    if (refused.has(socket)) return;
    refused.add(socket);
    if (!socket.writable || error.code === 'ECONNRESET') socket.destroy();
    else refuseOnSocket(socket, responses.get(socket), REFUSALS[error.code ?? ''] ?? BAD_REQUEST);
  });
}

/** What RFC 9112 has a server refuse and Node.js takes: 3.2 on `Host`, 6.1 on `Transfer-Encoding`. */
function refusalOf({ headers, httpVersion, rawHeaders }: IncomingMessage): Refusal | undefined {
  if (headers.host === undefined) return httpVersion === '1.1' ? NO_HOST : undefined;
  const coding = headers['transfer-encoding'];
  if (coding !== undefined && coding !== 'chunked' && coding.trim().toLowerCase() !== 'chunked') {
    return ENDS_CHUNKED.test(coding) ? UNKNOWN_CODING : NOT_CHUNKED;
  }
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (name.length === HOST.length && name.toLowerCase() === HOST) hosts += 1;
  }
  return hosts > 1 ? TWO_HOSTS : undefined;
}

function bodyOf({ message, code }: Refusal): string {
  return JSON.stringify({ error: { message, type: 'invalid_request_error', param: null, code } });
}

function refuse(request: IncomingMessage, response: ServerResponse, refusal: Refusal): void {
  const body = bodyOf(refusal);
  closeInStages(request, response);
  response.writeHead(refusal.status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'x-request-id': requestIdOf(request.headers['x-request-id']),
  });
  response.end(body);
}

/** @param latest the response of the last request on the connection whose head was valid */
function refuseOnSocket(socket: Socket, latest: ServerResponse | undefined, refusal: Refusal): void {
  const text = textOf(refusal);
  if (latest === undefined || (latest.writableFinished && latest.req.complete)) endInStages(socket, text);
  // The fault is in a later request than the one that is being served.
  else if (latest.req.complete) latest.once('finish', () => endInStages(socket, text));
  // The fault is in the body of that request, which has had its response.
  else if (latest.writableFinished) endInStages(socket);
  else if (latest.writableEnded) latest.once('finish', () => endInStages(socket));
  // A response that has begun cannot be corrected.
  else if (latest.headersSent) socket.destroy();
  else endInStages(socket, text);
}

function textOf(refusal: Refusal): string {
  const body = bodyOf(refusal);
  return [
    `HTTP/1.1 ${refusal.status} ${refusal.reason}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    `x-request-id: ${newRequestId()}`,
    'connection: close',
    '',
    body,
  ].join('\r\n');
}
