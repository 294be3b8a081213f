import type { BilledUsage } from '../operations/billed-tokens.js';
import { boundNanoDollars, type NanoDollars } from '../runtime/nano-dollars.js';
import type { PriceConfig } from '../config/gateway-config.js';
import { imagePriceOf } from './image-price.js';
import { withImageTokens } from './unreported-tokens.js';

/** Billionths of a dollar that a token, or a character, costs at a price of one dollar per million. */
const NANOS_PER_MILLIONTH = 1_000;
const NANOS_PER_DOLLAR = 1e9;
const SECONDS_PER_MINUTE = 60;
/**
 * What a cache write of an hour costs against one of five minutes: Anthropic bills 2 and 1.25 times the price of input, on every
 * cloud. Source: https://docs.claude.com/en/docs/build-with-claude/prompt-caching#pricing
 */
export const HOUR_WRITE_RATIO = 1.6;

/**
 * One call at the price of the configuration: the sum of all that the price names. Tokens of the cache, of pictures and of sound
 * count at their own rates where there are any. Null where the call consumed nothing that has a price.
 */
export function costAtPrice(usage: BilledUsage, price: PriceConfig): NanoDollars | null {
  const ofUnits = usage.units === undefined ? undefined : costOfUnits(usage, price);
  if (ofUnits === null) return null;
  const { inputPerMillion, outputPerMillion } = price;
  const isByTokens = inputPerMillion !== undefined && outputPerMillion !== undefined;
  if (!isByTokens) return ofUnits === undefined ? null : boundNanoDollars(ofUnits);
  const counted = withImageTokens(usage);
  if (counted === undefined) return ofUnits === undefined ? null : boundNanoDollars(ofUnits);
  return boundNanoDollars(costOfTokens(counted, price, inputPerMillion, outputPerMillion) + (ofUnits ?? 0));
}

function costOfTokens(
  { promptTokens, completionTokens, cachedTokens, cacheWriteTokens, cacheWrite1hTokens, modalities }: BilledUsage,
  price: PriceConfig,
  input: number,
  output: number,
): number {
  const { cacheWritePerMillion: write } = price;
  const hourWrite = price.cacheWrite1hPerMillion ?? (write === undefined ? input : write * HOUR_WRITE_RATIO);
  let nanos =
    (promptTokens - cachedTokens - cacheWriteTokens) * input +
    cachedTokens * (price.cachedInputPerMillion ?? input) +
    (cacheWriteTokens - cacheWrite1hTokens) * (write ?? input) +
    cacheWrite1hTokens * hourWrite +
    completionTokens * output;
  if (modalities !== undefined) {
    const { imageInput, audioInput, imageOutput, audioOutput } = modalities;
    nanos +=
      imageInput * ((price.imageInputPerMillion ?? input) - input) +
      audioInput * ((price.audioInputPerMillion ?? input) - input) +
      imageOutput * ((price.imageOutputPerMillion ?? output) - output) +
      audioOutput * ((price.audioOutputPerMillion ?? output) - output);
  }
  return nanos * NANOS_PER_MILLIONTH;
}

/** Undefined where none of the units has a price, null where one has a price that is for other images. */
function costOfUnits({ units = {}, imageKind }: BilledUsage, price: PriceConfig): number | null | undefined {
  const { images = 0, audioSeconds, characters } = units;
  let nanos: number | undefined;
  if (price.images !== undefined && images > 0) {
    const perImage = imagePriceOf(imageKind, price.images);
    if (perImage === undefined) return null;
    nanos = images * perImage * NANOS_PER_DOLLAR;
  }
  const perSecond =
    price.audioPerSecond ??
    (price.audioPerMinute === undefined ? undefined : price.audioPerMinute / SECONDS_PER_MINUTE);
  if (perSecond !== undefined && audioSeconds !== undefined) {
    nanos = (nanos ?? 0) + audioSeconds * perSecond * NANOS_PER_DOLLAR;
  }
  if (price.charactersPerMillion !== undefined && characters !== undefined) {
    nanos = (nanos ?? 0) + characters * price.charactersPerMillion * NANOS_PER_MILLIONTH;
  }
  return nanos;
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
