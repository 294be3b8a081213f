import { Injectable } from '@nestjs/common';
import type { Principal } from '../auth/principal.js';
import { Engine } from '../engine/engine.js';
import type { HttpRequest, HttpResponse } from '../http/http-types.js';
import type { Operation } from '../operations/operation.js';
import type { OperationName, RequestOf, ResultOf } from '../operations/operation-types.js';
import { formatDollars } from '../pricing/cost.js';
import { printExact } from '../runtime/exact-integers.js';
import type { JsonObject } from '../runtime/json-value.js';
import { AccessLog } from '../telemetry/access-log.js';
import { dropUnread } from '../wire/sse/sse-response.js';
import { LiveCalls } from './live-calls.js';
import { setServedBy } from './served-by-headers.js';

/** The client's side of a live call. */
export interface Exchange {
  readonly principal: Principal;
  readonly request: HttpRequest;
  readonly response: HttpResponse;
}

/** Runs an operation for a client and sends its result as JSON. */
@Injectable()
export class JsonResponder {
  constructor(
    private readonly engine: Engine,
    private readonly calls: LiveCalls,
  ) {}

  /** @param write the body in the client's wire format; a string is sent as it is */
  async respond<Name extends OperationName>(
    operation: Operation<Name>,
    body: RequestOf<Name>,
    { principal, request, response }: Exchange,
    write: (result: ResultOf<Name>) => Promise<JsonObject | string> | JsonObject | string,
  ): Promise<void> {
    const started = performance.now();
    AccessLog.fieldsOf(response).operation = operation.name;
    await this.calls.serve(principal, request, response, async (context) => {
      const completed = await this.engine.run(operation, body, context);
      const written = await write(completed.result);
      setServedBy(response, completed, started);
      if (completed.cost !== null) response.setHeader('x-gateway-cost', formatDollars(completed.cost));
      sendJson(response, typeof written === 'string' ? written : printExact(written));
    });
  }
}

/** Sends JSON text, headers and body in one piece. */
export function sendJson(response: HttpResponse, text: string): void {
  const length = Buffer.byteLength(text);
  response.setHeader('content-type', 'application/json; charset=utf-8');
  response.setHeader('content-length', length);
  // As many bytes as characters: there is nothing to encode.
  response.end(text, length === text.length ? 'latin1' : 'utf8');
  dropUnread(response);
}
