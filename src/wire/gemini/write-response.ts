import type { CanonicalBlock } from '../../operations/chat/canonical/blocks.js';
import { writeSignature } from '../../operations/chat/canonical/signature-text.js';
import type { CanonicalResult } from '../../operations/chat/canonical/canonical-result.js';
import type { JsonObject } from '../../runtime/json-value.js';
import type { WriteContext } from '../wire-format.js';
import { writeFinishReason } from './finish-reason.js';
import { writeLogprobs } from './logprobs.js';
import { writeUsage } from './usage.js';
import { callInput } from '../call-input.js';

/** A whole response as `GenerateContentResponse`. */
export function writeResponse(result: CanonicalResult, context: WriteContext): JsonObject {
  const { id, model, usage, extras } = result;
  return {
    candidates: result.choices.map(({ blocks, finish, logprobs, extras: ofChoice }, index) => {
      const parts = blocks.flatMap((block) => writePart(block, context));
      const logprobsResult = writeLogprobs(logprobs);
      return {
        content: { parts, role: 'model' },
        finishReason: writeFinishReason(finish),
        index,
        ...(logprobsResult !== undefined && { logprobsResult }),
        ...ofChoice?.gemini,
      };
    }),
    ...extras?.gemini,
    ...(usage !== undefined && { usageMetadata: writeUsage(usage) }),
    modelVersion: model ?? context.model,
    responseId: id ?? context.requestId,
  };
}

/** Whether the client asked to read what the model thinks. Clients that did not would take a thought for the response. */
export function showsThoughts({ request }: WriteContext): boolean {
  return request.reasoning?.isShown === true;
}

/** A block as parts. Thinking that the client did not ask for leaves its signature behind, which the next turn needs. */
export function writePart(block: CanonicalBlock, context: WriteContext): JsonObject[] {
  switch (block.type) {
    case 'text': {
      const signed =
        block.signature === undefined ? {} : { thoughtSignature: writeSignature(block.signature, 'gemini') };
      return [{ text: block.text, ...signed }];
    }
    case 'refusal':
      return [{ text: block.text }];
    case 'thinking': {
      const text = showsThoughts(context) ? block.text : '';
      if (text === '' && block.signature === undefined) return [];
      const { signature, isRedacted } = block;
      return [
        {
          text,
          thought: true,
          ...(signature !== undefined && { thoughtSignature: writeSignature(signature, 'gemini', isRedacted) }),
        },
      ];
    }
    case 'tool_call':
      return [
        {
          functionCall: { id: block.id, name: block.name, args: callInput(block) },
          ...(block.signature !== undefined && { thoughtSignature: writeSignature(block.signature, 'gemini') }),
        },
      ];
    case 'image':
    case 'audio':
    case 'video':
    case 'file': {
      const { source } = block;
      if (source.kind === 'base64') {
        return [{ inlineData: { mimeType: source.mediaType, data: source.data }, ...block.extras?.gemini }];
      }
      if (source.kind === 'text') return [{ text: source.text }];
      const { mediaType } = source;
      const fileUri = source.kind === 'url' ? source.url : source.id;
      return [{ fileData: { ...(mediaType !== undefined && { mimeType: mediaType }), fileUri } }];
    }
    case 'opaque':
      return block.wire === 'gemini' ? [{ ...block.value }] : [];
    case 'tool_result':
      return [];
  }
}
