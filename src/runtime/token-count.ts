declare const checked: unique symbol;

/**
 * A number of tokens that has been checked: whole, finite, from 0 to `MAX_TOKENS`. Only the functions of this file create one, so
 * code that takes a `TokenCount` (limits, costs, records, metrics) never receives a NaN, a negative number or text.
 */
export type TokenCount = number & { readonly [checked]: 'tokens' };

/** The most that an integer column of both databases takes. */
export const MAX_TOKENS = 2_147_483_647 as TokenCount;
export const NO_TOKENS = 0 as TokenCount;

/** A count from outside; undefined for text, fractions, NaN, negative or implausible numbers. */
export function readTokenCount(value: unknown): TokenCount | undefined {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > MAX_TOKENS) return undefined;
  return (value === 0 ? 0 : value) as TokenCount;
}

/** The result of our own arithmetic, rounded up and held in range. What is not a number counts as the most, never as nothing. */
export function boundTokens(value: number): TokenCount {
  if (Number.isNaN(value)) return MAX_TOKENS;
  return Math.min(MAX_TOKENS, Math.max(0, Math.ceil(value))) as TokenCount;
}
