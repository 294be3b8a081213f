import type { ChatRequest } from '../../chat/chat-completion.js';
import type { JsonObject } from '../../json/json-value.js';

/** Bytes that a value has beside its text: quotes, colons, commas. */
const BETWEEN = 6;
/** The longest that JSON prints a number. */
const NUMBER = 25;

/** Bytes of all that a request gives a model to read, at least as many as its tokens. */
export function promptBytes({ messages, tools, response_format: format }: ChatRequest): number {
  return bytesOf(messages) + (tools == null ? 0 : bytesOf(tools)) + (format == null ? 0 : bytesOf(format));
}

/** Bytes of a value as JSON without escapes, or a few more; printing it would cost much more. */
export function bytesOf(value: unknown): number {
  if (typeof value === 'string') return Buffer.byteLength(value) + BETWEEN;
  if (typeof value === 'number') return NUMBER + BETWEEN;
  if (typeof value !== 'object' || value === null) return BETWEEN;
  let bytes = BETWEEN;
  if (Array.isArray(value)) for (const item of value) bytes += bytesOf(item);
  else for (const name in value) bytes += Buffer.byteLength(name) + BETWEEN + bytesOf((value as JsonObject)[name]);
  return bytes;
}
