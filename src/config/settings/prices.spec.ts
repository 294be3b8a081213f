import { PRICE } from './prices.js';

const TOKENS = { input_per_million: 1, output_per_million: 2 };

describe('a price', () => {
  it.each([
    TOKENS,
    { ...TOKENS, audio_input_per_million: 6 },
    { images: [{ per_image: 0.04 }] },
    { audio_per_minute: 0.006 },
    { audio_per_second: 0 },
    { characters_per_million: 15 },
    { ...TOKENS, images: [{ per_image: 0.04 }], audio_per_second: 1, characters_per_million: 15 },
  ])('may be %j', (price) => expect(PRICE.check(price)).toBeUndefined());

  it.each([
    [{}, /names no price/],
    [{ cached_input_per_million: 1 }, /names no price/],
    [{ image_output_per_million: 1 }, /names no price/],
    [{ input_per_million: 1 }, /input_per_million alone/],
    [{ output_per_million: 1, audio_per_minute: 1 }, /output_per_million alone/],
    [{ audio_per_minute: 1, audio_per_second: 1 }, /one of them/],
  ])('may not be %j', (price, fault) => expect(PRICE.check(price)).toMatch(fault));
});
