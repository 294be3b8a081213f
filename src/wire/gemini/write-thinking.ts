import type { Reasoning } from '../../operations/chat/canonical/canonical-request.js';
import type { JsonObject } from '../../runtime/json-value.js';
import { BUDGET_BY_EFFORT, effortOfBudget } from '../thinking-budgets.js';
import type { ModelFamily } from './model-family.js';

const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;
type Effort = (typeof EFFORTS)[number];

/**
 * `thinkingConfig` of a model.
 *
 * @returns undefined for a model that is not asked to think; `isDropped` where the client asked for what the model cannot do
 */
export function writeThinking(
  { effort: named, budgetTokens, isAdaptive, isShown }: Reasoning,
  family: ModelFamily,
  model: string,
): { readonly config: JsonObject | undefined; readonly isDropped: boolean } {
  const effort = EFFORTS.find((known) => known === named);
  const isUnknown = named !== undefined && effort === undefined;
  const isOff = budgetTokens === 0 || effort === 'none';
  if (family.thinking === 'none') return { config: undefined, isDropped: !isOff };
  const includeThoughts = isShown ?? !isOff;
  if (family.thinking === 'level') {
    const level = isAdaptive === true && effort === undefined ? undefined : levelOf(effort, budgetTokens, model);
    return { config: { ...(level !== undefined && { thinkingLevel: level }), includeThoughts }, isDropped: isUnknown };
  }
  const budget = budgetOf(effort, budgetTokens, isAdaptive, family);
  return { config: { ...(budget !== undefined && { thinkingBudget: budget }), includeThoughts }, isDropped: isUnknown };
}

function budgetOf(
  effort: Effort | undefined,
  tokens: number | undefined,
  isAdaptive: boolean | undefined,
  { budgets }: ModelFamily,
): number | undefined {
  if (tokens !== undefined) {
    return tokens === 0 ? budgets.off : Math.min(Math.max(tokens, budgets.least), budgets.most);
  }
  if (effort === 'none') return budgets.off;
  if (effort !== undefined) return Math.min(BUDGET_BY_EFFORT[effort], budgets.most);
  return isAdaptive === true ? -1 : undefined;
}

function levelOf(effort: Effort | undefined, tokens: number | undefined, model: string): string | undefined {
  if (effort !== undefined) return levelOfEffort(effort, model);
  if (tokens === undefined) return undefined;
  if (tokens === 0) return levelOfEffort('none', model);
  return levelOfEffort(effortOfBudget(tokens), model);
}

function levelOfEffort(effort: Effort, model: string): string {
  if (effort === 'none' || effort === 'minimal') return model.includes('pro') ? 'low' : 'minimal';
  // The first Pro of the third generation knows low and high alone.
  if (effort === 'medium') return model.includes('gemini-3-pro') ? 'high' : 'medium';
  return effort === 'low' ? 'low' : 'high';
}
