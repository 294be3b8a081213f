import fc from 'fast-check';
import { responseTokens } from './response-tokens.js';

function most(fields: object, ofModel?: number): number {
  return responseTokens({ model: 'm', messages: [], ...fields }, ofModel);
}

it.each([
  [{}, 4_096],
  [{ max_tokens: 7 }, 7],
  [{ max_tokens: null, max_completion_tokens: 5 }, 5],
  [{ max_completion_tokens: 1, max_tokens: 5_000 }, 5_000],
  [{ max_completion_tokens: 5_000, max_tokens: 1 }, 5_000],
  [{ max_tokens: 0 }, 4_096],
  [{ max_tokens: -1 }, 4_096],
  [{ max_tokens: 5, max_completion_tokens: 0 }, 4_096],
  [{ max_tokens: 5, min_tokens: 900 }, 900],
  [{ max_tokens: 5, n: 3 }, 15],
  [{ max_tokens: 5, best_of: '10', n: 2 }, 50],
  [{ max_tokens: 10_000, thinking: { type: 'enabled', budget_tokens: 2_000 } }, 12_000],
  [{ max_tokens: 10, reasoning: { max_tokens: 300 } }, 310],
  [{ max_tokens: 10, modalities: ['text', 'audio'] }, 8_202],
])('%j may be answered with %i tokens', (fields, expected) => {
  expect(most(fields)).toBe(expected);
});

it('uses the longest response of the model where the request has no limit', () => {
  expect(most({}, 64_000)).toBe(64_000);
  expect(most({ max_tokens: 0 }, 64_000)).toBe(64_000);
  expect(most({ max_tokens: 9 }, 64_000)).toBe(9);
});

it('is a number of at least 1 for any value of the fields', () => {
  const names = [
    'max_tokens',
    'max_completion_tokens',
    'n',
    'best_of',
    'thinking',
    'reasoning',
    'modalities',
    'thinking_budget',
  ];
  const fields = fc.dictionary(
    fc.constantFrom(...names),
    fc.oneof(fc.jsonValue(), fc.double(), fc.constant(undefined)),
  );
  fc.assert(
    fc.property(fields, (given) => {
      expect(most(given)).toBeGreaterThanOrEqual(1);
    }),
  );
});
