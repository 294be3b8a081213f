import type { ChatRequest } from './chat-completion.js';
import { isObject, type JsonObject } from '../../runtime/json-value.js';

/** Bytes that a value has beside its text: quotes, colons, commas. */
const SEPARATOR_BYTES = 6;
/** The longest that JSON prints a number. */
const NUMBER_BYTES = 25;
/** Characters of base64 that carry less than a token of sound, however well it is compressed. */
const AUDIO_CHARACTERS_PER_TOKEN = 8;

/** Kinds of content parts whose cost does not follow from their text. */
const IMAGES = new Set(['image_url', 'input_image', 'image']);
const OTHER_MEDIA = new Set([
  'video_url',
  'audio_url',
  'document_url',
  'file_url',
  'file',
  'input_file',
  'document',
  'video',
]);

/** The input of a request for the model. */
export interface PromptSize {
  /** Bytes of text, at least as many as its tokens. */
  readonly bytes: number;
  readonly images: number;
  /** Videos, sounds and documents, of which the request may name the address alone. */
  readonly media: number;
  /** Whether tools are described, to which providers add an instruction of their own. */
  readonly hasTools: boolean;
  /** Whether the provider may search the web, whose results it bills as prompt. */
  readonly searches: boolean;
}

/**
 * Everything of a request that may reach the provider: messages, tools and functions, and each field that passes through.
 * `model` is not counted, because it is replaced; `metadata` is not counted where it stays in the gateway.
 */
export function promptSize(request: ChatRequest): PromptSize {
  const size = { bytes: 0, images: 0, media: 0 };
  for (const name in request) {
    const value = request[name];
    if (name === 'model' || (name === 'metadata' && request.store !== true)) continue;
    // A number or a flag is a setting, not text.
    if (typeof value === 'string' || (typeof value === 'object' && value !== null)) {
      add(value, size);
      if (name !== 'messages') size.bytes += Buffer.byteLength(name) + SEPARATOR_BYTES;
    }
  }
  const tools: unknown = request.tools;
  return {
    ...size,
    hasTools: hasItems(tools) || hasItems(request['functions']),
    searches:
      isObject(request['web_search_options']) ||
      (Array.isArray(tools) &&
        tools.some((tool) => isObject(tool) && /search|fetch|browser/.test(String(tool['type'])))),
  };
}

/** Bytes of a value as JSON without escapes, or a few more; printing it would cost much more. However deep it is nested. */
export function bytesOf(value: unknown): number {
  const size = { bytes: 0, images: 0, media: 0 };
  add(value, size);
  return size.bytes + size.media;
}

function add(value: unknown, size: { bytes: number; images: number; media: number }): void {
  const waiting: unknown[] = [value];
  while (waiting.length > 0) {
    const next = waiting.pop();
    size.bytes += SEPARATOR_BYTES;
    if (typeof next === 'string') size.bytes += Buffer.byteLength(next);
    else if (typeof next === 'number') size.bytes += NUMBER_BYTES;
    else if (Array.isArray(next)) for (const item of next) waiting.push(item);
    else if (isObject(next)) addObject(next, size, waiting);
  }
}

function addObject(
  object: JsonObject,
  size: { bytes: number; images: number; media: number },
  waiting: unknown[],
): void {
  const { type } = object;
  const isImage = typeof type === 'string' && IMAGES.has(type);
  if (isImage) size.images += 1;
  else if (typeof type === 'string' && OTHER_MEDIA.has(type)) size.media += 1;
  for (const name in object) {
    const value = object[name];
    size.bytes += Buffer.byteLength(name) + SEPARATOR_BYTES;
    if (isImage && name === 'image_url') addImage(value, size, waiting);
    else if (type === 'input_audio' && name === 'input_audio' && isObject(value)) {
      for (const field in value) {
        const inner = value[field];
        if (field === 'data' && typeof inner === 'string') size.bytes += inner.length / AUDIO_CHARACTERS_PER_TOKEN;
        else waiting.push(inner);
      }
    } else waiting.push(value);
  }
}

/** A picture inside the request costs by its size in pixels; its bytes say nothing of that. */
function addImage(value: unknown, size: { bytes: number }, waiting: unknown[]): void {
  const url = isObject(value) ? value['url'] : value;
  if (typeof url !== 'string' || !/^data:image\//i.test(url)) {
    waiting.push(value);
    return;
  }
  size.bytes += SEPARATOR_BYTES;
  if (isObject(value)) for (const field in value) if (field !== 'url') waiting.push(value[field]);
}

function hasItems(value: unknown): boolean {
  return Array.isArray(value) && value.length > 0;
}
