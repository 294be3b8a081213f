import { unsupportedPart, unsupportedRole } from './unsupported-part.js';
import type {
  CacheHint,
  CanonicalBlock,
  CanonicalMessage,
  ThinkingBlock,
  ToolCallBlock,
  ToolResultBlock,
} from '../../operations/chat/canonical/blocks.js';
import { invalidRequest } from '../../errors/gateway-error.js';
import type { ChatMessage, ContentPart, ToolCall } from '../../operations/chat/chat-completion.js';
import { printExact } from '../../runtime/exact-integers.js';
import { isObject, nonEmptyString } from '../../runtime/json-value.js';
import { readMediaPart } from './read-media.js';
import { readCallSignature, readThinkingBlock } from './thinking-blocks.js';

/**
 * OpenAI's messages. Results of parallel calls become one message of the role `tool`.
 *
 * @throws GatewayError 400 that names the field
 */
export function readMessages(messages: readonly ChatMessage[]): CanonicalMessage[] {
  const read: { role: CanonicalMessage['role']; blocks: CanonicalBlock[]; name?: string }[] = [];
  /** Ids of calls of custom tools, whose results have the same form as others. */
  const customCalls = new Set<string>();
  messages.forEach((message, index) => {
    const path = `messages[${index}]`;
    const { role } = message;
    switch (role) {
      case 'system':
      case 'developer':
      case 'user':
        read.push({ role, blocks: readParts(message, path), ...namedBy(message) });
        break;
      case 'assistant': {
        const blocks = readTurn(message, path);
        for (const block of blocks)
          if (block.type === 'tool_call' && block.kind === 'custom') customCalls.add(block.id);
        read.push({ role, blocks, ...namedBy(message) });
        break;
      }
      case 'tool':
      case 'function': {
        const result = readResult(message, path, customCalls);
        const last = read.at(-1);
        if (last?.role === 'tool') last.blocks.push(result);
        else read.push({ role: 'tool', blocks: [result] });
        break;
      }
      default:
        throw unsupportedRole((message as { role: string }).role, path);
    }
  });
  return read;
}

/** The deprecated `function_call` has no id, and its result names the function alone. */
export function legacyCallId(name: string): string {
  return `call_${name}`;
}

/** Anthropic's `cache_control: {type: "ephemeral", ttl?}`, which clients put on messages, content parts and tools. */
export function readCacheHint(carrier: unknown): CacheHint | undefined {
  const hint = isObject(carrier) ? carrier['cache_control'] : undefined;
  if (!isObject(hint) || hint['type'] !== 'ephemeral') return undefined;
  const ttl = nonEmptyString(hint['ttl']);
  return ttl === undefined ? {} : { ttl };
}

/** JSON text of the arguments; what is no text is printed. */
export function argumentsOf(value: unknown): string {
  if (value === undefined || value === null) return '{}';
  return typeof value === 'string' ? value : printExact(value);
}

function namedBy({ name }: ChatMessage): { name?: string } {
  const given = nonEmptyString(name);
  return given === undefined ? {} : { name: given };
}

function partsOf({ content }: ChatMessage): readonly ContentPart[] {
  if (content === null || content === undefined) return [];
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content;
}

function readParts(message: ChatMessage, path: string): CanonicalBlock[] {
  const parts = partsOf(message);
  const blocks = parts.map((part, index) => readPart(part, `${path}.content[${index}]`, message.role));
  return withLastHint(blocks, readCacheHint(message));
}

function readPart(part: ContentPart, path: string, role: string): CanonicalBlock {
  const block: CanonicalBlock | undefined =
    part.type === 'text'
      ? { type: 'text', text: part.text ?? '' }
      : part.type === 'refusal'
        ? { type: 'refusal', text: nonEmptyString(part['refusal']) ?? '' }
        : (readMediaPart(part, path) ?? readThinkingBlock(part));
  if (block === undefined) throw unsupportedPart(part, path, role);
  const cache = readCacheHint(part);
  return cache === undefined ? block : { ...block, cache };
}

function readTurn(message: ChatMessage, path: string): CanonicalBlock[] {
  const blocks: CanonicalBlock[] = readReasoning(message);
  const parts = partsOf(message);
  parts.forEach((part, index) => {
    const block = readPart(part, `${path}.content[${index}]`, 'assistant');
    // Clients send empty text beside tool calls.
    if (!('text' in block) || block.text !== '' || block.type === 'thinking') blocks.push(block);
  });
  const refusal = nonEmptyString(message['refusal']);
  if (parts.length === 0 && refusal !== undefined) blocks.push({ type: 'refusal', text: refusal });
  blocks.push(...readCalls(message, path));
  return withLastHint(blocks, readCacheHint(message));
}

/** Signed blocks hold the same thinking as `reasoning_content`, which has it as text alone. */
function readReasoning(message: ChatMessage): ThinkingBlock[] {
  const signed = message['thinking_blocks'];
  const blocks = Array.isArray(signed) ? signed.flatMap((block: unknown) => readThinkingBlock(block) ?? []) : [];
  if (blocks.length > 0) return blocks;
  const text = nonEmptyString(message['reasoning_content']) ?? nonEmptyString(message['reasoning']);
  return text === undefined ? [] : [{ type: 'thinking', text }];
}

function readCalls(message: ChatMessage, path: string): ToolCallBlock[] {
  const calls = (message.tool_calls ?? []).map((call, index) => readCall(call, `${path}.tool_calls[${index}]`));
  const legacy = message['function_call'];
  const name = isObject(legacy) ? nonEmptyString(legacy['name']) : undefined;
  if (calls.length > 0 || !isObject(legacy) || name === undefined) return calls;
  return [
    { type: 'tool_call', id: legacyCallId(name), name, kind: 'function', input: argumentsOf(legacy['arguments']) },
  ];
}

function readCall(call: ToolCall, path: string): ToolCallBlock {
  const { custom, function: called } = call as { custom?: unknown; function?: unknown };
  const customName = isObject(custom) ? nonEmptyString(custom['name']) : undefined;
  if (isObject(custom) && customName !== undefined) {
    const input = typeof custom['input'] === 'string' ? custom['input'] : '';
    const id = nonEmptyString(call.id) ?? legacyCallId(customName);
    return { type: 'tool_call', id, name: customName, kind: 'custom', input };
  }
  const name = isObject(called) ? nonEmptyString(called['name']) : undefined;
  if (!isObject(called) || name === undefined) {
    throw invalidRequest(
      `Missing required field '${path}.function.name'.`,
      `${path}.function.name`,
      'missing_required_parameter',
    );
  }
  const signature = readCallSignature(call);
  return {
    type: 'tool_call',
    id: nonEmptyString(call.id) ?? legacyCallId(name),
    name,
    kind: 'function',
    input: argumentsOf(called['arguments']),
    ...(signature !== undefined && { signature }),
  };
}

function readResult(message: ChatMessage, path: string, customCalls: ReadonlySet<string>): ToolResultBlock {
  const callId = message.tool_call_id ?? legacyCallId(nonEmptyString(message.name) ?? '');
  const content = partsOf(message).map((part, index) => readPart(part, `${path}.content[${index}]`, 'tool'));
  const cache = readCacheHint(message);
  const kind = customCalls.has(callId) ? 'custom' : 'function';
  return { type: 'tool_result', callId, kind, content, ...(cache !== undefined && { cache }) };
}

function withLastHint(blocks: CanonicalBlock[], cache: CacheHint | undefined): CanonicalBlock[] {
  const last = blocks.at(-1);
  if (cache === undefined || last === undefined || last.cache !== undefined) return blocks;
  return [...blocks.slice(0, -1), { ...last, cache }];
}
