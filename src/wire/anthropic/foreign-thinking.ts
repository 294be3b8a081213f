import { readSignature } from '../../operations/chat/canonical/signature-text.js';
import { isObject, type JsonObject } from '../../runtime/json-value.js';

/**
 * A body that is passed on as it came, without thinking that Anthropic did not sign: a turn that another provider served comes
 * back with it, and Anthropic refuses what it cannot verify. The same body where there is none.
 */
export function withoutForeignThinking(body: Readonly<JsonObject>): Readonly<JsonObject> {
  const { messages } = body;
  if (!Array.isArray(messages)) return body;
  const kept = messages.map(withoutForeignBlocks);
  const isChanged = kept.some((message, index) => message !== messages[index]);
  return isChanged ? { ...body, messages: kept.filter((message) => message !== undefined) } : body;
}

/** @returns the message itself where nothing is left out; undefined where nothing is left */
function withoutForeignBlocks(message: unknown): unknown {
  if (!isObject(message) || message['role'] !== 'assistant' || !Array.isArray(message['content'])) return message;
  const all: readonly unknown[] = message['content'];
  const content = all.filter((block) => !isObject(block) || !isThinking(block) || !isForeign(block));
  if (content.length === all.length) return message;
  return content.length === 0 ? undefined : { ...message, content };
}

function isThinking({ type }: JsonObject): boolean {
  return type === 'thinking' || type === 'redacted_thinking';
}

function isForeign(block: JsonObject): boolean {
  const signature = block['type'] === 'thinking' ? block['signature'] : block['data'];
  if (typeof signature !== 'string' || signature === '') return true;
  return readSignature(signature, 'anthropic').wire !== 'anthropic';
}
