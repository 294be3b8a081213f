import type { MediaSource } from '../../operations/chat/canonical/blocks.js';
import { invalidRequest } from '../../errors/gateway-error.js';
import { isObject, nonEmptyString } from '../../runtime/json-value.js';
import { wrongType } from './faults.js';

/**
 * The `source` of an image or a document.
 *
 * @param path of the source, `messages[2].content[0].source`
 * @throws GatewayError 400 that names the field
 */
export function readSource(source: unknown, path: string): MediaSource {
  if (!isObject(source)) throw wrongType(path, 'an object with type', source);
  const mediaType = nonEmptyString(source['media_type']);
  switch (source['type']) {
    case 'base64': {
      const data = nonEmptyString(source['data']);
      if (data === undefined) throw wrongType(`${path}.data`, 'data in base64', source['data']);
      if (mediaType === undefined) {
        throw wrongType(`${path}.media_type`, 'a media type such as image/png', source['media_type']);
      }
      return { kind: 'base64', mediaType, data };
    }
    case 'url': {
      const url = nonEmptyString(source['url']);
      if (url === undefined) throw wrongType(`${path}.url`, 'an address', source['url']);
      return { kind: 'url', url, ...(mediaType !== undefined && { mediaType }) };
    }
    case 'file': {
      const id = nonEmptyString(source['file_id']);
      if (id === undefined) throw wrongType(`${path}.file_id`, 'the id of a file', source['file_id']);
      return { kind: 'file', id, ...(mediaType !== undefined && { mediaType }) };
    }
    case 'text': {
      const { data } = source;
      if (typeof data !== 'string') throw wrongType(`${path}.data`, 'the text', data);
      return { kind: 'text', mediaType: mediaType ?? 'text/plain', text: data };
    }
    default:
      throw invalidRequest(`'${path}.type' must be one of base64, url, file, text.`, `${path}.type`);
  }
}
