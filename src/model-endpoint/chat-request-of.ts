import { SOURCE, type RequestSource } from '../operations/chat/canonical/sources.js';
import type { CanonicalRequest } from '../operations/chat/canonical/canonical-request.js';
import type { ChatRequest } from '../operations/chat/chat-completion.js';
import type { JsonObject } from '../runtime/json-value.js';
import { writeRequest } from '../wire/openai-chat/write-request.js';
import type { WireFormat } from '../wire/wire-format.js';

/** A request of another format than OpenAI's as the engine takes it. */
export interface WireRequest extends ChatRequest {
  readonly [SOURCE]: RequestSource;
}

/**
 * A client's request in OpenAI's form, with what the client sent beside it.
 *
 * @param body checked for its size by the JSON reader
 * @param prepare changes what was read before it is used, such as the turns of an earlier response
 * @throws GatewayError 400 that names the field by the client's name
 */
export function chatRequestOf(
  wire: WireFormat,
  body: JsonObject,
  prepare: (canonical: CanonicalRequest) => CanonicalRequest = (canonical) => canonical,
): WireRequest {
  const canonical = prepare(wire.readRequest(body));
  const written = writeRequest(canonical, { upstreamModel: canonical.model, client: wire.name, traits: {} });
  return {
    ...written.body,
    [SOURCE]: {
      wire: wire.name,
      body,
      canonical,
      dropped: written.dropped,
      toolNames: written.toolNames,
      without: (names) => {
        const copy = { ...body };
        for (const name of names) Reflect.deleteProperty(copy, name);
        return chatRequestOf(wire, copy, prepare);
      },
    },
  };
}
