import type { IncomingMessage, ServerResponse } from 'node:http';

/** What the gateway reads of a request. Express's has it, and so has Node's own where a route is served without Express. */
export interface HttpRequest extends IncomingMessage {
  /** The client's x-request-id when it sent a sane one, else a new one. Set before anything else runs. */
  id: string;
  method: string;
  url: string;
  /** Parsed JSON. Set by the body interceptor. */
  body?: unknown;
  /** What the request was matched to, such as `/v1/batch/:job_id`; undefined while it is not. */
  route?: unknown;
}

/** What the gateway uses of a response, Express's or Node's own. */
export interface HttpResponse extends ServerResponse {
  /** Values that the request's handlers pass to each other. */
  locals: Record<string, unknown>;
}

/** A function that runs for every request before its route is found. */
export type RequestHook = (request: HttpRequest, response: HttpResponse) => void;
