import { readCounts } from '../../operations/chat/reported-counts.js';
import { readTokenCount } from '../../runtime/token-count.js';
import type { Usage } from '../../operations/chat/chat-completion.js';
import { isObject, type JsonObject } from '../../runtime/json-value.js';

const DETAILS = ['prompt_tokens_details', 'completion_tokens_details'] as const;

/**
 * OpenAI's three counts with everything else that came with them; undefined when the upstream did not count. A detail that is no
 * count is left out. Servers that count thinking beside the completion, and in the total, get it counted in the completion, as
 * OpenAI has it.
 */
export function normaliseUsage(value: unknown): Usage | undefined {
  if (!isObject(value)) return undefined;
  const counts = readCounts(value);
  if (counts === undefined) return undefined;
  const { prompt, completion, total } = counts;
  const usage: JsonObject = { ...value };
  for (const name of DETAILS) {
    const details = value[name];
    if (details != null) usage[name] = isObject(details) ? countsOf(details) : undefined;
  }
  const all = total > prompt + completion ? total - prompt : completion;
  return Object.assign(usage, { prompt_tokens: prompt, completion_tokens: all, total_tokens: total });
}

function countsOf(details: JsonObject): JsonObject {
  const isCount = ([, detail]: [string, unknown]): boolean => detail === null || readTokenCount(detail) !== undefined;
  const entries = Object.entries(details);
  return entries.every(isCount) ? details : Object.fromEntries(entries.filter(isCount));
}
