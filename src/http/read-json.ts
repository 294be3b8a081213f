import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import { invalidJson, invalidRequest, type GatewayError } from '../errors/gateway-error.js';
import { streamBody, type BodyLimit } from './body-stream.js';
import { assertFinite, JsonBounds } from './json-bounds.js';

/** Bytes from which on others get their turn on the event loop between reading, decoding and parsing. */
const LARGE_BYTES = 256 * 1024;
const BYTE_ORDER_MARK = 0xfeff;

/**
 * Reads a JSON body within its bounds of bytes, depth, members and values. An empty one is an empty object; a byte order mark
 * at its beginning is ignored.
 *
 * @throws GatewayError 400 when it is no JSON in UTF-8 or beyond a bound, and what `streamBody` throws
 */
export async function readJson(request: IncomingMessage, limit: BodyLimit): Promise<object> {
  const bounds = new JsonBounds();
  await streamBody(request, limit, bounds);
  const bytes = bounds.bytes();
  if (bytes.length === 0) return {};
  const isLarge = bytes.length > LARGE_BYTES;
  if (!isUtf8(bytes)) throw invalidUtf8();
  const text = withoutMark(bytes.toString('utf8'));
  if (isLarge) await new Promise(setImmediate);
  const value = parseJson(text);
  if (typeof value !== 'object' || value === null) throw invalidJson();
  if (bounds.mayOverflow) assertFinite(value);
  // Printing a large body for the provider takes milliseconds as well.
  if (isLarge) await new Promise(setImmediate);
  return value;
}

/** @throws GatewayError 400 whose text quotes nothing of the body */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw invalidJson();
  }
}

function withoutMark(text: string): string {
  return text.charCodeAt(0) === BYTE_ORDER_MARK ? text.slice(1) : text;
}

/** 400: the body's bytes are no UTF-8. */
export function invalidUtf8(): GatewayError {
  return invalidRequest('The request body is not valid UTF-8.', null, 'invalid_json');
}
