import { randomUUID } from 'node:crypto';
import type { CanonicalBlock, MediaSource, Signature, ThinkingBlock } from '../../operations/chat/canonical/blocks.js';
import { writeSignature } from '../../operations/chat/canonical/signature-text.js';
import type { CanonicalResult } from '../../operations/chat/canonical/canonical-result.js';
import type { JsonObject } from '../../runtime/json-value.js';
import { fitName } from '../tool-names.js';
import type { WriteContext } from '../wire-format.js';
import { writeStopReason } from './finish-reason.js';
import { signatureCarrier } from './read-messages.js';
import { writeUsage } from './usage.js';
import { callInput } from '../call-input.js';
import { TOOL_USE_ID_RULE } from './write-blocks.js';

/** A whole message, of the first choice. */
export function writeResponse(result: CanonicalResult, context: WriteContext): JsonObject {
  const [choice] = result.choices;
  return {
    ...result.extras?.anthropic,
    ...messageHead(result, context),
    content: (choice?.blocks ?? []).flatMap(writeContentBlock),
    stop_reason: writeStopReason(choice?.finish ?? 'stop'),
    stop_sequence: choice?.stopSequence ?? null,
    usage: writeUsage(result.usage, context.estimatedInputTokens),
  };
}

/** The members that a message begins with. */
export function messageHead({ id, model }: Pick<CanonicalResult, 'id' | 'model'>, context: WriteContext): JsonObject {
  return { id: messageId(id), type: 'message', role: 'assistant', model: model ?? context.model };
}

/** Anthropic's ids begin with `msg_`; the id of another provider goes behind it. */
function messageId(id: string | undefined): string {
  if (id === undefined || id === '') return `msg_${randomUUID().replaceAll('-', '')}`;
  return id.startsWith('msg_') ? id : `msg_${id}`;
}

/**
 * A block as content blocks. A signature that has no place in this format is in an empty thinking block before what it signs,
 * see `readMessages`.
 */
export function writeContentBlock(block: CanonicalBlock): readonly JsonObject[] {
  switch (block.type) {
    case 'text': {
      const { text, signature, extras } = block;
      if (text === '' && signature === undefined) return [];
      return [...carrierOf(signature), { type: 'text', text, ...extras?.anthropic }];
    }
    case 'refusal':
      return [{ type: 'text', text: block.text }];
    case 'thinking':
      return [writeThinkingBlock(block)];
    case 'tool_call': {
      const { name, signature, extras } = block;
      return [
        ...carrierOf(signature),
        { type: 'tool_use', id: toolUseId(block.id), name, input: callInput(block), ...extras?.anthropic },
      ];
    }
    case 'opaque':
      return block.wire === 'anthropic' ? [{ ...block.value }] : [];
    case 'image':
      return [{ type: 'text', text: `![image](${addressOf(block.source)})` }];
    case 'audio':
    case 'video':
    case 'file':
      return [{ type: 'text', text: `[${block.type}](${addressOf(block.source)})` }];
    case 'tool_result':
      return [];
  }
}

/** An id in Anthropic's alphabet, so that the conversation can go on at Anthropic. The same id becomes the same one each time. */
export function toolUseId(id: string): string {
  return fitName(id, TOOL_USE_ID_RULE);
}

/** A thinking block in Anthropic's form. */
export function writeThinkingBlock({ text, signature, isRedacted }: ThinkingBlock): JsonObject {
  const signed = signature === undefined ? '' : writeSignature(signature, 'anthropic', isRedacted);
  if (isRedacted === true && text === '') return { type: 'redacted_thinking', data: signed };
  return { type: 'thinking', thinking: text, signature: signed };
}

/** The thinking block in front of a signed text or call. */
export function carrierOf(signature: Signature | undefined): readonly JsonObject[] {
  return signature === undefined ? [] : [signatureCarrier(writeSignature(signature, 'anthropic'))];
}

/** This format has no media in responses, so they are links in Markdown. */
function addressOf(source: MediaSource): string {
  switch (source.kind) {
    case 'base64':
      return `data:${source.mediaType};base64,${source.data}`;
    case 'url':
      return source.url;
    case 'file':
      return source.id;
    case 'text':
      return `data:${source.mediaType},${encodeURIComponent(source.text)}`;
  }
}
