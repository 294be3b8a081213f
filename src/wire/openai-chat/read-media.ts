import { GatewayError, invalidRequest } from '../../errors/gateway-error.js';
import type { CanonicalBlock, MediaSource } from '../../operations/chat/canonical/blocks.js';
import type { ContentPart } from '../../operations/chat/chat-completion.js';
import { isObject, nonEmptyString } from '../../runtime/json-value.js';
import { parseUrl } from '../../runtime/parse-url.js';
import { typeByExtension } from '../media-types.js';

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

/** Addresses that providers take. The gateway never fetches one. */
const ADDRESSES = new Set(['http:', 'https:', 'gs:', 's3:']);

/**
 * A media part of a message: OpenAI's own, and those that servers of open models add.
 *
 * @param path of the part, `messages[2].content[0]`
 * @returns undefined for a part of another kind
 * @throws GatewayError 400 that names the field
 */
export function readMediaPart(part: ContentPart, path: string): CanonicalBlock | undefined {
  switch (part.type) {
    case 'image_url': {
      const { image_url: value } = part;
      const detail = isObject(value) ? nonEmptyString(value['detail']) : undefined;
      const source = readAddress(value, `${path}.image_url`);
      return { type: 'image', source, ...(detail !== undefined && { detail }) };
    }
    case 'input_audio':
      return { type: 'audio', source: readAudio(part['input_audio'], `${path}.input_audio`) };
    case 'audio_url':
      return { type: 'audio', source: readAddress(part['audio_url'], `${path}.audio_url`) };
    case 'video_url':
      return { type: 'video', source: readAddress(part['video_url'], `${path}.video_url`) };
    case 'document_url':
    case 'file_url':
      return { type: 'file', source: readAddress(part[part.type], `${path}.${part.type}`) };
    case 'file':
      return readFile(part['file'], `${path}.file`);
    default:
      return undefined;
  }
}

/** The sound format by OpenAI's name; undefined where it has none for the media type. */
export function audioFormat(mediaType: string): string | undefined {
  return Object.entries(AUDIO_TYPES).find(([, type]) => type === mediaType)?.[0];
}

function readAddress(value: unknown, path: string): MediaSource {
  const isText = typeof value === 'string';
  const field = isText ? path : `${path}.url`;
  const text = nonEmptyString(isObject(value) ? value['url'] : value);
  if (text === undefined) throw invalidRequest(`'${field}' must be a data URL or an address.`, field);
  if (/^data:/i.test(text)) return readDataUrl(text, field);
  const url = parseUrl(text);
  if (url === undefined || !ADDRESSES.has(url.protocol)) {
    throw invalidRequest(`'${field}' must be a data URL or an http(s) address.`, field);
  }
  const mediaType = typeByExtension(url.pathname);
  return { kind: 'url', url: text, ...(mediaType !== undefined && { mediaType }) };
}

function readAudio(value: unknown, path: string): MediaSource {
  const audio = isObject(value) ? value : {};
  const data = nonEmptyString(audio['data']);
  if (data === undefined) throw invalidRequest(`'${path}.data' must be audio in base64.`, `${path}.data`);
  const format = nonEmptyString(audio['format'])?.toLowerCase() ?? '';
  const mediaType = Object.hasOwn(AUDIO_TYPES, format) ? AUDIO_TYPES[format] : undefined;
  if (mediaType === undefined) {
    throw invalidRequest(`'${path}.format' must be one of ${Object.keys(AUDIO_TYPES).join(', ')}.`, `${path}.format`);
  }
  return { kind: 'base64', mediaType, data };
}

function readFile(value: unknown, path: string): CanonicalBlock {
  const file = isObject(value) ? value : {};
  const data = nonEmptyString(file['file_data']);
  const name = nonEmptyString(file['filename']);
  const named = name === undefined ? {} : { name };
  if (data === undefined) {
    const id = nonEmptyString(file['file_id']);
    if (id !== undefined) return { type: 'file', source: { kind: 'file', id }, ...named };
    throw new GatewayError({
      status: 400,
      type: 'invalid_request_error',
      code: 'missing_required_parameter',
      message: `'${path}.file_data' is required, or '${path}.file_id'.`,
      param: `${path}.file_data`,
    });
  }
  if (/^https?:/i.test(data)) return { type: 'file', source: readAddress(data, `${path}.file_data`), ...named };
  if (/^data:/i.test(data)) return { type: 'file', source: readDataUrl(data, `${path}.file_data`), ...named };
  const mediaType = typeByExtension(name ?? '') ?? 'application/pdf';
  return { type: 'file', source: { kind: 'base64', mediaType, data }, ...named };
}

/** @throws GatewayError 400 for a data URL that is not base64 */
export function readDataUrl(text: string, path: string): MediaSource & { readonly kind: 'base64' } {
  const comma = text.indexOf(',');
  const [mediaType = '', ...parameters] = text.slice('data:'.length, Math.max(0, comma)).split(';');
  if (comma === -1 || parameters.at(-1)?.trim().toLowerCase() !== 'base64' || mediaType === '') {
    throw invalidRequest(`'${path}' must be a data URL in base64, data:image/png;base64,....`, path);
  }
  return { kind: 'base64', mediaType: mediaType.toLowerCase(), data: text.slice(comma + 1) };
}
