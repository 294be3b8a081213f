import fc from 'fast-check';
import { PERIODS } from '../auth/spending.js';
import { periodAt } from './period.js';

const at = (text: string): number => Date.parse(text);

describe('periodAt', () => {
  it.each([
    ['day', '2026-11-23T23:59:59.999Z', '2026-11-23', '2026-11-23T00:00:00Z', '2026-11-24T00:00:00Z'],
    ['week', '2026-11-22T12:00:00Z', '2026-11-16', '2026-11-16T00:00:00Z', '2026-11-23T00:00:00Z'],
    ['week', '2026-11-23T00:00:00Z', '2026-11-23', '2026-11-23T00:00:00Z', '2026-11-30T00:00:00Z'],
    ['month', '2024-02-29T12:00:00Z', '2024-02', '2024-02-01T00:00:00Z', '2024-03-01T00:00:00Z'],
    ['month', '2026-12-31T12:00:00Z', '2026-12', '2026-12-01T00:00:00Z', '2027-01-01T00:00:00Z'],
  ] as const)('finds the %s of %s', (period, time, name, start, end) => {
    expect(periodAt(period, at(time))).toEqual({ name, start: at(start), end: at(end) });
  });

  it('covers every moment once, and names each period by itself', () => {
    fc.assert(
      fc.property(fc.constantFrom(...PERIODS), fc.integer({ min: 0, max: 4_102_444_800_000 }), (period, time) => {
        const { name, start, end } = periodAt(period, time);
        expect(start <= time && time < end).toBe(true);
        expect(periodAt(period, start).name).toBe(name);
        if (end !== Infinity) {
          expect(periodAt(period, end - 1).name).toBe(name);
          expect(periodAt(period, end).start).toBe(end);
          expect(periodAt(period, end).name).not.toBe(name);
        }
      }),
    );
  });
});
