import type { CanonicalBlock, CanonicalMessage } from '../../operations/chat/canonical/blocks.js';
import type { JsonObject } from '../../runtime/json-value.js';
import { repairHistory } from '../repair-history.js';
import { unsupportedValue } from './faults.js';
import { writeAssistantBlock, writeToolResult, writeUserBlock, type BlockOptions } from './write-blocks.js';

interface Turn {
  readonly role: 'user' | 'assistant';
  readonly content: JsonObject[];
}

/** Messages and the system prompt in Anthropic's form. */
export interface WrittenMessages {
  readonly system: readonly JsonObject[];
  readonly messages: readonly Turn[];
}

/** Where a conversation begins with the model's turn, which Anthropic refuses. */
const OPENING: JsonObject = { type: 'text', text: '(The conversation continues.)' };

/**
 * System prompts to the front, roles in turn, results right behind their calls and before other blocks of the user.
 *
 * @throws GatewayError 400 where nothing is left to send, or for a block that Claude cannot take
 */
export function writeMessages(history: readonly CanonicalMessage[], options: BlockOptions): WrittenMessages {
  const system: JsonObject[] = [];
  const turns: Turn[] = [];
  for (const { role, blocks } of repairHistory(history)) {
    switch (role) {
      case 'system':
      case 'developer':
        system.push(...blocks.flatMap((block) => writeSystemBlock(block, role, options)));
        break;
      case 'user':
        add(
          turns,
          'user',
          keepingHints(blocks, (block) => writeUserBlock(block, options)),
        );
        break;
      case 'tool':
        addResults(turns, blocks, options);
        break;
      case 'assistant':
        addAssistant(turns, blocks, options);
        break;
    }
  }
  return { system, messages: finish(turns, system) };
}

function writeSystemBlock(block: CanonicalBlock, role: string, options: BlockOptions): readonly JsonObject[] {
  if (block.type !== 'text' && block.type !== 'refusal') {
    const kind = block.type === 'opaque' ? block.name : block.type;
    throw unsupportedValue(`This model's provider takes no ${kind.slice(0, 40)} in a ${role} message.`, 'messages');
  }
  const written = writeUserBlock(block, options);
  return written === undefined ? [] : [written];
}

function addResults(turns: Turn[], blocks: readonly CanonicalBlock[], options: BlockOptions): void {
  const results: JsonObject[] = [];
  const following: JsonObject[] = [];
  for (const block of blocks) {
    if (block.type !== 'tool_result') continue;
    const written = writeToolResult(block, options);
    results.push(written.result);
    following.push(...written.following);
  }
  add(turns, 'user', [...results, ...following]);
}

/** Media that a model made go to the next turn of the user, since the assistant's may not have any. */
function addAssistant(turns: Turn[], blocks: readonly CanonicalBlock[], options: BlockOptions): void {
  add(
    turns,
    'assistant',
    keepingHints(blocks, (block) => writeAssistantBlock(block, options)),
  );
  const media = blocks.filter(({ type }) => type === 'image' || type === 'file');
  const hasCalls = blocks.some(({ type }) => type === 'tool_call');
  // A call must be followed by its result.
  if (media.length === 0 || hasCalls) return;
  add(
    turns,
    'user',
    keepingHints(media, (block) => writeUserBlock(block, options)),
  );
}

/** Writes blocks. The cache hint of one that is left out goes to the one before it, so that the breakpoint keeps its place. */
function keepingHints(
  blocks: readonly CanonicalBlock[],
  write: (block: CanonicalBlock) => JsonObject | undefined,
): JsonObject[] {
  const written: JsonObject[] = [];
  for (const block of blocks) {
    const own = write(block);
    const last = written.at(-1);
    if (own !== undefined) {
      written.push(own);
    } else if (
      block.cache !== undefined &&
      last !== undefined &&
      last['cache_control'] === undefined &&
      !isThinking(last)
    ) {
      last['cache_control'] = { type: 'ephemeral', ...block.cache };
    }
  }
  return written;
}

function isThinking({ type }: JsonObject): boolean {
  return type === 'thinking' || type === 'redacted_thinking';
}

function add(turns: Turn[], role: Turn['role'], content: readonly JsonObject[]): void {
  if (content.length === 0) return;
  const last = turns.at(-1);
  if (last?.role === role) last.content.push(...content);
  else turns.push({ role, content: [...content] });
}

function finish(turns: Turn[], system: JsonObject[]): readonly Turn[] {
  const last = turns.at(-1);
  if (last?.role === 'assistant') trimEnd(last.content);
  const filled = turns.filter(({ content }) => content.length > 0);
  if (filled.length === 0) {
    // OpenAI takes a system prompt alone.
    const prompt = system.pop();
    if (prompt === undefined) {
      throw unsupportedValue(
        "'messages' holds no content. This provider needs at least one message with text.",
        'messages',
      );
    }
    return [{ role: 'user', content: [prompt] }];
  }
  return filled[0]?.role === 'assistant' ? [{ role: 'user', content: [{ ...OPENING }] }, ...filled] : filled;
}

/** The text of a last assistant turn, which the model goes on with, may not end with white space. */
function trimEnd(content: JsonObject[]): void {
  const last = content.at(-1);
  if (typeof last?.['text'] === 'string') last['text'] = last['text'].trimEnd();
}
