import { objectOf, isObject, nonEmptyString, type JsonObject } from '../../runtime/json-value.js';
import { cachePoint } from './cache-point.js';

/** In front of hidden thinking that came from Converse, within the form of Anthropic's Messages. */
export const CONVERSE_DATA = 'converse:';
/** What document names may not have. */
const REFUSED_IN_NAMES = /[^a-zA-Z0-9\s\-()[\]]+/g;
const MAX_NAME_LENGTH = 200;
const NO_OUTPUT = 'No output.';

/** Blocks of Anthropic's Messages as those of Converse. A cache hint becomes a point behind its block. */
export function writeBlocks(content: unknown, withPoints: boolean): JsonObject[] {
  if (typeof content === 'string') return [{ text: content }];
  if (!Array.isArray(content)) return [];
  return content.filter(isObject).flatMap((block, index) => {
    const written = writeBlock(block, index);
    if (written === undefined) return [];
    const { cache_control: cache } = block;
    return withPoints && isObject(cache) ? [written, cachePoint(cache)] : [written];
  });
}

function writeBlock(block: JsonObject, index: number): JsonObject | undefined {
  switch (block['type']) {
    case 'text':
      return { text: block['text'] };
    case 'image': {
      const source = objectOf(block['source']);
      const format = String(source['media_type']).replace(/^image\//, '');
      return { image: { format, source: { bytes: source['data'] } } };
    }
    case 'document':
      return { document: writeDocument(block, index) };
    case 'thinking':
      return { reasoningContent: { reasoningText: { text: block['thinking'], signature: block['signature'] } } };
    case 'redacted_thinking': {
      const data = nonEmptyString(block['data']) ?? '';
      return {
        reasoningContent: { redactedContent: data.startsWith(CONVERSE_DATA) ? data.slice(CONVERSE_DATA.length) : data },
      };
    }
    case 'tool_use':
      return { toolUse: { toolUseId: block['id'], name: block['name'], input: block['input'] } };
    case 'tool_result': {
      const content = writeBlocks(block['content'], false);
      return {
        toolResult: {
          toolUseId: block['tool_use_id'],
          content: content.length === 0 ? [{ text: NO_OUTPUT }] : content,
          ...(block['is_error'] === true && { status: 'error' }),
        },
      };
    }
    default:
      return undefined;
  }
}

function writeDocument(block: JsonObject, index: number): JsonObject {
  const source = objectOf(block['source']);
  const given = (nonEmptyString(block['title']) ?? '').replace(/\.[a-z]{1,4}$/i, '').replace(REFUSED_IN_NAMES, ' ');
  const name = given.replace(/\s+/g, ' ').trim().slice(0, MAX_NAME_LENGTH) || `document ${index + 1}`;
  if (source['type'] === 'text') {
    const bytes = Buffer.from(nonEmptyString(source['data']) ?? ' ', 'utf8').toString('base64');
    return { format: 'txt', name, source: { bytes } };
  }
  return { format: 'pdf', name, source: { bytes: source['data'] } };
}
