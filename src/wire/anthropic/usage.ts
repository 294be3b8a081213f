import type { CanonicalUsage } from '../../operations/chat/canonical/canonical-result.js';
import { isObject, nonEmptyString, objectOf, type JsonObject } from '../../runtime/json-value.js';
import { boundTokens, readTokenCount } from '../../runtime/token-count.js';

/** Counts with a canonical member; everything else of a usage object is kept in its extras. */
const COUNTS = new Set([
  'input_tokens',
  'output_tokens',
  'cache_creation_input_tokens',
  'cache_read_input_tokens',
  'cache_creation',
  'output_tokens_details',
]);
/** Iterations that the requested model made; those of an advisor are billed by its own price, and are in no total. */
const OWN_ITERATIONS = new Set(['message', 'compaction']);

/**
 * Anthropic's `input_tokens` is without what was read from and written into the cache. Undefined where either total is missing: a
 * made-up 0 would be billed as one.
 */
export function readUsage(usage: unknown): CanonicalUsage | undefined {
  if (!isObject(usage)) return undefined;
  const counts = countsOf(usage);
  if (counts === undefined) return undefined;
  const { fresh, cached, written, written1h, output } = counts;
  const { output_tokens_details: details } = usage;
  const reasoning = isObject(details) ? readTokenCount(details['thinking_tokens']) : undefined;
  const serviceTier = nonEmptyString(usage['service_tier']);
  const webSearches = readTokenCount(objectOf(usage['server_tool_use'])['web_search_requests']) ?? 0;
  const extras = Object.fromEntries(
    Object.entries(usage).filter(([name, value]) => !COUNTS.has(name) && value !== null && value !== undefined),
  );
  return {
    inputTokens: boundTokens(fresh + (cached ?? 0) + (written ?? 0)),
    ...(cached !== undefined && { cachedTokens: cached }),
    ...(written !== undefined && { cacheWriteTokens: written }),
    ...(written1h !== undefined && { cacheWrite1hTokens: Math.min(written1h, written ?? written1h) }),
    outputTokens: output,
    ...(reasoning !== undefined && { reasoningTokens: Math.min(reasoning, output) }),
    ...(serviceTier !== undefined && { serviceTier }),
    ...(webSearches > 0 && { webSearches }),
    ...(Object.keys(extras).length > 0 && { extras: { anthropic: extras } }),
  };
}

interface Counts {
  readonly fresh: number;
  readonly cached: number | undefined;
  readonly written: number | undefined;
  /** The part of `written` that is kept for an hour. */
  readonly written1h: number | undefined;
  readonly output: number;
}

/**
 * The totals. Where the provider compacted the context, the top level leaves that iteration out although it is billed, so the
 * iterations are added up.
 */
function countsOf(usage: JsonObject): Counts | undefined {
  const { iterations } = usage;
  const all = Array.isArray(iterations) ? iterations.filter(isObject) : [];
  const top = countsAt(usage);
  if (!all.some(({ type }) => type === 'compaction')) return top;
  const own = all.filter(({ type }) => typeof type === 'string' && OWN_ITERATIONS.has(type)).map(countsAt);
  return own.reduce(
    (sum, next) =>
      sum === undefined || next === undefined
        ? top
        : {
            fresh: sum.fresh + next.fresh,
            cached: (sum.cached ?? 0) + (next.cached ?? 0),
            written: (sum.written ?? 0) + (next.written ?? 0),
            written1h:
              sum.written1h === undefined && next.written1h === undefined
                ? undefined
                : (sum.written1h ?? 0) + (next.written1h ?? 0),
            output: sum.output + next.output,
          },
    { fresh: 0, cached: 0, written: 0, written1h: undefined, output: 0 },
  );
}

function countsAt(usage: JsonObject): Counts | undefined {
  const fresh = readTokenCount(usage['input_tokens']);
  const output = readTokenCount(usage['output_tokens']);
  if (fresh === undefined || output === undefined) return undefined;
  const creation = isObject(usage['cache_creation']) ? usage['cache_creation'] : {};
  const written5m = readTokenCount(creation['ephemeral_5m_input_tokens']);
  const written1h = readTokenCount(creation['ephemeral_1h_input_tokens']);
  const isSplit = written5m !== undefined || written1h !== undefined;
  return {
    fresh,
    output,
    cached: readTokenCount(usage['cache_read_input_tokens']),
    written:
      readTokenCount(usage['cache_creation_input_tokens']) ??
      (isSplit ? boundTokens((written5m ?? 0) + (written1h ?? 0)) : undefined),
    written1h,
  };
}

/** The usage of a later event over that of an earlier one: what the later leaves out, or gives as null, still holds. */
export function mergeUsage(earlier: JsonObject, later: unknown): JsonObject {
  if (!isObject(later)) return earlier;
  return { ...earlier, ...Object.fromEntries(Object.entries(later).filter(([, value]) => value !== null)) };
}

/** A full usage object, as the SDKs declare it. Without a usage of the provider, the estimate stands in. */
export function writeUsage(usage: CanonicalUsage | undefined, estimatedInputTokens: number): JsonObject {
  const counts: CanonicalUsage = usage ?? { inputTokens: estimatedInputTokens, outputTokens: 0 };
  const {
    inputTokens,
    cachedTokens = 0,
    cacheWriteTokens = 0,
    cacheWrite1hTokens,
    outputTokens,
    reasoningTokens,
  } = counts;
  return {
    ...usage?.extras?.anthropic,
    input_tokens: Math.max(0, inputTokens - cachedTokens - cacheWriteTokens),
    cache_creation_input_tokens: cacheWriteTokens,
    cache_read_input_tokens: cachedTokens,
    cache_creation:
      cacheWrite1hTokens === undefined
        ? null
        : {
            ephemeral_5m_input_tokens: cacheWriteTokens - cacheWrite1hTokens,
            ephemeral_1h_input_tokens: cacheWrite1hTokens,
          },
    output_tokens: outputTokens,
    ...(reasoningTokens !== undefined && { output_tokens_details: { thinking_tokens: reasoningTokens } }),
    service_tier: usage?.extras?.anthropic?.['service_tier'] ?? null,
  };
}
