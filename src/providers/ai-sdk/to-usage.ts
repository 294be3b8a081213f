import type { LanguageModelV3Usage } from '@ai-sdk/provider';
import { readTokenCount } from '../../runtime/token-count.js';
import type { Usage } from '../../operations/chat/chat-completion.js';

/**
 * OpenAI's counts. Prompt tokens contain the cached ones, completion tokens those of the reasoning. Undefined when the
 * provider did not report both, or reported something that is no count: a made-up 0 would be billed as one.
 */
export function toUsage({ inputTokens, outputTokens }: LanguageModelV3Usage): Usage | undefined {
  const prompt = readTokenCount(inputTokens.total);
  const completion = readTokenCount(outputTokens.total);
  if (prompt === undefined || completion === undefined) return undefined;
  const cacheRead = readTokenCount(inputTokens.cacheRead);
  const cacheWrite = readTokenCount(inputTokens.cacheWrite);
  const reasoning = readTokenCount(outputTokens.reasoning);
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    ...((cacheRead !== undefined || cacheWrite !== undefined) && {
      prompt_tokens_details: {
        cached_tokens: cacheRead ?? 0,
        ...(cacheWrite !== undefined && cacheWrite > 0 && { cache_write_tokens: cacheWrite }),
      },
    }),
    ...(reasoning !== undefined && { completion_tokens_details: { reasoning_tokens: reasoning } }),
  };
}

/** The usage of several calls that make one response; undefined when any of them was not counted. */
export function sumUsage(usages: readonly (Usage | undefined)[]): Usage | undefined {
  return usages.reduce((sum, usage) => (sum === undefined || usage === undefined ? undefined : add(sum, usage)));
}

function add(a: Usage, b: Usage): Usage {
  const prompt = addCounts(a.prompt_tokens_details, b.prompt_tokens_details);
  const completion = addCounts(a.completion_tokens_details, b.completion_tokens_details);
  return {
    prompt_tokens: a.prompt_tokens + b.prompt_tokens,
    completion_tokens: a.completion_tokens + b.completion_tokens,
    total_tokens: a.total_tokens + b.total_tokens,
    ...(prompt !== undefined && { prompt_tokens_details: prompt }),
    ...(completion !== undefined && { completion_tokens_details: completion }),
  };
}

type Counts = Record<string, unknown> | null | undefined;

function addCounts(a: Counts, b: Counts): Record<string, number> | undefined {
  if (a == null && b == null) return undefined;
  const sum: Record<string, number> = {};
  for (const counts of [a ?? {}, b ?? {}]) {
    for (const [name, value] of Object.entries(counts)) {
      if (typeof value === 'number') sum[name] = (sum[name] ?? 0) + value;
    }
  }
  return sum;
}
