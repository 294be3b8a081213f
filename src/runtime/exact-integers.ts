import { isObject } from './json-value.js';
import { LongInteger, MARK } from './long-integer.js';

/** An integer of fewer digits is exact. */
const MIN_DIGITS = 16;
const LONG = /\d{16}/;
/** A number where a value may stand; anything else is left for JSON.parse to refuse. */
const VALUES = /([:,[\s]|^)(-?[1-9]\d{15,})(?=\s*[,\]}])/g;

/**
 * As JSON.parse, with a `LongInteger` for each integer that a double would change. JSON.parse rounds integers beyond 2^53, and no hook
 * of Node 20 gives their source text, so they pass it as marked strings. Everything else is parsed as always.
 *
 * @throws SyntaxError
 */
export function parseExact(text: string): unknown {
  const marked = LONG.test(text) ? markIntegers(text) : text;
  const parsed = JSON.parse(marked) as unknown;
  return marked === text ? parsed : replaceAll(parsed, readMarked);
}

/**
 * As `parseExact`, but with long integers within the members of the given names alone; they are rounded elsewhere, for readers that
 * expect numbers.
 *
 * @throws SyntaxError
 */
export function parseExactWithin(text: string, names: ReadonlySet<string>): unknown {
  const parsed = parseExact(text);
  return LONG.test(text) ? replaceAll(parsed, (value) => asNumber(value) ?? value, names) : parsed;
}

/** Replaces the values in a parsed value, however deep it is nested. @param without members that stay as they are */
function replaceAll(root: unknown, replace: (value: unknown) => unknown, without?: ReadonlySet<string>): unknown {
  const holder: Record<string, unknown> = { root };
  const waiting: object[] = [holder];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const container = next as Record<string, unknown>;
    for (const key of Object.keys(container)) {
      const value = container[key];
      if (without?.has(key) === true && !Array.isArray(container)) continue;
      if (Array.isArray(value) || isObject(value)) waiting.push(value);
      else {
        const replaced = replace(value);
        if (replaced !== value) container[key] = replaced;
      }
    }
  }
  return holder['root'];
}

function readMarked(value: unknown): unknown {
  return typeof value === 'string' && value.startsWith(MARK) ? new LongInteger(value.slice(MARK.length)) : value;
}

/** As JSON.stringify, with the digits of long integers. */
export function printExact(value: unknown): string {
  return restoreIntegers(JSON.stringify(value));
}

/** Long integers in JSON text, or in JSON within strings of it, become numbers again. */
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

/** The number that a value stands for, rounded where it is a long integer; undefined where it is no number. */
export function asNumber(value: unknown): number | undefined {
  if (value instanceof LongInteger) return Number(value.digits);
  return typeof value === 'number' ? value : undefined;
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
