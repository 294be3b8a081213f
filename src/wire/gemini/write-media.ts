import { GatewayError } from '../../errors/gateway-error.js';
import type { AudioBlock, FileBlock, ImageBlock, VideoBlock } from '../../operations/chat/canonical/blocks.js';
import type { JsonObject } from '../../runtime/json-value.js';
import { typeByExtension } from '../media-types.js';
import { mediaTypeOf } from '../sniff-media-type.js';

export type MediaBlock = ImageBlock | AudioBlock | VideoBlock | FileBlock;

/** What an address without an extension most likely holds. */
const USUAL_TYPES = { image: 'image/jpeg', audio: 'audio/mpeg', video: 'video/mp4', file: 'application/pdf' } as const;
/** Text that Google takes by the name of plain text alone. */
const TEXT_TYPES =
  /^application\/(?:(?:[\w.-]+\+)?(?:json|xml|yaml)|x-yaml|x-ndjson|javascript|typescript|x-sh|toml|sql)$|^text\/(?:markdown|x-markdown|javascript|x-.*|yaml)$/;
const UPLOADED = /^(?:https:\/\/generativelanguage\.googleapis\.com\/[^/]+\/)?files\//;

/** @throws GatewayError 400 for a file that was uploaded to another provider */
export function writeMedia(block: MediaBlock): JsonObject {
  const { source } = block;
  switch (source.kind) {
    case 'text':
      return { text: source.text };
    case 'base64': {
      const named =
        source.mediaType === '' && block.type === 'file' ? (typeByExtension(block.name ?? '') ?? '') : source.mediaType;
      const sniffed = mediaTypeOf(source.data, named);
      const mimeType = sniffed === '' || sniffed.endsWith('/*') ? USUAL_TYPES[block.type] : plainText(sniffed);
      return { inlineData: { mimeType, data: source.data } };
    }
    case 'url': {
      const named = source.mediaType ?? typeByExtension(source.url.split(/[?#]/, 1)[0] ?? '');
      const mimeType = named === undefined || named.endsWith('/*') ? USUAL_TYPES[block.type] : plainText(named);
      return { fileData: { mimeType, fileUri: source.url } };
    }
    case 'file':
      if (!UPLOADED.test(source.id)) throw unknownFile();
      return {
        fileData: { ...(source.mediaType !== undefined && { mimeType: source.mediaType }), fileUri: source.id },
      };
  }
}

function plainText(type: string): string {
  return TEXT_TYPES.test(type) ? 'text/plain' : type;
}

function unknownFile(): GatewayError {
  return new GatewayError({
    status: 400,
    type: 'invalid_request_error',
    code: 'unsupported_value',
    message:
      "This model's provider does not know uploaded files of another by their id. Send the data in base64, or its address.",
    param: 'messages',
  });
}
