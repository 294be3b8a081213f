import type { CanonicalUsage } from '../../operations/chat/canonical/canonical-result.js';
import { isObject, type JsonObject } from '../../runtime/json-value.js';
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
