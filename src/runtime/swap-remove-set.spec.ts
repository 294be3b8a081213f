import fc from 'fast-check';
import { SwapRemoveSet, type Entry } from './swap-remove-set.js';

describe('Roster', () => {
  it('holds what a set would, whatever comes and goes', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 20 })), (picks) => {
        const roster = new SwapRemoveSet<number>();
        const expected = new Map<number, Entry<number>>();
        picks.forEach((pick, number) => {
          const entry = [...expected.values()][pick];
          if (entry === undefined || pick % 3 === 0) {
            expected.set(number, roster.add(number));
          } else {
            expected.delete(entry.member);
            expect(roster.remove(entry)).toBe(true);
            expect(roster.remove(entry)).toBe(false);
          }
          expect([...roster].sort()).toEqual([...expected.keys()].sort());
          expect(roster.size).toBe(expected.size);
        });
      }),
    );
  });
});
