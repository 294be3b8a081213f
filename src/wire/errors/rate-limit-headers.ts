import type { IncomingHttpHeaders } from 'node:http';

/** Numbers above this are points in time, in seconds since 1970; above the second one, in milliseconds. */
const MIN_EPOCH_SECONDS = 1_000_000_000;
const MIN_EPOCH_MS = 1_000_000_000_000;
const NUMBER = /^\d+(?:\.\d+)?$/;
const SPANS = /^(?:\d+(?:\.\d+)?(?:ms|us|µs|ns|[dhms]))+$/;
const ONE_SPAN = /(\d+(?:\.\d+)?)(ms|us|µs|ns|[dhms])/g;
const UNIT_MS: Readonly<Record<string, number>> = {
  d: 86_400_000,
  h: 3_600_000,
  m: 60_000,
  s: 1_000,
  ms: 1,
  us: 0.001,
  µs: 0.001,
  ns: 0.000_001,
};
const MAX_CHARACTERS = 64;

/**
 * Milliseconds until a limit is reset, from a header such as `x-ratelimit-reset-requests` or `anthropic-ratelimit-tokens-reset`: a
 * duration (`6m0s`, `1.2s`, `350ms`), seconds, a point in time in seconds or milliseconds since 1970, or a date (RFC 3339, HTTP).
 *
 * @param now epoch milliseconds
 * @returns 0 for a time that has passed; undefined where the text is none of these
 */
export function rateLimitResetMs(value: string, now: number): number | undefined {
  const text = value.trim();
  if (text === '' || text.length > MAX_CHARACTERS) return undefined;
  if (NUMBER.test(text)) {
    const number = Number(text);
    if (number >= MIN_EPOCH_MS) return Math.max(0, number - now);
    return Math.ceil(number >= MIN_EPOCH_SECONDS ? Math.max(0, number * 1_000 - now) : number * 1_000);
  }
  if (SPANS.test(text)) {
    let total = 0;
    for (const [, count, unit = ''] of text.matchAll(ONE_SPAN)) total += Number(count) * (UNIT_MS[unit] ?? 0);
    return Math.ceil(total);
  }
  // Date.parse takes nearly any text with a number in it.
  if (!/\d{4}/.test(text) || !/[:T]/.test(text)) return undefined;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}

/**
 * Calls back with each limit of a response: what is left of it, and the time until its reset. Providers write
 * `x-ratelimit-remaining-<limit>` (OpenAI, Groq, Cerebras), `anthropic-ratelimit-<limit>-remaining`, `x-ratelimit-remaining`
 * (OpenRouter, Together) or `ratelimit-remaining` (IETF draft); the reset has the same name with `reset`.
 */
export function forEachRateLimit(
  headers: IncomingHttpHeaders,
  visit: (name: string, remaining: number, resetMs: () => number | undefined) => void,
): void {
  for (const name in headers) {
    if (!name.includes('ratelimit') || !name.includes('remaining')) continue;
    const value = headers[name];
    if (typeof value !== 'string' || !NUMBER.test(value)) continue;
    visit(name, Number(value), () => {
      const reset = headers[name.replace('remaining', 'reset')];
      return typeof reset === 'string' ? rateLimitResetMs(reset, Date.now()) : undefined;
    });
  }
}
