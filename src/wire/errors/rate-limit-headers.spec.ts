import fc from 'fast-check';
import { forEachRateLimit, rateLimitResetMs } from './rate-limit-headers.js';

const NOW = Date.UTC(2026, 5, 1, 12, 0, 0);

describe('rateLimitResetMs', () => {
  it.each([
    ['6m0s', 360_000],
    ['1.2s', 1_200],
    ['350ms', 350],
    ['1h2m3.5s', 3_723_500],
    ['2d', 172_800_000],
    ['7.66µs', 1],
    ['0s', 0],
    ['59', 59_000],
    ['0.25', 250],
    ['33011.382867', 33_011_383],
    [String((NOW + 5_000) / 1_000), 5_000],
    [String(NOW + 5_000), 5_000],
    [String(NOW - 5_000), 0],
    ['2026-06-01T12:00:30Z', 30_000],
    ['2026-06-01T14:00:30+02:00', 30_000],
    ['Mon, 01 Jun 2026 12:01:00 GMT', 60_000],
    ['2026-06-01T11:00:00Z', 0],
    ['', undefined],
    ['soon', undefined],
    ['-3', undefined],
    ['6m-3s', undefined],
    ['5 minutes', undefined],
    ['1e9', undefined],
  ])('%j is %p', (text, expected) => {
    expect(rateLimitResetMs(text, NOW)).toBe(expected);
  });

  it('reads each duration that it can be written as', () => {
    const parts = fc.tuple(fc.nat(23), fc.nat(59), fc.nat(59), fc.nat(999));
    fc.assert(
      fc.property(parts, ([hours, minutes, seconds, milliseconds]) => {
        const total = ((hours * 60 + minutes) * 60 + seconds) * 1_000 + milliseconds;
        const ways = [
          `${hours}h${minutes}m${seconds}s${milliseconds}ms`,
          `${hours * 60 + minutes}m${seconds}.${String(milliseconds).padStart(3, '0')}s`,
          `${total}ms`,
          String(total / 1_000),
          new Date(NOW + total).toISOString(),
          String(NOW + total),
        ];
        for (const way of ways) expect([way, rateLimitResetMs(way, NOW)]).toEqual([way, closeTo(total)]);
      }),
    );
  });

  it('gives no other number than one of at least 0, for any text', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[\d.:hmsTZ+-]{0,30}$/)), (text) => {
        const milliseconds = rateLimitResetMs(text, NOW) ?? 0;
        expect(Number.isFinite(milliseconds) && milliseconds >= 0).toBe(true);
      }),
    );
  });
});

describe('forEachRateLimit', () => {
  const limitsOf = (headers: Record<string, string>): unknown[] => {
    const found: unknown[] = [];
    forEachRateLimit(headers, (name, remaining, resetMs) => found.push([name, remaining, resetMs()]));
    return found;
  };

  it.each([
    ['x-ratelimit-remaining-requests', 'x-ratelimit-reset-requests'],
    ['x-ratelimit-remaining-tokens-minute', 'x-ratelimit-reset-tokens-minute'],
    ['anthropic-ratelimit-input-tokens-remaining', 'anthropic-ratelimit-input-tokens-reset'],
    ['x-ratelimit-remaining', 'x-ratelimit-reset'],
    ['ratelimit-remaining', 'ratelimit-reset'],
  ])('finds %s with its reset', (remaining, reset) => {
    expect(limitsOf({ [remaining]: '0', [reset]: '2s', 'content-type': 'a' })).toEqual([[remaining, 0, 2_000]]);
    expect(limitsOf({ [remaining]: '7' })).toEqual([[remaining, 7, undefined]]);
  });

  it('ignores what is no count', () => {
    for (const value of ['-1', 'unlimited', '', '0;w=60'])
      expect(limitsOf({ 'x-ratelimit-remaining': value })).toEqual([]);
    expect(limitsOf({ 'x-ratelimit-limit-requests': '0', 'x-remaining': '0' })).toEqual([]);
  });
});

/** Fractions of seconds are not exact. */
function closeTo(total: number): unknown {
  return { asymmetricMatch: (actual: unknown) => typeof actual === 'number' && Math.abs(actual - total) <= 1 };
}
