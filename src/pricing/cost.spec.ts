import fc from 'fast-check';
import { NOTHING_BILLED, readBilledTokens, type BilledTokens } from '../operations/billed-tokens.js';
import { costAtPrice, formatDollars } from './cost.js';

const usage = { prompt_tokens: 1_000_000, completion_tokens: 500_000, total_tokens: 1_500_000 };

function tokensOf(reported: unknown): BilledTokens {
  return readBilledTokens(reported) ?? NOTHING_BILLED;
}

describe('costAtPrice', () => {
  it('multiplies tokens by the price of a million', () => {
    const price = { inputPerMillion: 0.25, outputPerMillion: 2, cachedInputPerMillion: undefined };
    expect(costAtPrice(tokensOf(usage), price)).toBe(1_250_000_000);
  });

  it('counts cached tokens at their own rate, or at the input’s, and never more of them than there are', () => {
    const cached = tokensOf({ ...usage, prompt_tokens_details: { cached_tokens: 400_000 } });
    const price = { inputPerMillion: 1, outputPerMillion: 0, cachedInputPerMillion: 0.1 };
    expect(costAtPrice(cached, price)).toBe(640_000_000);
    expect(costAtPrice(cached, { ...price, cachedInputPerMillion: undefined })).toBe(1_000_000_000);
    const absurd = tokensOf({ ...usage, prompt_tokens_details: { cached_tokens: 2e9, cache_write_tokens: 2e9 } });
    expect(costAtPrice(absurd, price)).toBe(100_000_000);
  });

  it('is a whole amount in range for any usage of a provider and any price of a file', () => {
    const count = fc.oneof(fc.integer(), fc.double(), fc.string(), fc.constant(null), fc.constant(2 ** 53));
    const price = fc.double({ min: 0, max: 1e308, noNaN: true });
    fc.assert(
      fc.property(
        fc.array(count, { minLength: 6, maxLength: 6 }),
        price,
        price,
        price,
        (counts, input, output, cached) => {
          const [prompt, completion, total, read, write, reasoning] = counts;
          const cost = costAtPrice(
            tokensOf({
              prompt_tokens: prompt,
              completion_tokens: completion,
              total_tokens: total,
              prompt_tokens_details: { cached_tokens: read, cache_write_tokens: write },
              completion_tokens_details: { reasoning_tokens: reasoning },
            }),
            { inputPerMillion: input, outputPerMillion: output, cachedInputPerMillion: cached },
          );
          expect(Number.isSafeInteger(cost) && cost >= 0).toBe(true);
        },
      ),
    );
  });
});

describe('formatDollars', () => {
  it.each([
    [0, '0'],
    [1.25, '1.25'],
    [0.1 + 0.2, '0.3'],
    [0.0000125, '0.0000125'],
    [1e-9, '0.000000001'],
    [100, '100'],
    [1234.5, '1234.5'],
  ])('prints %p as %s', (dollars, expected) => {
    expect(formatDollars(dollars)).toBe(expected);
  });

  it('never prints an exponent, and reads back as the same amount', () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e6, noNaN: true }), (dollars) => {
        const text = formatDollars(dollars);
        expect(text).toMatch(/^\d+(\.\d*[1-9])?$/);
        expect(Math.abs(Number(text) - dollars)).toBeLessThan(1e-9);
      }),
    );
  });
});
