import type { CanonicalRequest } from '../../operations/chat/canonical/canonical-request.js';
import { SOURCE } from '../../operations/chat/canonical/sources.js';
import type { ChatRequest } from '../../operations/chat/chat-completion.js';
import { isObject, type JsonObject } from '../../runtime/json-value.js';
import type { ProviderWire, ReadContext, Written } from '../../wire/wire-format.js';
import type { ChatEndpoint, ChatEndpointCall, ChatFormat } from '../definitions/types/chat-format.js';
import { passedHeaders } from '../other-format.js';
import type { ProviderCall } from '../provider.js';
import type { CallContext } from '../transport/json-call.js';
import { responseHeadersReader } from '../response-headers.js';
import type { WireStreamOptions } from './wire-chunk-stream.js';

/** A request that is ready to be sent. */
export interface Prepared {
  readonly wire: ProviderWire;
  readonly format: ChatFormat;
  readonly target: ChatEndpointCall;
  readonly endpoint: ChatEndpoint;
  readonly written: Written;
  readonly context: ReadContext;
  /** Whether the client uses the provider's format, so that its body is sent unchanged. */
  readonly isNative: boolean;
  readonly canonical: () => CanonicalRequest;
}

/** One seed for all choices would make them all the same. */
export function withSeed(body: JsonObject, index: number): JsonObject {
  if (index === 0) return body;
  const { seed, generationConfig: config } = body;
  if (typeof seed === 'number') return { ...body, seed: seed + index };
  if (!isObject(config) || typeof config['seed'] !== 'number') return body;
  return { ...body, generationConfig: { ...config, seed: config['seed'] + index } };
}

/** The client's body with the provider's name of the model, and without what is the gateway's own. */
export function nativeBody(wire: ProviderWire, body: Readonly<JsonObject>, upstreamModel: string): Written {
  const { strict_params: _own, ...fields } = wire.fitNative?.(body) ?? body;
  return { body: 'model' in fields ? { ...fields, model: upstreamModel } : fields, dropped: [] };
}

/** How an event of the provider is taken out of its envelope, where it has one. */
export function unwrapOf({ format, wire }: Prepared): WireStreamOptions['unwrap'] {
  const { unwrap } = format;
  return unwrap && ((event) => unwrap(event, wire.name));
}

/** Which events the client did not ask for; undefined where it gets all. */
export function hiddenOf(
  { format: { isHidden }, isNative }: Prepared,
  { request }: ProviderCall,
): WireStreamOptions['isHidden'] {
  const body = request[SOURCE]?.body;
  return isHidden === undefined || !isNative || body === undefined ? undefined : (event) => isHidden(event, body);
}

/** Whether the client wants an error in place of parameters that are left out. */
export function isStrict(request: ChatRequest): boolean {
  return (request[SOURCE]?.body ?? request)['strict_params'] === true;
}

/** Headers in the client's format go to a provider of the same format alone. */
export function contextOf(call: ProviderCall, { isNative, format }: Prepared): CallContext {
  const { timeouts, requestId, signal, headers, exchange } = call;
  const passed = isNative ? headers : passedHeaders(headers, format.passedHeaders);
  const onHeaders = responseHeadersReader(call, isNative ? format.responseHeaders : undefined);
  return { timeouts, requestId, signal, headers: passed, onHeaders, exchange };
}
