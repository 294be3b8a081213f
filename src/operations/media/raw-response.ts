import { isObject, type JsonObject } from '../../runtime/json-value.js';
import { withoutLongStrings } from '../../runtime/without-long-strings.js';

/** A whole response whose bytes go to the client as they came. */
export interface RawResponse {
  readonly contentType: string;
  readonly body: Buffer;
}

/** The headers of such a stream, which are known before its first bytes. */
export interface RawHead {
  readonly contentType: string;
}

/** Bytes of a streamed response: a whole event, or a stretch of sound. */
export interface RawChunk {
  readonly bytes: Buffer;
  /** The JSON of the event, without long strings; undefined if there is none. */
  readonly event: JsonObject | undefined;
}

/** Whether a response consists of server-sent events. */
export function isEventStream({ contentType }: RawHead): boolean {
  return /^text\/event-stream\s*(?:;|$)/i.test(contentType);
}

/** Whether a response is JSON. */
export function isJson({ contentType }: RawHead): boolean {
  return /^application\/(?:[\w.-]+\+)?json\s*(?:;|$)/i.test(contentType);
}

/** A JSON object without its long strings; undefined for anything else. */
export function readJsonObject(body: Buffer): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(withoutLongStrings(body).toString('utf8'));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
