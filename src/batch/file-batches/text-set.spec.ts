import fc from 'fast-check';
import { TextSet } from './text-set.js';

describe('a set of texts', () => {
  it('adds each text once, in any order', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ maxLength: 3 }), { maxLength: 5_000 }), (texts) => {
        const set = new TextSet();
        const known = new Set<string>();
        for (const text of texts) {
          expect(set.add(text)).toBe(!known.has(text));
          known.add(text);
        }
        expect(set.size).toBe(known.size);
      }),
      { numRuns: 30 },
    );
  });

  it('keeps many', () => {
    const set = new TextSet();
    for (let index = 0; index < 50_000; index += 1) expect(set.add(`request-${index}`)).toBe(true);
    for (let index = 0; index < 50_000; index += 1) expect(set.add(`request-${index}`)).toBe(false);
  });
});
