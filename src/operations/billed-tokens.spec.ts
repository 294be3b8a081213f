import fc from 'fast-check';
import { readBilledTokens } from './billed-tokens.js';
import { boundNanoDollars, MAX_NANO_DOLLARS, readDollars, readNanoDollars } from '../runtime/nano-dollars.js';
import { boundTokens, MAX_TOKENS, readTokenCount } from '../runtime/token-count.js';

const NO_COUNTS = [
  '12x',
  '12',
  1e300,
  2 ** 53,
  -1,
  1.5,
  Number.NaN,
  Infinity,
  null,
  undefined,
  {},
  [],
  true,
  MAX_TOKENS + 1,
];

it.each(NO_COUNTS)('%p is no count of tokens', (value) => {
  expect(readTokenCount(value)).toBeUndefined();
  expect(readBilledTokens({ prompt_tokens: 1, completion_tokens: value })).toBeUndefined();
  expect(readBilledTokens({ prompt_tokens: value, completion_tokens: 1 })).toBeUndefined();
});

it.each([
  [{ prompt_tokens: 2, completion_tokens: 3 }, [2, 3, 5]],
  [{ prompt_tokens: 2, total_tokens: 5 }, [2, 3, 5]],
  [{ completion_tokens: 3, total_tokens: 5 }, [2, 3, 5]],
  [{ prompt_tokens: 2, completion_tokens: '3x', total_tokens: 5 }, [2, 3, 5]],
  // Reasoning that is in the total alone.
  [{ prompt_tokens: 10, completion_tokens: 4, total_tokens: 900 }, [10, 890, 900]],
  [{ prompt_tokens: 10, completion_tokens: 4, total_tokens: 3 }, [10, 4, 14]],
])('%j bills %j', (usage, [prompt, completion, total]) => {
  expect(readBilledTokens(usage)).toMatchObject({
    promptTokens: prompt,
    completionTokens: completion,
    totalTokens: total,
  });
});

it('gives whole counts in range, and parts that are not larger than their whole, or nothing', () => {
  const anything = fc.oneof(fc.jsonValue(), fc.double(), fc.integer(), fc.constant(1e300), fc.constant('12x'));
  const usage = fc.record(
    {
      prompt_tokens: anything,
      completion_tokens: anything,
      total_tokens: anything,
      input_tokens: anything,
      output_tokens: anything,
      prompt_tokens_details: fc.oneof(
        anything,
        fc.dictionary(fc.constantFrom('cached_tokens', 'cache_write_tokens'), anything),
      ),
      completion_tokens_details: fc.oneof(anything, fc.record({ reasoning_tokens: anything })),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof(usage, anything), (reported) => {
      const tokens = readBilledTokens(reported);
      if (tokens === undefined) return;
      for (const count of Object.values(tokens)) expect(readTokenCount(count)).toBe(count);
      expect(tokens.cachedTokens + tokens.cacheWriteTokens).toBeLessThanOrEqual(tokens.promptTokens);
      expect(tokens.reasoningTokens).toBeLessThanOrEqual(tokens.completionTokens);
    }),
  );
});

it('never lets arithmetic that went wrong cost nothing', () => {
  expect(boundTokens(Number.NaN)).toBe(MAX_TOKENS);
  expect(boundNanoDollars(Number.NaN)).toBe(MAX_NANO_DOLLARS);
  expect(boundNanoDollars(Infinity)).toBe(MAX_NANO_DOLLARS);
  expect(boundNanoDollars(-5)).toBe(0);
});

it.each(['', 'abc', '-1', '1e9', 'NaN', -1, Number.NaN, Infinity, null, {}])('%p is no amount', (value) => {
  expect(readNanoDollars(value)).toBeUndefined();
});

it('reads sums as databases give them', () => {
  expect(readNanoDollars('12')).toBe(12);
  expect(readNanoDollars('12.000')).toBe(12);
  expect(readNanoDollars('99999999999999999999')).toBe(MAX_NANO_DOLLARS);
  expect(readDollars(0.1)).toBe(100_000_000);
  expect(readDollars('0.1')).toBeUndefined();
});
