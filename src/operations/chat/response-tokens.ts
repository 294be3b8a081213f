import type { ChatRequest } from './chat-completion.js';
import { isObject } from '../../runtime/json-value.js';

/** Tokens of a response where neither the request nor the model limits it. */
const DEFAULT_RESPONSE_TOKENS = 4_096;
/** Tokens of a picture or of speech that a response may contain beside its text. */
const MEDIA_RESPONSE_TOKENS = 8_192;

/** Names under which servers accept a limit of the response. Which of them a server reads is unknown, so the largest counts. */
const LIMITS = ['max_tokens', 'max_completion_tokens', 'max_output_tokens', 'max_new_tokens', 'min_tokens'] as const;
/** Names under which servers accept a number of choices. */
const CHOICES = ['n', 'best_of', 'num_return_sequences', 'candidate_count'] as const;

/**
 * The most tokens that the response to a request may have, all choices together, reasoning included.
 *
 * @param ofModel the most that the model generates, where it is known
 */
export function responseTokens(request: ChatRequest, ofModel: number | undefined): number {
  const usual = ofModel ?? DEFAULT_RESPONSE_TOKENS;
  let limit: number | undefined;
  for (const name of LIMITS) {
    const value = request[name];
    if (value === undefined || value === null) continue;
    const count = countIn(value);
    // Servers take 0 and negative numbers as "no limit".
    limit = Math.max(limit ?? 0, count === undefined || count <= 0 ? usual : count);
  }
  return ((limit ?? usual) + thinkingTokens(request) + mediaTokens(request)) * choicesOf(request);
}

/** The number of choices that a request asks for, under any of the names. */
function choicesOf(request: ChatRequest): number {
  let choices = 1;
  for (const name of CHOICES) choices = Math.max(choices, countIn(request[name]) ?? 1);
  return choices;
}

/** A numeric reasoning budget: some servers add it to the limit of the response. */
function thinkingTokens(request: ChatRequest): number {
  let most = Math.max(0, countIn(request['thinking_budget']) ?? 0);
  for (const name of ['thinking', 'reasoning', 'thinking_config', 'chat_template_kwargs']) {
    const value = request[name];
    if (!isObject(value)) continue;
    for (const field of ['budget_tokens', 'max_tokens', 'thinking_budget'])
      most = Math.max(most, countIn(value[field]) ?? 0);
  }
  return most;
}

function mediaTokens({ modalities }: ChatRequest): number {
  if (!Array.isArray(modalities)) return 0;
  return modalities.filter((modality) => modality !== 'text').length * MEDIA_RESPONSE_TOKENS;
}

/** Servers read `"10"` as 10, so it counts as that. */
function countIn(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return typeof number === 'number' && Number.isFinite(number) ? Math.ceil(number) : undefined;
}
