import { HeldShares } from './held-shares.js';
import type { NanoDollars } from '../../runtime/nano-dollars.js';

const most = (nanos: number): NanoDollars => nanos as NanoDollars;
const SHARED = { slots: 2, startsUntil: Infinity, isFull: false, isShared: true };

describe('what a process holds of jobs with limits', () => {
  it('counts tasks and their highest cost until they end', () => {
    const held = new HeldShares();
    held.admit(
      'a',
      [
        { taskIndex: 0, most: most(5) },
        { taskIndex: 1, most: most(7) },
      ],
      SHARED,
    );
    held.admit('b', [{ taskIndex: 0, most: most(1) }], SHARED);
    held.reserve({ jobId: 'a', taskIndex: 0 }, 5);
    expect([held.count('a'), held.reserved('a'), held.slots('a'), held.reserved('b')]).toEqual([2, 17, 2, 1]);
    expect(held.end({ jobId: 'a', taskIndex: 0 })).toBe(true);
    expect(held.end({ jobId: 'a', taskIndex: 0 })).toBe(false);
    expect([held.count('a'), held.reserved('a')]).toEqual([1, 7]);
    expect([held.count('none'), held.slots('none'), held.reserved('none')]).toEqual([0, Infinity, 0]);
  });

  it('does not claim of a full job before something of it has ended', () => {
    const held = new HeldShares();
    held.admit('a', [{ taskIndex: 0, most: most(0) }], { ...SHARED, isFull: true });
    expect(held.isBlocked('a')).toBe(true);
    held.end({ jobId: 'a', taskIndex: 0 });
    expect(held.isBlocked('a')).toBe(false);
    expect(held.isBlocked('b')).toBe(false);
  });

  it('keeps the time until which each task may start', () => {
    const held = new HeldShares();
    held.admit('a', [{ taskIndex: 0, most: most(0) }], { ...SHARED, startsUntil: -1, isShared: false });
    held.admit('a', [{ taskIndex: 1, most: most(0) }], { ...SHARED, isShared: false });
    const mayStart = [0, 1, 2].map((taskIndex) => held.mayStart({ jobId: 'a', taskIndex }));
    expect(mayStart).toEqual([false, true, true]);
    // Other processes have no use for it.
    expect(held.end({ jobId: 'a', taskIndex: 0 })).toBe(false);
    expect(held.end({ jobId: 'a', taskIndex: 1 })).toBe(false);
    expect(held.jobIds).toEqual([]);
  });
});
