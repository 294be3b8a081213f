import type { IncomingMessage, ServerResponse } from 'node:http';

/**
 * The members of a request that the gateway reads. Express's request has them, and so does Node's own on routes that are served
 * without Express.
 */
export interface HttpRequest extends IncomingMessage {
  /** The client's x-request-id when it sent a sane one, else a new one. Set before anything else runs. */
  id: string;
  method: string;
  url: string;
  /** Parsed JSON. Set by the body interceptor. */
  body?: unknown;
  /** The route of the request, such as `/v1/batch/:job_id`; undefined while it is not. */
  route?: unknown;
}

/** The members of a response that the gateway uses, of Express's or Node's own. */
export interface HttpResponse extends ServerResponse {
  /** Values that the request's handlers pass to each other. */
  locals: Record<string, unknown>;
}

/** A function that runs for every request before its route is found. */
export type RequestHook = (request: HttpRequest, response: HttpResponse) => void;
