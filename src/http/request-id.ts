import { randomId } from '../runtime/random-id.js';
import type { HttpRequest, HttpResponse } from './http-types.js';

declare module 'express-serve-static-core' {
  interface Request {
    /** The client's x-request-id when it sent a sane one, else a new one. Set before anything else runs. */
    id: string;
  }
}

const SANE_REQUEST_ID = /^[A-Za-z0-9._:-]{1,128}$/;

/** A client's id is kept only when it is safe in logs and headers. */
export function requestIdOf(header: string | string[] | undefined): string {
  return typeof header === 'string' && SANE_REQUEST_ID.test(header) ? header : newRequestId();
}

/** A new id for a request: `req_` and random digits. */
export function newRequestId(): string {
  return randomId('req_');
}

/** First middleware, so that every response carries the id, including errors of the parser and unknown routes. */
export function assignRequestId(request: HttpRequest, response: HttpResponse): void {
  request.id = requestIdOf(request.headers['x-request-id']);
  response.setHeader('x-request-id', request.id);
}
