import type { CanonicalBlock, ToolResultBlock } from '../../operations/chat/canonical/blocks.js';
import type { JsonObject } from '../../runtime/json-value.js';
import { callInput } from '../call-input.js';
import type { DroppedFields } from '../dropped-fields.js';
import { fitName, type NameRule, type ToolNames } from '../tool-names.js';
import type { Target } from '../wire-format.js';
import { cacheControl } from './cache-breakpoints.js';
import { unsupportedValue } from './faults.js';
import { ownFormat } from './traits.js';
import { writeDocument, writeImage, writeVideo } from './write-media.js';

/** `^[a-zA-Z0-9_-]+$`; 64 is Bedrock's bound. */
export const TOOL_USE_ID_RULE: NameRule = { refused: /[^a-zA-Z0-9_-]/g, maxLength: 64 };

/** Options of writing blocks. */
export interface BlockOptions {
  readonly target: Target;
  readonly names: ToolNames;
  readonly dropped: DroppedFields;
}

/** Whether Anthropic would refuse a text for saying nothing. */
export function isBlank(text: string): boolean {
  return text.trim() === '';
}

/**
 * A block of the user or of a system prompt; undefined where nothing is left of it.
 *
 * @throws GatewayError 400 for what Claude cannot take
 */
export function writeUserBlock(block: CanonicalBlock, options: BlockOptions): JsonObject | undefined {
  const written = writeInput(block, options);
  return written === undefined ? undefined : { ...written, ...cacheControl(block.cache) };
}

function writeInput(block: CanonicalBlock, { target, dropped }: BlockOptions): JsonObject | undefined {
  switch (block.type) {
    case 'text':
    case 'refusal':
      return isBlank(block.text) ? undefined : { type: 'text', text: block.text };
    case 'image':
      return writeImage(block, target);
    case 'file':
      return writeDocument(block, target);
    case 'video':
      return writeVideo(block, target);
    case 'audio':
      throw unsupportedValue(`This model's provider takes no ${block.type}.`, 'messages');
    case 'opaque':
      return writeOpaque(block, target, dropped);
    case 'thinking':
    case 'tool_call':
    case 'tool_result':
      return undefined;
  }
}

function writeOpaque(
  { wire, name, value }: CanonicalBlock & { type: 'opaque' },
  target: Target,
  dropped: DroppedFields,
): JsonObject | undefined {
  if (wire === ownFormat(target)) return { ...value };
  dropped.dropBlock(name);
  return undefined;
}

/** A block of an assistant's turn; undefined where nothing is left of it, and for media, which only users may send. */
export function writeAssistantBlock(
  block: CanonicalBlock,
  { target, names, dropped }: BlockOptions,
): JsonObject | undefined {
  switch (block.type) {
    case 'text':
    case 'refusal':
      if (isBlank(block.text)) return undefined;
      return { type: 'text', text: block.text, ...block.extras?.anthropic, ...cacheControl(block.cache) };
    case 'thinking': {
      const { text, signature, isRedacted } = block;
      // Thinking that another provider made, or that is not signed, would be refused.
      if (signature?.wire !== 'anthropic') return undefined;
      return isRedacted === true
        ? { type: 'redacted_thinking', data: signature.value }
        : { type: 'thinking', thinking: text, signature: signature.value };
    }
    case 'tool_call':
      return {
        type: 'tool_use',
        id: fitName(block.id, TOOL_USE_ID_RULE),
        name: names.fit(block.name),
        input: callInput(block),
        ...block.extras?.anthropic,
        ...cacheControl(block.cache),
      };
    case 'opaque':
      return writeOpaque(block, target, dropped);
    default:
      return undefined;
  }
}

/**
 * A result, and what it holds that must follow it as the user's: the content of an error may be text alone.
 *
 * @throws GatewayError 400 for what Claude cannot take
 */
export function writeToolResult(
  block: ToolResultBlock,
  options: BlockOptions,
): { readonly result: JsonObject; readonly following: readonly JsonObject[] } {
  const isError = block.isError === true;
  const content: JsonObject[] = [];
  const following: JsonObject[] = [];
  for (const each of block.content) {
    const written = writeUserBlock(each, options);
    if (written === undefined) continue;
    (isError && written['type'] !== 'text' ? following : content).push(written);
  }
  if (isError && content.length === 0) content.push({ type: 'text', text: 'The tool failed and printed nothing.' });
  const result = {
    type: 'tool_result',
    tool_use_id: fitName(block.callId, TOOL_USE_ID_RULE),
    ...(content.length > 0 && { content }),
    ...(isError && { is_error: true }),
    ...block.extras?.anthropic,
    ...cacheControl(block.cache),
  };
  return { result, following };
}
