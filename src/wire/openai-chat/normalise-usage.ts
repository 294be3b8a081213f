import { readCounts } from '../../operations/chat/reported-counts.js';
import { readTokenCount } from '../../runtime/token-count.js';
import type { Usage } from '../../operations/chat/chat-completion.js';
import { isObject, type JsonObject } from '../../runtime/json-value.js';

const DETAILS = ['prompt_tokens_details', 'completion_tokens_details'] as const;
/** Where servers put what OpenAI has in `prompt_tokens_details`: DeepSeek, Moonshot and Together, Mistral, proxies of Anthropic. */
const READ_NAMES = [
  'prompt_cache_hit_tokens',
  'cached_tokens',
  'num_cached_tokens',
  'cache_read_input_tokens',
] as const;
const WRITTEN_NAMES = ['cache_creation_input_tokens', 'cache_write_tokens'] as const;

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
  const cached = cacheCounts(value, prompt);
  if (cached !== undefined) {
    const known = isObject(usage['prompt_tokens_details']) ? usage['prompt_tokens_details'] : {};
    usage['prompt_tokens_details'] = { ...known, ...cached };
  }
  const all = total > prompt + completion ? total - prompt : completion;
  return Object.assign(usage, { prompt_tokens: prompt, completion_tokens: all, total_tokens: total });
}

/** Counts of the cache that the server gives under names of its own, where it gives none under OpenAI's. */
function cacheCounts(value: JsonObject, prompt: number): JsonObject | undefined {
  const details = isObject(value['prompt_tokens_details']) ? value['prompt_tokens_details'] : {};
  const ofResponses = isObject(value['input_tokens_details']) ? value['input_tokens_details'] : {};
  const first = (name: string, names: readonly string[]): number | undefined => {
    if (readTokenCount(details[name]) !== undefined) return undefined;
    const found = names.find((each) => readTokenCount(value[each]) !== undefined);
    const count = readTokenCount(found === undefined ? ofResponses[name] : value[found]);
    return count !== undefined && count <= prompt ? count : undefined;
  };
  const read = first('cached_tokens', READ_NAMES);
  const written = first('cache_write_tokens', WRITTEN_NAMES);
  if (read === undefined && written === undefined) return undefined;
  return {
    ...(read !== undefined && { cached_tokens: read }),
    ...(written !== undefined && { cache_write_tokens: written }),
  };
}

function countsOf(details: JsonObject): JsonObject {
  const isCount = ([, detail]: [string, unknown]): boolean => detail === null || readTokenCount(detail) !== undefined;
  const entries = Object.entries(details);
  return entries.every(isCount) ? details : Object.fromEntries(entries.filter(isCount));
}
