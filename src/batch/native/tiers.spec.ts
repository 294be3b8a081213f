import fc from 'fast-check';
import {
  flexDelay,
  isFlexUnavailable,
  isNativeLane,
  JOB_PRICINGS,
  laneFrom,
  lineId,
  modelOfLane,
  nativeLane,
  taskIndexOf,
  tierOf,
  tierOfLane,
  tierTimes,
  type Tier,
} from './tiers.js';

const HOUR_MS = 3_600_000;
const ORDER: readonly Tier[] = ['native', 'flex', 'live'];

describe('the times of tiers', () => {
  it('are in order, within the time of the job, and keep two hours of a day', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2e12 }),
        fc.integer({ min: 10_000, max: 2_592_000_000 }),
        (start, window) => {
          const { nativeUntil, abandonAt, flexUntil } = tierTimes({ submittedAt: start, expiresAt: start + window });
          expect(start).toBeLessThan(nativeUntil);
          expect(nativeUntil).toBeLessThan(abandonAt);
          expect(abandonAt).toBeLessThan(flexUntil);
          expect(flexUntil).toBeLessThan(start + window);
        },
      ),
    );
    const day = tierTimes({ submittedAt: 0, expiresAt: 24 * HOUR_MS });
    expect(day).toEqual({ nativeUntil: 22 * HOUR_MS, abandonAt: 22.5 * HOUR_MS, flexUntil: 23 * HOUR_MS });
  });
});

describe('the tier of a task', () => {
  const times = tierTimes({ submittedAt: 0, expiresAt: 24 * HOUR_MS });
  const choice = { pricing: 'cheapest', from: 'native', times, now: 0, hasNative: true, hasFlex: true } as const;

  it.each([
    [{}, 'native'],
    [{ pricing: 'native' }, 'native'],
    [{ pricing: 'flex' }, 'flex'],
    [{ pricing: 'live' }, 'live'],
    [{ hasNative: false }, 'flex'],
    [{ hasNative: false, hasFlex: false }, 'live'],
    [{ from: 'flex' }, 'flex'],
    [{ from: 'live' }, 'live'],
    [{ now: 22 * HOUR_MS }, 'flex'],
    [{ now: 23 * HOUR_MS }, 'live'],
    [{ now: 22 * HOUR_MS, hasFlex: false }, 'live'],
  ] as const)('with %j is %s', (change, tier) => expect(tierOf({ ...choice, ...change })).toBe(tier));

  it('never goes back to a tier before, as time passes and tiers fail', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...JOB_PRICINGS),
        fc.boolean(),
        fc.boolean(),
        fc.array(fc.integer({ min: 0, max: 5 * HOUR_MS }), { maxLength: 12 }),
        (pricing, hasNative, hasFlex, steps) => {
          let now = 0;
          let from: Tier = 'native';
          for (const step of steps) {
            now += step;
            const tier = tierOf({ pricing, from, times, now, hasNative, hasFlex });
            expect(ORDER.indexOf(tier)).toBeGreaterThanOrEqual(ORDER.indexOf(from));
            from = tier;
          }
        },
      ),
    );
  });
});

describe('the delay of the flex tier', () => {
  it('grows with the time that has passed, and ends when the list price begins', () => {
    const job = { submittedAt: 0, expiresAt: 24 * HOUR_MS };
    const half = (): number => 0.5;
    expect(flexDelay(job, 1_000, half)).toBe(500);
    expect(flexDelay(job, 100_000, half)).toBe(10_000);
    expect(flexDelay(job, 5 * HOUR_MS, half)).toBe(60_000);
    expect(flexDelay(job, 23 * HOUR_MS - 2_000, half)).toBe(2_000);
    expect(flexDelay(job, 23 * HOUR_MS + 1, half)).toBe(0);
  });

  it('is for a lack of capacity, not for an account without money', () => {
    expect(isFlexUnavailable({ status: 429 })).toBe(true);
    expect(isFlexUnavailable({ status: 429, isOutOfQuota: true })).toBe(false);
    expect(isFlexUnavailable({ status: 429, rejectedByGateway: true })).toBe(false);
    expect(isFlexUnavailable({ status: 400 })).toBe(false);
  });
});

describe('lanes and lines', () => {
  it('have their tier and model back', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 256 }), fc.constantFrom('flex', 'live'), (name, tier) => {
        const model = `m${name}`;
        const lane = laneFrom(tier, model);
        expect(lane.length).toBeLessThanOrEqual(257);
        expect(modelOfLane(lane)).toBe(model);
        if (model.length < 200) expect(tierOfLane(lane)).toBe(tier);
      }),
    );
    expect(tierOfLane('gpt-5')).toBe('native');
    const lane = nativeLane('openai/gpt-5', 'chat', null);
    expect(isNativeLane(lane)).toBe(true);
    expect(lane).not.toBe(nativeLane('openai/gpt-5', 'chat', 'anthropic'));
    expect(isNativeLane(laneFrom('live', 'm'))).toBe(false);
  });

  it('are found again by the id of their part alone', () => {
    fc.assert(
      fc.property(fc.nat(2_000_000_000), (index) => {
        const id = 'part_0123456789abcdef01234567';
        expect(lineId(id, index)).toMatch(/^[\w-]{1,64}$/);
        expect(taskIndexOf(id, lineId(id, index))).toBe(index);
        expect(taskIndexOf('part_0123456789abcdef01234568', lineId(id, index))).toBeUndefined();
      }),
    );
    expect(taskIndexOf('part_a', 'part_a-1e3')).toBeUndefined();
    expect(taskIndexOf('part_a', 'task-1')).toBeUndefined();
  });
});
