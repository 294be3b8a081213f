import type { LanguageModelV3Usage } from '@ai-sdk/provider';
import { sumUsage, toUsage } from './to-usage.js';

const NOTHING: LanguageModelV3Usage = {
  inputTokens: { total: undefined, noCache: undefined, cacheRead: undefined, cacheWrite: undefined },
  outputTokens: { total: undefined, text: undefined, reasoning: undefined },
};

describe('toUsage', () => {
  it('has cached, written and reasoning tokens in OpenAI’s places', () => {
    expect(
      toUsage({
        inputTokens: { total: 20, noCache: 10, cacheRead: 4, cacheWrite: 6 },
        outputTokens: { total: 7, text: 4, reasoning: 3 },
      }),
    ).toEqual({
      prompt_tokens: 20,
      completion_tokens: 7,
      total_tokens: 27,
      prompt_tokens_details: { cached_tokens: 4, cache_write_tokens: 6 },
      completion_tokens_details: { reasoning_tokens: 3 },
    });
  });

  it('makes nothing up', () => {
    expect(toUsage(NOTHING)).toBeUndefined();
    expect(toUsage({ ...NOTHING, outputTokens: { total: 7, text: undefined, reasoning: undefined } })).toBeUndefined();
  });
});

describe('sumUsage', () => {
  it('adds counts and their details', () => {
    const usage = {
      prompt_tokens: 20,
      completion_tokens: 7,
      total_tokens: 27,
      prompt_tokens_details: { cached_tokens: 4 },
    };
    const reasoned = { ...usage, completion_tokens_details: { reasoning_tokens: 3 } };
    expect(sumUsage([usage, reasoned])).toEqual({
      prompt_tokens: 40,
      completion_tokens: 14,
      total_tokens: 54,
      prompt_tokens_details: { cached_tokens: 8 },
      completion_tokens_details: { reasoning_tokens: 3 },
    });
    expect(sumUsage([usage])).toBe(usage);
    expect(sumUsage([usage, undefined])).toBeUndefined();
  });
});
