declare const checked: unique symbol;

/**
 * An amount of money that has been checked: whole billionths of a US dollar, finite, from 0 to `MAX_NANO_DOLLARS`. Only the
 * functions of this file make one.
 */
export type NanoDollars = number & { readonly [checked]: 'nano-dollars' };

/** A million dollars: the largest budget, and far more than a call costs. Thousands of such amounts still add up exactly enough. */
export const MAX_NANO_DOLLARS = 1e15 as NanoDollars;
export const NO_COST = 0 as NanoDollars;
const NANOS_PER_DOLLAR = 1e9;

/** The result of our own arithmetic, rounded and held in range. What is not a number counts as the most, never as nothing. */
export function boundNanoDollars(value: number): NanoDollars {
  if (Number.isNaN(value)) return MAX_NANO_DOLLARS;
  return Math.min(MAX_NANO_DOLLARS, Math.max(0, Math.round(value))) as NanoDollars;
}

/**
 * An amount that comes from the database or from Redis, which give large numbers as text; undefined for anything that is no amount.
 * A sum beyond the largest amount counts as the largest.
 */
export function readNanoDollars(value: unknown): NanoDollars | undefined {
  const number = typeof value === 'string' && /^\d{1,40}(?:\.0*)?$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number) || number < 0) return undefined;
  return boundNanoDollars(number);
}

/** Dollars of a configuration, a key or a price list; undefined for anything that is no amount. */
export function readDollars(value: unknown): NanoDollars | undefined {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) return undefined;
  return boundNanoDollars(value * NANOS_PER_DOLLAR);
}

/** Billionths of a dollar as dollars. */
export function toDollars(nanos: NanoDollars): number {
  return nanos / NANOS_PER_DOLLAR;
}
