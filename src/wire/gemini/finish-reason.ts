import type { FinishReason } from '../../operations/chat/canonical/canonical-result.js';

const FILTERED = new Set([
  ...['SAFETY', 'RECITATION', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'SPII', 'LANGUAGE', 'MODEL_ARMOR'],
  ...['IMAGE_SAFETY', 'IMAGE_PROHIBITED_CONTENT', 'IMAGE_RECITATION', 'JAILBREAK'],
]);
/** The model wrote what Google could not read, so that there is no response. */
const FAILED = new Set([
  ...['MALFORMED_FUNCTION_CALL', 'UNEXPECTED_TOOL_CALL', 'TOO_MANY_TOOL_CALLS', 'MISSING_THOUGHT_SIGNATURE'],
  ...['MALFORMED_RESPONSE', 'NO_IMAGE', 'IMAGE_OTHER'],
]);

/**
 * Google says `STOP` of function calls as well.
 *
 * @returns `failed` where the generation broke; undefined where the reason says nothing
 */
export function readFinishReason(reason: unknown, hasToolCalls: boolean): FinishReason | 'failed' | undefined {
  if (typeof reason !== 'string') return undefined;
  if (FILTERED.has(reason)) return 'content_filter';
  if (FAILED.has(reason)) return 'failed';
  if (reason === 'MAX_TOKENS' || reason === 'CONTINUATION') return 'length';
  if (reason === 'STOP') return hasToolCalls ? 'tool_calls' : 'stop';
  return undefined;
}

/** Gemini's `finishReason`. */
export function writeFinishReason(reason: FinishReason): string {
  switch (reason) {
    case 'length':
    case 'context_length':
      return 'MAX_TOKENS';
    case 'content_filter':
    case 'refusal':
      return 'SAFETY';
    case 'stop':
    case 'stop_sequence':
    case 'tool_calls':
    case 'pause':
      return 'STOP';
  }
}
