import { invalidRequest } from '../errors/gateway-error.js';
import { isObject, type JsonObject } from '../runtime/json-value.js';
import { find, objectOf } from '../wire/gemini/spelling.js';

/** The id of a model in a path, whose slashes may be sent raw or as `%2F`. */
export function modelOf(segments: string | readonly string[]): string {
  const path = typeof segments === 'string' ? segments : segments.join('/');
  return path.replace(/^models\//, '');
}

/** @throws GatewayError 400 for a body that is not an object */
export function geminiBody(body: unknown): JsonObject {
  if (isObject(body)) return body;
  throw invalidRequest('The request body must be a JSON object with contents.', null, 'invalid_type');
}

/** The body with what the URL says beside it, which is how the format reads it. */
export function withUrl(body: unknown, model: string, stream: boolean): JsonObject {
  const { stream: _own, ...fields } = geminiBody(body);
  return { ...fields, model, ...(stream && { stream }) };
}

/** A body of `countTokens`: turns alone, or a whole request under `generateContentRequest`. @throws GatewayError 400 */
export function requestToCount(body: unknown, model: string): JsonObject {
  const fields = geminiBody(body);
  const whole = objectOf(find(fields, 'generateContentRequest'));
  return withUrl(whole ?? fields, model, false);
}
