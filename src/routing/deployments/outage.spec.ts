import fc from 'fast-check';
import { DEFAULT_HEALTH } from '../../config/settings/health.js';
import { GatewayError, upstreamError } from '../../errors/gateway-error.js';
import { DeploymentHealth, type HealthEvent } from './deployment-health.js';
import { SlowStart } from './slow-start.js';

const KEY = 'key_a';
const fault = upstreamError({ message: 'broken' });

/** Requests at an even rate, for which another deployment stands in, while this one is down for a time. */
function passOutage({ intervalMs, outageMs, random }: { intervalMs: number; outageMs: number; random: number }) {
  let now = 0;
  const health = new DeploymentHealth({ now: () => now, random: () => random });
  let felt = 0;
  for (; ; now += intervalMs) {
    if (!health.canCall(KEY)) continue;
    health.begin(KEY);
    if (now >= outageMs) {
      health.responded(0);
      return { felt, backAfterMs: now - outageMs };
    }
    felt += 1;
    health.failed(fault, KEY);
    health.end(0);
  }
}

describe('an outage', () => {
  it('of 6 s is felt by three requests at most, and over for the gateway within 5 s, without any test', () => {
    const random = fc.double({ min: 0, max: 0.999, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 20, max: 1_200 }), random, (intervalMs, drawn) => {
        const { felt, backAfterMs } = passOutage({ intervalMs, outageMs: 6_000, random: drawn });
        expect(felt).toBeLessThanOrEqual(3);
        expect(backAfterMs).toBeLessThanOrEqual(5_000);
      }),
    );
  });

  it('that lasts is over for the gateway within a quarter of it and one pause, and felt by few', () => {
    const outage = fc.integer({ min: 1_000, max: 3_600_000 });
    const random = fc.double({ min: 0, max: 0.999, noNaN: true });
    fc.assert(
      fc.property(fc.integer({ min: 100, max: 5_000 }), outage, random, (intervalMs, outageMs, drawn) => {
        const { felt, backAfterMs } = passOutage({ intervalMs, outageMs, random: drawn });
        expect(backAfterMs).toBeLessThanOrEqual(1.1 * (outageMs / 4 + 6_000) + intervalMs);
        const growing = Math.log(outageMs / 24_000 + 1) / Math.log(1.25);
        expect(felt).toBeLessThanOrEqual(3 + growing + outageMs / 300_000);
      }),
    );
  });
});

describe('trials', () => {
  let now: number;
  let events: HealthEvent[];
  let health: DeploymentHealth;
  const settings = { ...DEFAULT_HEALTH, quotaPause: 60_000 };

  beforeEach(() => {
    now = 100_000;
    events = [];
    health = new DeploymentHealth({
      now: () => now,
      random: () => 0,
      notify: (event) => events.push(event),
      settings: () => settings,
    });
  });

  function fail(times: number, error: GatewayError = fault, held = 0): void {
    for (let round = 0; round < times; round += 1) {
      health.begin(KEY);
      health.failed(error, KEY, held);
      health.end(held);
    }
  }

  it('are one at a time, and a trial without an outcome does not keep others from trying without end', () => {
    fail(3);
    now += 6_000;
    const trials = Array.from({ length: 50 }, () => {
      const may = health.canCall(KEY);
      if (may) health.begin(KEY);
      return may;
    });
    expect(trials.filter(Boolean)).toHaveLength(1);
    now += 15_000;
    expect(health.canCall(KEY)).toBe(true);
  });

  it('are not failed by calls that began before the pause', () => {
    fail(3);
    now += 6_000;
    fail(5, fault, 20_000);
    expect(health.breaker).toBe('half_open');
    fail(1);
    expect([health.breaker, health.opensIn]).toEqual(['open', 7_500]);
  });

  it('are not needed where calls that hung during an outage fail after others have succeeded', () => {
    health.begin(KEY);
    health.responded(100);
    fail(10, fault, 30_000);
    expect(health.breaker).toBe('closed');
    fail(3);
    expect(health.breaker).toBe('open');
  });

  it('wait for tests that fail, and follow one that succeeds at once', () => {
    fail(3);
    now += 5_900;
    health.circuit.postpone(4_000);
    now += 3_900;
    expect(health.canCall(KEY)).toBe(false);
    health.circuit.allowTrial();
    expect([health.breaker, health.canCall(KEY)]).toEqual(['half_open', true]);
    health.circuit.postpone(1);
    health.responded(0);
    health.circuit.postpone(60_000);
    expect(health.canCall(KEY)).toBe(true);
  });

  it('come first from the process that has seen the failures', () => {
    fail(3);
    const [opened] = events;
    for (const random of [0.001, 0.5, 0.99]) {
      const peer = new DeploymentHealth({ now: () => now, random: () => random });
      peer.applyPeerState(opened!);
      expect(peer.opensIn).toBeGreaterThan(health.opensIn - 5);
      expect(peer.opensIn).toBeLessThan(health.opensIn + 2_005);
    }
  });

  describe('of an account without quota', () => {
    const spent = (retryAfterMs?: number, status = 502): GatewayError =>
      new GatewayError({
        status,
        type: 'server_error',
        code: 'upstream_error',
        message: 'no credit',
        retryable: true,
        isOutOfQuota: true,
        ...(retryAfterMs !== undefined && { retryAfterMs }),
      });

    it('begin when the provider said, or after the pause of the settings, for every key', () => {
      for (const [error, pause] of [
        [spent(), 60_000],
        [spent(3_600_000), 3_600_000],
        [spent(7 * 86_400_000), 86_400_000],
      ] as const) {
        health = new DeploymentHealth({ now: () => now, settings: () => settings });
        fail(1, error);
        expect([health.quotaPause, health.canCall(KEY), health.canCall('key_b')]).toEqual([pause, false, false]);
        expect(health.breaker).toBe('closed');
        now += pause;
        expect([health.canCall('key_b'), health.isResting]).toEqual([true, false]);
        health.begin('key_b');
        expect(health.canCall(KEY)).toBe(false);
        health.responded(0);
        expect(health.canCall(KEY)).toBe(true);
      }
    });

    it('take the reset of the headers where the response names no time', () => {
      health.onHeaders({ 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '90s' });
      fail(1, spent());
      expect(health.quotaPause).toBe(90_000);
    });

    it('are notified to other processes once, and ended by a response to a call that began later alone', () => {
      fail(20, spent());
      expect(events.map(({ kind }) => kind)).toEqual(['quota']);
      const peer = new DeploymentHealth({ now: () => now });
      for (const event of events) peer.applyPeerState(event);
      expect([peer.canCall(KEY), Math.round(peer.quotaPause / 100)]).toEqual([false, 600]);
      now += 1_000;
      health.responded(5_000);
      expect(health.canCall(KEY)).toBe(false);
      health.responded(500);
      expect(health.canCall(KEY)).toBe(true);
      expect(events.map(({ kind }) => kind)).toEqual(['quota', 'closed']);
      peer.applyPeerState({ kind: 'closed' });
      expect(peer.canCall(KEY)).toBe(true);
    });
  });

  describe('after a limit of the provider', () => {
    it('wait for the reset of each limit, and for none that has something left', () => {
      const limits = [
        { 'x-ratelimit-remaining-requests': '0', 'x-ratelimit-reset-requests': '20s' },
        { 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': '1m0s' },
      ];
      for (const headers of limits) health.onHeaders(headers);
      expect(health.limits.left).toBe(60_000);
      expect(events.map(({ kind }) => kind)).toEqual(['limit', 'limit']);
      health.onHeaders({ 'x-ratelimit-remaining-tokens': '12', 'x-ratelimit-reset-tokens': '1s' });
      expect(health.limits.left).toBe(20_000);
      now += 20_000;
      expect(health.limits.left).toBe(0);
    });

    it('apply in other processes, until a response there says otherwise', () => {
      health.applyPeerState({ kind: 'limit', until: Date.now() + 30_000 });
      expect(health.limits.left).toBeGreaterThan(29_000);
      health.onHeaders({ 'x-ratelimit-remaining-tokens': '5' });
      expect(health.limits.left).toBe(0);
    });

    it('ignore limits without a reset that can be read', () => {
      health.onHeaders({ 'x-ratelimit-remaining-tokens': '0', 'x-ratelimit-reset-tokens': 'soon' });
      health.onHeaders({ 'x-ratelimit-remaining-requests': '0' });
      expect(health.limits.left).toBe(0);
    });
  });

  it('are followed by a share that grows', () => {
    fail(3);
    expect(health.share).toBe(1);
    health.responded(0);
    expect(health.share).toBeCloseTo(0.1);
    now += 5_000;
    expect(health.share).toBeCloseTo(0.55);
    now += 5_000;
    expect(health.share).toBe(1);
    expect(
      new SlowStart(
        () => now,
        () => 0,
      ).share,
    ).toBe(1);
  });
});
