import type { CanonicalUsage } from '../../operations/chat/canonical/canonical-result.js';
import { BILLED_BESIDE, type Usage } from '../../operations/chat/chat-completion.js';
import { readTokenCount } from '../../runtime/token-count.js';
import { isObject } from '../../runtime/json-value.js';

/** Reads usage in OpenAI's form; undefined if there is none. */
export function readUsage(usage: Usage | null | undefined): CanonicalUsage | undefined {
  if (usage == null) return undefined;
  const { prompt_tokens: prompt, completion_tokens: completion, total_tokens: total } = usage;
  const ofPrompt = isObject(usage.prompt_tokens_details) ? usage.prompt_tokens_details : {};
  const ofCompletion = isObject(usage.completion_tokens_details) ? usage.completion_tokens_details : {};
  const cached = readTokenCount(ofPrompt['cached_tokens']);
  const written = readTokenCount(ofPrompt['cache_write_tokens']);
  const writtenForAnHour = readTokenCount(ofPrompt['cache_write_1h_tokens']);
  const reasoning = readTokenCount(ofCompletion['reasoning_tokens']);
  return {
    inputTokens: prompt,
    // Some servers count thinking outside of the completion, and all of them in the total.
    outputTokens: Math.max(completion, total - prompt),
    ...(cached !== undefined && { cachedTokens: cached }),
    ...(written !== undefined && { cacheWriteTokens: written }),
    ...(writtenForAnHour !== undefined && { cacheWrite1hTokens: writtenForAnHour }),
    ...(reasoning !== undefined && { reasoningTokens: reasoning }),
    ...usage[BILLED_BESIDE],
  };
}

/** Usage in OpenAI's form. */
export function writeUsage(usage: CanonicalUsage): Usage {
  const { inputTokens, outputTokens, cachedTokens, cacheWriteTokens, cacheWrite1hTokens, reasoningTokens } = usage;
  const { serviceTier, webSearches } = usage;
  const hasBeside = serviceTier !== undefined || webSearches !== undefined;
  const hasDetails = cachedTokens !== undefined || cacheWriteTokens !== undefined;
  return {
    prompt_tokens: inputTokens,
    completion_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    ...(hasDetails && {
      prompt_tokens_details: {
        cached_tokens: cachedTokens ?? 0,
        ...(cacheWriteTokens !== undefined && { cache_write_tokens: cacheWriteTokens }),
        ...(cacheWrite1hTokens !== undefined && { cache_write_1h_tokens: cacheWrite1hTokens }),
      },
    }),
    ...(reasoningTokens !== undefined && { completion_tokens_details: { reasoning_tokens: reasoningTokens } }),
    ...(hasBeside && {
      [BILLED_BESIDE]: {
        ...(serviceTier !== undefined && { serviceTier }),
        ...(webSearches !== undefined && { webSearches }),
      },
    }),
  };
}
