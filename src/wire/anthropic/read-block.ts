import type {
  CacheHint,
  CanonicalBlock,
  Extras,
  ToolCallBlock,
  ToolResultBlock,
} from '../../operations/chat/canonical/blocks.js';
import { isRedactedSignature, readSignature } from '../../operations/chat/canonical/signature-text.js';
import { invalidRequest } from '../../errors/gateway-error.js';
import { printExact } from '../../runtime/exact-integers.js';
import { isObject, nonEmptyString, type JsonObject } from '../../runtime/json-value.js';
import { MAX_KEYS } from '../../operations/chat/chat-messages.js';
import { wrongType } from './faults.js';
import { readSource } from './read-source.js';

/** Anthropic's `cache_control: {type: "ephemeral", ttl?}`. */
export function readCacheHint(carrier: JsonObject): CacheHint | undefined {
  const hint = carrier['cache_control'];
  if (!isObject(hint) || hint['type'] !== 'ephemeral') return undefined;
  const ttl = nonEmptyString(hint['ttl']);
  return ttl === undefined ? {} : { ttl };
}

/** The members that have no place of their own, for the same format alone. Null is absent. */
export function readExtras(carrier: JsonObject, read: ReadonlySet<string>): Extras | undefined {
  const rest = Object.entries(carrier).filter(
    ([name, value]) => !read.has(name) && value !== null && value !== undefined,
  );
  return rest.length === 0 ? undefined : { anthropic: Object.fromEntries(rest) };
}

const TEXT = new Set(['type', 'text', 'cache_control']);
const IMAGE = new Set(['type', 'source', 'cache_control']);
const DOCUMENT = new Set(['type', 'source', 'title', 'cache_control']);
const TOOL_USE = new Set(['type', 'id', 'name', 'input', 'cache_control']);
const TOOL_RESULT = new Set(['type', 'tool_use_id', 'content', 'is_error', 'cache_control']);

/**
 * The blocks that one content block says: mostly one; a document of blocks is those blocks. A block of an unknown type is kept as
 * it is, for the same format.
 *
 * @param path of the block, `messages[2].content[0]`
 * @throws GatewayError 400 that names the field
 */
export function readBlock(block: unknown, path: string): readonly CanonicalBlock[] {
  if (!isObject(block)) throw wrongType(path, 'a content block', block);
  if (Object.keys(block).length > MAX_KEYS) {
    throw invalidRequest(`'${path}' has more than ${MAX_KEYS} keys.`, path, 'object_above_max_keys');
  }
  const type = nonEmptyString(block['type']);
  if (type === undefined) throw wrongType(`${path}.type`, 'the name of a block type, such as text', block['type']);
  const cache = readCacheHint(block);
  const hint = cache === undefined ? {} : { cache };
  switch (type) {
    case 'text': {
      const { text } = block;
      if (typeof text !== 'string') throw wrongType(`${path}.text`, 'a string', text);
      return [{ type: 'text', text, ...hint, ...extrasOf(block, TEXT) }];
    }
    case 'image':
      return [
        { type: 'image', source: readSource(block['source'], `${path}.source`), ...hint, ...extrasOf(block, IMAGE) },
      ];
    case 'document':
      return readDocument(block, path, hint);
    case 'search_result':
      return [{ type: 'text', text: searchResultText(block), ...hint }];
    case 'thinking':
    case 'redacted_thinking':
      return [readThinking(block)];
    case 'tool_use':
      return [{ ...readToolUse(block, path), ...hint }];
    case 'tool_result':
      return [{ ...readToolResult(block, path), ...hint }];
    case 'tool_reference':
      return [{ type: 'text', text: `The tool ${String(block['tool_name'])} is available.`, ...hint }];
    default:
      return [{ type: 'opaque', wire: 'anthropic', name: type, value: block, ...hint }];
  }
}

function extrasOf(block: JsonObject, read: ReadonlySet<string>): { extras?: Extras } {
  const extras = readExtras(block, read);
  return extras === undefined ? {} : { extras };
}

function readDocument(block: JsonObject, path: string, hint: { cache?: CacheHint }): readonly CanonicalBlock[] {
  const { source } = block;
  const name = nonEmptyString(block['title']);
  if (!isObject(source) || source['type'] !== 'content') {
    const read = readSource(source, `${path}.source`);
    const named = name === undefined ? {} : { name };
    return [{ type: 'file', source: read, ...named, ...hint, ...extrasOf(block, DOCUMENT) }];
  }
  const { content } = source;
  const head: CanonicalBlock[] = name === undefined ? [] : [{ type: 'text', text: name }];
  const blocks = [...head, ...readContent(content, `${path}.source.content`)];
  return blocks.map((each, index) => (index === blocks.length - 1 ? { ...each, ...hint } : each));
}

/** Text or an array of blocks, as `content` has in several places. */
export function readContent(content: unknown, path: string): readonly CanonicalBlock[] {
  if (content === undefined || content === null || content === '') return [];
  if (typeof content === 'string') return [{ type: 'text', text: content }];
  if (!Array.isArray(content)) throw wrongType(path, 'a string or an array of content blocks', content);
  return content.flatMap((block: unknown, index) => readBlock(block, `${path}[${index}]`));
}

/** A passage that the client found, with where it is from. */
function searchResultText(block: JsonObject): string {
  const { title, source, content } = block;
  const passages = Array.isArray(content) ? content.filter(isObject).map(({ text }) => text) : [content];
  const lines = [title, source, ...passages].filter((line) => typeof line === 'string' && line !== '');
  return lines.join('\n');
}

/** Thinking that a client returns, or that a provider sends: its signature is read by `readSignature` in requests alone. */
function readThinking(block: JsonObject): CanonicalBlock {
  const data = nonEmptyString(block['data']);
  if (block['type'] === 'redacted_thinking') {
    if (data === undefined) return { type: 'thinking', text: '' };
    return { type: 'thinking', text: '', signature: readSignature(data, 'anthropic'), isRedacted: true };
  }
  const text = typeof block['thinking'] === 'string' ? block['thinking'] : '';
  const given = nonEmptyString(block['signature']);
  if (given === undefined) return { type: 'thinking', text };
  const signature = readSignature(given, 'anthropic');
  return { type: 'thinking', text, signature, ...(isRedactedSignature(given, 'anthropic') && { isRedacted: true }) };
}

function readToolUse(block: JsonObject, path: string): ToolCallBlock {
  const id = nonEmptyString(block['id']);
  const name = nonEmptyString(block['name']);
  if (id === undefined) throw wrongType(`${path}.id`, 'the id of the call', block['id']);
  if (name === undefined) throw wrongType(`${path}.name`, 'the name of a tool', block['name']);
  return {
    type: 'tool_call',
    id,
    name,
    kind: 'function',
    input: inputText(block['input']),
    ...extrasOf(block, TOOL_USE),
  };
}

/** The arguments as JSON text, with the digits that came. */
export function inputText(input: unknown): string {
  if (input === undefined || input === null) return '{}';
  return typeof input === 'string' ? input : printExact(input);
}

function readToolResult(block: JsonObject, path: string): ToolResultBlock {
  const callId = nonEmptyString(block['tool_use_id']);
  if (callId === undefined) throw wrongType(`${path}.tool_use_id`, 'the id of a tool_use block', block['tool_use_id']);
  const content = readContent(block['content'], `${path}.content`);
  const nested = content.findIndex(({ type }) => type === 'tool_result' || type === 'tool_call');
  if (nested !== -1) {
    throw invalidRequest(
      `'${path}.content' must hold text, images and documents, and no calls or results of tools.`,
      `${path}.content`,
    );
  }
  return {
    type: 'tool_result',
    callId,
    kind: 'function',
    content,
    ...(block['is_error'] === true && { isError: true }),
    ...extrasOf(block, TOOL_RESULT),
  };
}
