import type { CallOutcome } from '../../chat/call-outcome.js';
import type { ChatRequest, Usage } from '../../chat/chat-completion.js';
import { countPromptTokens, countTokens } from './count-tokens.js';
import type { TokenCounts } from './usage-record.entity.js';

const NONE: TokenCounts = {
  promptTokens: 0,
  completionTokens: 0,
  totalTokens: 0,
  cachedTokens: 0,
  reasoningTokens: 0,
  isEstimated: false,
};

/**
 * What the last attempt of a call consumed: as the provider reported it, or an estimate where it reported nothing, because it
 * never does or because it was broken off at its work. An attempt that was refused consumed nothing.
 */
export function tokenCounts(outcome: CallOutcome): TokenCounts | Promise<TokenCounts> {
  if (outcome.usage !== undefined) return reported(outcome.usage);
  return outcome.attempts.at(-1)?.hadBegun === true ? estimated(outcome) : NONE;
}

/** What an attempt consumed that was given up before it had answered, estimated: its prompt. */
export async function promptOnly(request: ChatRequest): Promise<TokenCounts> {
  const promptTokens = await countPromptTokens(request);
  return { ...NONE, promptTokens, totalTokens: promptTokens, isEstimated: true };
}

function reported(usage: Usage): TokenCounts {
  return {
    promptTokens: whole(usage.prompt_tokens),
    completionTokens: whole(usage.completion_tokens),
    totalTokens: whole(usage.total_tokens),
    cachedTokens: whole(usage.prompt_tokens_details?.cached_tokens),
    reasoningTokens: whole(usage.completion_tokens_details?.reasoning_tokens),
    isEstimated: false,
  };
}

async function estimated({ request, output, outputLength }: CallOutcome): Promise<TokenCounts> {
  const kept = output.join('');
  const [promptTokens, ofKept] = await Promise.all([countPromptTokens(request), countTokens([kept])]);
  const completionTokens = kept === '' ? 0 : Math.ceil((ofKept * outputLength) / kept.length);
  return {
    ...NONE,
    promptTokens,
    completionTokens,
    totalTokens: promptTokens + completionTokens,
    isEstimated: true,
  };
}

/** What a column of whole numbers takes; providers have been seen to report nulls and fractions. */
function whole(count: unknown): number {
  return typeof count === 'number' && count > 0 ? Math.min(Math.round(count), 2_147_483_647) : 0;
}

/** The counts in the shape that prices are asked with. */
export function usageOf({ promptTokens, completionTokens, totalTokens, cachedTokens }: TokenCounts): Usage {
  return {
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: totalTokens,
    prompt_tokens_details: { cached_tokens: cachedTokens },
  };
}
