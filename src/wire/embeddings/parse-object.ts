import { isObject, type JsonObject } from '../../runtime/json-value.js';
import { badEmbeddings } from './read-vectors.js';

/** @throws GatewayError `upstream_error` for anything but a JSON object */
export function parseObject(text: string): JsonObject {
  let body: unknown;
  try {
    // Not the parser that keeps long integers: vectors have none, and their many digits would cost it much.
    body = JSON.parse(text);
  } catch {
    throw badEmbeddings('something that is not whole JSON');
  }
  if (!isObject(body)) throw badEmbeddings('something else');
  return body;
}
