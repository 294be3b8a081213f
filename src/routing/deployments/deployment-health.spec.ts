import fc from 'fast-check';
import { GatewayError, upstreamError } from '../../errors/gateway-error.js';
import { DeploymentHealth, type HealthEvent } from './deployment-health.js';

const KEY = 'key_a';
const OTHER = 'key_b';
const fault = upstreamError({ message: 'broken' });
const limited = new GatewayError({
  status: 429,
  type: 'rate_limit_error',
  code: 'rate_limit_exceeded',
  message: 'slow down',
  retryAfterMs: 5_000,
});

describe('DeploymentHealth', () => {
  let now: number;
  let health: DeploymentHealth;

  beforeEach(() => {
    now = 1_000;
    health = new DeploymentHealth({ now: () => now, random: () => 0 });
  });

  const fail = (times: number, error: GatewayError = fault): void => {
    for (let round = 0; round < times; round += 1) {
      health.begin(KEY);
      health.failed(error, KEY);
      health.end(10);
    }
  };

  it('opens after three failures in a row, and not when a response came in between', () => {
    fail(2);
    health.responded(0);
    fail(2);
    expect(health.breaker).toBe('closed');
    fail(1);
    expect(health.breaker).toBe('open');
    expect(health.canCall(KEY)).toBe(false);
    expect(health.opensIn).toBe(6_000);
  });

  it('lets one trial through after 6 s; a good one closes it', () => {
    fail(3);
    now += 6_000;
    expect(health.breaker).toBe('half_open');
    expect(health.canCall(KEY)).toBe(true);
    health.begin(KEY);
    expect(health.canCall(KEY)).toBe(false);
    health.responded(20);
    expect(health.breaker).toBe('closed');
    expect(health.canCall(KEY)).toBe(true);
  });

  it('stays open for a quarter longer after each failed trial, up to 300 s', () => {
    fail(3);
    const waits: number[] = [];
    for (let round = 0; round < 20; round += 1) {
      waits.push(Math.round(health.opensIn));
      now += health.opensIn;
      fail(1);
    }
    expect(waits.slice(0, 5)).toEqual([6_000, 7_500, 9_375, 11_719, 14_648]);
    expect(waits.slice(-2)).toEqual([300_000, 300_000]);
  });

  it('is not opened by 429, but waits for as long as the provider asked', () => {
    fail(10, limited);
    expect(health.breaker).toBe('closed');
    expect(health.wait).toBe(5_000);
    now += 5_000;
    expect(health.wait).toBe(0);
  });

  it('allows another trial after an abandoned one', () => {
    fail(3);
    now += 6_000;
    health.begin(KEY);
    health.recordNeutral(KEY);
    health.end(10);
    expect(health.canCall(KEY)).toBe(true);
    expect(health.inFlight).toBe(0);
  });

  it('averages the time to first byte and counts the last five minutes', () => {
    health.responded(100);
    health.responded(200);
    expect(health.firstByte).toBe(120);
    fail(1);
    expect(health.recent()).toMatchObject({ succeeded: 2, failed: 1 });
    now += 301_000;
    expect(health.recent()).toMatchObject({ succeeded: 0, failed: 0 });
  });

  it('notifies peers of openings, pauses and recovery once, and applies theirs', () => {
    const events: HealthEvent[] = [];
    health = new DeploymentHealth({ now: () => now, notify: (each) => events.push(each), random: () => 0 });
    fail(3, limited);
    fail(5);
    health.responded(10);
    health.responded(10);
    expect(events.map(({ kind }) => kind)).toEqual(['wait', 'open', 'closed']);
    health.applyPeerState({ kind: 'open', until: Date.now() + 60_000, openFor: 60_000 });
    expect(health.breaker).toBe('open');
    health.applyPeerState({ kind: 'open', until: Date.now() + 10_000, openFor: 30_000 });
    expect(health.opensIn).toBeGreaterThan(50_000);
    health.applyPeerState({ kind: 'wait', until: Date.now() + 10_000_000 });
    expect(health.wait).toBe(300_000);
    health.applyPeerState({ kind: 'closed' });
    expect(health.breaker).toBe('closed');
    expect(events).toHaveLength(3);
  });

  const failAs = (key: string, times = 1, error = fault): void => {
    for (let round = 0; round < times; round += 1) {
      health.begin(key);
      health.failed(error, key);
      health.end(1);
    }
  };

  it('opens for a key alone when no other key has failed, and a response to another key closes it', () => {
    failAs(KEY, 20);
    expect([health.canCall(KEY), health.canCall(OTHER)]).toEqual([false, true]);
    health.begin(OTHER);
    // Operators see the state for another key, once there is another.
    expect(health.breaker).toBe('closed');
    health.responded(5);
    expect(health.canCall(KEY)).toBe(true);
  });

  it('opens for every key when a second key fails too, however often the first one did', () => {
    failAs(KEY, 20);
    expect(health.canCall('key_c')).toBe(true);
    failAs(OTHER);
    expect([health.canCall(KEY), health.canCall(OTHER), health.canCall('key_c')]).toEqual([false, false, false]);
    expect(health.breaker).toBe('open');
  });

  it('opens for every key when no connection can be made', () => {
    failAs(KEY, 5, upstreamError({ message: 'refused', isConnectionFault: true }));
    expect(health.canCall(OTHER)).toBe(false);
  });

  it('forgets failures that are older than five minutes', () => {
    failAs(KEY, 2);
    now += 301_000;
    failAs(KEY, 2);
    expect(health.canCall(KEY)).toBe(true);
  });

  it('pauses for the key that was asked to, and for every key once a second one was asked', () => {
    failAs(KEY, 3, limited);
    expect([health.waitFor(KEY), health.waitFor(OTHER)]).toEqual([5_000, 0]);
    now += 1_000;
    failAs(OTHER, 1, limited);
    expect([health.waitFor(KEY), health.waitFor(OTHER), health.waitFor('key_c')]).toEqual([5_000, 5_000, 5_000]);
    now += 5_000;
    expect(health.waitFor('key_c')).toBe(0);
  });

  it('notifies other processes of the key, and treats openings of two keys as a provider failure', () => {
    const events: HealthEvent[] = [];
    health = new DeploymentHealth({ now: () => now, notify: (each) => events.push(each), random: () => 0 });
    failAs(KEY, 5);
    failAs(KEY, 1, limited);
    expect(events).toMatchObject([
      { kind: 'open', key: KEY },
      { kind: 'wait', key: KEY },
    ]);
    const peer = new DeploymentHealth({ now: () => now });
    for (const each of events) peer.applyPeerState(each);
    expect([peer.canCall(KEY), peer.canCall(OTHER)]).toEqual([false, true]);
    expect([peer.waitFor(OTHER), peer.breaker]).toEqual([0, 'open']);
    expect(peer.wait).toBeGreaterThan(4_000);
    peer.applyPeerState({ kind: 'open', until: Date.now() + 30_000, openFor: 30_000, key: OTHER });
    expect(peer.canCall('key_c')).toBe(false);
  });

  it('never keeps a second key from calling, for any behaviour of one key', () => {
    const step = fc.oneof(
      fc.constant<'fail'>('fail'),
      fc.constant<'limit'>('limit'),
      fc.constant<'neutral'>('neutral'),
      fc.constant<'response'>('response'),
      fc.integer({ min: 0, max: 400_000 }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        now = 1_000;
        health = new DeploymentHealth({ now: () => now, random: () => 0 });
        for (const each of steps) {
          if (typeof each === 'number') now += each;
          else if (health.canCall(KEY)) {
            health.begin(KEY);
            if (each === 'fail') health.failed(fault, KEY);
            else if (each === 'limit') health.failed(limited, KEY);
            else if (each === 'response') health.responded(1);
            else health.recordNeutral(KEY);
            health.end(1);
          }
          expect(health.canCall(OTHER)).toBe(true);
          expect(health.waitFor(OTHER)).toBe(0);
        }
      }),
    );
  });
});
