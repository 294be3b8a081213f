import { GatewayError } from '../../errors/gateway-error.js';
import type {
  CacheHint,
  CanonicalBlock,
  CanonicalMessage,
  MediaSource,
  ToolCallBlock,
  ToolResultBlock,
} from '../../operations/chat/canonical/blocks.js';
import type { ChatMessage, ContentPart, ToolCall } from '../../operations/chat/chat-completion.js';
import type { JsonObject } from '../../runtime/json-value.js';
import type { DroppedFields } from '../dropped-fields.js';
import { CALL_ID_RULE, fitName, type ToolNames } from '../tool-names.js';
import { audioFormat } from './read-media.js';
import { isThinking, writeCallSignature, writeThinkingBlock } from './thinking-blocks.js';

/** The state that the messages of one request share. */
export interface MessageOptions {
  readonly names: ToolNames;
  readonly dropped: DroppedFields;
  /** Whether signed thinking goes along, in `thinking_blocks`. Its text always does, in `reasoning_content`. */
  readonly thinkingBlocks: boolean;
  /** Whether hints of where to cache go along, as `cache_control`. */
  readonly cacheHints: boolean;
  /** Whether custom tools go as they are, or as functions with one text. */
  readonly customTools: boolean;
}

/** @param messages repaired, so that each call has its result */
export function writeMessages(messages: readonly CanonicalMessage[], options: MessageOptions): ChatMessage[] {
  return messages.flatMap((message, index) => {
    if (message.role === 'tool') return writeResults(message, index, options);
    return [message.role === 'assistant' ? writeTurn(message, index, options) : writePlain(message, index, options)];
  });
}

function writePlain({ role, blocks, name }: CanonicalMessage, index: number, options: MessageOptions): ChatMessage {
  const parts = blocks.flatMap((block) => writePart(block, index, options));
  return { role: role, content: contentOf(parts), ...(name !== undefined && { name }) };
}

/** Text alone is a string, which every server takes. */
function contentOf(parts: readonly ContentPart[]): string | ContentPart[] {
  const [first] = parts;
  if (first === undefined) return '';
  const isPlain = parts.length === 1 && first.type === 'text' && Object.keys(first).length === 2;
  return isPlain ? (first.text ?? '') : [...parts];
}

function writeTurn({ blocks, name }: CanonicalMessage, index: number, options: MessageOptions): ChatMessage {
  const thinking = blocks.filter(isThinking);
  const reasoning = thinking.map(({ text }) => text).join('');
  const signed = options.thinkingBlocks ? thinking.flatMap((block) => writeThinkingBlock(block) ?? []) : [];
  const parts: ContentPart[] = [];
  const calls: ToolCall[] = [];
  for (const block of blocks) {
    if (block.type === 'tool_call') calls.push(writeCall(block, options));
    else if (block.type !== 'thinking') parts.push(...writePart(block, index, options));
  }
  return {
    role: 'assistant',
    content: parts.length === 0 && calls.length > 0 ? null : contentOf(parts),
    ...(name !== undefined && { name }),
    ...(reasoning !== '' && { reasoning_content: reasoning }),
    ...(signed.length > 0 && { thinking_blocks: signed }),
    ...(calls.length > 0 && { tool_calls: calls }),
  };
}

function writeCall({ id, name, kind, input, signature }: ToolCallBlock, options: MessageOptions): ToolCall {
  const callId = fitName(id, CALL_ID_RULE);
  if (kind === 'custom' && options.customTools) {
    const custom = { name: options.names.fit(name), input };
    return { id: callId, type: 'custom', custom } as unknown as ToolCall;
  }
  const written = kind === 'custom' ? JSON.stringify({ input }) : input;
  return {
    id: callId,
    type: 'function',
    function: { name: options.names.fit(name), arguments: written },
    ...(options.thinkingBlocks && writeCallSignature(signature)),
  };
}

/** Results take text alone. Images and files among them go to the model in a message of the user, behind all results. */
function writeResults({ blocks }: CanonicalMessage, index: number, options: MessageOptions): ChatMessage[] {
  const messages: ChatMessage[] = [];
  const media: ContentPart[] = [];
  for (const block of blocks) {
    if (block.type !== 'tool_result') continue;
    messages.push(writeResult(block, index, options, media));
  }
  if (media.length > 0) messages.push({ role: 'user', content: media });
  return messages;
}

function writeResult(
  { callId, content, cache }: ToolResultBlock,
  index: number,
  options: MessageOptions,
  media: ContentPart[],
): ChatMessage {
  const texts: ContentPart[] = [];
  for (const block of content) {
    for (const part of writePart(block, index, options)) {
      if (part.type === 'text') {
        texts.push(part);
        continue;
      }
      const label = `The ${block.type} of the tool result '${callId}' follows in the next message of the user.`;
      texts.push({ type: 'text', text: label });
      media.push({ type: 'text', text: `From the tool result '${callId}':` }, part);
    }
  }
  return {
    role: 'tool',
    tool_call_id: fitName(callId, CALL_ID_RULE),
    content: contentOf(texts),
    ...(options.cacheHints && hint(cache)),
  };
}

function writePart(block: CanonicalBlock, index: number, options: MessageOptions): ContentPart[] {
  const hinted = options.cacheHints ? hint(block.cache) : {};
  switch (block.type) {
    case 'text':
      return [{ type: 'text', text: block.text, ...hinted }];
    case 'refusal':
      return [{ type: 'refusal', refusal: block.text, ...hinted }];
    case 'thinking':
      return block.text === '' ? [] : [{ type: 'text', text: block.text }];
    case 'image': {
      const detail = block.detail === undefined ? {} : { detail: block.detail };
      return [{ type: 'image_url', image_url: { url: addressOf(block.source, 'image', index), ...detail }, ...hinted }];
    }
    case 'audio':
      return [{ ...writeAudio(block.source, index), ...hinted }];
    case 'video':
      return [{ type: 'video_url', video_url: { url: addressOf(block.source, 'video', index) }, ...hinted }];
    case 'file':
      return [{ ...writeFile(block.source, block.name, index), ...hinted }];
    case 'opaque':
      options.dropped.dropBlock(block.name);
      return [];
    case 'tool_call':
    case 'tool_result':
      return [];
  }
}

function hint(cache: CacheHint | undefined): JsonObject {
  return cache === undefined ? {} : { cache_control: { type: 'ephemeral', ...cache } };
}

function addressOf(source: MediaSource, media: string, index: number): string {
  if (source.kind === 'url') return source.url;
  if (source.kind === 'base64') return `data:${source.mediaType};base64,${source.data}`;
  throw untransferable(media, index);
}

function writeAudio(source: MediaSource, index: number): ContentPart {
  const format = source.kind === 'base64' ? audioFormat(source.mediaType) : undefined;
  if (source.kind === 'base64' && format !== undefined) {
    return { type: 'input_audio', input_audio: { data: source.data, format } };
  }
  return { type: 'audio_url', audio_url: { url: addressOf(source, 'sound', index) } };
}

function writeFile(source: MediaSource, name: string | undefined, index: number): ContentPart {
  // A document of plain text is text for every model.
  if (source.kind === 'text')
    return { type: 'text', text: name === undefined ? source.text : `${name}:\n${source.text}` };
  const filename = name === undefined ? {} : { filename: name };
  if (source.kind === 'file') return { type: 'file', file: { file_id: source.id, ...filename } };
  return { type: 'file', file: { file_data: addressOf(source, 'file', index), ...filename } };
}

/** A file that was uploaded to another provider. */
function untransferable(media: string, index: number): GatewayError {
  return new GatewayError({
    status: 400,
    type: 'invalid_request_error',
    code: 'unsupported_value',
    message: `'messages[${index}]' names an uploaded ${media} by its id, which this model's provider does not know. Send its content.`,
    param: `messages[${index}]`,
  });
}
