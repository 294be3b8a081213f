import type { ToolCallBlock } from '../operations/chat/canonical/blocks.js';
import { parseExact } from '../runtime/exact-integers.js';
import { isObject, type JsonObject } from '../runtime/json-value.js';

/**
 * The arguments of a call as an object. What a model wrote that is none (blank, cut off, a list) is history that no client can
 * change, so it is sent within an object, under the name that Anthropic's documentation gives it.
 */
export function callInput({ kind, input }: Pick<ToolCallBlock, 'kind' | 'input'>): JsonObject {
  if (kind === 'custom') return { input };
  const text = input.trim();
  if (text === '' || text === 'null') return {};
  try {
    const parsed: unknown = parseExact(text);
    if (isObject(parsed)) return parsed;
  } catch {
    // Sent as it is, below.
  }
  return { INVALID_JSON: input };
}
