import fc from 'fast-check';
import { type Login, LoginCache } from './login-cache.js';

const HOUR_MS = 3_600_000;

/** A login whose outcome the test decides, on a clock that the test moves. */
class Scene {
  time = 1_000_000;
  logins = 0;
  open: { resolve: (login: Login<string>) => void; reject: (reason: Error) => void }[] = [];
  readonly cache = new LoginCache<string>(
    () => {
      this.logins += 1;
      return new Promise((resolve, reject) => this.open.push({ resolve, reject }));
    },
    () => this.time,
    () => this.time,
  );

  async succeed(lifetimeMs = HOUR_MS, refreshAt?: number): Promise<void> {
    const login = { value: `value-${this.logins}`, expiresAt: this.time + lifetimeMs };
    this.open.shift()!.resolve(refreshAt === undefined ? login : { ...login, refreshAt });
    await settled();
  }

  async fail(): Promise<void> {
    this.open.shift()!.reject(new Error(`failure-${this.logins}`));
    await settled();
  }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a cache of one login', () => {
  it('logs in once for all calls that come meanwhile, and then has the value at once', async () => {
    const scene = new Scene();
    const calls = Array.from({ length: 50 }, async () => scene.cache.get());
    expect(scene.logins).toBe(1);
    await scene.succeed();
    expect(await Promise.all(calls)).toEqual(Array.from({ length: 50 }, () => 'value-1'));
    expect(scene.cache.get()).toBe('value-1');
    expect(scene.logins).toBe(1);
  });

  it('renews the value before it expires, once, while calls use the one before', async () => {
    const scene = new Scene();
    void scene.cache.get();
    await scene.succeed();
    scene.time += HOUR_MS - 300_001;
    expect(scene.cache.get()).toBe('value-1');
    expect(scene.logins).toBe(1);
    scene.time += 1;
    expect([scene.cache.get(), scene.cache.get()]).toEqual(['value-1', 'value-1']);
    expect(scene.logins).toBe(2);
    await scene.succeed();
    expect(scene.cache.get()).toBe('value-2');
  });

  it('uses the value until it expires where it cannot be renewed, asks again only after a pause, and then fails', async () => {
    const scene = new Scene();
    void scene.cache.get();
    await scene.succeed();
    scene.time += HOUR_MS - 200_000;
    expect(scene.cache.get()).toBe('value-1');
    await scene.fail();
    expect(scene.cache.get()).toBe('value-1');
    expect(scene.logins).toBe(2);
    scene.time += 10_000;
    expect(scene.cache.get()).toBe('value-1');
    expect(scene.logins).toBe(3);
    await scene.fail();
    scene.time += 190_000;
    const late = scene.cache.get();
    expect(late).toBeInstanceOf(Promise);
    const outcome = expect(late).rejects.toThrow('failure-4');
    await scene.fail();
    await outcome;
  });

  it('gives the reason of a failed login to calls of the next second, and then logs in again', async () => {
    const scene = new Scene();
    const first = Promise.allSettled([0, 1].map(async () => scene.cache.get()));
    await scene.fail();
    expect((await first).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(scene.cache.get()).rejects.toThrow('failure-1');
    expect(scene.logins).toBe(1);
    scene.time += 1_000;
    const second = scene.cache.get();
    await scene.succeed();
    expect(await second).toBe('value-2');
  });

  it('renews a value without an expiry at its own time', async () => {
    const scene = new Scene();
    void scene.cache.get();
    await scene.succeed(Infinity, scene.time + 60_000);
    scene.time += 59_999;
    expect(scene.cache.get()).toBe('value-1');
    expect(scene.logins).toBe(1);
    scene.time += 1;
    expect(scene.cache.get()).toBe('value-1');
    expect(scene.logins).toBe(2);
    await scene.fail();
    scene.time += HOUR_MS * 1_000;
    expect(scene.cache.get()).toBe('value-1');
  });

  it('replaces a value that a provider refused, once for calls that come together, and not again for a while', async () => {
    const scene = new Scene();
    void scene.cache.get();
    await scene.succeed();
    const replaced = Promise.all([scene.cache.replace('value-1'), scene.cache.replace('value-1')]);
    expect(scene.cache.get()).toBe('value-1');
    await scene.succeed();
    expect(await replaced).toEqual([true, true]);
    expect(scene.logins).toBe(2);
    // A call that was refused later, with the value before.
    expect(await scene.cache.replace('value-1')).toBe(true);
    scene.time += 29_999;
    expect(await scene.cache.replace('value-2')).toBe(false);
    expect(scene.logins).toBe(2);
    scene.time += 1;
    const failed = scene.cache.replace('value-2');
    await scene.fail();
    expect(await failed).toBe(false);
    expect(scene.cache.get()).toBe('value-2');
  });

  it('does not replace a value that never changes, or by one that is the same', async () => {
    const fixed = new Scene();
    void fixed.cache.get();
    await fixed.succeed(Infinity);
    expect(await fixed.cache.replace('value-1')).toBe(false);
    expect(fixed.logins).toBe(1);
    const same = new LoginCache(() => Promise.resolve({ value: { token: 'a' }, expiresAt: Date.now() + HOUR_MS }));
    expect(await same.replace(await same.get())).toBe(false);
  });

  it('never gives an expired value, never has two logins in flight, and never loses a value that can be used', async () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('get' as const) }),
      fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 5_000_000 }) }),
      fc.record({ kind: fc.constant('succeed' as const), ms: fc.integer({ min: 1, max: 4_000_000 }) }),
      fc.record({ kind: fc.constant('fail' as const) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const scene = new Scene();
        const expiries = new Map<string, number>();
        for (const each of steps) {
          if (each.kind === 'wait') scene.time += each.ms;
          else if (each.kind === 'succeed' && scene.open.length > 0) {
            expiries.set(`value-${scene.logins}`, scene.time + each.ms);
            await scene.succeed(each.ms);
          } else if (each.kind === 'fail' && scene.open.length > 0) await scene.fail();
          else if (each.kind === 'get') {
            const value = scene.cache.get();
            if (typeof value === 'string') expect(expiries.get(value)).toBeGreaterThan(scene.time);
            else {
              value.catch(() => undefined);
              const usable = [...expiries.values()].at(-1) ?? 0;
              expect(usable - scene.time).toBeLessThanOrEqual(10_000);
            }
          }
          expect(scene.open.length).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});
