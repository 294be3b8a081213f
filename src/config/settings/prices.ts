import { group, list } from './composites.js';
import { decimal, text } from './kinds.js';
import { setting, type KindFile, type KindValue } from './setting.js';

/** A thousand dollars for a token, far above any price; it keeps costs inside the range of the ledger. */
const MAX_PRICE_PER_MILLION = 1_000_000_000;
/** US dollars for an image, a second or a minute; far above any price as well. */
const MAX_UNIT_PRICE = 10_000;

/** Far above any price as well. */
const MAX_PRICE_PER_SEARCH = 10_000;

const PER_MILLION = decimal({ form: 'US dollars per million tokens', minimum: 0, maximum: MAX_PRICE_PER_MILLION });

function unitPrice(unit: string): ReturnType<typeof decimal> {
  return decimal({ form: `US dollars per ${unit}`, minimum: 0, maximum: MAX_UNIT_PRICE });
}

const IMAGE_PRICE = group({
  size: setting(text({ minLength: 1, maxLength: 40 }), {
    description: 'The size that this price is for, as clients send it.',
    without: 'any size',
    example: '1024x1024',
  }),
  quality: setting(text({ minLength: 1, maxLength: 40 }), {
    description: 'The quality that this price is for, as clients send it.',
    without: 'any quality',
    example: 'hd',
  }),
  per_image: setting(unitPrice('image'), {
    description: 'Price of one image.',
    required: true,
    example: 0.04,
  }),
});

const MEMBERS = group({
  input_per_million: setting(PER_MILLION, {
    description: 'Price of input tokens. Together with `output_per_million`.',
    without: 'not billed by tokens',
    example: 0.25,
  }),
  output_per_million: setting(PER_MILLION, {
    description: 'Price of output tokens. Together with `input_per_million`.',
    without: 'not billed by tokens',
    example: 2,
  }),
  cached_input_per_million: setting(PER_MILLION, {
    description: "Price of input tokens that are read from the provider's cache.",
    without: 'that of `input_per_million`',
    example: 0.025,
  }),
  per_search: setting(decimal({ form: 'US dollars per search', minimum: 0, maximum: MAX_PRICE_PER_SEARCH }), {
    description:
      'Price of a search unit of reranking: a query with up to 100 documents, of which long ones count several times.',
    without: 'not billed by searches',
    example: 0.002,
  }),
  per_web_search: setting(decimal({ form: 'US dollars per search', minimum: 0, maximum: MAX_PRICE_PER_SEARCH }), {
    description: 'Price of a search of the web that the provider makes for a chat call, beside its tokens.',
    without: "the provider's list price where the gateway knows it, see usage.md; else not billed",
    example: 0.01,
  }),
  cache_write_per_million: setting(PER_MILLION, {
    description:
      "Price of input tokens that are written to the provider's cache, for five minutes where it has two times.",
    without: 'that of `input_per_million`',
    example: 0.3125,
  }),
  cache_write_1h_per_million: setting(PER_MILLION, {
    description: "Price of input tokens that are written to the provider's cache for an hour, as with `ttl: 1h`.",
    without: '1.6 times `cache_write_per_million`, as Anthropic has it; else that of `input_per_million`',
    example: 0.5,
  }),
  image_input_per_million: setting(PER_MILLION, {
    description: 'Price of input tokens of pictures.',
    without: 'that of `input_per_million`',
    example: 8,
  }),
  image_output_per_million: setting(PER_MILLION, {
    description: 'Price of output tokens of pictures.',
    without: 'that of `output_per_million`',
    example: 32,
  }),
  audio_input_per_million: setting(PER_MILLION, {
    description: 'Price of input tokens of sound.',
    without: 'that of `input_per_million`',
    example: 6,
  }),
  audio_output_per_million: setting(PER_MILLION, {
    description: 'Price of output tokens of sound.',
    without: 'that of `output_per_million`',
    example: 12,
  }),
  images: setting(list(IMAGE_PRICE, { minItems: 1 }), {
    description:
      'Prices of images. The entry that names most of what the image has applies; where the model chooses size or quality, the highest price that is possible.',
    without: 'not billed by images',
  }),
  audio_per_second: setting(unitPrice('second'), {
    description: 'Price of a second of a recording. Not together with `audio_per_minute`.',
    without: 'not billed by time',
    example: 0.0001,
  }),
  audio_per_minute: setting(unitPrice('minute'), {
    description: 'Price of a minute of a recording, billed by the second. Not together with `audio_per_second`.',
    without: 'not billed by time',
    example: 0.006,
  }),
  characters_per_million: setting(
    decimal({ form: 'US dollars per million characters', minimum: 0, maximum: MAX_PRICE_PER_MILLION }),
    {
      description: 'Price of text that is read out.',
      without: 'not billed by characters',
      example: 15,
    },
  ),
});

/** Prices that stand by themselves; the others add to the prices of tokens. */
const PRICES = [
  'input_per_million',
  'per_search',
  'images',
  'audio_per_second',
  'audio_per_minute',
  'characters_per_million',
] as const satisfies readonly (keyof KindFile<typeof MEMBERS>)[];

export const PRICE = { ...MEMBERS, check: priceFault };

function priceFault(price: KindFile<typeof MEMBERS>): string | undefined {
  const { input_per_million: input, output_per_million: output } = price;
  if ((input === undefined) !== (output === undefined)) {
    return `has ${input === undefined ? 'output_per_million' : 'input_per_million'} alone; give input_per_million and output_per_million together`;
  }
  if (price.audio_per_second !== undefined && price.audio_per_minute !== undefined) {
    return 'has audio_per_second and audio_per_minute; give one of them';
  }
  if (PRICES.every((name) => price[name] === undefined)) {
    return 'names no price; give input_per_million and output_per_million, images, audio_per_minute or characters_per_million';
  }
  return undefined;
}

/** US dollars. */
export type PriceConfig = KindValue<typeof PRICE>;
