import fc from 'fast-check';
import { SwapRemoveSet, type Entry } from './swap-remove-set.js';

describe('SwapRemoveSet', () => {
  it('has the content of a Set after any additions and removals', () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 20 })), (picks) => {
        const members = new SwapRemoveSet<number>();
        const expected = new Map<number, Entry<number>>();
        picks.forEach((pick, number) => {
          const entry = [...expected.values()][pick];
          if (entry === undefined || pick % 3 === 0) {
            expected.set(number, members.add(number));
          } else {
            expected.delete(entry.member);
            expect(members.remove(entry)).toBe(true);
            expect(members.remove(entry)).toBe(false);
          }
          expect([...members].sort()).toEqual([...expected.keys()].sort());
          expect(members.size).toBe(expected.size);
        });
      }),
    );
  });
});
