import type { CanonicalBlock, MediaSource } from '../../operations/chat/canonical/blocks.js';
import { isObject, nonEmptyString, type JsonObject } from '../../runtime/json-value.js';
import { extrasOf, RESPONSES } from './item-extras.js';
import { missing, wrongType } from './path-faults.js';

const DATA_URL = /^data:([^;,]*)((?:;[^;,]*)*),/;
const AUDIO_TYPES: Readonly<Record<string, string>> = { mp3: 'audio/mpeg', wav: 'audio/wav' };

/**
 * Content of a message or of a tool's result: a string or parts.
 *
 * @throws GatewayError 400 that names the part
 */
export function readContent(content: unknown, path: string): CanonicalBlock[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', text: content }];
  if (content === undefined || content === null) return [];
  if (isObject(content)) return [readPart(content, path)];
  if (!Array.isArray(content)) throw wrongType(path, 'a string or an array of content parts', content);
  return content.map((part: unknown, index) => readPart(part, `${path}[${index}]`));
}

function readPart(part: unknown, path: string): CanonicalBlock {
  if (typeof part === 'string') return { type: 'text', text: part };
  if (!isObject(part)) throw wrongType(path, 'a content part object', part);
  const { type } = part;
  switch (type) {
    case 'input_text':
    case 'output_text':
    case 'text':
    case 'summary_text':
    case 'reasoning_text': {
      const { annotations, logprobs } = part;
      const hasAnnotations = Array.isArray(annotations) && annotations.length > 0;
      return {
        type: 'text',
        text: textOf(part, 'text', path),
        ...extrasOf({
          annotations: hasAnnotations ? annotations : undefined,
          logprobs: Array.isArray(logprobs) && logprobs.length > 0 ? logprobs : undefined,
        }),
      };
    }
    case 'refusal':
      return { type: 'refusal', text: textOf(part, 'refusal', path) };
    case 'input_image':
    case 'image_url':
      return readImage(part, path);
    case 'input_file':
    case 'file':
      return readFile(part, path);
    case 'input_audio':
      return readAudio(part, path);
    case undefined:
      throw missing(`${path}.type`, 'Use a part type such as input_text, input_image or input_file.');
    default:
      if (typeof type !== 'string') throw wrongType(`${path}.type`, 'the name of a part type', type);
      return { type: 'opaque', wire: RESPONSES, name: type, value: part };
  }
}

function textOf(part: JsonObject, name: string, path: string): string {
  const text = part[name];
  if (typeof text === 'string') return text;
  throw text === undefined
    ? missing(`${path}.${name}`, 'Send the text.')
    : wrongType(`${path}.${name}`, 'a string', text);
}

function readImage(part: JsonObject, path: string): CanonicalBlock {
  const { image_url: image, file_id: fileId } = part;
  // Chat's form has the address within an object.
  const url = isObject(image) ? image['url'] : image;
  const detail = nonEmptyString(part['detail']) ?? (isObject(image) ? nonEmptyString(image['detail']) : undefined);
  const shown = detail === undefined ? {} : { detail };
  if (typeof url === 'string' && url !== '') return { type: 'image', source: sourceOf(url), ...shown };
  if (typeof fileId === 'string' && fileId !== '')
    return { type: 'image', source: { kind: 'file', id: fileId }, ...shown };
  throw image === undefined || image === null
    ? missing(`${path}.image_url`, 'Send an address, a data URL, or a file_id.')
    : wrongType(`${path}.image_url`, 'an address or a data URL', image);
}

/** A data URL as bytes; any other address as it is, for the provider to fetch. */
export function sourceOf(url: string): MediaSource {
  const [prefix, mediaType = '', parameters = ''] = DATA_URL.exec(url) ?? [];
  if (prefix === undefined || !parameters.includes(';base64')) return { kind: 'url', url };
  return { kind: 'base64', mediaType, data: url.slice(prefix.length) };
}

function readFile(part: JsonObject, path: string): CanonicalBlock {
  const own = isObject(part['file']) ? part['file'] : part;
  const name = nonEmptyString(own['filename']);
  const named = name === undefined ? {} : { name };
  const [data, url, id] = [own['file_data'], own['file_url'], own['file_id']].map(nonEmptyString);
  if (data !== undefined) {
    const source = sourceOf(data);
    // Bare base64 is a PDF unless the name says otherwise: OpenAI's first form.
    const bare = { kind: 'base64', mediaType: typeOfName(name), data } as const;
    return { type: 'file', source: source.kind === 'base64' ? source : bare, ...named };
  }
  if (url !== undefined) return { type: 'file', source: { kind: 'url', url }, ...named };
  if (id !== undefined) return { type: 'file', source: { kind: 'file', id }, ...named };
  throw missing(`${path}.file_data`, 'Send file_data as a data URL, a file_url, or a file_id.');
}

function typeOfName(name: string | undefined): string {
  return name?.toLowerCase().endsWith('.txt') === true ? 'text/plain' : 'application/pdf';
}

function readAudio(part: JsonObject, path: string): CanonicalBlock {
  const audio = part['input_audio'];
  if (!isObject(audio)) {
    throw audio === undefined
      ? missing(`${path}.input_audio`, 'Send {"data": ..., "format": "wav"}.')
      : wrongType(`${path}.input_audio`, 'an object', audio);
  }
  const { data, format } = audio;
  if (typeof data !== 'string') throw missing(`${path}.input_audio.data`, 'Send the sound in base64.');
  if (typeof format !== 'string') throw missing(`${path}.input_audio.format`, 'Use wav or mp3.');
  return { type: 'audio', source: { kind: 'base64', mediaType: AUDIO_TYPES[format] ?? `audio/${format}`, data } };
}
