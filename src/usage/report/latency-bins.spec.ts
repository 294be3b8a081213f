import fc from 'fast-check';
import { binOfValue, percentilesOf } from './latency-bins.js';

function counted(values: readonly number[]): Map<number, number> {
  const counts = new Map<number, number>();
  for (const value of values) counts.set(binOfValue(value), (counts.get(binOfValue(value)) ?? 0) + 1);
  return counts;
}

describe('percentiles of counted measurements', () => {
  it('are null where there are none', () => {
    expect(percentilesOf(new Map())).toEqual({ p50: null, p95: null, p99: null });
  });

  it('are within one bin of the exact ones, and in order', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 600_000 }), { minLength: 1, maxLength: 300 }), (values) => {
        const sorted = [...values].sort((one, other) => one - other);
        const { p50, p95, p99 } = percentilesOf(counted(values));
        const exact = (share: number): number => sorted[Math.ceil(share * sorted.length) - 1]!;
        for (const [found, share] of [
          [p50!, 0.5],
          [p95!, 0.95],
          [p99!, 0.99],
        ] as const) {
          expect(found).toBeGreaterThanOrEqual(Math.floor(exact(share) / 1.16));
          expect(found).toBeLessThanOrEqual(Math.ceil(exact(share) * 1.16));
        }
        expect(p50!).toBeLessThanOrEqual(p95!);
        expect(p95!).toBeLessThanOrEqual(p99!);
      }),
    );
  });
});
