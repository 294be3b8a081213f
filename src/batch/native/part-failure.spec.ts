import fc from 'fast-check';
import { GatewayError, upstreamError } from '../../errors/gateway-error.js';
import { isGone, isRefusal, pollDelay, retryDelay } from './part-failure.js';
import { tierTimes } from './tiers.js';

function failureWith(status: number | undefined, mayBeBilled = false): GatewayError {
  return Object.assign(upstreamError({ message: 'No.', mayBeBilled }), {
    upstream: { status, code: undefined, message: undefined },
  });
}

describe('a failed step of a part', () => {
  it('is a refusal where the provider says so, and may have created nothing', () => {
    for (const status of [400, 401, 403, 404, 413, 422]) expect(isRefusal(failureWith(status))).toBe(true);
    for (const status of [408, 409, 429, 500, 502, 503, 529, undefined])
      expect(isRefusal(failureWith(status))).toBe(false);
    expect(isRefusal(failureWith(400, true))).toBe(false);
    expect(isRefusal(upstreamError({ message: 'A fault of another kind.' }))).toBe(false);
    expect(isRefusal(new Error('reset'))).toBe(false);
  });

  it('says that the provider no longer has the batch, once it says so again and again', () => {
    for (const status of [404, 410]) {
      expect([0, 4, 5, 6].map((failures) => isGone(failureWith(status), failures))).toEqual([false, false, true, true]);
    }
    for (const status of [400, 403, 500, 503, undefined]) expect(isGone(failureWith(status), 9)).toBe(false);
    expect(isGone(new Error('404'), 9)).toBe(false);
  });

  it('is tried again with growing pauses, which no poll interval exceeds', () => {
    expect([0, 1, 2, 3].map((failures) => retryDelay(failures, 60_000))).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(retryDelay(30, 60_000)).toBe(60_000);
    expect(retryDelay(1_000, 3_600_000)).toBe(300_000);
    expect(retryDelay(5, 200)).toBe(200);
  });

  it('is never tried again past the time at which its tasks go on', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 10_000, max: 30 * 86_400_000 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.integer({ min: 1, max: 3_600_000 }),
        (time, share, delay) => {
          const job = { submittedAt: 1_000_000, expiresAt: 1_000_000 + time };
          const now = job.submittedAt + share * time;
          const { nativeUntil, abandonAt } = tierTimes(job);
          const found = pollDelay(job, now, delay);
          expect(found).toBeGreaterThan(0);
          expect(found).toBeLessThanOrEqual(delay);
          for (const limit of [nativeUntil, abandonAt])
            if (limit > now) expect(now + found).toBeLessThanOrEqual(limit + 0.01);
        },
      ),
    );
  });
});
