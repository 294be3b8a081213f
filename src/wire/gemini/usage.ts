import type { CanonicalUsage } from '../../operations/chat/canonical/canonical-result.js';
import { isObject, nonEmptyString, type JsonObject } from '../../runtime/json-value.js';
import { boundTokens, readTokenCount } from '../../runtime/token-count.js';
import { member } from './spelling.js';

/**
 * `usageMetadata`. Thinking stands beside the candidates' tokens, and so does what tools of Google put into the prompt. Some
 * models leave thinking out of both; the total has it, so that the larger count is the right one.
 *
 * @returns undefined where the prompt was not counted: a made-up 0 would be billed as one
 */
export function readUsage(usage: unknown): CanonicalUsage | undefined {
  if (!isObject(usage)) return undefined;
  const count = (name: string): number | undefined => readTokenCount(member(usage, name));
  const total = count('totalTokenCount');
  const candidates = count('candidatesTokenCount');
  const thoughts = count('thoughtsTokenCount') ?? 0;
  const written = (candidates ?? 0) + thoughts;
  const toolUse = count('toolUsePromptTokenCount') ?? 0;
  const prompt = count('promptTokenCount') ?? (total === undefined ? undefined : total - written - toolUse);
  if (prompt === undefined || prompt < 0) return undefined;
  const inputTokens = boundTokens(prompt + toolUse);
  const rest = total === undefined ? 0 : total - inputTokens;
  const outputTokens = boundTokens(Math.max(written, rest));
  const cached = count('cachedContentTokenCount');
  // Where thinking is not counted apart, what is in the total alone is thinking.
  const reasoning = boundTokens(candidates === undefined ? thoughts : Math.max(thoughts, outputTokens - candidates));
  return {
    inputTokens,
    ...(cached !== undefined && { cachedTokens: Math.min(cached, inputTokens) }),
    outputTokens,
    ...(reasoning > 0 || count('thoughtsTokenCount') !== undefined ? { reasoningTokens: reasoning } : {}),
  };
}

/** Models of which a search of Google is billed for each question, and not once for the response. */
const BILLS_EACH_QUESTION = /^gemini-(?:[3-9]|\d{2,})/;

/**
 * The usage of a response, or of an event of one, with its service tier and the searches that are billed.
 * Source: https://ai.google.dev/gemini-api/docs/pricing
 *
 * @param before searches of the events before: a grounding is repeated, and need not come with the last count
 */
export function readBilledUsage(body: JsonObject, before = 0): CanonicalUsage | undefined {
  const metadata = member(body, 'usageMetadata');
  const usage = readUsage(metadata);
  if (usage === undefined || !isObject(metadata)) return undefined;
  const tier = nonEmptyString(member(metadata, 'serviceTier')) ?? nonEmptyString(member(metadata, 'trafficType'));
  const webSearches = Math.max(before, webSearchesOf(body));
  return {
    ...usage,
    ...(tier !== undefined && { serviceTier: tier.toLowerCase() }),
    ...(webSearches > 0 && { webSearches }),
  };
}

/** The searches of Google that a response, or an event of one, is billed for. */
export function webSearchesOf(body: JsonObject): number {
  const candidates: readonly unknown[] = Array.isArray(body['candidates']) ? body['candidates'] : [];
  let questions = 0;
  for (const candidate of candidates) {
    const grounding = isObject(candidate) ? member(candidate, 'groundingMetadata') : undefined;
    const asked = isObject(grounding) ? member(grounding, 'webSearchQueries') : undefined;
    if (Array.isArray(asked)) questions += asked.filter((question) => question !== '').length;
  }
  const model = nonEmptyString(member(body, 'modelVersion')) ?? '';
  return BILLS_EACH_QUESTION.test(model.replace(/^models\//, '')) ? questions : Math.min(questions, 1);
}

/** Usage in Gemini's form. */
export function writeUsage(usage: CanonicalUsage): JsonObject {
  const { inputTokens, outputTokens, cachedTokens, reasoningTokens = 0 } = usage;
  return {
    promptTokenCount: inputTokens,
    candidatesTokenCount: Math.max(0, outputTokens - reasoningTokens),
    totalTokenCount: inputTokens + outputTokens,
    ...(cachedTokens !== undefined && cachedTokens > 0 && { cachedContentTokenCount: cachedTokens }),
    ...(reasoningTokens > 0 && { thoughtsTokenCount: reasoningTokens }),
  };
}
