import { DeploymentHealth } from './deployments/deployment-health.js';
import type { Deployment, ResolvedModel } from './resolved-model.js';
import { orderDeployments, randomFor } from './deployment-order.js';

type Strategy = ResolvedModel['strategy'];

function model(strategy: Strategy, weights: readonly number[]): ResolvedModel {
  const deployments = weights.map((weight, index) => ({ weight, upstreamModel: `m${index}` }) as Deployment);
  return { id: 'fast', strategy, deployments, fallbacks: [] } as unknown as ResolvedModel;
}

function healths(fields: Record<string, Partial<DeploymentHealth>> = {}) {
  const known = new Map<string, DeploymentHealth>();
  return {
    healthOf: ({ upstreamModel }: Deployment): DeploymentHealth => {
      const health = known.get(upstreamModel) ?? Object.assign(new DeploymentHealth(), fields[upstreamModel]);
      known.set(upstreamModel, health);
      return health;
    },
  };
}

function names(resolved: ResolvedModel, random: () => number, health = healths()): string[] {
  return orderDeployments(resolved, health, random).map(({ upstreamModel }) => upstreamModel);
}

function seeded(): () => number {
  let seed = 1;
  return () => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;
}

describe('orderDeployments', () => {
  it('keeps the order of the file under priority', () => {
    expect(names(model('priority', [1, 9, 5]), () => 0.99)).toEqual(['m0', 'm1', 'm2']);
  });

  it('draws by weight and lists every deployment once', () => {
    expect(names(model('weighted', [3, 1]), () => 0.74)).toEqual(['m0', 'm1']);
    expect(names(model('weighted', [3, 1]), () => 0.76)).toEqual(['m1', 'm0']);
    expect(names(model('weighted', [1, 1, 1]), () => 0.999_999).sort()).toEqual(['m0', 'm1', 'm2']);
  });

  it('gives each deployment its share', () => {
    const random = seeded();
    const weighted = model('weighted', [3, 1]);
    let first = 0;
    for (let round = 0; round < 4_000; round += 1) if (names(weighted, random)[0] === 'm0') first += 1;
    expect(first / 4_000).toBeCloseTo(0.75, 1);
  });

  it('begins with the least busy for its weight', () => {
    const health = healths({ m0: { inFlight: 4 }, m1: { inFlight: 3 }, m2: { inFlight: 6 } });
    expect(names(model('least_busy', [1, 1, 4]), Math.random, health)).toEqual(['m2', 'm1', 'm0']);
  });

  it('begins with the fastest, after those that were never asked, and explores now and then', () => {
    const health = healths({ m0: { firstByte: 300 }, m1: { firstByte: 100 }, m2: { firstByte: 200 } });
    const fastest = model('fastest', [1, 1, 1]);
    const random = seeded();
    const firsts = Array.from({ length: 2_000 }, () => names(fastest, random, health)[0]);
    const share = firsts.filter((first) => first === 'm1').length / 2_000;
    expect(share).toBeGreaterThan(0.93);
    expect(share).toBeLessThan(1);
    const unasked = healths({ m0: { firstByte: 300 }, m1: { firstByte: 100 } });
    expect(names(fastest, () => 0.5, unasked)[0]).toBe('m2');
  });

  it('sends requests with the same prompt_cache_key the same way, and different ones by weight', () => {
    const weighted = model('weighted', [3, 1]);
    const orderOf = (key: string): string => names(weighted, randomFor(key)).join();
    expect(new Set(Array.from({ length: 20 }, () => orderOf('session-1'))).size).toBe(1);
    const first = Array.from({ length: 2_000 }, (_, index) => orderOf(`session-${index}`)).filter((order) =>
      order.startsWith('m0'),
    );
    expect(first.length / 2_000).toBeCloseTo(0.75, 1);
  });
});
