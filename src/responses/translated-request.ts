import { GatewayError } from '../errors/gateway-error.js';
import type { CanonicalBlock, CanonicalMessage } from '../operations/chat/canonical/blocks.js';
import type { CanonicalRequest } from '../operations/chat/canonical/canonical-request.js';
import type { ChatRequest } from '../operations/chat/chat-completion.js';
import { assertNoOpenCall } from '../wire/hosted-tools.js';
import { writeRequest } from '../wire/openai-chat/write-request.js';
import { RESPONSES } from '../wire/openai-responses/item-extras.js';

/** Items of tools that OpenAI runs: what they found is in the text that followed. */
const LEFT_OUT = new Set([
  ...['web_search_call', 'file_search_call', 'code_interpreter_call', 'image_generation_call', 'mcp_call'],
  ...['mcp_list_tools', 'mcp_approval_request', 'mcp_approval_response', 'tool_search_call', 'tool_search_output'],
]);
/** Members that the gateway serves itself, that a response repeats, or without which nothing is lost. */
const SERVED = new Set([
  ...['tools', 'tool_choice', 'text', 'reasoning', 'instructions', 'include', 'compaction', 'input_is_text'],
  ...['client_metadata', 'stream_options', 'prompt_cache_retention', 'prompt_cache_options', 'safety_identifier'],
  ...['previous_response_id', 'strict_params', 'conversation'],
]);
/** Values that ask for what happens anyway. */
const DEFAULTS: Readonly<Record<string, unknown>> = { background: false, truncation: 'disabled' };

/** A request as providers of other formats get it. */
export interface TranslatedRequest {
  readonly canonical: CanonicalRequest;
  /** The request in OpenAI's chat format, which the engine reads. */
  readonly view: ChatRequest;
  /** What the view does not have, by the client's names. */
  readonly dropped: readonly string[];
  /** Why no other format can hold the request. */
  readonly refusal: GatewayError | undefined;
  /** Names of tools in the view that are not the client's. */
  readonly toolNames: ReadonlyMap<string, string> | undefined;
}

/** Translates a request for providers that do not have the Responses API. */
export function translateRequest(request: CanonicalRequest): TranslatedRequest {
  const { messages, dropped, refusal } = knownMessages(request.messages);
  const canonical = withoutOwn({ ...request, messages });
  try {
    const written = writeView(canonical);
    return {
      canonical,
      view: written.body,
      dropped: [...dropped, ...written.dropped],
      refusal: refusal ?? promptRefusal(request) ?? openCall(request),
      toolNames: written.toolNames,
    };
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return {
      canonical,
      view: writeView(textOnly(canonical)).body,
      dropped,
      refusal: refusal ?? error,
      toolNames: undefined,
    };
  }
}

function writeView(request: CanonicalRequest): ReturnType<typeof writeRequest> {
  return writeRequest(request, { upstreamModel: request.model, client: RESPONSES, traits: {} });
}

/** The gateway keeps the response and its metadata itself, and a repeated member needs no place. */
function withoutOwn({ store: _store, metadata: _metadata, extras, ...request }: CanonicalRequest): CanonicalRequest {
  const own = Object.entries(extras?.[RESPONSES] ?? {}).filter(
    ([name, value]) => !SERVED.has(name) && value !== null && DEFAULTS[name] !== value,
  );
  return own.length === 0 ? request : { ...request, extras: { [RESPONSES]: Object.fromEntries(own) } };
}

function knownMessages(messages: readonly CanonicalMessage[]): {
  messages: readonly CanonicalMessage[];
  dropped: readonly string[];
  refusal: GatewayError | undefined;
} {
  const dropped = new Set<string>();
  let refusal: GatewayError | undefined;
  const known = messages.flatMap((message): CanonicalMessage[] => {
    if (!message.blocks.some(isOwn)) return [message];
    const blocks = message.blocks.filter((block) => {
      if (!isOwn(block)) return true;
      if (LEFT_OUT.has(block.name)) dropped.add(`input[].${block.name}`);
      else refusal ??= unknownItem(block);
      return false;
    });
    return blocks.length === 0 ? [] : [{ ...message, blocks }];
  });
  return { messages: known, dropped: [...dropped], refusal };
}

function isOwn(block: CanonicalBlock): block is CanonicalBlock & { type: 'opaque' } {
  return block.type === 'opaque' && block.wire === RESPONSES;
}

function unknownItem({ name, value }: CanonicalBlock & { type: 'opaque' }): GatewayError {
  const message =
    name === 'item_reference'
      ? `Item with id '${String(value['id']).slice(0, 128)}' not found. Send the item itself.`
      : `Items of type '${name.slice(0, 80)}' can only be read by OpenAI, and this model has another provider. Leave them out, or use a model of OpenAI.`;
  return new GatewayError({
    status: 400,
    type: 'invalid_request_error',
    code: name === 'item_reference' ? 'invalid_value' : 'unsupported_value',
    message,
    param: 'input',
  });
}

/** A call of a tool of OpenAI's that the last turn waits for. */
function openCall({ messages }: CanonicalRequest): GatewayError | undefined {
  try {
    assertNoOpenCall(messages, 'openai-chat', RESPONSES);
    return undefined;
  } catch (error) {
    if (error instanceof GatewayError) return error;
    throw error;
  }
}

/** A prompt that is kept at OpenAI. */
function promptRefusal(request: CanonicalRequest): GatewayError | undefined {
  if (request.extras?.[RESPONSES]?.['prompt'] == null) return undefined;
  return new GatewayError({
    status: 400,
    type: 'invalid_request_error',
    code: 'unsupported_parameter',
    message: "'prompt' names a prompt that is kept at OpenAI, and this model has another provider. Send its text.",
    param: 'prompt',
  });
}

/** For the engine's estimates and logs, where the request itself can only go to the Responses API. */
function textOnly(request: CanonicalRequest): CanonicalRequest {
  const { tools, toolChoice: _choice, ...rest } = request;
  const ownTools = (tools ?? []).filter((tool) => tool.type !== 'hosted');
  const messages = request.messages.map((message) => ({
    ...message,
    blocks: message.blocks.flatMap((block): CanonicalBlock[] => {
      if (block.type === 'text' || block.type === 'tool_call' || block.type === 'refusal') return [block];
      if (block.type !== 'tool_result') return [{ type: 'text', text: `[${block.type}]` }];
      return [{ ...block, content: block.content.filter(({ type }) => type === 'text') }];
    }),
  }));
  return { ...rest, messages, ...(ownTools.length > 0 && { tools: ownTools }) };
}
