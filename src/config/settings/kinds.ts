import { parseDuration, parseSize } from '../units.js';
import type { Kind } from './setting.js';

interface TextRules {
  readonly minLength?: number;
  readonly maxLength?: number;
  /** A regular expression, and the fault where a value does not match it. */
  readonly pattern?: readonly [source: string, fault: string];
  readonly check?: (text: string) => string | undefined;
  /** The form of the value, if "text" is not precise enough. */
  readonly form?: string;
}

/** A text, with bounds of its length in characters, a pattern or a check. */
export function text({ pattern, check, form = 'text', ...lengths }: TextRules = {}): Kind<string, string> {
  return {
    form,
    schema: {
      type: 'string',
      ...lengths,
      ...(pattern !== undefined && { pattern: pattern[0], patternErrorMessage: pattern[1] }),
    },
    value: (file) => file,
    fromText: (written) => written,
    ...(check !== undefined && { check }),
  };
}

interface IntegerRules {
  readonly minimum: number;
  readonly maximum?: number;
  /** The counted unit: `tokens`. */
  readonly of?: string;
}

/** A whole number, with its bounds. */
export function integer({ minimum, maximum, of }: IntegerRules): Kind<number, number> {
  const range = maximum === undefined ? `of at least ${minimum}` : `from ${minimum} to ${maximum}`;
  const most = maximum ?? Number.MAX_SAFE_INTEGER;
  return {
    form: `integer ${range.replaceAll(/\d{5,}/g, (digits) => Number(digits).toLocaleString('en-US'))}${of === undefined ? '' : ` (${of})`}`,
    schema: { type: 'integer', minimum, ...(maximum !== undefined && { maximum }) },
    value: (file) => file,
    fromText: (written) => {
      const number = /^\d{1,15}$/.test(written) ? Number(written) : Number.NaN;
      return number >= minimum && number <= most ? number : undefined;
    },
    textFault: `must be a whole number ${range}`,
  };
}

/** A number that need not be whole. */
export function decimal(
  rules: { readonly form: string } & Readonly<Record<string, number | string>>,
): Kind<number, number> {
  const { form, ...bounds } = rules;
  return { form, schema: { type: 'number', ...bounds }, value: (file) => file };
}

/** @param words what the environment variable says for true and for false */
export function flag([yes, no]: readonly [string, string] = ['true', 'false']): Kind<boolean, boolean> {
  return {
    form: `\`${yes}\` or \`${no}\``,
    schema: { type: 'boolean' },
    value: (file) => file,
    fromText: (written) => (written === yes ? true : written === no ? false : undefined),
    textFault: `must be one of ${yes}, ${no}`,
    toText: (file) => (file ? yes : no),
  };
}

/** One of the given texts. */
export function choice<const Value extends string>(values: readonly Value[]): Kind<Value, Value> {
  return {
    form: values.map((value) => `\`${value}\``).join(', '),
    schema: { enum: values },
    value: (file) => file,
    fromText: (written) => values.find((value) => value === written),
    textFault: `must be one of ${values.join(', ')}`,
  };
}

interface DurationRules {
  /** Whether 0 is allowed, which turns the setting off. */
  readonly zero?: boolean;
  /** A shorter duration counts as this one, in milliseconds. */
  readonly leastMs?: number;
}

/** Milliseconds. */
export function duration({ zero = false, leastMs = 0 }: DurationRules = {}): Kind<string | number, number> {
  return {
    form: zero ? 'duration or 0' : 'duration',
    schema: { type: ['string', 'integer'], unit: zero ? 'duration' : 'timeout' },
    value: (file) => Math.max(leastMs, parseDuration(file) ?? 0),
  };
}

/** Bytes. */
export function size(): Kind<string | number, number> {
  return {
    form: 'size',
    schema: { type: ['string', 'integer'], unit: 'size' },
    value: (file) => parseSize(file) ?? 0,
  };
}
