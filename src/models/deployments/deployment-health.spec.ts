import { GatewayError, upstreamError } from '../../errors/gateway-error.js';
import { DeploymentHealth, type HealthNews } from './deployment-health.js';

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
    health = new DeploymentHealth(() => now);
  });

  const fail = (times: number, error: GatewayError = fault): void => {
    for (let round = 0; round < times; round += 1) {
      health.begin();
      health.failed(error);
      health.end(10);
    }
  };

  it('opens after five failures in a row, and not when an answer came between', () => {
    fail(4);
    health.answered(10);
    fail(4);
    expect(health.breaker).toBe('closed');
    fail(1);
    expect(health.breaker).toBe('open');
    expect(health.admits).toBe(false);
    expect(health.opensIn).toBe(30_000);
  });

  it('lets one probe through after 30 s; a good one closes it', () => {
    fail(5);
    now += 30_000;
    expect(health.breaker).toBe('half_open');
    expect(health.admits).toBe(true);
    health.begin();
    expect(health.admits).toBe(false);
    health.answered(20);
    expect(health.breaker).toBe('closed');
    expect(health.admits).toBe(true);
  });

  it('stays open for twice as long after each failed probe, up to 300 s', () => {
    fail(5);
    const waits: number[] = [];
    for (let round = 0; round < 6; round += 1) {
      waits.push(health.opensIn);
      now += health.opensIn;
      fail(1);
    }
    expect(waits).toEqual([30_000, 60_000, 120_000, 240_000, 300_000, 300_000]);
  });

  it('is not opened by 429, but waits for as long as the provider asked', () => {
    fail(10, limited);
    expect(health.breaker).toBe('closed');
    expect(health.wait).toBe(5_000);
    now += 5_000;
    expect(health.wait).toBe(0);
  });

  it('gives an abandoned probe’s place to the next', () => {
    fail(5);
    now += 30_000;
    health.begin();
    health.neither();
    health.end(10);
    expect(health.admits).toBe(true);
    expect(health.inFlight).toBe(0);
  });

  it('averages the time to first byte and counts the last five minutes', () => {
    health.answered(100);
    health.answered(200);
    expect(health.firstByte).toBe(120);
    fail(1);
    expect(health.recent()).toEqual({ succeeded: 2, failed: 1 });
    now += 301_000;
    expect(health.recent()).toEqual({ succeeded: 0, failed: 0 });
  });

  it('tells others of openings, pauses and recovery once, and learns of theirs', () => {
    const news: HealthNews[] = [];
    health = new DeploymentHealth(
      () => now,
      (each) => news.push(each),
    );
    fail(3, limited);
    fail(5);
    health.answered(10);
    health.answered(10);
    expect(news.map(({ kind }) => kind)).toEqual(['wait', 'open', 'closed']);
    health.learn({ kind: 'open', until: Date.now() + 60_000, openFor: 60_000 });
    expect(health.breaker).toBe('open');
    health.learn({ kind: 'open', until: Date.now() + 10_000, openFor: 30_000 });
    expect(health.opensIn).toBeGreaterThan(50_000);
    health.learn({ kind: 'wait', until: Date.now() + 10_000_000 });
    expect(health.wait).toBe(300_000);
    health.learn({ kind: 'closed' });
    expect(health.breaker).toBe('closed');
    expect(news).toHaveLength(3);
  });
});
