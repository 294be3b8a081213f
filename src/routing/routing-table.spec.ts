import fc from 'fast-check';
import { loadConfig } from '../config/load-config.js';
import type { ModelConfig, RoutingSettings } from '../config/gateway-config.js';
import type { Provider } from '../providers/provider.js';
import { RoutingTable, type ProviderInstance } from './routing-table.js';

const { upstream } = loadConfig({ env: {}, cwd: '/nowhere' });

function provider(name: string): [string, ProviderInstance] {
  return [name, { config: { name }, provider: { name } as Provider } as ProviderInstance];
}

function model(id: string, at: readonly string[], fields: Partial<ModelConfig> = {}): ModelConfig {
  return {
    id,
    aliases: [],
    strategy: 'priority',
    affinity: 'session',
    deployments: at.map((each) => {
      const slash = each.indexOf('/');
      return { provider: each.slice(0, slash), model: each.slice(slash + 1), weight: 1, concurrency: undefined };
    }),
    fallbacks: [],
    contextFallbacks: [],
    streamRecovery: 'continue',
    holdBack: 0,
    price: undefined,
    limits: undefined,
    contextLength: undefined,
    maxOutputTokens: undefined,
    displayName: undefined,
    timeouts: upstream.timeouts,
    queue: { size: 1, timeout: 1 },
    ...fields,
  };
}

function table(models: readonly ModelConfig[], expose: RoutingSettings['expose'] = 'all'): RoutingTable {
  return new RoutingTable(
    { models, expose, upstream, retry: { maxWait: 5_000 } },
    new Map([provider('openai'), provider('local')]),
  );
}

function targets(routes: RoutingTable, id: string): string[] | undefined {
  return routes.resolve(id)?.deployments.map((deployment) => deployment.id);
}

describe('RoutingTable', () => {
  it('finds a model by id and by alias, which is the same model', () => {
    const routes = table([model('fast', ['openai/a', 'local/b'], { aliases: ['gpt-4'] })]);
    expect(targets(routes, 'fast')).toEqual(['openai/a', 'local/b']);
    expect(routes.resolve('gpt-4')).toBe(routes.resolve('fast'));
    expect([...routes.listed()].map(({ id }) => id)).toEqual(['fast']);
  });

  it('finds a model outside the file again, however many others were asked for', () => {
    const routes = table([]);
    const first = routes.resolve('openai/a');
    expect(routes.resolve('openai/a')).toBe(first);
    for (let index = 0; index < 2_500; index += 1) routes.resolve(`local/${index}`);
    expect(routes.resolve('openai/a')).toEqual(first);
    expect(routes.resolve('nowhere/a')).toBeUndefined();
  });

  it('prefers ids to patterns, long patterns to short ones, and patterns to providers', () => {
    const routes = table([
      model('*', ['local/any']),
      model('openai/*', ['local/*']),
      model('openai/gpt-4/*', ['openai/old-*']),
      model('openai/gpt-5', ['openai/gpt-5']),
    ]);
    expect(targets(routes, 'openai/gpt-5')).toEqual(['openai/gpt-5']);
    expect(targets(routes, 'openai/gpt-4/o')).toEqual(['openai/old-o']);
    expect(targets(routes, 'openai/x/$&')).toEqual(['local/x/$&']);
    expect(targets(routes, 'anything')).toEqual(['local/any']);
    expect(routes.resolve('openai/x')?.id).toBe('openai/x');
  });

  it('reaches provider/model unless only listed models are exposed', () => {
    expect(targets(table([]), 'openai/a/b')).toEqual(['openai/a/b']);
    expect(targets(table([]), 'nowhere/a')).toBeUndefined();
    expect(targets(table([]), 'openai/')).toBeUndefined();
    expect(targets(table([model('local/*', ['openai/*'])], 'listed'), 'openai/a')).toBeUndefined();
    expect(targets(table([model('local/*', ['openai/*'])], 'listed'), 'local/a')).toEqual(['openai/a']);
  });

  it('makes a deployment of each key of a provider, which share its weight, under every name', () => {
    const [name, instance] = provider('openai');
    const keys = { ...instance, withFurtherKeys: [{ name } as Provider, { name } as Provider] };
    const routes = new RoutingTable(
      { models: [model('fast', ['openai/a', 'local/b'])], expose: 'all', upstream, retry: { maxWait: 5_000 } },
      new Map([[name, keys], provider('local')]),
    );
    expect(targets(routes, 'fast')).toEqual(['openai/a', 'openai/a#2', 'openai/a#3', 'local/b']);
    const { deployments = [] } = routes.resolve('fast') ?? {};
    expect(new Set(deployments.slice(0, 3).map((each) => each.provider)).size).toBe(3);
    expect(deployments.map(({ weight }) => Math.round(weight * 6))).toEqual([2, 2, 2, 6]);
    expect(targets(routes, 'openai/other')).toEqual(['openai/other', 'openai/other#2', 'openai/other#3']);
    expect(routes.resolve('openai/other')).toMatchObject({ strategy: 'weighted', affinity: 'session' });
    for (const id of ['openai/a', 'openai/a#2', 'openai/a#3', 'local/b', 'openai/other#2', 'local/x#2']) {
      expect(routes.deploymentAt(id)?.id).toBe(id);
    }
    // A model of that name, with the first key.
    expect(routes.deploymentAt('openai/a#4')).toMatchObject({ upstreamModel: 'a#4', provider: instance.provider });
  });

  it('resolves any text without a throw, and only to its own providers', () => {
    const routes = table([model('openai/*', ['local/*'])]);
    fc.assert(
      fc.property(fc.string(), (text) => {
        for (const id of targets(routes, `openai/${text}`) ?? []) expect(id).toBe(`local/${text}`);
        expect(targets(routes, text)?.every((id) => id.startsWith('local/') || id.startsWith('openai/')) ?? true).toBe(
          true,
        );
      }),
    );
  });

  it('ends with its last call', () => {
    const routes = table([]);
    let ended = 0;
    routes.hold();
    routes.hold();
    routes.retire(() => (ended += 1));
    routes.release();
    expect(ended).toBe(0);
    routes.release();
    expect(ended).toBe(1);
  });

  describe('limits under every name', () => {
    const limits = { rpm: 5 };
    const narrow = (concurrency: number, at: string): Partial<ModelConfig> => {
      const slash = at.indexOf('/');
      const deployment = { provider: at.slice(0, slash), model: at.slice(slash + 1), weight: 1, concurrency };
      return { deployments: [deployment] };
    };
    const accountIds = (routes: RoutingTable, id: string): string[] =>
      (routes.resolve(id)?.accounts ?? []).map((account) => account.id);

    it('holds those of a model for its deployments under provider/model, in any case', () => {
      const price = { inputPerMillion: 1, outputPerMillion: 2 } as ModelConfig['price'];
      const routes = table([model('fast', [], { ...narrow(2, 'local/Gpt-X'), limits, price, maxOutputTokens: 9 })]);
      for (const id of ['local/Gpt-X', 'local/gpt-x', 'local/GPT-X', 'local/gpt-x:latest', 'local/ gpt-x']) {
        const resolved = routes.resolve(id);
        expect(resolved?.accounts).toEqual([{ id: 'model:fast', limits, budget: null }]);
        expect(resolved?.deployments[0]).toMatchObject({ id: 'local/Gpt-X', concurrency: 2, price });
        expect(resolved?.deployments[0]?.upstreamModel).toBe(id.slice('local/'.length));
        expect(resolved?.queue).toEqual({ id: 'fast', size: 1, timeout: 1 });
        expect(resolved?.maxOutputTokens).toBe(9);
      }
      expect(routes.resolve('local/other')).toMatchObject({ accounts: [], maxOutputTokens: undefined });
      expect(accountIds(routes, 'openai/gpt-x')).toEqual([]);
    });

    it('holds those of a model for patterns that lead to its deployment, and those of patterns for provider/model', () => {
      const routes = table([
        model('fast', [], { ...narrow(2, 'local/a'), limits }),
        model('vendor/*', [], { ...narrow(3, 'local/*'), limits: { rpm: 7 } }),
      ]);
      expect(accountIds(routes, 'vendor/a')).toEqual(['model:vendor/*', 'model:fast']);
      expect(routes.resolve('vendor/a')?.deployments[0]).toMatchObject({ id: 'local/a', concurrency: 2 });
      expect(accountIds(routes, 'vendor/b')).toEqual(['model:vendor/*']);
      expect(accountIds(routes, 'local/b')).toEqual(['model:vendor/*']);
      expect(routes.resolve('local/b')?.deployments[0]).toMatchObject({ concurrency: 3 });
      expect(accountIds(routes, 'local/a').sort()).toEqual(['model:fast', 'model:vendor/*']);
    });

    it('counts provider/model with every model that shares the deployment; each of them keeps its own', () => {
      const routes = table([
        model('one', [], { ...narrow(4, 'local/a'), limits }),
        model('two', [], { ...narrow(2, 'local/a'), limits: { rpm: 1 } }),
        model('three', ['local/a']),
      ]);
      expect(accountIds(routes, 'local/a')).toEqual(['model:one', 'model:two']);
      expect(accountIds(routes, 'one')).toEqual(['model:one']);
      expect(accountIds(routes, 'three')).toEqual([]);
      const concurrency = (id: string): number | undefined => routes.resolve(id)?.deployments[0]?.concurrency;
      expect(['one', 'two', 'three', 'local/a'].map(concurrency)).toEqual([4, 2, 2, 2]);
    });
  });
});
