import type { CanonicalMessage } from '../../operations/chat/canonical/blocks.js';
import type { CanonicalRequest, Reasoning } from '../../operations/chat/canonical/canonical-request.js';
import { invalidRequest } from '../../errors/gateway-error.js';
import type { JsonObject } from '../../runtime/json-value.js';
import type { DroppedFields } from '../dropped-fields.js';
import { BUDGET_BY_EFFORT, effortOfBudget } from '../thinking-budgets.js';
import type { Target } from '../wire-format.js';
import type { ClaudeModel } from './claude-model.js';
import { isForced } from './write-tools.js';

/** Less than this Claude refuses. */
const MIN_BUDGET_TOKENS = 1024;
/** Share of a request's own maximum, so that a response still fits after the thinking. */
const BUDGET_SHARE = 0.8;
const BUDGETS: Readonly<Record<string, number>> = BUDGET_BY_EFFORT;
const EFFORTS: Readonly<Record<string, string>> = {
  minimal: 'low',
  low: 'low',
  medium: 'medium',
  high: 'high',
  xhigh: 'xhigh',
  max: 'max',
};
/** The members of a request that configure thinking. */
export interface WrittenThinking {
  readonly thinking?: JsonObject;
  readonly effort?: string;
}

/**
 * `thinking` and the effort, as the model takes them.
 *
 * @param maxTokens of the whole response, thinking included
 * @throws GatewayError 400 for a budget that contradicts the maximum, where the client wrote it in Anthropic's own words
 */
export function writeThinking(
  request: CanonicalRequest,
  {
    model,
    maxTokens,
    target,
    dropped,
  }: { model: ClaudeModel; maxTokens: number; target: Target; dropped: DroppedFields },
): WrittenThinking {
  const { reasoning } = request;
  if (reasoning === undefined) return {};
  const { effort, budgetTokens } = reasoning;
  const isUnknown = effort !== undefined && effort !== 'none' && !Object.hasOwn(EFFORTS, effort);
  const drop = (): WrittenThinking => {
    dropped.drop('reasoning');
    return {};
  };
  if (effort === 'none' || budgetTokens === 0) return writeOff(model, drop);
  if (isUnknown || !model.thinks) return drop();
  if (budgetTokens !== undefined) assertBudget(budgetTokens, request, target);
  // Thinking and a forced tool exclude each other; the tool is what the client needs.
  if (isForced(request)) return drop();
  if (model.isAdaptive && (budgetTokens === undefined || !model.takesBudget)) return writeAdaptive(reasoning, model);
  const wanted = budgetTokens ?? Math.min(BUDGETS[effort ?? 'medium'] ?? 0, Math.floor(maxTokens * BUDGET_SHARE));
  const budget = Math.max(Math.min(wanted, maxTokens - 1), budgetTokens === undefined ? 0 : MIN_BUDGET_TOKENS);
  if (budget < MIN_BUDGET_TOKENS || budget >= maxTokens || returnsToUnsignedCalls(request.messages)) return drop();
  return { thinking: { type: 'enabled', budget_tokens: budget } };
}

function writeOff(model: ClaudeModel, drop: () => WrittenThinking): WrittenThinking {
  if (!model.thinks) return {};
  if (model.canStopThinking) return { thinking: { type: 'disabled' } };
  return model.thinksBetweenTools ? { thinking: { type: 'between_tools' } } : drop();
}

function writeAdaptive({ effort, budgetTokens, isShown }: Reasoning, model: ClaudeModel): WrittenThinking {
  const asked = effort ?? (budgetTokens === undefined ? undefined : effortOfBudget(budgetTokens));
  const display =
    isShown === undefined ? (model.hidesThinking ? 'summarized' : undefined) : isShown ? 'summarized' : 'omitted';
  const level = asked === undefined ? undefined : EFFORTS[asked];
  // Only models that keep their thinking to themselves know it.
  const known = level === 'xhigh' && !model.hidesThinking ? 'high' : level;
  return {
    thinking: { type: 'adaptive', ...(display !== undefined && { display }) },
    ...(known !== undefined && { effort: known }),
  };
}

/** An invalid `thinking.budget_tokens` of a client is an error; budgets of other formats are adapted. */
function assertBudget(tokens: number, { maxOutputTokens }: CanonicalRequest, { client }: Target): void {
  if (client !== 'openai-chat' && client !== 'anthropic') return;
  const field = 'thinking.budget_tokens';
  if (!Number.isInteger(tokens) || tokens < MIN_BUDGET_TOKENS) {
    throw invalidRequest(`'${field}' must be a whole number of at least ${MIN_BUDGET_TOKENS} tokens.`, field);
  }
  if (maxOutputTokens !== undefined && tokens >= maxOutputTokens) {
    throw invalidRequest(
      `'${field}' must be less than 'max_tokens', which is ${maxOutputTokens}: thinking is a part of the answer. Raise 'max_tokens' or lower the budget.`,
      field,
    );
  }
}

/**
 * Whether the conversation stands in the middle of a tool call whose thinking the client did not keep. With a budget for thinking,
 * Claude would refuse it.
 */
function returnsToUnsignedCalls(messages: readonly CanonicalMessage[]): boolean {
  const last = messages.findLast(({ role }) => role === 'assistant');
  if (messages.at(-1)?.role === 'assistant' || last === undefined) return false;
  const hasCalls = last.blocks.some(({ type }) => type === 'tool_call');
  return hasCalls && !last.blocks.some((block) => block.type === 'thinking' && block.signature?.wire === 'anthropic');
}
