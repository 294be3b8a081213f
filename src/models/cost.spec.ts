import fc from 'fast-check';
import { costAtPrice, formatDollars } from './cost.js';

const usage = { prompt_tokens: 1_000_000, completion_tokens: 500_000, total_tokens: 1_500_000 };

describe('costAtPrice', () => {
  it('multiplies tokens by the price of a million', () => {
    expect(costAtPrice(usage, { inputPerMillion: 0.25, outputPerMillion: 2, cachedInputPerMillion: undefined })).toBe(
      1.25,
    );
  });

  it('counts cached tokens at their own rate, or at the input’s, and never more of them than there are', () => {
    const cached = { ...usage, prompt_tokens_details: { cached_tokens: 400_000 } };
    const price = { inputPerMillion: 1, outputPerMillion: 0, cachedInputPerMillion: 0.1 };
    expect(costAtPrice(cached, price)).toBeCloseTo(0.64, 12);
    expect(costAtPrice(cached, { ...price, cachedInputPerMillion: undefined })).toBe(1);
    expect(costAtPrice({ ...usage, prompt_tokens_details: { cached_tokens: 9e9 } }, price)).toBeCloseTo(0.1, 12);
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
