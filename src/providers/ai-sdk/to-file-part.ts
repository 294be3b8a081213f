import type { LanguageModelV3FilePart } from '@ai-sdk/provider';
import type { ContentPart } from '../../operations/chat/chat-completion.js';
import { GatewayError, invalidRequest } from '../../errors/gateway-error.js';
import { isObject, nonEmptyString } from '../../runtime/json-value.js';
import { parseUrl } from '../../runtime/parse-url.js';

/** A `data:` URL, or an address that the provider fetches itself. */
export type Media =
  | { readonly kind: 'data'; readonly mediaType: string; readonly base64: string }
  | { readonly kind: 'url'; readonly url: URL };

const AUDIO_TYPES: Readonly<Record<string, string>> = {
  wav: 'audio/wav',
  mp3: 'audio/mpeg',
  flac: 'audio/flac',
  opus: 'audio/opus',
  ogg: 'audio/ogg',
  aac: 'audio/aac',
  aiff: 'audio/aiff',
  pcm16: 'audio/pcm',
};

const EXTENSION_TYPES: Readonly<Record<string, string>> = {
  pdf: 'application/pdf',
  txt: 'text/plain',
  md: 'text/markdown',
  csv: 'text/csv',
  html: 'text/html',
  json: 'application/json',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  doc: 'application/msword',
  docx: 'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
  xls: 'application/vnd.ms-excel',
  xlsx: 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet',
};

/** Addresses that providers take. The gateway never fetches one. */
const ADDRESSES = new Set(['http:', 'https:', 'gs:', 's3:']);

/**
 * An `image_url`, `input_audio` or `file` part of a user message.
 *
 * @param path of the part, `messages[2].content[0]`
 * @throws GatewayError 400 that names the field
 */
export function toFilePart(part: ContentPart, path: string): LanguageModelV3FilePart {
  switch (part.type) {
    case 'image_url':
      return toImage(part['image_url'], `${path}.image_url`);
    case 'input_audio':
      return toAudio(part['input_audio'], `${path}.input_audio`);
    default:
      return toFile(part['file'], `${path}.file`);
  }
}

/** What an `image_url` object points to. @throws GatewayError 400 */
export function toMedia(value: unknown, path: string): Media {
  const text = nonEmptyString(isObject(value) ? value['url'] : value);
  if (text === undefined) throw invalidRequest(`'${path}.url' must be a data URL or an address.`, `${path}.url`);
  if (/^data:/i.test(text)) return parseDataUrl(text, `${path}.url`);
  const url = parseUrl(text);
  if (url === undefined || !ADDRESSES.has(url.protocol)) {
    throw invalidRequest(`'${path}.url' must be a data URL or an http(s) address.`, `${path}.url`);
  }
  return { kind: 'url', url };
}

function toImage(value: unknown, path: string): LanguageModelV3FilePart {
  const media = toMedia(value, path);
  const part: LanguageModelV3FilePart =
    media.kind === 'url'
      ? { type: 'file', data: media.url, mediaType: typeByExtension(media.url.pathname, 'image/') ?? 'image/*' }
      : { type: 'file', data: media.base64, mediaType: media.mediaType };
  const detail = isObject(value) ? value['detail'] : undefined;
  if (detail === 'low' || detail === 'high' || detail === 'auto') {
    part.providerOptions = { openai: { imageDetail: detail }, cohere: { detail } };
  }
  return part;
}

function toAudio(value: unknown, path: string): LanguageModelV3FilePart {
  const audio = isObject(value) ? value : {};
  const data = nonEmptyString(audio['data']);
  if (data === undefined) throw invalidRequest(`'${path}.data' must be audio in base64.`, `${path}.data`);
  const format = nonEmptyString(audio['format'])?.toLowerCase() ?? '';
  const mediaType = Object.hasOwn(AUDIO_TYPES, format) ? AUDIO_TYPES[format] : undefined;
  if (mediaType === undefined) {
    throw invalidRequest(`'${path}.format' must be one of ${Object.keys(AUDIO_TYPES).join(', ')}.`, `${path}.format`);
  }
  return { type: 'file', data, mediaType };
}

function toFile(value: unknown, path: string): LanguageModelV3FilePart {
  const file = isObject(value) ? value : {};
  const data = nonEmptyString(file['file_data']);
  const filename = nonEmptyString(file['filename']);
  if (data === undefined) {
    throw new GatewayError({
      status: 400,
      type: 'invalid_request_error',
      code: 'unsupported_value',
      message: `'${path}.file_data' is required: this provider does not know uploaded files by their id.`,
      param: `${path}.file_data`,
    });
  }
  const name = filename === undefined ? {} : { filename };
  if (/^https?:/i.test(data)) {
    const { url } = toMedia(data, path) as Media & { kind: 'url' };
    return { type: 'file', data: url, mediaType: typeByExtension(url.pathname) ?? 'application/pdf', ...name };
  }
  const { mediaType, base64 } = /^data:/i.test(data)
    ? parseDataUrl(data, `${path}.file_data`)
    : { mediaType: undefined, base64: data };
  const type = mediaType ?? typeByExtension(filename ?? '') ?? 'application/pdf';
  // Text is handed over as bytes: one package takes a string for the text itself instead of its base64.
  const isText = type.startsWith('text/') || type === 'application/json';
  return { type: 'file', data: isText ? Buffer.from(base64, 'base64') : base64, mediaType: type, ...name };
}

function parseDataUrl(text: string, path: string): Media & { kind: 'data' } {
  const comma = text.indexOf(',');
  const [mediaType = '', ...parameters] = text.slice('data:'.length, Math.max(0, comma)).split(';');
  if (comma === -1 || parameters.at(-1)?.trim().toLowerCase() !== 'base64' || mediaType === '') {
    throw invalidRequest(`'${path}' must be a data URL in base64, data:image/png;base64,....`, path);
  }
  return { kind: 'data', mediaType: mediaType.toLowerCase(), base64: text.slice(comma + 1) };
}

function typeByExtension(path: string, prefix = ''): string | undefined {
  const extension = /\.([A-Za-z0-9]+)$/.exec(path)?.[1]?.toLowerCase() ?? '';
  const type = Object.hasOwn(EXTENSION_TYPES, extension) ? EXTENSION_TYPES[extension] : undefined;
  return type?.startsWith(prefix) === true ? type : undefined;
}
