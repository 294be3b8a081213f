import type {
  CanonicalBlock,
  CanonicalMessage,
  Signature,
  TextBlock,
  ThinkingBlock,
  ToolResultBlock,
} from '../../operations/chat/canonical/blocks.js';
import { invalidRequest } from '../../errors/gateway-error.js';
import { isObject, type JsonObject } from '../../runtime/json-value.js';
import { MAX_MESSAGES } from '../../operations/chat/chat-messages.js';
import { wrongType } from './faults.js';
import { readBlock, readContent } from './read-block.js';

/** A line that Claude Code puts first into the system prompt for Anthropic's accounts; it changes with every request. */
const BILLING_LINE = /^x-anthropic-billing-header:/;

/** `system`: a string, or an array of text blocks. */
export function readSystem(system: unknown): CanonicalMessage[] {
  const blocks = readContent(system, 'system').filter(
    (block) => block.type !== 'text' || !BILLING_LINE.test(block.text),
  );
  return blocks.length === 0 ? [] : [{ role: 'system', blocks }];
}

/**
 * `messages`. Results of tools, which are among the user's blocks, become a message of their own before the rest of them.
 *
 * @throws GatewayError 400 that names the field
 */
export function readMessages(messages: unknown): CanonicalMessage[] {
  if (!Array.isArray(messages)) throw wrongType('messages', 'an array of messages', messages);
  if (messages.length === 0) {
    throw invalidRequest("'messages' is empty. Send at least one message.", 'messages', 'empty_array');
  }
  if (messages.length > MAX_MESSAGES) {
    const text = `'messages' has ${messages.length} messages; at most ${MAX_MESSAGES} are taken.`;
    throw invalidRequest(text, 'messages', 'array_above_max_length');
  }
  return messages.flatMap((message: unknown, index) => readMessage(message, `messages[${index}]`));
}

function readMessage(message: unknown, path: string): CanonicalMessage[] {
  if (!isObject(message)) throw wrongType(path, 'an object with role and content', message);
  const { role, content } = message;
  if (role !== 'user' && role !== 'assistant' && role !== 'system') {
    throw invalidRequest(`'${path}.role' must be user, assistant or system.`, `${path}.role`);
  }
  const isWhole = typeof content === 'string' || Array.isArray(content);
  // A system message may carry settings alone.
  if (!isWhole && !(role === 'system' && (content === undefined || content === null))) {
    throw wrongType(`${path}.content`, 'a string or an array of content blocks', content);
  }
  const blocks = readBlocks(content, `${path}.content`);
  if (role === 'assistant') return [{ role, blocks: attachSignatures(blocks) }];
  const results = blocks.filter((block): block is ToolResultBlock => block.type === 'tool_result');
  const others = blocks.filter(({ type }) => type !== 'tool_result');
  const read: CanonicalMessage[] = results.length === 0 ? [] : [{ role: 'tool', blocks: results }];
  if (others.length > 0 || (results.length === 0 && role === 'user')) read.push({ role, blocks: others });
  return read;
}

function readBlocks(content: unknown, path: string): readonly CanonicalBlock[] {
  if (!Array.isArray(content)) return readContent(content, path);
  return content.flatMap((block: unknown, index) => readBlock(block, `${path}[${index}]`));
}

/**
 * Gemini signs tool calls and text, for which this format has no place: such a signature is in an empty thinking block before
 * what it signs, or behind the last text.
 */
function attachSignatures(blocks: readonly CanonicalBlock[]): readonly CanonicalBlock[] {
  if (!blocks.some(isCarrier)) return blocks;
  const attached: CanonicalBlock[] = [];
  let pending: Signature | undefined;
  const toEarlierText = (signature: Signature | undefined): void => {
    const last = attached.at(-1);
    if (signature === undefined || last?.type !== 'text' || last.signature !== undefined) return;
    attached[attached.length - 1] = { ...last, signature } satisfies TextBlock;
  };
  for (const block of blocks) {
    if (isCarrier(block)) {
      toEarlierText(pending);
      pending = block.signature;
    } else if (pending !== undefined && (block.type === 'tool_call' || block.type === 'text')) {
      attached.push({ ...block, signature: pending });
      pending = undefined;
    } else {
      attached.push(block);
    }
  }
  toEarlierText(pending);
  return attached;
}

function isCarrier(block: CanonicalBlock): block is ThinkingBlock & { signature: Signature } {
  return block.type === 'thinking' && block.text === '' && block.signature?.wire === 'gemini' && !block.isRedacted;
}

/** A thinking block that carries the signature of what follows it, see `attachSignatures`. */
export function signatureCarrier(signature: string): JsonObject {
  return { type: 'thinking', thinking: '', signature };
}
