import { BILLED_BESIDE, type BilledBeside, type Usage } from '../../operations/chat/chat-completion.js';

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
    ...besideOf(a[BILLED_BESIDE], b[BILLED_BESIDE]),
  };
}

function besideOf(a: BilledBeside = {}, b: BilledBeside = {}): { [BILLED_BESIDE]?: BilledBeside } {
  const beside = { ...a, ...b };
  if (Object.keys(beside).length === 0) return {};
  const webSearches = (a.webSearches ?? 0) + (b.webSearches ?? 0);
  return { [BILLED_BESIDE]: { ...beside, ...(beside.webSearches !== undefined && { webSearches }) } };
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
