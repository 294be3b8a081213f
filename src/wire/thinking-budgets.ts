/** Thinking tokens by effort, where a model takes a number: what Google's own OpenAI-compatible endpoint uses. */
export const BUDGET_BY_EFFORT = {
  minimal: 1024,
  low: 1024,
  medium: 8192,
  high: 24_576,
  xhigh: 32_000,
  max: 32_000,
} as const;

/** Budgets from which on an effort is meant. */
const MEDIUM_FROM_TOKENS = 4096;
const HIGH_FROM_TOKENS = 16_384;

/** The effort that a number of thinking tokens stands for, where a model takes efforts. */
export function effortOfBudget(tokens: number): 'low' | 'medium' | 'high' {
  if (tokens < MEDIUM_FROM_TOKENS) return 'low';
  return tokens < HIGH_FROM_TOKENS ? 'medium' : 'high';
}
