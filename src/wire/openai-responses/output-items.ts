import type { CanonicalBlock, ThinkingBlock, ToolCallBlock } from '../../operations/chat/canonical/blocks.js';
import { writeSignature } from '../../operations/chat/canonical/signature-text.js';
import type { JsonObject } from '../../runtime/json-value.js';
import { CalledTools, callItem, itemPrefix } from './called-tools.js';
import { writeCompaction } from './compaction.js';
import { extra, RESPONSES } from './item-extras.js';
import type { ResponseIds } from './response-object.js';
import { writeOutputPart } from './write-parts.js';

type ItemStatus = 'completed' | 'incomplete';

/** Blocks of a response as items of its output. */
export function outputItems(
  blocks: readonly CanonicalBlock[],
  tools: CalledTools,
  ids: ResponseIds,
  status: ItemStatus,
): JsonObject[] {
  const items: JsonObject[] = [];
  let content: JsonObject[] | undefined;
  for (const block of blocks) {
    const part = writeOutputPart(block);
    if (part !== undefined) {
      if (content === undefined) {
        content = [];
        items.push(messageItem(ids.item('msg', items.length), status, content));
      }
      content.push({ ...part, ...(block.type === 'text' && part['logprobs'] === undefined && { logprobs: [] }) });
      continue;
    }
    content = undefined;
    switch (block.type) {
      case 'thinking':
        items.push(reasoningItem(ids.item('rs', items.length), block));
        break;
      case 'tool_call':
        items.push(...toolCallItems(block, tools, ids, items.length, status));
        break;
      case 'opaque':
        if (block.wire === RESPONSES) items.push(block.value);
        break;
      case 'image':
        items.push(...imageItems(block, ids.item('ig', items.length)));
        break;
      default:
      // A model of this API writes no sound, video or files.
    }
  }
  return items;
}

/** A message item of a response. */
export function messageItem(
  id: string,
  status: 'in_progress' | ItemStatus,
  content: readonly JsonObject[],
): JsonObject {
  return { id, type: 'message', status, role: 'assistant', content };
}

/** Thinking as an item: what can be read is its summary, and what only its provider can read is the encrypted content. */
export function reasoningItem(
  id: string,
  block: Pick<ThinkingBlock, 'text' | 'signature' | 'isRedacted' | 'extras'>,
): JsonObject {
  const summary = extra(block, 'summary');
  const texts = Array.isArray(summary) ? summary : block.text === '' ? [] : [block.text];
  return {
    id,
    type: 'reasoning',
    summary: texts.map((text: unknown) => ({ type: 'summary_text', text })),
    ...(block.signature !== undefined && {
      encrypted_content: writeSignature(block.signature, RESPONSES, block.isRedacted),
    }),
  };
}

function toolCallItems(
  block: ToolCallBlock,
  tools: CalledTools,
  ids: ResponseIds,
  index: number,
  status: ItemStatus,
): JsonObject[] {
  const tool = tools.of(block.name, block.kind);
  // A call has no member for a signature, so that it stands before the call as an item of its own.
  const { signature } = block;
  const before = signature === undefined ? [] : [reasoningItem(ids.item('rs', index), { text: '', signature })];
  const id = ids.item(itemPrefix(tool), index + before.length);
  const input = block.kind === 'function' && block.input.trim() === '' ? '{}' : block.input;
  return [...before, callItem(tool, block.kind, { id, callId: block.id, input, status })];
}

/** An image that a model wrote, as the tool that OpenAI has for it. */
function imageItems({ source }: CanonicalBlock & { type: 'image' }, id: string): JsonObject[] {
  if (source.kind !== 'base64') return [];
  return [{ id, type: 'image_generation_call', status: 'completed', result: source.data }];
}

/** The one item of a compaction, from what the model wrote as its summary. */
export function compactionItem(id: string, text: string): JsonObject {
  return { id, type: 'compaction', encrypted_content: writeCompaction(text) };
}
