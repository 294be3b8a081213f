import { jest } from '@jest/globals';
import { KeyCache } from './key-cache.js';
import type { Principal } from './principal.js';

const PRINCIPAL = { keyId: 'key_1' } as Principal;
const NEVER = Number.MAX_SAFE_INTEGER;
const HOUR_MS = 3_600_000;

describe('cached keys', () => {
  let monotonic = 0;
  let wall = 0;

  beforeEach(() => {
    monotonic = 50_000;
    wall = 1_800_000_000_000;
    jest.spyOn(performance, 'now').mockImplementation(() => monotonic);
    jest.spyOn(Date, 'now').mockImplementation(() => wall);
  });
  afterEach(() => jest.restoreAllMocks());

  function pass(milliseconds: number): void {
    monotonic += milliseconds;
    wall += milliseconds;
  }

  function cached(endsAt = NEVER): KeyCache {
    const cache = new KeyCache();
    cache.set('a', { principal: PRINCIPAL, keyIds: ['key_1', 'key_0'], checkedAt: monotonic, endsAt });
    return cache;
  }

  it('are fresh, then aging, then stale, then gone', () => {
    const cache = cached();
    const states = [0, 2_400, 200, 2_300, 200, 59_000, 2_000].map((milliseconds) => {
      pass(milliseconds);
      return cache.get('a')?.state;
    });
    expect(states).toEqual(['fresh', 'fresh', 'aging', 'aging', 'stale', 'stale', undefined]);
  });

  it.each([-24 * HOUR_MS, -HOUR_MS, -6_000, 6_000, 24 * HOUR_MS])(
    'age the same when the clock is set by %d ms',
    (step) => {
      const cache = cached();
      pass(1_000);
      wall += step;
      expect(cache.get('a')?.state).toBe('fresh');
      pass(4_500);
      expect(cache.get('a')?.state).toBe('stale');
      pass(60_000);
      expect(cache.get('a')).toBeUndefined();
    },
  );

  it('end by expiry although the clock was set back meanwhile', () => {
    const cache = cached(wall + 2_000);
    pass(1_000);
    wall -= HOUR_MS;
    expect(cache.get('a')?.state).toBe('fresh');
    pass(1_100);
    expect(cache.get('a')?.state).toBe('ended');
  });

  it('are looked up again some time after their end, which may have been put off', () => {
    const cache = cached(wall + 1_000);
    pass(2_000);
    expect(cache.get('a')?.state).toBe('ended');
    pass(3_500);
    expect(cache.get('a')).toBeUndefined();
  });

  it('are forgotten with the key that made them', () => {
    const cache = cached();
    cache.deleteOf('key_2');
    expect(cache.get('a')).toBeDefined();
    cache.deleteOf('key_0');
    expect(cache.get('a')).toBeUndefined();
  });
});
