import fc from 'fast-check';
import { barOf, lineOf, Progress, type JobCounts } from './progress.js';

const NOTHING: JobCounts = {
  status: 'in_progress',
  total: 1_000,
  succeeded: 0,
  failed: 0,
  cancelled: 0,
  expired: 0,
  waitsFor: undefined,
  waitsUntil: undefined,
};

describe('the progress of a batch', () => {
  it.each([
    [40, '[#####-------]  45%  450/1000  3 failed'],
    [120, '[##################----------------------]  45%  450/1000  3 failed  41/s  14s left'],
  ])('fits %i columns', (columns, shown) => {
    expect(barOf({ ...NOTHING, succeeded: 447, failed: 3 }, 41, columns)).toBe(shown);
  });

  it('is one line in any terminal, for any counts', () => {
    const count = fc.nat(2_000_000);
    fc.assert(
      fc.property(
        fc.record({ succeeded: count, failed: count, cancelled: count, expired: count, total: count }),
        fc.integer({ min: 1, max: 300 }),
        fc.option(fc.double({ min: 0.001, max: 1e6, noNaN: true }), { nil: undefined }),
        fc.constantFrom('in_progress', 'completed', 'cancelled'),
        (counts, columns, rate, status) => {
          const total = counts.succeeded + counts.failed + counts.cancelled + counts.expired + counts.total;
          const bar = barOf({ ...NOTHING, ...counts, total, status }, rate, columns);
          expect(bar.length).toBeLessThanOrEqual(Math.max(1, columns - 1));
          expect(bar).not.toMatch(/[\n\r]/);
        },
      ),
    );
  });

  it('is a few lines where it is not shown in a terminal', () => {
    const written: string[] = [];
    let now = 0;
    const progress = new Progress({ write: (text) => written.push(text) }, NOTHING, () => now);
    for (let ended = 0; ended <= 1_000; ended += 10) {
      now += 500;
      progress.show({ ...NOTHING, succeeded: ended });
    }
    progress.end({ ...NOTHING, status: 'completed', succeeded: 1_000 });
    expect(written.at(0)).toBe('in_progress 0/1000\n');
    expect(written.at(-1)).toBe('completed 1000/1000\n');
    expect(written.length).toBeLessThan(9);
  });

  it('says what a job waits for', () => {
    expect(lineOf({ ...NOTHING, waitsFor: 'window', waitsUntil: 1_767_225_600 })).toBe(
      'in_progress 0/1000, waits until 2026-01-01T00:00Z',
    );
    expect(lineOf({ ...NOTHING, waitsFor: 'paused' })).toBe('in_progress 0/1000, paused');
  });
});
