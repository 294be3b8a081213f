import type { CanonicalBlock, Extras, Signature } from '../../operations/chat/canonical/blocks.js';
import { printExact } from '../../runtime/exact-integers.js';
import { isObject, nonEmptyString, type JsonObject } from '../../runtime/json-value.js';
import { newToolCallId } from '../openai-chat/generated-ids.js';
import { mediaBlock } from './read-parts.js';
import { camelCase, member } from './spelling.js';
import { namelessCall } from '../nameless-call.js';

/** Text, or thinking, of a response. */
export interface WrittenText {
  readonly type: 'text' | 'thinking';
  readonly text: string;
  readonly signature?: Signature;
}

/** A call of a function, which comes whole. */
export interface WrittenCall {
  readonly type: 'tool_call';
  readonly id: string;
  readonly name: string;
  /** JSON text. */
  readonly input: string;
  readonly signature?: Signature;
}

/** The content of a part of a response. */
export type ResponsePart = WrittenText | WrittenCall | { readonly type: 'whole'; readonly block: CanonicalBlock };

/** @returns undefined for a part without content, or of an unknown form */
export function readResponsePart(
  part: unknown,
  toolNames: ReadonlyMap<string, string> | undefined,
): ResponsePart | undefined {
  if (!isObject(part)) return undefined;
  const value = nonEmptyString(member(part, 'thoughtSignature'));
  const signed = value === undefined ? {} : { signature: { wire: 'gemini', value } as const };
  const { text } = part;
  if (typeof text === 'string') {
    // A thought without text is a signature alone, which belongs to what follows.
    return { type: part['thought'] === true ? 'thinking' : 'text', text, ...signed };
  }
  const call = member(part, 'functionCall');
  if (isObject(call)) {
    const name = nonEmptyString(call['name']);
    const args = call['args'];
    if (name === undefined) {
      // Pieces of arguments, of which clients of this format alone ask, follow in parts without a name.
      if (isObject(args) && Object.keys(args).length > 0) throw namelessCall();
      return undefined;
    }
    return {
      type: 'tool_call',
      id: nonEmptyString(call['id']) ?? newToolCallId(),
      name: toolNames?.get(name) ?? name,
      input: printExact(isObject(args) ? args : {}),
      ...signed,
    };
  }
  const block = mediaOf(part);
  if (block !== undefined) return { type: 'whole', block };
  const name = Object.keys(part)
    .map(camelCase)
    .find((key) => !COMMON.has(key));
  if (name !== undefined) return { type: 'whole', block: { type: 'opaque', wire: 'gemini', name, value: part } };
  return value === undefined ? undefined : { type: 'text', text: '', ...signed };
}

const COMMON = new Set(['thought', 'thoughtSignature', 'partMetadata', 'videoMetadata', 'mediaResolution']);

function mediaOf(part: JsonObject): CanonicalBlock | undefined {
  // Pictures of a thought are no part of the response.
  if (part['thought'] === true) return undefined;
  const inline = member(part, 'inlineData');
  if (isObject(inline)) {
    const data = nonEmptyString(inline['data']);
    const mediaType = nonEmptyString(member(inline, 'mimeType')) ?? 'application/octet-stream';
    return data === undefined ? undefined : { ...mediaBlock({ kind: 'base64', mediaType, data }), ...extrasOf(part) };
  }
  const file = member(part, 'fileData');
  if (!isObject(file)) return undefined;
  const url = nonEmptyString(member(file, 'fileUri'));
  const mediaType = nonEmptyString(member(file, 'mimeType'));
  if (url === undefined) return undefined;
  return mediaBlock({ kind: 'url', url, ...(mediaType !== undefined && { mediaType }) });
}

/** A picture may be signed, and must come back so. */
function extrasOf(part: JsonObject): { readonly extras?: Extras } {
  const thoughtSignature = nonEmptyString(member(part, 'thoughtSignature'));
  return thoughtSignature === undefined ? {} : { extras: { gemini: { thoughtSignature } } };
}

/** Members of a candidate that say where its text comes from, or what was found in it. */
const CANDIDATE_EXTRAS = [
  'groundingMetadata',
  'citationMetadata',
  'urlContextMetadata',
  'safetyRatings',
  'finishMessage',
  'avgLogprobs',
];

/** Members of a candidate that only Gemini has; undefined if there are none. */
export function candidateExtras(candidate: JsonObject): JsonObject | undefined {
  const found = CANDIDATE_EXTRAS.flatMap((name): [string, unknown][] => {
    const value = member(candidate, name);
    return value === undefined ? [] : [[name, value]];
  });
  return found.length === 0 ? undefined : Object.fromEntries(found);
}

/** Web pages of `groundingMetadata` as OpenAI's annotations, each once. */
export function annotationsOf(extras: JsonObject | undefined): JsonObject[] {
  const grounding = extras?.['groundingMetadata'];
  const chunks = isObject(grounding) ? member(grounding, 'groundingChunks') : undefined;
  if (!Array.isArray(chunks)) return [];
  const pages = (chunks as readonly unknown[]).flatMap((chunk): [string, string][] => {
    const web = isObject(chunk) && isObject(chunk['web']) ? chunk['web'] : {};
    const url = nonEmptyString(web['uri']);
    return url === undefined ? [] : [[url, nonEmptyString(web['title']) ?? url]];
  });
  return [...new Map(pages)].map(([url, title]) => ({
    type: 'url_citation',
    url_citation: { url, title, start_index: 0, end_index: 0 },
  }));
}
