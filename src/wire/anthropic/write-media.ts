import type { FileBlock, ImageBlock, MediaSource, VideoBlock } from '../../operations/chat/canonical/blocks.js';
import type { JsonObject } from '../../runtime/json-value.js';
import { typeByExtension } from '../media-types.js';
import { messagesField } from '../dropped-fields.js';
import { mediaTypeOf } from '../sniff-media-type.js';
import type { Target } from '../wire-format.js';
import { unsupportedValue } from './faults.js';
import type { AnthropicTraits } from './traits.js';

const IMAGE_TYPES = new Set(['image/jpeg', 'image/png', 'image/gif', 'image/webp']);
/** Text by its media type, which is sent as text. */
const TEXT_TYPE = /^(?:text\/|application\/(?:json|xml|yaml|x-yaml|javascript|x-sh|toml|csv))/;

/** @throws GatewayError 400 for an image that Claude cannot see */
export function writeImage({ source }: ImageBlock, target: Target): JsonObject {
  if (source.kind !== 'base64') return { type: 'image', source: writeReference(source, target, 'image') };
  const type = mediaTypeOf(source.data, source.mediaType === 'image/jpg' ? 'image/jpeg' : source.mediaType);
  if (!IMAGE_TYPES.has(type)) {
    throw unsupportedValue(
      `This model's provider takes images as ${[...IMAGE_TYPES].join(', ')}, not as ${type.slice(0, 40)}.`,
      'messages',
    );
  }
  return { type: 'image', source: { type: 'base64', media_type: type, data: source.data } };
}

/** @throws GatewayError 400: Claude sees no videos; another format that the body is a draft of may */
export function writeVideo({ source }: VideoBlock, target: Target): JsonObject {
  const { anyMedia = false } = target.traits as AnthropicTraits;
  if (!anyMedia) throw unsupportedValue(`This model's provider takes no video.`, messagesField(target.client));
  if (source.kind !== 'base64') {
    return { type: 'video', media_type: source.mediaType, source: writeReference(source, target, 'video') };
  }
  return { type: 'video', media_type: source.mediaType, source: { type: 'base64', data: source.data } };
}

/** @throws GatewayError 400 for a document that Claude cannot read */
export function writeDocument(block: FileBlock, target: Target): JsonObject {
  const { source, name } = block;
  const titled = name === undefined ? {} : { title: name };
  const own = block.extras?.anthropic;
  return { type: 'document', source: documentSource(source, name, target), ...titled, ...own };
}

function documentSource(source: MediaSource, name: string | undefined, target: Target): JsonObject {
  switch (source.kind) {
    case 'text':
      return { type: 'text', media_type: 'text/plain', data: source.text };
    case 'base64': {
      const named =
        source.mediaType === 'application/octet-stream' ? (typeByExtension(name ?? '') ?? '') : source.mediaType;
      const type = mediaTypeOf(source.data, named);
      if (type === 'application/pdf') return { type: 'base64', media_type: type, data: source.data };
      if (TEXT_TYPE.test(type)) {
        return { type: 'text', media_type: 'text/plain', data: Buffer.from(source.data, 'base64').toString('utf8') };
      }
      if ((target.traits as AnthropicTraits).anyMedia === true) {
        return { type: 'base64', media_type: type, data: source.data };
      }
      throw unsupportedValue(
        `This model's provider takes PDF and text documents, not ${type.slice(0, 80) || 'files of an unknown type'}.`,
        'messages',
      );
    }
    default:
      return writeReference(source, target, 'document');
  }
}

function writeReference(
  source: MediaSource & { kind: 'url' | 'file' | 'text' },
  target: Target,
  kind: string,
): JsonObject {
  const { urlSources = true, anyMedia = false } = target.traits as AnthropicTraits;
  if (anyMedia && source.kind === 'url' && source.url.startsWith('s3://')) {
    return { type: 's3', uri: source.url, media_type: source.mediaType ?? typeByExtension(source.url) };
  }
  if (source.kind === 'url') {
    if (urlSources && /^https?:/i.test(source.url)) return { type: 'url', url: source.url };
    const reason = urlSources ? 'fetches http and https addresses alone' : 'does not fetch addresses';
    throw unsupportedValue(`This model's provider ${reason}. Send the ${kind} itself in base64.`, 'messages');
  }
  // An id of another provider's files means nothing here.
  if (source.kind === 'file' && target.client === 'anthropic') return { type: 'file', file_id: source.id };
  throw unsupportedValue(
    `This model's provider does not know uploaded files by their id. Send the ${kind} itself in base64.`,
    'messages',
  );
}
