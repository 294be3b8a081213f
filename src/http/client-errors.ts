import type { ErrorCode } from '../errors/error-codes.js';
import type { Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { newRequestId } from './request-id.js';

const ANSWERS: Readonly<Record<string, readonly [status: string, code: ErrorCode, message: string]>> = {
  HPE_HEADER_OVERFLOW: [
    '431 Request Header Fields Too Large',
    'headers_too_large',
    'The request headers are larger than 16 KB. Send fewer or shorter ones.',
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'request_timeout', 'The request was not sent in time. Retry.'],
};
const BAD_REQUEST: readonly [string, ErrorCode, string] = [
  '400 Bad Request',
  'invalid_http',
  'The request is not valid HTTP/1.1.',
];

/** What Node refuses before it is a request gets the same error body as everything else. */
export function answerClientErrors(server: Server): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    if (!socket.writable || error.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const [status, code, message] = ANSWERS[error.code ?? ''] ?? BAD_REQUEST;
    const body = JSON.stringify({ error: { message, type: 'invalid_request_error', param: null, code } });
    socket.end(
      [
        `HTTP/1.1 ${status}`,
        'content-type: application/json; charset=utf-8',
        `content-length: ${Buffer.byteLength(body)}`,
        `x-request-id: ${newRequestId()}`,
        'connection: close',
        '',
        body,
      ].join('\r\n'),
    );
  });
}
