import { invalidRequest } from '../../errors/gateway-error.js';
import type {
  CanonicalBlock,
  CanonicalMessage,
  ToolCallBlock,
  ToolResultBlock,
} from '../../operations/chat/canonical/blocks.js';
import { isObject, type JsonObject } from '../../runtime/json-value.js';
import { callInput } from '../call-input.js';
import type { DroppedFields } from '../dropped-fields.js';
import { repairHistory } from '../repair-history.js';
import type { ToolNames } from '../tool-names.js';
import type { ModelFamily } from './model-family.js';
import { writeMedia, type MediaBlock } from './write-media.js';

/** Options of writing contents. */
export interface ContentsOptions {
  readonly family: ModelFamily;
  /** Vertex AI knows no ids of calls. */
  readonly isCloud: boolean;
  readonly names: ToolNames;
  readonly dropped: DroppedFields;
}

/** Contents and the system instruction in Gemini's form. */
export interface WrittenContents {
  readonly contents: JsonObject[];
  /** Texts of the system instruction. */
  readonly system: string[];
}

interface Turn {
  readonly role: 'user' | 'model';
  readonly parts: JsonObject[];
}

/** By which Google documents a call whose signature is lost, so that the turn can go on. */
const LOST_SIGNATURE = 'skip_thought_signature_validator';
const LOST_BEGINNING = '(The beginning of this conversation was left out.)';
/** Types that may stand within a function response. */
const RESPONSE_TYPES = /^(?:image\/(?:png|jpeg|webp)|application\/pdf|text\/plain)$/;

/**
 * The turns of a conversation, in which user and model alternate and each turn of calls is followed by their results.
 *
 * @throws GatewayError 400 where there is nothing to send
 */
export function writeContents(messages: readonly CanonicalMessage[], options: ContentsOptions): WrittenContents {
  const system: string[] = [];
  const turns: Turn[] = [];
  const calls = new Map<string, ToolCallBlock>();
  for (const message of repairHistory(mergeTurns(messages))) {
    if (message.role === 'system' || message.role === 'developer') {
      system.push(...systemTexts(message, turns));
      continue;
    }
    const isModel = message.role === 'assistant';
    const parts: JsonObject[] = isModel ? writeTurn(message, calls, options) : [];
    if (!isModel) for (const block of message.blocks) parts.push(...writeUserBlock(block, calls, options));
    addParts(turns, isModel ? 'model' : 'user', parts);
  }
  const contents = turns.filter(({ parts }) => parts.length > 0);
  const isCall = (part: JsonObject): boolean => part['functionCall'] !== undefined;
  if (contents[0]?.role === 'model' && contents[0].parts.some(isCall)) {
    contents.unshift({ role: 'user', parts: [{ text: LOST_BEGINNING }] });
  }
  if (contents.length === 0) {
    const text = system.join('\n\n');
    if (text !== '') return { contents: [{ role: 'user', parts: [{ text }] }], system: [] };
    throw invalidRequest(
      "'messages' holds no content. This provider needs at least one message with text.",
      'messages',
    );
  }
  if (!options.family.hasSystem && system.length > 0) {
    const [first] = contents;
    const part = { text: `${system.join('\n\n')}\n\n` };
    if (first?.role === 'user') first.parts.unshift(part);
    else contents.unshift({ role: 'user', parts: [part] });
    system.length = 0;
  }
  return { contents: contents.map(({ role, parts }) => ({ role, parts })), system };
}

/** Turns of the model that follow each other are one. */
function mergeTurns(messages: readonly CanonicalMessage[]): CanonicalMessage[] {
  const merged: CanonicalMessage[] = [];
  for (const message of messages) {
    const last = merged.at(-1);
    if (last?.role === 'assistant' && message.role === 'assistant') {
      merged[merged.length - 1] = { ...last, blocks: [...last.blocks, ...message.blocks] };
    } else merged.push(message);
  }
  return merged;
}

function addParts(turns: Turn[], role: Turn['role'], parts: readonly JsonObject[]): void {
  if (parts.length === 0) return;
  const last = turns.at(-1);
  if (last?.role === role) last.parts.push(...parts);
  else turns.push({ role, parts: [...parts] });
}

/** Media of a system message, which only some formats have, goes to the user's turn. */
function systemTexts({ blocks }: CanonicalMessage, turns: Turn[]): string[] {
  return blocks.flatMap((block) => {
    if (block.type === 'text' || block.type === 'refusal') return block.text === '' ? [] : [block.text];
    if (isMedia(block)) addParts(turns, 'user', [writeMedia(block)]);
    return [];
  });
}

function isMedia(block: CanonicalBlock): block is MediaBlock {
  return block.type === 'image' || block.type === 'audio' || block.type === 'video' || block.type === 'file';
}

function writeTurn(
  { blocks }: CanonicalMessage,
  calls: Map<string, ToolCallBlock>,
  options: ContentsOptions,
): JsonObject[] {
  const parts: JsonObject[] = [];
  let isSigned = !options.family.requiresSignatures;
  for (const block of blocks) {
    if (block.type !== 'tool_call') {
      parts.push(...writeModelBlock(block, options));
      continue;
    }
    calls.set(block.id, block);
    const signature = block.signature?.wire === 'gemini' ? block.signature.value : undefined;
    // The first of several calls in a turn has the signature of all.
    const sent = signature ?? (isSigned ? undefined : LOST_SIGNATURE);
    isSigned = true;
    parts.push({
      functionCall: {
        ...(!options.isCloud && { id: block.id }),
        name: options.names.fit(block.name),
        args: callInput(block),
      },
      ...(sent !== undefined && { thoughtSignature: sent }),
      ...block.extras?.gemini,
    });
  }
  return parts;
}

function writeModelBlock(block: CanonicalBlock, { dropped }: ContentsOptions): JsonObject[] {
  switch (block.type) {
    case 'text': {
      const signature = block.signature?.wire === 'gemini' ? { thoughtSignature: block.signature.value } : {};
      const hasNothing = block.text === '' && block.signature?.wire !== 'gemini';
      return hasNothing ? [] : [{ text: block.text, ...signature, ...block.extras?.gemini }];
    }
    case 'refusal':
      return block.text === '' ? [] : [{ text: block.text }];
    case 'thinking': {
      // Thinking of another provider, or without a signature, is of no use to this one.
      if (block.signature?.wire !== 'gemini') return [];
      const thoughtSignature = block.signature.value;
      return [
        block.text === ''
          ? { text: '', thoughtSignature, ...block.extras?.gemini }
          : { text: block.text, thought: true, thoughtSignature, ...block.extras?.gemini },
      ];
    }
    case 'opaque':
      if (block.wire === 'gemini') return [{ ...block.value }];
      dropped.dropBlock(block.name);
      return [];
    case 'tool_call':
    case 'tool_result':
      return [];
    default:
      return [{ ...writeMedia(block), ...block.extras?.gemini }];
  }
}

function writeUserBlock(
  block: CanonicalBlock,
  calls: ReadonlyMap<string, ToolCallBlock>,
  options: ContentsOptions,
): JsonObject[] {
  if (block.type === 'tool_result') return writeResult(block, calls, options);
  return writeModelBlock(block, options);
}

function writeResult(
  block: ToolResultBlock,
  calls: ReadonlyMap<string, ToolCallBlock>,
  { family, isCloud, names, dropped }: ContentsOptions,
): JsonObject[] {
  const name = names.fit(calls.get(block.callId)?.name ?? 'tool');
  const texts: string[] = [];
  const within: JsonObject[] = [];
  const after: JsonObject[] = [];
  for (const each of block.content) {
    if (each.type === 'text' || each.type === 'refusal') texts.push(each.text);
    else if (isMedia(each)) {
      const media = writeMedia(each);
      const data = media['inlineData'];
      const fits = isObject(data) && RESPONSE_TYPES.test(String(data['mimeType']));
      (family.hasResponseParts && fits ? within : after).push(media);
    } else if (each.type === 'opaque' && each.wire === 'gemini') after.push({ ...each.value });
    else dropped.dropBlock(each.type === 'opaque' ? each.name : each.type);
  }
  const text = texts.join('\n');
  return [
    {
      functionResponse: {
        ...(!isCloud && { id: block.callId }),
        name,
        response: block.isError === true ? { error: text } : { output: text },
        ...(within.length > 0 && { parts: within }),
      },
      ...block.extras?.gemini,
    },
    ...(after.length > 0 ? [{ text: `What ${name} gave besides its text:` }, ...after] : []),
  ];
}
