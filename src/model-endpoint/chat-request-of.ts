import { GatewayError } from '../errors/gateway-error.js';
import type { BlockType, CanonicalBlock } from '../operations/chat/canonical/blocks.js';
import type { WireName } from '../operations/chat/canonical/wire-name.js';
import { SOURCE, type RequestSource } from '../operations/chat/canonical/sources.js';
import type { CanonicalRequest } from '../operations/chat/canonical/canonical-request.js';
import type { ChatRequest } from '../operations/chat/chat-completion.js';
import type { JsonObject } from '../runtime/json-value.js';
import { writeRequest } from '../wire/openai-chat/write-request.js';
import type { WireFormat } from '../wire/wire-format.js';

/** Blocks that OpenAI's form has for every provider. */
const PLAIN_BLOCKS: ReadonlySet<BlockType> = new Set(['text', 'refusal', 'thinking', 'tool_call']);

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
  const { written, refusal } = writtenFor(canonical, wire.name);
  const nativeOnly = wire.nativeOnly?.(body);
  return {
    ...written.body,
    [SOURCE]: {
      wire: wire.name,
      body,
      canonical,
      dropped: written.dropped,
      toolNames: written.toolNames,
      ...(refusal !== undefined && { refusal }),
      ...(nativeOnly !== undefined && { nativeOnly }),
      changed: (change) => chatRequestOf(wire, change(body), prepare),
    },
  };
}

interface WrittenView {
  readonly written: ReturnType<typeof writeRequest>;
  readonly refusal?: GatewayError;
}

/** OpenAI's form. Where it cannot hold the request, a provider of another format still may, so that form goes without those parts. */
function writtenFor(canonical: CanonicalRequest, client: WireName): WrittenView {
  const target = { upstreamModel: canonical.model, client, traits: {} };
  try {
    return { written: writeRequest(canonical, target) };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    const { toolChoice: _choice, ...rest } = canonical;
    const tools = canonical.tools?.filter(({ type }) => type !== 'hosted') ?? [];
    const messages = canonical.messages.map((message) => ({ ...message, blocks: message.blocks.flatMap(plainBlock) }));
    return { written: writeRequest({ ...rest, tools, messages }, target), refusal: error };
  }
}

function plainBlock(block: CanonicalBlock): readonly CanonicalBlock[] {
  if (block.type === 'tool_result') return [{ ...block, content: block.content.flatMap(plainBlock) }];
  return PLAIN_BLOCKS.has(block.type) ? [block] : [];
}
