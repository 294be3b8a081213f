import type { CallContext } from '../calls/call-context.js';
import type { SizedRequest } from '../limits/cost-estimator.js';
import { Engine } from '../engine/engine.js';
import { invalidRequest } from '../errors/gateway-error.js';
import { CHAT } from '../operations/chat/chat-operation.js';
import { isObject, type JsonObject } from '../runtime/json-value.js';
import type { WireFormat } from '../wire/wire-format.js';
import { chatRequestOf, type WireRequest } from './chat-request-of.js';
import { JsonEndpoint, type WrittenResponse } from './json-endpoint.js';
import { JsonEndpoints } from './json-endpoints.js';
import { runWire } from './wire-call.js';

/** An endpoint of chat in another wire format than OpenAI's chat, as far as its responses are whole. */
export abstract class WireEndpoint extends JsonEndpoint<WireRequest> {
  readonly operation = CHAT.name;
  override readonly dialect: string;

  constructor(
    private readonly engine: Engine,
    endpoints: JsonEndpoints,
    readonly wire: WireFormat,
  ) {
    super();
    this.dialect = wire.name;
    endpoints.add(this);
  }

  parse(body: unknown): WireRequest {
    return chatRequestOf(this.wire, objectBody(body));
  }

  override sized(request: WireRequest): SizedRequest {
    return { operation: CHAT, request };
  }

  run(request: WireRequest, context: CallContext): Promise<WrittenResponse> {
    return runWire(this.engine, this.wire, request, context);
  }
}

/** @throws GatewayError 400 for a body that is no object */
export function objectBody(body: unknown): JsonObject {
  if (isObject(body)) return body;
  throw invalidRequest('The request body must be a JSON object.', null, 'invalid_type');
}
