import { group } from './composites.js';
import { decimal } from './kinds.js';
import { setting, type KindValue } from './setting.js';

/** A thousand dollars for a token, far above any price; it keeps costs inside the range of the ledger. */
const HIGHEST_PRICE_PER_MILLION = 1_000_000_000;

/** Far above any price as well. */
const HIGHEST_PRICE_PER_SEARCH = 10_000;

const PER_MILLION = decimal({ form: 'US dollars per million tokens', minimum: 0, maximum: HIGHEST_PRICE_PER_MILLION });

export const PRICE = group({
  input_per_million: setting(PER_MILLION, {
    description: 'Price of input tokens.',
    required: true,
    example: 0.25,
  }),
  output_per_million: setting(PER_MILLION, {
    description: 'Price of output tokens.',
    required: true,
    example: 2,
  }),
  cached_input_per_million: setting(PER_MILLION, {
    description: "Price of input tokens that are read from the provider's cache.",
    without: 'that of `input_per_million`',
    example: 0.025,
  }),
  per_search: setting(decimal({ form: 'US dollars per search', minimum: 0, maximum: HIGHEST_PRICE_PER_SEARCH }), {
    description:
      'Price of a search unit of reranking: a query with up to 100 documents, of which long ones count several times.',
    without: 'not billed by searches',
    example: 0.002,
  }),
  cache_write_per_million: setting(PER_MILLION, {
    description: "Price of input tokens that are written to the provider's cache.",
    without: 'that of `input_per_million`',
    example: 0.3125,
  }),
});

/** US dollars. */
export type PriceConfig = KindValue<typeof PRICE>;
