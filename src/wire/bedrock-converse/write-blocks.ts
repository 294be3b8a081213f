import { GatewayError } from '../../errors/gateway-error.js';
import { objectOf, isObject, nonEmptyString, type JsonObject } from '../../runtime/json-value.js';
import { cachePoint } from './cache-point.js';

/** In front of hidden thinking that came from Converse, within the form of Anthropic's Messages. */
export const CONVERSE_DATA = 'converse:';
/** What document names may not have. */
const REFUSED_IN_NAMES = /[^a-zA-Z0-9\s\-()[\]]+/g;
const MAX_NAME_CHARACTERS = 200;
const NO_OUTPUT = 'No output.';
const OFFICE = 'application/vnd.openxmlformats-officedocument';
/**
 * Converse's names of formats by media type.
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html
 */
const FORMATS = {
  image: { 'image/png': 'png', 'image/jpeg': 'jpeg', 'image/jpg': 'jpeg', 'image/gif': 'gif', 'image/webp': 'webp' },
  video: {
    'video/mp4': 'mp4',
    'video/quicktime': 'mov',
    'video/mov': 'mov',
    'video/x-matroska': 'mkv',
    'video/webm': 'webm',
    'video/x-flv': 'flv',
    'video/flv': 'flv',
    'video/mpeg': 'mpeg',
    'video/mpg': 'mpg',
    'video/x-ms-wmv': 'wmv',
    'video/wmv': 'wmv',
    'video/3gpp': 'three_gp',
  },
  document: {
    'application/pdf': 'pdf',
    'text/csv': 'csv',
    'text/html': 'html',
    'text/plain': 'txt',
    'text/markdown': 'md',
    'application/msword': 'doc',
    [`${OFFICE}.wordprocessingml.document`]: 'docx',
    'application/vnd.ms-excel': 'xls',
    [`${OFFICE}.spreadsheetml.sheet`]: 'xlsx',
  },
} as const;

export interface BlockOptions {
  /** Whether the model takes cache points. */
  readonly withPoints: boolean;
  /** Whether the model cites documents, and takes a text about each. */
  readonly withCitations?: boolean;
  /** The client's name of the conversation, for errors. */
  readonly field: string;
}

/**
 * Blocks of a draft in the format of Anthropic's Messages as those of Converse. A cache hint becomes a point behind its block.
 *
 * @throws GatewayError 400 for media that Converse has no format for
 */
export function writeBlocks(content: unknown, options: BlockOptions): JsonObject[] {
  if (typeof content === 'string') return [{ text: content }];
  if (!Array.isArray(content)) return [];
  return content.filter(isObject).flatMap((block, index) => {
    const written = writeBlock(block, index, options);
    if (written === undefined) return [];
    const { cache_control: cache } = block;
    return options.withPoints && isObject(cache) ? [written, cachePoint(cache)] : [written];
  });
}

function writeBlock(block: JsonObject, index: number, options: BlockOptions): JsonObject | undefined {
  const { field } = options;
  switch (block['type']) {
    case 'text':
      return { text: block['text'] };
    case 'image': {
      const source = objectOf(block['source']);
      return { image: { format: formatOf('image', source['media_type'], field), source: bytesOf(source) } };
    }
    case 'video': {
      const source = objectOf(block['source']);
      const type = block['media_type'] ?? source['media_type'];
      return { video: { format: formatOf('video', type, field), source: bytesOf(source) } };
    }
    case 'document':
      return {
        document: { ...writeDocument(block, index, field), ...(options.withCitations === true && citing(block)) },
      };
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
      const content = writeBlocks(block['content'], { ...options, withPoints: false });
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

/** What a model that cites needs of a document. */
function citing({ citations, context }: JsonObject): JsonObject {
  const about = nonEmptyString(context);
  return {
    ...(objectOf(citations)['enabled'] === true && { citations: { enabled: true } }),
    ...(about !== undefined && { context: about }),
  };
}

function writeDocument(block: JsonObject, index: number, field: string): JsonObject {
  const source = objectOf(block['source']);
  const given = (nonEmptyString(block['title']) ?? '').replace(/\.[a-z]{1,4}$/i, '').replace(REFUSED_IN_NAMES, ' ');
  const name = given.replace(/\s+/g, ' ').trim().slice(0, MAX_NAME_CHARACTERS) || `document ${index + 1}`;
  if (source['type'] === 'text') {
    const bytes = Buffer.from(nonEmptyString(source['data']) ?? ' ', 'utf8').toString('base64');
    return { format: 'txt', name, source: { bytes } };
  }
  return { format: formatOf('document', source['media_type'], field), name, source: bytesOf(source) };
}

/** @throws GatewayError 400 for a type of media that Converse has no name for */
function formatOf(kind: keyof typeof FORMATS, mediaType: unknown, field: string): string {
  const type = (nonEmptyString(mediaType) ?? '').split(';', 1)[0]?.trim().toLowerCase() ?? '';
  const formats: Readonly<Record<string, string>> = FORMATS[kind];
  const format = Object.hasOwn(formats, type) ? formats[type] : undefined;
  if (format !== undefined) return format;
  const known = [...new Set(Object.values(formats))].join(', ');
  throw new GatewayError({
    status: 400,
    type: 'invalid_request_error',
    code: 'unsupported_value',
    message: `This model's provider takes a ${kind} as ${known}, not as ${type.slice(0, 80) || 'a file of an unknown type'}. Send it in one of these, with its media type.`,
    param: field,
  });
}

/** The bytes themselves, or where they are in S3. */
function bytesOf({ type, data, uri }: JsonObject): JsonObject {
  return type === 's3' ? { s3Location: { uri } } : { bytes: data };
}
