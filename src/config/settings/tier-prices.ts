import { group } from './composites.js';
import { decimal } from './kinds.js';
import { setting, type KindFile, type KindValue } from './setting.js';

/** US dollars for a million tokens, far above any price; it keeps costs inside the range of the ledger. */
const MAX_PRICE_PER_MILLION = 1_000_000_000;
/** Far above the surcharge of any tier. */
const MAX_FACTOR = 100;

const PER_MILLION = decimal({ form: 'US dollars per million tokens', minimum: 0, maximum: MAX_PRICE_PER_MILLION });

const MEMBERS = group({
  factor: setting(decimal({ form: 'number from 0 to 100', minimum: 0, maximum: MAX_FACTOR }), {
    description: 'Price of the tier as a factor of the list price. In place of prices of its own.',
    without: 'that of the provider, where it publishes one; else 1',
    example: 0.5,
  }),
  input_per_million: setting(PER_MILLION, {
    description: 'Price of input tokens. Together with `output_per_million`.',
    without: 'by the factor',
    example: 0.125,
  }),
  output_per_million: setting(PER_MILLION, {
    description: 'Price of output tokens. Together with `input_per_million`.',
    without: 'by the factor',
    example: 1,
  }),
  cached_input_per_million: setting(PER_MILLION, {
    description: "Price of input tokens that are read from the provider's cache.",
    without: 'that of `input_per_million`',
    example: 0.0125,
  }),
  cache_write_per_million: setting(PER_MILLION, {
    description: "Price of input tokens that are written to the provider's cache.",
    without: 'that of `input_per_million`',
    example: 0.15625,
  }),
  cache_write_1h_per_million: setting(PER_MILLION, {
    description: "Price of input tokens that are written to the provider's cache for an hour.",
    without: '1.6 times `cache_write_per_million`; else that of `input_per_million`',
    example: 0.25,
  }),
});

const TIER_PRICE = { ...MEMBERS, check: tierPriceFault };

function tierPriceFault(price: KindFile<typeof MEMBERS>): string | undefined {
  const { factor, input_per_million: input, output_per_million: output, ...others } = price;
  if ((input === undefined) !== (output === undefined)) {
    return `has ${input === undefined ? 'output_per_million' : 'input_per_million'} alone; give input_per_million and output_per_million together`;
  }
  if (factor !== undefined && [input, ...Object.values(others)].some((each) => each !== undefined)) {
    return 'has a factor and prices; give one of the two';
  }
  if (factor === undefined && input === undefined) {
    return 'names no price; give factor, or input_per_million and output_per_million';
  }
  return undefined;
}

export const TIER_PRICES = group({
  batch: setting(TIER_PRICE, {
    description: "What the provider's own batch API costs.",
    without: 'half of the list price, where the provider has a batch API',
  }),
  flex: setting(TIER_PRICE, {
    description: 'What responses with `service_tier: flex` cost.',
    without: "the provider's published price; else the list price",
  }),
  priority: setting(TIER_PRICE, {
    description: 'What responses with `service_tier: priority` cost.',
    without: "the provider's published price; else the list price",
  }),
});

/** Prices of tiers: a factor of the list price, or US dollars. */
export type TierPricesConfig = KindValue<typeof TIER_PRICES>;
