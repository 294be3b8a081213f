import type { Usage } from '../../operations/chat/chat-completion.js';

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
