import fc from 'fast-check';
import type { JobPriority } from './batch-job.entity.js';
import { lanesOfTurn, tasksPerLane } from './lanes-of-turn.js';

const lane = fc.record({
  group: fc.constantFrom('a', 'b', 'c', 'd'),
  priority: fc.constantFrom<JobPriority>('high', 'normal', 'low'),
  waiting: fc.integer({ min: 1, max: 40 }),
});
const options = fc.record({ slots: fc.integer({ min: 1, max: 64 }), perLane: fc.integer({ min: 1, max: 8 }) });

/** The same numbers in each run. */
function sequence(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647;
}

describe('the lanes of a claim', () => {
  it('are spread while tasks are long, and few while they are short', () => {
    expect([0, 1, 3, 4, 8, 16, 32, 1_000].map(tasksPerLane)).toEqual([1, 1, 1, 1, 2, 4, 8, 8]);
  });

  it('are some of those that there are, in their order, of each group as many as fill its part', () => {
    fc.assert(
      fc.property(fc.array(lane, { maxLength: 40 }), options, (lanes, { slots, perLane }) => {
        const chosen = lanesOfTurn(lanes, { slots, perLane });
        expect(chosen).toEqual(lanes.filter((each) => chosen.includes(each)));
        const groups = new Set(lanes.map(({ group }) => group));
        const part = Math.ceil(slots / groups.size);
        for (const name of groups) {
          const all = lanes.filter(({ group }) => group === name);
          const mine = chosen.filter(({ group }) => group === name);
          const sum = mine.reduce((total, { waiting }) => total + Math.min(waiting, perLane), 0);
          if (mine.length < all.length) expect(sum).toBeGreaterThanOrEqual(part);
          // The last one was needed.
          const most = Math.max(0, ...mine.map(({ waiting }) => Math.min(waiting, perLane)));
          if (perLane > 1) expect(sum - most).toBeLessThan(part);
        }
      }),
    );
  });

  it('come in turn: over many claims each as often as its priority says', () => {
    const lanes = (['high', 'normal', 'low', 'normal'] as const).map((priority) => ({
      group: 'a',
      priority,
      waiting: 1_000,
    }));
    const random = sequence(7);
    const firsts = new Map(lanes.map((each) => [each, 0]));
    for (let turn = 0; turn < 9_000; turn += 1) {
      const [first] = lanesOfTurn(lanes, { slots: 8, perLane: 8, random });
      if (first !== undefined) firsts.set(first, (firsts.get(first) ?? 0) + 1);
    }
    const shares = [...firsts.values()].map((count) => count / 1_000);
    [4, 2, 1, 2].forEach((weight, index) => expect(shares[index]).toBeCloseTo(weight, 0));
  });
});
