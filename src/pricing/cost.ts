import type { BilledTokens } from '../operations/billed-tokens.js';
import { boundNanoDollars, type NanoDollars } from '../runtime/nano-dollars.js';
import type { PriceConfig } from '../config/gateway-config.js';

/** Billionths of a dollar that a token costs at a price of one dollar per million. */
const NANOS_PER_TOKEN = 1_000;

/** One completion at the file's price. Tokens of the cache count at their own rates where there are any. */
export function costAtPrice(tokens: BilledTokens, price: PriceConfig): NanoDollars {
  const { promptTokens, completionTokens, cachedTokens, cacheWriteTokens } = tokens;
  return boundNanoDollars(
    ((promptTokens - cachedTokens - cacheWriteTokens) * price.inputPerMillion +
      cachedTokens * (price.cachedInputPerMillion ?? price.inputPerMillion) +
      cacheWriteTokens * (price.cacheWritePerMillion ?? price.inputPerMillion) +
      completionTokens * price.outputPerMillion) *
      NANOS_PER_TOKEN,
  );
}

const ZERO = 0x30;
const POINT = 0x2e;

/** Dollars as people and parsers read them: no exponent, no noise of floating point, at most 12 decimals. */
export function formatDollars(dollars: number): string {
  const text = dollars.toFixed(12);
  let end = text.length;
  while (text.charCodeAt(end - 1) === ZERO) end -= 1;
  return text.slice(0, text.charCodeAt(end - 1) === POINT ? end - 1 : end);
}
