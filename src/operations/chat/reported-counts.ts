import type { JsonObject } from '../../runtime/json-value.js';
import { boundTokens, readTokenCount, type TokenCount } from '../../runtime/token-count.js';

/** The three counts of a provider's usage, as it means them. */
export interface ReportedCounts {
  readonly prompt: TokenCount;
  readonly completion: TokenCount;
  readonly total: TokenCount;
}

/**
 * Prompt, completion and total of a provider's usage in OpenAI's shape. One that is missing follows from the other two. Undefined
 * when prompt and completion are not both known then: a count that is no whole number is one that was not reported.
 */
export function readCounts(usage: JsonObject): ReportedCounts | undefined {
  const total = readTokenCount(usage['total_tokens']);
  const reportedPrompt = readTokenCount(usage['prompt_tokens']) ?? readTokenCount(usage['input_tokens']);
  const reportedCompletion = readTokenCount(usage['completion_tokens']) ?? readTokenCount(usage['output_tokens']);
  const prompt = reportedPrompt ?? rest(total, reportedCompletion);
  const completion = reportedCompletion ?? rest(total, reportedPrompt);
  if (prompt === undefined || completion === undefined) return undefined;
  return { prompt, completion, total: total ?? boundTokens(prompt + completion) };
}

function rest(total: TokenCount | undefined, part: TokenCount | undefined): TokenCount | undefined {
  return total === undefined || part === undefined ? undefined : boundTokens(total - part);
}
