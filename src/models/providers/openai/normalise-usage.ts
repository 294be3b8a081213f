import type { Usage } from '../../../chat/chat-completion.js';
import { isObject } from '../../../json/json-value.js';

/** OpenAI's three counts with everything else that came with them; undefined when the upstream counted nothing. */
export function normaliseUsage(value: unknown): Usage | undefined {
  if (!isObject(value)) return undefined;
  const prompt = count(value['prompt_tokens']) ?? count(value['input_tokens']);
  const completion = count(value['completion_tokens']) ?? count(value['output_tokens']);
  const total = count(value['total_tokens']);
  if (prompt === undefined && completion === undefined && total === undefined) return undefined;
  const promptTokens = prompt ?? Math.max(0, (total ?? 0) - (completion ?? 0));
  // Embedding-like answers and empty ones count the prompt alone.
  const completionTokens = completion ?? Math.max(0, (total ?? promptTokens) - promptTokens);
  return {
    ...value,
    prompt_tokens: promptTokens,
    completion_tokens: completionTokens,
    total_tokens: total ?? promptTokens + completionTokens,
  };
}

function count(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? Math.round(value) : undefined;
}
