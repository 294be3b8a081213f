import fc from 'fast-check';
import { partSize } from './part-size.js';

/** The sizes of all parts of lines that wait. */
function sizesOf(waiting: number, bounds: { minLines: number; maxLines: number }): number[] {
  const sizes: number[] = [];
  for (let left = waiting; left > 0; left -= sizes.at(-1) ?? left) {
    sizes.push(Math.min(left, partSize(left, bounds)));
  }
  return sizes;
}

describe('the size of a part', () => {
  it.each([
    [90, 1, 40, [40, 40, 10]],
    [10_050, 100, 10_000, [9_950, 100]],
    [100, 100, 10_000, [100]],
    // Fewer go on to the next tier in any case.
    [99, 100, 10_000, [99]],
    [150, 100, 100, [100, 50]],
    [250, 100, 40, [100, 100, 50]],
  ])('%d lines in parts of %d to %d are %j', (waiting, minLines, maxLines, sizes) => {
    expect(sizesOf(waiting, { minLines, maxLines })).toEqual(sizes);
  });

  it('leaves no part too small where there are lines enough for parts of twice the least size', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 5_000 }),
        (minLines, factor, waiting) => {
          const maxLines = minLines * (factor + 1);
          const sizes = sizesOf(waiting, { minLines, maxLines });
          expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(waiting);
          expect(Math.max(...sizes)).toBeLessThanOrEqual(maxLines);
          if (waiting >= minLines) expect(Math.min(...sizes)).toBeGreaterThanOrEqual(minLines);
        },
      ),
    );
  });
});
