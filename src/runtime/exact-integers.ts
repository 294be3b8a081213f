import { randomBytes } from 'node:crypto';
import { isObject } from './json-value.js';

/**
 * JSON.parse rounds integers beyond 2^53, and no hook of Node 20 gives their source text. Where a body is re-written, such an
 * integer is therefore held as a string with this mark in front, and printed as the digits that came. The mark is random, so
 * that no string from outside can be taken for a number. Everything but integers that would change is parsed as always.
 */
const MARK = `\ue000${randomBytes(6).toString('hex')}:`;
/** An integer of fewer digits is exact. */
const MIN_DIGITS = 16;
const LONG = /\d{16}/;
/** A number where a value may stand; anything else is left for JSON.parse to refuse. */
const VALUES = /([:,[\s]|^)(-?[1-9]\d{15,})(?=\s*[,\]}])/g;

/** As JSON.parse, with marked strings for the integers that a double would change. @throws SyntaxError */
export function parseExact(text: string): unknown {
  return JSON.parse(LONG.test(text) ? markIntegers(text) : text) as unknown;
}

/** As JSON.stringify, with the digits of marked integers. */
export function printExact(value: unknown): string {
  return restoreIntegers(JSON.stringify(value));
}

/** Marked integers in JSON text, or in JSON within strings of it, become numbers again. */
export function restoreIntegers(text: string): string {
  let at = text.indexOf(MARK);
  if (at === -1) return text;
  let restored = '';
  let from = 0;
  for (; at !== -1; at = text.indexOf(MARK, at + 1)) {
    let start = at - 1;
    while (start > from && text.charAt(start - 1) === '\\') start -= 1;
    const quote = text.slice(start, at);
    const digits = digitsAt(text, at + MARK.length);
    const end = at + MARK.length + digits.length;
    if (!quote.endsWith('"') || digits === '' || text.slice(end, end + quote.length) !== quote) continue;
    restored += text.slice(from, start) + digits;
    from = end + quote.length;
  }
  return restored + text.slice(from);
}

/** The number that a value stands for, rounded where it is a marked integer; undefined where it is no number. */
export function asNumber(value: unknown): number | undefined {
  if (typeof value === 'string' && value.startsWith(MARK)) return Number(value.slice(MARK.length));
  return typeof value === 'number' ? value : undefined;
}

/**
 * JSON text with marks at integers within the members of the given names alone, for a reader that expects numbers elsewhere.
 * The text itself where there are none, or where it is no JSON.
 */
export function markWithin(text: string, names: ReadonlySet<string>): string {
  if (!LONG.test(text)) return text;
  const marked = markIntegers(text);
  if (marked === text) return text;
  try {
    return JSON.stringify(unmarkOutside(JSON.parse(marked), names));
  } catch {
    return text;
  }
}

function unmarkOutside(value: unknown, names: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => unmarkOutside(item, names));
  if (!isObject(value)) return asNumber(value) ?? value;
  for (const name of Object.keys(value)) {
    if (!names.has(name)) value[name] = unmarkOutside(value[name], names);
  }
  return value;
}

function markIntegers(text: string): string {
  let marked = '';
  let from = 0;
  for (let at = 0; at < text.length;) {
    const quote = text.indexOf('"', at);
    const end = quote === -1 ? text.length : quote;
    if (end - at >= MIN_DIGITS) {
      const outside = text.slice(at, end);
      if (LONG.test(outside)) {
        marked += text.slice(from, at) + outside.replace(VALUES, markOne);
        from = end;
      }
    }
    at = quote === -1 ? text.length : afterString(text, quote);
  }
  return from === 0 ? text : marked + text.slice(from);
}

function markOne(whole: string, before: string, digits: string): string {
  return String(Number(digits)) === digits ? whole : `${before}"${MARK}${digits}"`;
}

/** The place behind the string that begins at a quote. */
function afterString(text: string, quote: number): number {
  for (let end = text.indexOf('"', quote + 1); end !== -1; end = text.indexOf('"', end + 1)) {
    let escapes = 0;
    while (text.charCodeAt(end - 1 - escapes) === 0x5c) escapes += 1;
    if (escapes % 2 === 0) return end + 1;
  }
  return text.length;
}

function digitsAt(text: string, at: number): string {
  let end = at + (text.charCodeAt(at) === 0x2d ? 1 : 0);
  while (text.charCodeAt(end) >= 0x30 && text.charCodeAt(end) <= 0x39) end += 1;
  return text.slice(at, end);
}
