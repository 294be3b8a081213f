import { Injectable } from '@nestjs/common';
import type { Principal } from '../auth/principal.js';
import type { HttpRequest, HttpResponse } from '../http/http-types.js';
import { formatDollars } from '../pricing/cost.js';
import { AccessLog } from '../telemetry/access-log.js';
import { dropUnread } from '../wire/sse/sse-response.js';
import type { JsonEndpoint, WrittenResponse } from './json-endpoint.js';
import { LiveCalls } from './live-calls.js';
import { setServedBy } from './served-by-headers.js';

/** The client's side of a live call. */
export interface Exchange {
  readonly principal: Principal;
  readonly request: HttpRequest;
  readonly response: HttpResponse;
}

/** Runs a request of an endpoint that has no streams, and sends its response. */
@Injectable()
export class JsonResponder {
  constructor(private readonly calls: LiveCalls) {}

  async respond<Request>(
    endpoint: Pick<JsonEndpoint<Request>, 'operation' | 'parse' | 'run'>,
    body: unknown,
    { principal, request, response }: Exchange,
  ): Promise<void> {
    const started = performance.now();
    const parsed = endpoint.parse(body);
    AccessLog.fieldsOf(response).operation = endpoint.operation;
    await this.calls.serve(principal, request, response, async (context) => {
      sendWritten(response, await endpoint.run(parsed, context), started);
    });
  }
}

/**
 * Sends a whole response with the headers that say how it came about.
 *
 * @param started of the request, by `performance.now()`
 */
export function sendWritten(
  response: HttpResponse,
  { text, servedBy, cost, usage }: WrittenResponse,
  started: number,
): void {
  setServedBy(response, servedBy, started);
  if (cost !== null) response.setHeader('x-gateway-cost', formatDollars(cost));
  if (usage !== undefined) AccessLog.fieldsOf(response).usage = usage;
  sendJson(response, text);
}

/** Sends JSON text, headers and body in one piece. */
export function sendJson(response: HttpResponse, text: string): void {
  const length = Buffer.byteLength(text);
  response.setHeader('content-type', 'application/json; charset=utf-8');
  response.setHeader('content-length', length);
  // The text is ASCII, so its bytes are its characters.
  response.end(text, length === text.length ? 'latin1' : 'utf8');
  dropUnread(response);
}
