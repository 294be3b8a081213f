import type { JSONObject } from '@ai-sdk/provider';
import { readTokenCount } from '../../runtime/token-count.js';
import type { ChatMessage, ChatRequest } from '../../operations/chat/chat-completion.js';
import { invalidRequest } from '../../errors/gateway-error.js';
import { isObject } from '../../runtime/json-value.js';
import type { Dialect } from './dialect.js';

const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;
type Effort = (typeof EFFORTS)[number];

export interface MappedReasoning {
  /** For the dialect's own key of `providerOptions`. */
  readonly options: JSONObject;
  /** Tokens that thinking takes out of the request's own maximum; 0 when the provider counts them by itself. */
  readonly budgetTokens: number;
  readonly dropped: readonly string[];
}

/** Thinking tokens by effort where a provider takes a number: what Google's own OpenAI-compatible endpoint uses. */
const BUDGETS: Readonly<Record<Exclude<Effort, 'none'>, number>> = {
  minimal: 1024,
  low: 1024,
  medium: 8192,
  high: 24_576,
  xhigh: 32_000,
  max: 32_000,
};
/** Less than this Claude refuses. */
const SMALLEST_BUDGET = 1024;
/** Share of a request's own maximum, so that a response still fits after the reasoning. */
const BUDGET_SHARE = 0.8;

/** Claude from 4.6 on decides for itself how long it thinks, and is given an effort instead of a budget. */
const ADAPTIVE_CLAUDE = /claude-[a-z]+-(?:4-[6-9]|[5-9]|\d{2})(?!\d)/;
/** From 4.7 on it keeps its thinking to itself unless asked. */
const SILENT_CLAUDE = /claude-[a-z]+-(?:4-[7-9]|[5-9]|\d{2})(?!\d)/;
const THINKING_CLAUDE = /claude-(?:3-7|[a-z]+-[4-9])/;
const LEVEL_GEMINI = /gemini-(?:[3-9]|\d{2})/;
const BUDGET_GEMINI = /gemini-2\.5|gemini-(?:pro|flash|flash-lite)-latest/;

/** `reasoning_effort`, and Anthropic's own `thinking`, as the options of a provider. */
export function toReasoning(
  request: ChatRequest,
  dialect: Dialect,
  modelId: string,
  maxOutputTokens: number | undefined,
): MappedReasoning {
  const own = ownThinking(request, dialect, maxOutputTokens);
  if (own !== undefined) return own;
  const value = request['reasoning_effort'];
  if (value === undefined || value === null || dialect.reasoning === 'field') return mapped({});
  const effort = EFFORTS.find((known) => known === value);
  if (effort === undefined) return DROPPED;
  switch (dialect.reasoning) {
    case 'thinking-budget':
      return toClaude(effort, request.messages, modelId, maxOutputTokens);
    case 'reasoning-config':
      return toBedrock(effort, request.messages, dialect, modelId, maxOutputTokens);
    case 'thinking-config':
      return toGoogle(effort, modelId);
    case 'token-budget':
      if (!modelId.includes('reasoning')) return effort === 'none' ? mapped({}) : DROPPED;
      return mapped({
        thinking:
          effort === 'none' ? { type: 'disabled' } : { type: 'enabled', tokenBudget: fit(effort, maxOutputTokens) },
      });
    case 'one-effort':
      // It has one effort, and none is what happens anyway.
      return mapped(effort === 'none' ? {} : { reasoningEffort: 'high' });
    case 'effort-to-xhigh':
      return mapped({ reasoningEffort: effort === 'minimal' ? 'low' : effort === 'max' ? 'xhigh' : effort });
    case 'three-efforts':
      return mapped({ reasoningEffort: effort === 'none' ? 'none' : threeLevels(effort) });
    case 'thinking-switch':
      return mapped(
        effort === 'none'
          ? { thinking: { type: 'disabled' } }
          : { thinking: { type: 'enabled' }, reasoningEffort: effort === 'minimal' ? 'low' : effort },
      );
    case 'effort':
      return mapped({ reasoningEffort: effort });
    case 'none':
      return effort === 'none' ? mapped({}) : DROPPED;
  }
}

const DROPPED: MappedReasoning = { options: {}, budgetTokens: 0, dropped: ['reasoning_effort'] };

function mapped(options: JSONObject, budgetTokens = 0): MappedReasoning {
  return { options, budgetTokens, dropped: [] };
}

function ownThinking(
  request: ChatRequest,
  { reasoning }: Dialect,
  maxOutputTokens: number | undefined,
): MappedReasoning | undefined {
  const thinking = request['thinking'];
  if (!isObject(thinking)) return undefined;
  const { type, budget_tokens: budget } = thinking;
  if (type !== 'enabled' && type !== 'disabled' && type !== 'adaptive') return undefined;
  if (reasoning === 'thinking-switch') return mapped({ thinking: { type: type === 'adaptive' ? 'enabled' : type } });
  if (reasoning !== 'thinking-budget') return undefined;
  if (type !== 'enabled') return mapped({ thinking: { type } });
  const budgetTokens = thinkingBudget(budget, maxOutputTokens);
  // The package adds the budget to the maximum; in Anthropic's own form the maximum contains it already.
  return mapped({ thinking: { type, budgetTokens } }, budgetTokens);
}

/** @throws GatewayError 400 for a budget that Anthropic refuses, or that would raise the request's own maximum */
function thinkingBudget(budget: unknown, maxOutputTokens: number | undefined): number {
  const field = 'thinking.budget_tokens';
  const tokens = budget === undefined || budget === null ? SMALLEST_BUDGET : readTokenCount(budget);
  if (tokens === undefined || tokens < SMALLEST_BUDGET) {
    throw invalidRequest(`'${field}' must be a whole number of at least ${SMALLEST_BUDGET} tokens.`, field);
  }
  if (maxOutputTokens !== undefined && tokens >= maxOutputTokens) {
    throw invalidRequest(
      `'${field}' must be less than 'max_tokens', which is ${maxOutputTokens}: thinking is a part of the answer. Raise 'max_tokens' or lower the budget.`,
      field,
    );
  }
  return tokens;
}

function toClaude(
  effort: Effort,
  messages: readonly ChatMessage[],
  modelId: string,
  maxOutputTokens: number | undefined,
): MappedReasoning {
  if (!THINKING_CLAUDE.test(modelId)) return effort === 'none' ? mapped({}) : DROPPED;
  if (effort === 'none') return mapped({ thinking: { type: 'disabled' } });
  if (ADAPTIVE_CLAUDE.test(modelId)) {
    const display = SILENT_CLAUDE.test(modelId) ? { display: 'summarized' } : {};
    return mapped({ thinking: { type: 'adaptive', ...display }, effort: claudeEffort(effort, modelId) });
  }
  const budgetTokens = fit(effort, maxOutputTokens);
  if (budgetTokens < SMALLEST_BUDGET || answersUnsignedCalls(messages)) return DROPPED;
  return mapped({ thinking: { type: 'enabled', budgetTokens } }, budgetTokens);
}

function toBedrock(
  effort: Effort,
  messages: readonly ChatMessage[],
  dialect: Dialect,
  modelId: string,
  maxOutputTokens: number | undefined,
): MappedReasoning {
  if (!dialect.claude) {
    if (!/nova-2|openai\./.test(modelId)) return effort === 'none' ? mapped({}) : DROPPED;
    return effort === 'none'
      ? mapped({ reasoningConfig: { type: 'disabled' } })
      : mapped({ reasoningConfig: { type: 'enabled', maxReasoningEffort: threeLevels(effort) } });
  }
  const { options, ...rest } = toClaude(effort, messages, modelId, maxOutputTokens);
  const { thinking, effort: claudeEffortName } = options;
  if (thinking === undefined) return { options: {}, ...rest };
  const config: JSONObject = { ...(thinking as JSONObject) };
  if (claudeEffortName !== undefined) config['maxReasoningEffort'] = claudeEffortName;
  return { options: { reasoningConfig: config }, ...rest };
}

function toGoogle(effort: Effort, modelId: string): MappedReasoning {
  const includeThoughts = effort !== 'none';
  if (LEVEL_GEMINI.test(modelId)) {
    return mapped({ thinkingConfig: { thinkingLevel: geminiLevel(effort, modelId), includeThoughts } });
  }
  if (!BUDGET_GEMINI.test(modelId)) return effort === 'none' ? mapped({}) : DROPPED;
  // Gemini 2.5 Pro cannot be kept from thinking; 128 tokens are the least that it takes.
  const off = modelId.includes('pro') ? 128 : 0;
  const thinkingBudget = effort === 'none' ? off : Math.min(BUDGETS[effort], 24_576);
  return mapped({ thinkingConfig: { thinkingBudget, includeThoughts } });
}

function geminiLevel(effort: Effort, modelId: string): string {
  const isPro = modelId.includes('pro');
  if (effort === 'none' || effort === 'minimal') return isPro ? 'low' : 'minimal';
  // The first Pro of the third generation knows low and high alone.
  if (effort === 'medium' && modelId.includes('gemini-3-pro')) return 'high';
  return threeLevels(effort);
}

function claudeEffort(effort: Exclude<Effort, 'none'>, modelId: string): string {
  if (effort === 'minimal') return 'low';
  return effort === 'xhigh' && !SILENT_CLAUDE.test(modelId) ? 'high' : effort;
}

function threeLevels(effort: Exclude<Effort, 'none'>): string {
  if (effort === 'minimal') return 'low';
  return effort === 'xhigh' || effort === 'max' ? 'high' : effort;
}

function fit(effort: Exclude<Effort, 'none'>, maxOutputTokens: number | undefined): number {
  const budget = BUDGETS[effort];
  return maxOutputTokens === undefined ? budget : Math.min(budget, Math.floor(maxOutputTokens * BUDGET_SHARE));
}

/**
 * Whether the conversation stands in the middle of a tool call whose thinking the client did not keep. With thinking on,
 * Claude would refuse it.
 */
function answersUnsignedCalls(messages: readonly ChatMessage[]): boolean {
  if (messages.at(-1)?.role !== 'tool') return false;
  const last = messages.findLast(({ role }) => role === 'assistant');
  const blocks = last?.['thinking_blocks'];
  return !Array.isArray(blocks) || blocks.length === 0;
}
