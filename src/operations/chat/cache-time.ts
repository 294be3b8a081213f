import { isObject, type JsonObject } from '../../runtime/json-value.js';
import { SOURCE } from './canonical/sources.js';
import type { ChatRequest } from './chat-completion.js';

const HOUR = '1h';
/** Members that say where a prompt may be cached: of the canonical form, and of bodies in OpenAI's form. */
const HINTS: ReadonlySet<string> = new Set(['cache', 'cache_control']);

/**
 * Whether a request asks for a part of its prompt to be cached for an hour. Providers bill that above the usual five minutes, so the
 * upper bound of its cost is higher. Read only where something is limited by cost.
 */
export function cachesForAnHour(request: ChatRequest): boolean {
  const canonical = request[SOURCE]?.canonical;
  const waiting: unknown[] =
    canonical === undefined
      ? [request.messages, request.tools, { cache_control: request['cache_control'] }]
      : [canonical.messages, canonical.tools, { cache: canonical.cache }];
  while (waiting.length > 0) {
    const next = waiting.pop();
    if (Array.isArray(next)) for (const item of next) waiting.push(item);
    else if (isObject(next) && hintsAtHour(next, waiting)) return true;
  }
  return false;
}

function hintsAtHour(object: JsonObject, waiting: unknown[]): boolean {
  for (const name in object) {
    const value = object[name];
    if (typeof value !== 'object' || value === null) continue;
    if (HINTS.has(name) && 'ttl' in value && value.ttl === HOUR) return true;
    waiting.push(value);
  }
  return false;
}
