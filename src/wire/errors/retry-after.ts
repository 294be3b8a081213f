import type { IncomingHttpHeaders } from 'node:http';
import { isObject } from '../../runtime/json-value.js';

/**
 * Milliseconds that an upstream asks to wait, from `retry-after-ms`, or `retry-after` in seconds or as an HTTP date.
 * Undefined when it says nothing that can be read; 0 when the date has passed.
 */
export function retryAfterMs(headers: IncomingHttpHeaders, now: number): number | undefined {
  const milliseconds = headers['retry-after-ms'];
  if (typeof milliseconds === 'string' && /^\s*\d+(\.\d+)?\s*$/.test(milliseconds)) {
    return Math.ceil(Number(milliseconds));
  }
  const value = headers['retry-after'];
  if (typeof value !== 'string') return undefined;
  if (/^\s*\d+(\.\d+)?\s*$/.test(value)) return Math.ceil(Number(value) * 1000);
  const date = /[a-z]/i.test(value) ? Date.parse(value) : NaN;
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
/** A wait that is longer than this is a quota's, and no reason to keep a request waiting. */
const MAX_HINT_MS = 24 * 3_600_000;
const MAX_DEPTH = 6;
/** "Please try again in 1m20.5s", "retry after 20 seconds", "Please retry in 34.07s": OpenAI, Groq, Azure, Gemini. */
const IN_WORDS =
  /(?:try again|retry|wait|available)[^.\d]{0,40}?(?:in|after|for|at least)?\s*((?:\d+(?:\.\d+)?\s*(?:milliseconds?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|h)\b\s*)+|(?:\d+(?:\.\d+)?(?:ms|s|m|h))+)/i;
const ONE_SPAN = /(\d+(?:\.\d+)?)\s*(milliseconds?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|h)/gi;

/**
 * Milliseconds to wait as the body of a refusal says: Google's RetryInfo, a field such as `retry_after`, headers that
 * OpenRouter repeats, or words. Undefined when it says nothing.
 */
export function retryHintMs(body: unknown, message: string | undefined): number | undefined {
  const hint = hintIn(body, 0) ?? hintInWords(message);
  return hint === undefined || hint > MAX_HINT_MS ? undefined : hint;
}

function hintIn(value: unknown, depth: number): number | undefined {
  if (depth > MAX_DEPTH || typeof value !== 'object' || value === null) return undefined;
  if (isObject(value)) {
    const { retryDelay, retry_after_ms: milliseconds, retry_after: seconds, retryAfter: alsoSeconds } = value;
    const own = spanMs(retryDelay) ?? countMs(milliseconds, 1) ?? countMs(seconds, 1000) ?? countMs(alsoSeconds, 1000);
    if (own !== undefined) return own;
  }
  for (const inner of Object.values(value)) {
    const hint = hintIn(inner, depth + 1);
    if (hint !== undefined) return hint;
  }
  return undefined;
}

function countMs(value: unknown, unitMs: number): number | undefined {
  const count = typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? Number(value) : value;
  if (typeof count === 'number' && Number.isFinite(count) && count >= 0) return Math.ceil(count * unitMs);
  return spanMs(value);
}

function hintInWords(message: string | undefined): number | undefined {
  const spans = message === undefined ? undefined : IN_WORDS.exec(message.slice(0, 4000))?.[1];
  return spanMs(spans);
}

/** `34s`, `1m20.5s`, `250ms`, `20 seconds`. */
function spanMs(value: unknown): number | undefined {
  if (typeof value !== 'string' || value.length > 100) return undefined;
  let total: number | undefined;
  for (const [, count, unit = ''] of value.matchAll(ONE_SPAN)) {
    const name = /^(?:ms|milli)/i.test(unit) ? 'ms' : unit.charAt(0).toLowerCase();
    total = (total ?? 0) + Number(count) * (UNIT_MS[name] ?? 0);
  }
  return total === undefined ? undefined : Math.ceil(total);
}
