import { DeploymentHealth } from './deployments/deployment-health.js';
import type { Deployment, ResolvedModel } from './resolved-model.js';
import { orderDeployments, type RequestSession } from './deployment-order.js';

type Strategy = ResolvedModel['strategy'];

function model(strategy: Strategy, weights: readonly number[]): ResolvedModel {
  const deployments = weights.map(
    (weight, index) => ({ id: `p/m${index}`, weight, upstreamModel: `m${index}` }) as Deployment,
  );
  return { id: 'fast', strategy, affinity: 'session', deployments, fallbacks: [] } as unknown as ResolvedModel;
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

function names(resolved: ResolvedModel, random: () => number, health = healths(), session?: RequestSession): string[] {
  return orderDeployments(resolved, health, random, session).map(({ upstreamModel }) => upstreamModel);
}

function sessionNamed(named: string | undefined, derived?: string): RequestSession {
  return { named, derived: () => derived };
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

  it('gives a deployment that has recovered a part of its weight, under every strategy but priority', () => {
    const recovering = new DeploymentHealth();
    recovering.slowStart.begin();
    const health = {
      healthOf: ({ upstreamModel }: Deployment) => (upstreamModel === 'm0' ? recovering : new DeploymentHealth()),
    };
    const share = (strategy: Strategy, sessionOf: (index: number) => RequestSession | undefined): number => {
      const random = seeded();
      const orders = Array.from(
        { length: 1_000 },
        (_, index) => names(model(strategy, [1, 1]), random, health, sessionOf(index))[0],
      );
      return orders.filter((first) => first === 'm0').length / 1_000;
    };
    expect(share('weighted', () => undefined)).toBeLessThan(0.2);
    expect(share('weighted', () => undefined)).toBeGreaterThan(0.02);
    expect(share('weighted', (index) => sessionNamed(`s${index}`))).toBeLessThan(0.2);
    expect(share('least_busy', () => undefined)).toBeLessThan(0.2);
    expect(share('priority', () => undefined)).toBe(1);
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

  it('sends the requests of a session the same way, and different ones by weight', () => {
    const weighted = model('weighted', [3, 1]);
    const orderOf = (key: string): string => names(weighted, Math.random, healths(), sessionNamed(key)).join();
    expect(new Set(Array.from({ length: 20 }, () => orderOf('session-1'))).size).toBe(1);
    const first = Array.from({ length: 2_000 }, (_, index) => orderOf(`session-${index}`)).filter((order) =>
      order.startsWith('m0'),
    );
    expect(first.length / 2_000).toBeCloseTo(0.75, 1);
  });

  it('keeps a named session together under every strategy but priority, and a conversation under weighted alone', () => {
    // Load and speed point at m2, which the sessions below do not all begin with.
    const health = healths({
      m0: { inFlight: 9, firstByte: 900 },
      m1: { inFlight: 9, firstByte: 900 },
      m2: { inFlight: 0, firstByte: 1 },
    });
    const firsts = (strategy: Strategy, sessionOf: (index: number) => RequestSession): Set<string | undefined> =>
      new Set(
        Array.from(
          { length: 60 },
          (_, index) => names(model(strategy, [1, 1, 1]), () => 0.5, health, sessionOf(index))[0],
        ),
      );
    const all = new Set(['m0', 'm1', 'm2']);
    for (const strategy of ['weighted', 'least_busy', 'fastest'] as const) {
      expect(firsts(strategy, (index) => sessionNamed(`s${index}`))).toEqual(all);
    }
    expect(firsts('weighted', (index) => sessionNamed(undefined, `s${index}`))).toEqual(all);
    expect(firsts('least_busy', (index) => sessionNamed(undefined, `s${index}`))).toEqual(new Set(['m2']));
    expect(firsts('fastest', (index) => sessionNamed(undefined, `s${index}`))).toEqual(new Set(['m2']));
    expect(firsts('priority', (index) => sessionNamed(`s${index}`))).toEqual(new Set(['m0']));
  });

  it('knows no session with `affinity: none`, and does not read the prompt where nothing depends on it', () => {
    const unread: RequestSession = {
      named: undefined,
      derived: () => {
        throw new Error('read');
      },
    };
    const none = { ...model('weighted', [1, 1]), affinity: 'none' as const };
    expect(
      new Set(Array.from({ length: 200 }, () => names(none, Math.random, healths(), sessionNamed('s'))[0])).size,
    ).toBe(2);
    for (const resolved of [none, model('weighted', [1]), model('priority', [1, 1]), model('fastest', [1, 1])]) {
      expect(names(resolved, Math.random, healths(), unread)).toHaveLength(resolved.deployments.length);
    }
    expect(() => names(model('weighted', [1, 1]), Math.random, healths(), unread)).toThrow('read');
  });
});
