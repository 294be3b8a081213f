import { invalidRequest } from '../../errors/gateway-error.js';
import type {
  CanonicalBlock,
  Extras,
  MediaSource,
  Signature,
  ToolResultBlock,
} from '../../operations/chat/canonical/blocks.js';
import { isRedactedSignature, readSignature } from '../../operations/chat/canonical/signature-text.js';
import { MAX_KEYS } from '../../operations/chat/chat-messages.js';
import { printExact } from '../../runtime/exact-integers.js';
import { isObject, type JsonObject } from '../../runtime/json-value.js';
import { typeByExtension } from '../media-types.js';
import { booleanOf, find, listOf, member, objectOf, stringOf, unread, wrongType, type Found } from './spelling.js';

/** Parts of what Google runs itself, which no other format knows. */
const OPAQUE = ['executableCode', 'codeExecutionResult', 'toolCall', 'toolResponse'] as const;
const READ = new Set([
  'text',
  'thought',
  'thoughtSignature',
  'inlineData',
  'fileData',
  'functionCall',
  'functionResponse',
]);
/** Files that were uploaded to the Gemini API; no other provider has them. */
const UPLOADED = /^(?:https:\/\/generativelanguage\.googleapis\.com\/[^/]+\/)?files\//;
const VIDEO_PAGE = /^https?:\/\/(?:www\.|m\.)?(?:youtube\.com|youtu\.be)\//;
const PARTS_HINT = 'an array of parts, such as [{"text": "Hello"}]';

/** Names calls that have no id, and finds the call that a result belongs to. */
export class CallIds {
  private count = 0;
  private open: { readonly id: string; readonly name: string }[] = [];

  /** A new turn of the model, whose calls are the ones that results belong to from now on. */
  beginTurn(): void {
    this.open = [];
  }

  ofCall(id: string | undefined, name: string): string {
    this.count += 1;
    const known = id ?? `call_${this.count}_${name}`.slice(0, 40);
    this.open.push({ id: known, name });
    return known;
  }

  /** A result names the id of its call, or the function alone; then it belongs to the first such call without one. */
  ofResult(id: string | undefined, name: string): string {
    let at = id === undefined ? -1 : this.open.findIndex((call) => call.id === id);
    if (at === -1) at = this.open.findIndex((call) => call.name === name);
    const [call] = at === -1 ? [] : this.open.splice(at, 1);
    return call?.id ?? id ?? `call_${name}`;
  }
}

/** The parts of a turn, or of a system instruction. @throws GatewayError 400 */
export function partsOf(content: JsonObject, path: string): readonly Found[] {
  const found = find(content, 'parts', path);
  return listOf(found, PARTS_HINT).map((value, index) => ({
    value,
    path: Array.isArray(found.value) ? `${found.path}[${index}]` : found.path,
  }));
}

/** @throws GatewayError 400 that names the part */
export function readPart({ value: part, path }: Found, ids: CallIds): CanonicalBlock {
  if (!isObject(part)) throw wrongType(path, 'a part such as {"text": "Hello"}', part);
  if (Object.keys(part).length > MAX_KEYS) {
    throw invalidRequest(`'${path}' has more than ${MAX_KEYS} keys.`, path, 'object_above_max_keys');
  }
  const text = stringOf(find(part, 'text', path));
  const signed = stringOf(find(part, 'thoughtSignature', path)) ?? '';
  const signature: Signature | undefined = signed === '' ? undefined : readSignature(signed, 'gemini');
  const ofSignature = signature === undefined ? {} : { signature };
  const extras = extrasOf(part);
  if (booleanOf(find(part, 'thought', path)) === true && (text !== undefined || signature !== undefined)) {
    const isRedacted = signature !== undefined && isRedactedSignature(signed, 'gemini');
    return { type: 'thinking', text: text ?? '', ...ofSignature, ...(isRedacted && { isRedacted }), ...extras };
  }
  if (text !== undefined) return { type: 'text', text, ...ofSignature, ...extras };
  const inline = find(part, 'inlineData', path);
  const data = objectOf(inline);
  if (data !== undefined) return { ...mediaBlock(...inlineSource(data, inline.path)), ...extras };
  const file = find(part, 'fileData', path);
  const fileData = objectOf(file);
  if (fileData !== undefined) return { ...mediaBlock(...fileSource(fileData, file.path)), ...extras };
  const call = find(part, 'functionCall', path);
  const calling = objectOf(call);
  if (calling !== undefined) return { ...readCall(calling, call.path, ids), ...ofSignature, ...extras };
  const response = find(part, 'functionResponse', path);
  const responding = objectOf(response);
  if (responding !== undefined) return { ...readResult(responding, response.path, ids), ...extras };
  return readOther(part, path, ofSignature);
}

function readOther(part: JsonObject, path: string, signed: { readonly signature?: Signature }): CanonicalBlock {
  const opaque = OPAQUE.find((name) => member(part, name) !== undefined);
  if (opaque !== undefined) return { type: 'opaque', wire: 'gemini', name: opaque, value: part };
  // The last part of a response may hold nothing but a signature.
  if (signed.signature !== undefined) return { type: 'text', text: '', ...signed };
  const unknown = unread(part, new Set([...READ, 'videoMetadata', 'mediaResolution', 'partMetadata']));
  const [name] = Object.keys(unknown ?? {});
  if (name !== undefined) return { type: 'opaque', wire: 'gemini', name, value: part };
  throw invalidRequest(
    `'${path}' has no content. Set text, inlineData, fileData, functionCall or functionResponse.`,
    path,
    'missing_required_parameter',
  );
}

function extrasOf(part: JsonObject): { readonly extras?: Extras } {
  const rest = unread(part, READ);
  return rest === undefined ? {} : { extras: { gemini: rest } };
}

type Media = [source: MediaSource, name: string | undefined];

function inlineSource(data: JsonObject, path: string): Media {
  const bytes = find(data, 'data', path);
  const text = stringOf(bytes);
  if (text === undefined || text === '') {
    throw invalidRequest(`'${bytes.path}' must be the bytes in base64.`, bytes.path, 'missing_required_parameter');
  }
  const type = find(data, 'mimeType', path);
  const mediaType = stringOf(type)?.trim().toLowerCase();
  if (mediaType === undefined || mediaType === '') {
    throw invalidRequest(
      `'${type.path}' must be the media type of the data, such as image/png.`,
      type.path,
      'missing_required_parameter',
    );
  }
  return [{ kind: 'base64', mediaType, data: text }, stringOf(find(data, 'displayName', path))];
}

function fileSource(data: JsonObject, path: string): Media {
  const address = find(data, 'fileUri', path);
  const uri = stringOf(address);
  if (uri === undefined || uri === '') {
    throw invalidRequest(
      `'${address.path}' must be the address of a file, or of one that was uploaded before.`,
      address.path,
      'missing_required_parameter',
    );
  }
  const named = stringOf(find(data, 'mimeType', path))
    ?.trim()
    .toLowerCase();
  const mediaType = named === undefined || named === '' ? typeOf(uri) : named;
  const ofType = mediaType === undefined ? {} : { mediaType };
  const source: MediaSource = UPLOADED.test(uri)
    ? { kind: 'file', id: uri, ...ofType }
    : { kind: 'url', url: uri, ...ofType };
  return [source, stringOf(find(data, 'displayName', path))];
}

function typeOf(uri: string): string | undefined {
  return VIDEO_PAGE.test(uri) ? 'video/*' : typeByExtension(uri.split(/[?#]/, 1)[0] ?? '');
}

/** Media as the block of its type; anything but images, sound and video is a document. */
export function mediaBlock(source: MediaSource, name?: string): CanonicalBlock {
  const [family] = (source.mediaType ?? '').split('/', 1);
  if (family === 'image' || family === 'audio' || family === 'video') return { type: family, source };
  return { type: 'file', source, ...(name !== undefined && name !== '' && { name }) };
}

function functionName(object: JsonObject, path: string): string {
  const found = find(object, 'name', path);
  const name = stringOf(found);
  if (name !== undefined && name !== '') return name;
  throw invalidRequest(`'${found.path}' must name the function.`, found.path, 'missing_required_parameter');
}

function idOf(object: JsonObject, path: string): string | undefined {
  const id = stringOf(find(object, 'id', path));
  return id === '' ? undefined : id;
}

function readCall(call: JsonObject, path: string, ids: CallIds): CanonicalBlock {
  const name = functionName(call, path);
  const args = objectOf(find(call, 'args', path)) ?? {};
  const id = ids.ofCall(idOf(call, path), name);
  return { type: 'tool_call', id, name, kind: 'function', input: printExact(args) };
}

function readResult(response: JsonObject, path: string, ids: CallIds): ToolResultBlock {
  const name = functionName(response, path);
  const callId = ids.ofResult(idOf(response, path), name);
  const found = find(response, 'response', path);
  const result = found.value === undefined ? {} : found.value;
  const media = listOf(find(response, 'parts', path), 'an array of parts').map((value, index) => {
    const place = `${path}.parts[${index}]`;
    const block = readPart({ value, path: place }, ids);
    if (block.type !== 'tool_result' && block.type !== 'tool_call') return block;
    throw invalidRequest(`'${place}' must be inlineData or fileData.`, place);
  });
  const { text, isError } = readOutput(result);
  const content: CanonicalBlock[] = text === undefined ? media : [{ type: 'text', text }, ...media];
  return { type: 'tool_result', callId, kind: 'function', content, ...(isError && { isError }) };
}

/** The members under which Google's documentation and its clients give one text. */
const OUTPUTS = ['output', 'result', 'content'];

/** The result of a function as text, as other formats have it: JSON if it is more than one text. */
function readOutput(result: unknown): { readonly text: string | undefined; readonly isError: boolean } {
  if (typeof result === 'string') return { text: result, isError: false };
  if (!isObject(result)) return { text: printExact(result), isError: false };
  const members = Object.entries(result).filter(([, value]) => value !== null && value !== undefined);
  const [first] = members;
  if (first === undefined) return { text: undefined, isError: false };
  const [key, value] = first;
  const isError = members.length === 1 && key === 'error';
  if (members.length === 1 && typeof value === 'string' && (isError || OUTPUTS.includes(key))) {
    return { text: value, isError };
  }
  return { text: printExact(isError ? value : result), isError };
}
