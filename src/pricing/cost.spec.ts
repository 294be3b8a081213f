import fc from 'fast-check';
import {
  NOTHING_BILLED,
  readBilledTokens,
  type BilledTokens,
  type ModalityTokens,
} from '../operations/billed-tokens.js';
import { costAtPrice, formatDollars } from './cost.js';
import { imagePriceOf } from './image-price.js';

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
          expect(Number.isSafeInteger(cost) && cost !== null && cost >= 0).toBe(true);
        },
      ),
    );
  });
});

describe('costAtPrice of images, recordings and speech', () => {
  const modalities = { imageInput: 100, audioInput: 200, imageOutput: 300, audioOutput: 0 } as ModalityTokens;
  const tokens = { ...tokensOf({ prompt_tokens: 1_000, completion_tokens: 500 }), modalities };

  it('counts tokens of pictures and sound at their own rates, else at those of text', () => {
    const text = { inputPerMillion: 1, outputPerMillion: 2 };
    expect(costAtPrice(tokens, text)).toBe(2_000_000);
    const own = { ...text, imageInputPerMillion: 10, audioInputPerMillion: 5, imageOutputPerMillion: 40 };
    expect(costAtPrice(tokens, own)).toBe((700 + 100 * 10 + 200 * 5 + 200 * 2 + 300 * 40) * 1_000);
  });

  it('adds up what the price names, and knows no cost where it names nothing of the call', () => {
    const images = { ...NOTHING_BILLED, units: { images: 3 }, imageKind: { size: '512x512', quality: undefined } };
    expect(costAtPrice(images, { images: [{ perImage: 0.04 }] })).toBe(120_000_000);
    expect(costAtPrice(images, { images: [{ size: '256x256', perImage: 0.04 }] })).toBeNull();
    expect(costAtPrice(images, { charactersPerMillion: 15 })).toBeNull();
    const recording = { ...NOTHING_BILLED, units: { audioSeconds: 90.5 } };
    expect(costAtPrice(recording, { audioPerMinute: 0.006 })).toBe(9_050_000);
    expect(costAtPrice(recording, { audioPerSecond: 0.0001 })).toBe(9_050_000);
    expect(costAtPrice(recording, { inputPerMillion: 1, outputPerMillion: 1 })).toBeNull();
    const speech = { ...NOTHING_BILLED, units: { characters: 2_000 } };
    expect(costAtPrice(speech, { charactersPerMillion: 15 })).toBe(30_000_000);
    const both = { ...tokens, units: { characters: 1_000 } };
    expect(costAtPrice(both, { inputPerMillion: 1, outputPerMillion: 2, charactersPerMillion: 1 })).toBe(3_000_000);
  });

  it('counts the tokens of images that the provider does not report as OpenAI’s models have them', () => {
    const images = { ...NOTHING_BILLED, units: { images: 2 }, imageKind: { size: '1024x1024', quality: 'low' } };
    expect(costAtPrice(images, { inputPerMillion: 5, outputPerMillion: 10, imageOutputPerMillion: 40 })).toBe(
      2 * 272 * 40 * 1_000,
    );
  });
});

describe('imagePriceOf', () => {
  const prices = [
    { perImage: 1 },
    { size: 'small', perImage: 2 },
    { quality: 'hd', perImage: 3 },
    { size: 'small', quality: 'hd', perImage: 4 },
    { size: 'large', quality: 'hd', perImage: 9 },
  ];

  it.each([
    ['small', 'hd', 4],
    ['small', 'standard', 2],
    ['medium', 'hd', 3],
    ['medium', 'standard', 1],
    ['auto', 'hd', 9],
    [undefined, 'standard', 2],
    ['small', undefined, 4],
    ['auto', 'auto', 9],
  ])('is that of the size %s and the quality %s', (size, quality, expected) => {
    expect(imagePriceOf({ size, quality }, prices)).toBe(expected);
    expect(imagePriceOf({ size, quality }, [...prices].reverse())).toBe(expected);
  });

  it('is unknown where no price fits', () => {
    expect(imagePriceOf({ size: 'small', quality: 'hd' }, [{ size: 'large', perImage: 1 }])).toBeUndefined();
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
