import type {
  CanonicalBlock,
  CanonicalMessage,
  ThinkingBlock,
  ToolCallBlock,
} from '../../operations/chat/canonical/blocks.js';
import { isRedactedSignature, readSignature } from '../../operations/chat/canonical/signature-text.js';
import { isObject, nonEmptyString, type JsonObject } from '../../runtime/json-value.js';
import { clientToolOfCall, clientToolOfOutput, toFunctionInput, type ClientTool } from './client-tools.js';
import { compactionText, readCompaction } from './compaction.js';
import { extrasOf, RESPONSES } from './item-extras.js';
import { MessageList } from './message-list.js';
import { missing, wrongType } from './path-faults.js';
import { readContent } from './read-content.js';
import { flatName } from './read-tools.js';

const ROLES = new Set(['user', 'assistant', 'system', 'developer']);
/** Items that the provider makes or keeps for itself, and that belong to the model's turn. */
const OF_THE_MODEL = /_call$|^(?:mcp_list_tools|mcp_approval_request|program|compaction)$/;

/** The content of items beside messages. */
export interface ReadItems {
  readonly messages: CanonicalMessage[];
  /** Entries of `additional_tools` items, with the path of each list. */
  readonly tools: readonly { readonly tools: unknown; readonly path: string }[];
  /** Members of the last `configuration_update`. */
  readonly configuration: JsonObject | undefined;
  /** Whether the last item asks for a compaction. */
  readonly isCompaction: boolean;
}

/**
 * Items of the input as messages. Items of the model's turn that follow each other become one message, and so do results of tools.
 *
 * @throws GatewayError 400 that names the item
 */
export function readItems(items: readonly unknown[], path: string): ReadItems {
  const list = new MessageList();
  const tools: { tools: unknown; path: string }[] = [];
  let configuration: JsonObject | undefined;
  let isCompaction = false;
  for (let index = 0; index < items.length; index += 1) {
    const item = items[index];
    const place = `${path}[${index}]`;
    if (typeof item === 'string') {
      list.add({ role: 'user', blocks: [{ type: 'text', text: item }] });
      continue;
    }
    if (!isObject(item)) throw wrongType(place, 'an item such as {"role": "user", "content": "Hello"}', item);
    switch (item['type']) {
      case 'additional_tools':
        tools.push({ tools: item['tools'], path: `${place}.tools` });
        break;
      case 'configuration_update':
        configuration = { ...configuration, ...item };
        break;
      case 'compaction_trigger':
        isCompaction = index === items.length - 1;
        break;
      default:
        readItem(item, place, list);
    }
  }
  return { messages: list.finish(), tools, configuration, isCompaction };
}

function readItem(item: JsonObject, path: string, list: MessageList): void {
  const { type } = item;
  if (type === 'message' || ((type === undefined || type === null) && item['role'] !== undefined)) {
    readMessage(item, path, list);
    return;
  }
  if (typeof type !== 'string' || type === '') {
    if (nonEmptyString(item['id']) !== undefined && (type === undefined || type === null)) {
      list.addToUser(opaque('item_reference', item));
      return;
    }
    throw type === undefined || type === null
      ? missing(`${path}.type`, 'Send a message with a role, or an item with a type such as function_call_output.')
      : wrongType(`${path}.type`, 'the name of an item type', type);
  }
  switch (type) {
    case 'reasoning':
      list.addToAssistant(readReasoning(item, readSignature));
      return;
    case 'function_call':
    case 'custom_tool_call':
      list.addToAssistant(readCall(item, path));
      return;
    case 'function_call_output':
    case 'custom_tool_call_output':
      readOutput(item, path, list, type === 'custom_tool_call_output' ? 'custom' : 'function');
      return;
    case 'compaction': {
      const summary = readCompaction(item['encrypted_content']);
      if (summary !== undefined) {
        const blocks = [{ type: 'text', text: compactionText(summary), ...extrasOf({ compaction: item }) }] as const;
        list.add({ role: 'user', blocks });
        return;
      }
      break;
    }
    default: {
      const call = clientToolOfCall(type);
      if (call !== undefined) {
        list.addToAssistant(readClientCall(call, item, path));
        return;
      }
      const output = clientToolOfOutput(type);
      if (output !== undefined) {
        readOutput(item, path, list, 'function');
        return;
      }
    }
  }
  if (OF_THE_MODEL.test(type)) list.addToAssistant(opaque(type, item));
  else list.addToUser(opaque(type, item));
}

function opaque(name: string, value: JsonObject): CanonicalBlock {
  return { type: 'opaque', wire: RESPONSES, name, value };
}

function readMessage(item: JsonObject, path: string, list: MessageList): void {
  const { role } = item;
  if (typeof role !== 'string') {
    throw role === undefined
      ? missing(`${path}.role`, 'Use one of user, assistant, system, developer.')
      : wrongType(`${path}.role`, 'one of user, assistant, system, developer', role);
  }
  if (role === 'tool') {
    readOutput({ ...item, output: item['content'] }, path, list, 'function');
    return;
  }
  if (!ROLES.has(role)) throw wrongType(`${path}.role`, 'one of user, assistant, system, developer', role);
  const blocks = readContent(item['content'], `${path}.content`);
  if (role !== 'assistant') {
    if (item['content'] === undefined || item['content'] === null) {
      throw missing(`${path}.content`, 'Send a string or an array of content parts.');
    }
    const { id } = item;
    list.add({ role: role as 'user', blocks, ...extrasOf({ id }) });
    return;
  }
  for (const block of readParts(item, blocks)) list.addToAssistant(block);
  for (const call of chatCalls(item, path)) list.addToAssistant(call);
}

/** Parts of a message of the model, each with what is needed to write it as the same item again. */
export function readParts(item: JsonObject, blocks: readonly CanonicalBlock[]): CanonicalBlock[] {
  const { id, phase } = item;
  return blocks.map((block) => {
    const own = extrasOf({ ...block.extras?.[RESPONSES], id, phase });
    return own === undefined ? block : { ...block, ...own };
  });
}

/** Calls within an assistant message, as chat has them. */
function chatCalls(item: JsonObject, path: string): ToolCallBlock[] {
  const calls = item['tool_calls'];
  if (!Array.isArray(calls)) return [];
  return calls.map((call: unknown, index) => {
    const called = isObject(call) ? call['function'] : undefined;
    if (!isObject(call) || !isObject(called)) {
      throw wrongType(`${path}.tool_calls[${index}]`, 'a tool call with a function', call);
    }
    return readCall({ ...called, call_id: call['id'] }, `${path}.tool_calls[${index}]`);
  });
}

/**
 * A reasoning item as thinking.
 *
 * @param read how the encrypted content is read: what a client returns may be tagged, what a provider sends is its own
 */
export function readReasoning(item: JsonObject, read: typeof readSignature): ThinkingBlock {
  const encrypted = nonEmptyString(item['encrypted_content']);
  const [content, summary] = [textsOf(item['content']), textsOf(item['summary'])];
  const isSummary = content.length === 0;
  const texts = isSummary ? summary : content;
  const isRedacted =
    encrypted !== undefined &&
    texts.length === 0 &&
    read === readSignature &&
    isRedactedSignature(encrypted, RESPONSES);
  return {
    type: 'thinking',
    text: texts.join('\n\n'),
    ...(encrypted !== undefined && { signature: read(encrypted, RESPONSES) }),
    ...(isRedacted && { isRedacted }),
    ...extrasOf({
      id: item['id'],
      // As many parts as the provider made, and raw reasoning apart from summaries.
      summary: isSummary && summary.length > 1 ? summary : undefined,
      content: isSummary ? undefined : content,
    }),
  };
}

function textsOf(parts: unknown): string[] {
  if (!Array.isArray(parts)) return [];
  return parts.flatMap((part: unknown) => (isObject(part) && typeof part['text'] === 'string' ? [part['text']] : []));
}

/** A call of a function or of a custom tool, in a request or in a response. */
export function readCall(item: JsonObject, path: string): ToolCallBlock {
  const isCustom = item['type'] === 'custom_tool_call';
  const name = nonEmptyString(item['name']);
  const id = nonEmptyString(item['call_id']) ?? nonEmptyString(item['id']);
  if (name === undefined) throw missing(`${path}.name`, 'Name the tool that was called.');
  if (id === undefined) throw missing(`${path}.call_id`, 'Send the id of the call.');
  const { namespace } = item;
  const input = item[isCustom ? 'input' : 'arguments'];
  return {
    type: 'tool_call',
    id,
    name: flatName(nonEmptyString(namespace), name),
    kind: isCustom ? 'custom' : 'function',
    input: typeof input === 'string' ? input : isObject(input) ? JSON.stringify(input) : '',
    ...extrasOf({ id: item['id'], namespace, name: nonEmptyString(namespace) === undefined ? undefined : name }),
  };
}

/** Reads a call of a tool that the client runs. @throws GatewayError 400 with the path of the fault */
export function readClientCall(tool: ClientTool, item: JsonObject, path: string): ToolCallBlock {
  const id = nonEmptyString(item['call_id']) ?? nonEmptyString(item['id']);
  if (id === undefined) throw missing(`${path}.call_id`, 'Send the id of the call.');
  return {
    type: 'tool_call',
    id,
    name: tool.name,
    kind: 'function',
    input: toFunctionInput(tool, item),
    ...extrasOf({ id: item['id'], type: tool.callType }),
  };
}

function readOutput(item: JsonObject, path: string, list: MessageList, kind: 'function' | 'custom'): void {
  const { type } = item;
  // A result of a local shell names the item of the call, or the call.
  const named =
    nonEmptyString(item['call_id']) ?? nonEmptyString(item['tool_call_id']) ?? list.callOf(nonEmptyString(item['id']));
  if (named === undefined) throw missing(`${path}.call_id`, 'Name the call that this is the output of.');
  const { output, status } = item;
  const ofClientTool = typeof type === 'string' && clientToolOfOutput(type) !== undefined;
  list.addResult({
    type: 'tool_result',
    callId: named,
    kind,
    content: ofClientTool ? clientOutput(output, status) : readOutputContent(output, `${path}.output`),
    ...((status === 'failed' || (isObject(output) && output['success'] === false)) && { isError: true }),
    ...extrasOf({ id: item['id'], type: ofClientTool ? type : undefined }),
  });
}

/** Old agents send `{content, success}`; any other object is text of JSON. */
function readOutputContent(output: unknown, path: string): CanonicalBlock[] {
  if (isObject(output) && output['type'] === undefined) {
    return readContent(typeof output['content'] === 'string' ? output['content'] : JSON.stringify(output), path);
  }
  if (typeof output === 'number' || typeof output === 'boolean') return readContent(String(output), path);
  return readContent(output, path);
}

/** A patch has a text or a status alone; a shell has a list of outputs, which stays as it is. */
function clientOutput(output: unknown, status: unknown): CanonicalBlock[] {
  if (typeof output === 'string' && output !== '') return [{ type: 'text', text: output }];
  if (output === undefined || output === null || output === '') {
    return typeof status === 'string' ? [{ type: 'text', text: status }] : [];
  }
  return [{ type: 'text', text: JSON.stringify(output) }];
}
