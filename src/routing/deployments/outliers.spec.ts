import fc from 'fast-check';
import type { Deployment } from '../resolved-model.js';
import { Ejections } from './ejections.js';
import { findOutliers, type DeploymentStats } from './outliers.js';

const RULES = { errorRate: 0.3, latencyFactor: 3, minCalls: 20, maxShare: 0.5 };

function stats(id: string, succeeded: number, failed: number, firstByte?: number, isEjected = false): DeploymentStats {
  return { id, succeeded, failed, firstByte, isEjected };
}

describe('findOutliers', () => {
  it('finds the deployment that fails more often than the others', () => {
    expect(findOutliers([stats('a', 10, 20), stats('b', 30, 0), stats('c', 29, 1)], RULES)).toEqual([
      { id: 'a', reason: 'errors' },
    ]);
  });

  it('finds the deployment that is slower than the others, where that is asked for', () => {
    const all = [stats('a', 30, 0, 2_000), stats('b', 30, 0, 300), stats('c', 30, 0, 350)];
    expect(findOutliers(all, RULES)).toEqual([{ id: 'a', reason: 'latency' }]);
    expect(findOutliers(all, { ...RULES, latencyFactor: undefined })).toEqual([]);
    expect(findOutliers([stats('a', 30, 0, 40), stats('b', 30, 0, 10)], RULES)).toEqual([]);
  });

  it('ejects nothing where all fail alike, where calls are few, and where nothing can be compared', () => {
    expect(findOutliers([stats('a', 0, 50), stats('b', 0, 50)], RULES)).toEqual([]);
    expect(findOutliers([stats('a', 0, 19), stats('b', 50, 0)], RULES)).toEqual([]);
    expect(findOutliers([stats('a', 0, 50), stats('b', 10, 0)], RULES)).toEqual([]);
    expect(findOutliers([stats('a', 0, 50)], RULES)).toEqual([]);
    expect(findOutliers([stats('a', 0, 50), stats('b', 50, 0)], { ...RULES, errorRate: 1 })).toEqual([]);
  });

  it('keeps within the largest share, always leaves one, and ejects only what is worse, for any calls', () => {
    const one = fc.record({
      succeeded: fc.nat(60),
      failed: fc.nat(60),
      firstByte: fc.option(fc.integer({ min: 1, max: 20_000 }), { nil: undefined }),
      isEjected: fc.boolean(),
    });
    const rules = fc.record({
      errorRate: fc.double({ min: 0, max: 1, noNaN: true }),
      latencyFactor: fc.option(fc.double({ min: 1.5, max: 10, noNaN: true }), { nil: undefined }),
      minCalls: fc.integer({ min: 1, max: 40 }),
      maxShare: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(one, { minLength: 1, maxLength: 8 }), rules, (values, each) => {
        const all = values.map((value, index) => ({ id: `p/${index}`, ...value }));
        const before = all.filter(({ isEjected }) => isEjected).length;
        const found = findOutliers(all, each);
        expect(new Set(found.map(({ id }) => id)).size).toBe(found.length);
        if (found.length === 0) return;
        expect(before + found.length).toBeLessThan(all.length);
        expect(before + found.length).toBeLessThanOrEqual(all.length * each.maxShare);
        for (const { id, reason } of found) {
          const ejected = all.find((candidate) => candidate.id === id)!;
          expect(ejected.isEjected).toBe(false);
          expect(ejected.succeeded + ejected.failed).toBeGreaterThanOrEqual(each.minCalls);
          if (reason === 'errors') expect(ejected.failed).toBeGreaterThan(0);
        }
      }),
    );
  });
});

describe('Ejections', () => {
  const TIMES = { firstTime: 1_000, maxTime: 5_000 };
  let now: number;
  let ejections: Ejections;
  const order = ['a', 'b', 'c'].map((id) => ({ id }) as Deployment);
  const idsOf = (deployments: readonly Deployment[]): string => deployments.map(({ id }) => id).join('');

  beforeEach(() => {
    now = 0;
    ejections = new Ejections(() => now);
  });

  it('puts what is ejected from a model at the end, and leaves other models alone', () => {
    ejections.eject('fast', 'a', 'errors', TIMES);
    expect(idsOf(ejections.toEnd('fast', order))).toBe('bca');
    expect(idsOf(ejections.toEnd('smart', order))).toBe('abc');
    now = 1_000;
    expect(idsOf(ejections.toEnd('fast', order))).toBe('abc');
  });

  it('never loses a deployment, whichever are ejected', () => {
    fc.assert(
      fc.property(fc.subarray(['a', 'b', 'c']), (ids) => {
        const fresh = new Ejections(() => 0);
        for (const id of ids) fresh.eject('fast', id, 'latency', TIMES);
        const ordered = idsOf(fresh.toEnd('fast', order));
        expect([...ordered].sort().join('')).toBe('abc');
        expect(ordered.endsWith(ids.join(''))).toBe(true);
      }),
    );
  });

  it('lasts longer each time, up to a limit, and is forgotten after a quiet time', () => {
    const lengths: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      ejections.eject('fast', 'a', 'errors', TIMES);
      lengths.push(ejections.left('fast', 'a'));
      now += ejections.left('fast', 'a');
      expect(ejections.sweep(() => true, 10_000)).toEqual(['a']);
      expect(ejections.sweep(() => true, 10_000)).toEqual([]);
    }
    expect(lengths).toEqual([1_000, 2_000, 4_000, 5_000, 5_000]);
    now += 10_000;
    ejections.sweep(() => true, 10_000);
    ejections.eject('fast', 'a', 'errors', TIMES);
    expect(ejections.left('fast', 'a')).toBe(1_000);
    expect(ejections.counts.get('a')).toEqual({ errors: 6, latency: 0 });
  });

  it('forgets models that are gone', () => {
    ejections.eject('fast', 'a', 'errors', TIMES);
    ejections.sweep(() => false, 10_000);
    expect(ejections.has('fast', 'a')).toBe(false);
  });
});
