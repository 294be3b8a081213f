import type { JsonObject } from '../../runtime/json-value.js';

/** The point behind the block that carries a hint. */
export function cachePoint({ ttl }: JsonObject): JsonObject {
  return { cachePoint: { type: 'default', ...(typeof ttl === 'string' && { ttl }) } };
}
