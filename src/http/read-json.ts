import { parseExact } from '../runtime/exact-integers.js';
import { isObject } from '../runtime/json-value.js';
import type { IncomingMessage } from 'node:http';
import { invalidJson } from '../errors/gateway-error.js';
import { streamBody, type BodyLimit } from './body-stream.js';
import { assertFinite, JsonBounds } from './json-bounds.js';
import { Utf8Text } from './utf8-text.js';

/** Characters from which on others get their turn on the event loop between reading, parsing and what follows. */
const LARGE_CHARACTERS = 256 * 1024;

/**
 * Reads a JSON body within its bounds of bytes, depth, members and values. An empty one is an empty object; a byte order mark
 * at its beginning is ignored.
 *
 * @param isExact whether integers beyond 2^53 keep their digits, for bodies that are printed with `printExact`
 * @throws GatewayError 400 when it is no JSON in UTF-8 or beyond a bound, and what `streamBody` throws
 */
export async function readJson(request: IncomingMessage, limit: BodyLimit, isExact = false): Promise<object> {
  const bounds = new JsonBounds(limit.maxKeys);
  const decoder = new Utf8Text();
  await streamBody(request, limit, {
    write: (chunk) => {
      bounds.write(chunk);
      decoder.write(chunk);
    },
  });
  const text = decoder.end();
  if (text === '') return {};
  const isLarge = text.length > LARGE_CHARACTERS;
  if (isLarge) await new Promise(setImmediate);
  const value = parseJson(text, isExact);
  if (!Array.isArray(value) && !isObject(value)) throw invalidJson();
  if (bounds.mayOverflow) assertFinite(value);
  // Printing a large body for the provider takes milliseconds as well.
  if (isLarge) await new Promise(setImmediate);
  return value;
}

/** @throws GatewayError 400 whose text quotes nothing of the body */
export function parseJson(text: string, isExact = false): unknown {
  try {
    return isExact ? parseExact(text) : (JSON.parse(text) as unknown);
  } catch {
    throw invalidJson();
  }
}
