import type { CanonicalUsage } from '../../operations/chat/canonical/canonical-result.js';
import { asNumber } from '../../runtime/exact-integers.js';
import { isObject, nonEmptyString, objectOf, withoutMembers, type JsonObject } from '../../runtime/json-value.js';
import { allExtras, extrasOf } from './item-extras.js';

/** `usage` of a response; undefined where it has no counts. Cached tokens are a part of `input_tokens`, in both forms. */
export function readUsage(usage: unknown): CanonicalUsage | undefined {
  if (!isObject(usage)) return undefined;
  const [input, output] = [count(usage['input_tokens']), count(usage['output_tokens'])];
  if (input === undefined && output === undefined) return undefined;
  const inputDetails = objectOf(usage['input_tokens_details']);
  const outputDetails = objectOf(usage['output_tokens_details']);
  const cached = count(inputDetails['cached_tokens']);
  const written = count(inputDetails['cache_write_tokens']);
  const reasoning = count(outputDetails['reasoning_tokens']);
  return {
    inputTokens: input ?? 0,
    outputTokens: output ?? 0,
    ...(cached !== undefined && { cachedTokens: cached }),
    ...(written !== undefined && written > 0 && { cacheWriteTokens: written }),
    ...(reasoning !== undefined && { reasoningTokens: reasoning }),
    ...extrasOf(withoutMembers(usage, COUNTED)),
  };
}

const COUNTED = new Set([
  ...['input_tokens', 'output_tokens', 'total_tokens', 'input_tokens_details', 'output_tokens_details'],
]);

/** The usage of a response with what it is billed by beside tokens: its service tier, and its searches of the web. */
export function readBilledUsage(response: JsonObject): CanonicalUsage | undefined {
  const usage = readUsage(response['usage']);
  if (usage === undefined) return undefined;
  const serviceTier = nonEmptyString(response['service_tier']);
  const { output } = response;
  const webSearches = Array.isArray(output) ? output.filter(isBilledSearch).length : 0;
  return {
    ...usage,
    // It says what was asked for, and not which tier it was.
    ...(serviceTier !== undefined && serviceTier !== 'auto' && { serviceTier }),
    ...(webSearches > 0 && { webSearches }),
  };
}

/** Opening a page and finding a text in it cost nothing. Source: https://platform.openai.com/docs/guides/tools-web-search */
function isBilledSearch(item: unknown): boolean {
  if (!isObject(item) || item['type'] !== 'web_search_call' || item['status'] === 'failed') return false;
  const { type = 'search' } = objectOf(item['action']);
  return type === 'search';
}

/** Usage in OpenAI's form, with every count. */
export function writeUsage(usage: CanonicalUsage): JsonObject {
  const { inputTokens, outputTokens, cachedTokens = 0, cacheWriteTokens = 0, reasoningTokens = 0 } = usage;
  return {
    ...allExtras(usage),
    input_tokens: inputTokens,
    input_tokens_details: { cached_tokens: cachedTokens, cache_write_tokens: cacheWriteTokens },
    output_tokens: outputTokens,
    output_tokens_details: { reasoning_tokens: reasoningTokens },
    total_tokens: inputTokens + outputTokens,
  };
}

function count(value: unknown): number | undefined {
  const number = asNumber(value);
  return number !== undefined && Number.isFinite(number) && number >= 0 ? Math.floor(number) : undefined;
}
