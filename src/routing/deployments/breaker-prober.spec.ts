import type { RoutingConfig } from '../../config/routing-config.js';
import { DEFAULT_HEALTH, type HealthSettings } from '../../config/settings/health.js';
import { upstreamError } from '../../errors/gateway-error.js';
import type { Provider } from '../../providers/provider.js';
import type { SharedRedis } from '../../redis/shared-redis.js';
import type { Deployment } from '../resolved-model.js';
import type { Routing } from '../routing.service.js';
import { BreakerProber } from './breaker-prober.service.js';
import { Deployments } from './deployments.service.js';

const fault = upstreamError({ message: 'broken' });
const refused = upstreamError({ message: 'refused', isConnectionFault: true });

interface Given {
  readonly probe?: HealthSettings['probe'];
  /** What Redis says to the process that asks for the lease; absent where there is no Redis. */
  readonly lease?: 'OK' | null;
}

function start({ probe = 'models', lease }: Given = {}) {
  const health = { ...DEFAULT_HEALTH, probe };
  const config = { current: { health }, onChange: () => undefined } as unknown as RoutingConfig;
  const deployments = new Deployments(config);
  const asked: string[] = [];
  let lists: () => Promise<unknown> = () => Promise.resolve([]);
  let next: (() => void) | undefined;
  const provider = {
    listModels: () => {
      asked.push('list');
      next?.();
      return lists();
    },
    operation: () => undefined,
  } as unknown as Provider;
  const deploymentAt = (id: string): Deployment => ({ id, provider, upstreamModel: 'm' }) as Deployment;
  const redis = {
    run: (work: (client: unknown) => Promise<unknown>) =>
      lease === undefined ? Promise.resolve(undefined) : work({ set: () => Promise.resolve(lease) }),
  } as unknown as SharedRedis;
  const prober = new BreakerProber(config, { current: { deploymentAt } } as unknown as Routing, deployments, redis);
  prober.onApplicationBootstrap();
  const open = (id: string): void => {
    for (let failure = 0; failure < DEFAULT_HEALTH.breaker.failures; failure += 1) {
      deployments.healthOf({ id }).begin('key');
      deployments.healthOf({ id }).failed(fault, 'key');
    }
  };
  return {
    prober,
    deployments,
    asked,
    open,
    fails: () => (lists = () => Promise.reject(refused)),
    takes: (milliseconds: number) => (lists = () => new Promise((resolve) => setTimeout(resolve, milliseconds))),
    works: () => (lists = () => Promise.resolve([])),
    nextTest: () => new Promise<void>((resolve) => (next = resolve)),
  };
}

/** Longer than the first test takes to begin, and shorter than the time until the second. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 50));

describe('BreakerProber', () => {
  it('asks for the list when a breaker opens, and not again where the list works', async () => {
    const { prober, deployments, asked, open } = start();
    open('p/a');
    await settle();
    expect(asked).toHaveLength(1);
    expect(deployments.healthOf({ id: 'p/a' }).probes).toEqual({ well: 1, unwell: 0, unknown: 0 });
    expect(deployments.healthOf({ id: 'p/a' }).breaker).toBe('open');
    prober.beforeApplicationShutdown();
  });

  it('allows a trial as soon as a list works that has failed', async () => {
    const { prober, deployments, asked, open, fails, works, nextTest } = start();
    fails();
    open('p/a');
    await settle();
    const health = deployments.healthOf({ id: 'p/a' });
    expect([asked.length, health.breaker, health.probes.unwell]).toEqual([1, 'open', 1]);
    const second = nextTest();
    works();
    await second;
    await settle();
    expect([health.breaker, health.canCall('key')]).toEqual(['half_open', true]);
    prober.beforeApplicationShutdown();
  });

  it('asks once for several deployments of one provider', async () => {
    const { prober, deployments, asked, open, takes } = start();
    takes(20);
    for (const id of ['p/a', 'p/b', 'p/c']) open(id);
    await settle();
    expect(asked).toHaveLength(1);
    expect(['p/a', 'p/b', 'p/c'].map((id) => deployments.healthOf({ id }).probes.well)).toEqual([1, 1, 1]);
    prober.beforeApplicationShutdown();
  });

  it('leaves the tests to the replica that has the lease', async () => {
    const without = start({ lease: null });
    const holder = start({ lease: 'OK' });
    without.open('p/a');
    holder.open('p/a');
    await settle();
    expect([without.asked, holder.asked]).toEqual([[], ['list']]);
    without.prober.beforeApplicationShutdown();
    holder.prober.beforeApplicationShutdown();
  });

  it('does nothing where it is off, and after the shutdown', async () => {
    const off = start({ probe: 'off' });
    off.open('p/a');
    const stopped = start();
    stopped.prober.beforeApplicationShutdown();
    stopped.open('p/a');
    await settle();
    expect([off.asked, stopped.asked]).toEqual([[], []]);
  });
});
