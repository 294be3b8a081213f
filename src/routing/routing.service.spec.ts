import { loadConfig } from '../config/load-config.js';
import { RoutingConfig } from '../config/routing-config.js';
import type { Configuration, RoutingSettings } from '../config/gateway-config.js';
import { Deployments } from './deployments/deployments.service.js';
import { Routing } from './routing.service.js';

const loaded: Configuration = loadConfig({ env: { OPENAI_API_KEY: 'sk-1', GROQ_API_KEY: 'gsk-1' }, cwd: '/nowhere' });
const { providers, upstream } = loaded;

function start() {
  const config = new RoutingConfig(loaded);
  const deployments = new Deployments();
  const routing = new Routing(config, deployments);
  const providerOf = (name: string) => routing.current.providers.get(name)?.provider;
  const change = (settings: Partial<RoutingSettings>) => config.replace({ ...config.current, ...settings });
  return { config, deployments, routing, providerOf, change };
}

describe('Routing at a reload', () => {
  it('keeps the providers that are the same, and replaces those that are not', () => {
    const { providerOf, change } = start();
    const before = [providerOf('openai'), providerOf('groq')];
    change({
      providers: providers.map((each) => (each.name === 'groq' ? { ...each, apiKey: 'gsk-2' } : { ...each })),
    });
    expect(providerOf('openai')).toBe(before[0]);
    expect(providerOf('groq')).not.toBe(before[1]);
  });

  it.each([
    ['the largest response', { ...upstream, maxAnswerSize: 1 }],
    ['the time to connect', { ...upstream, timeouts: { ...upstream.timeouts, connect: 1 } }],
  ])('replaces every provider when %s has changed, and keeps what is known of their health', (_name, changed) => {
    const { providerOf, change, deployments } = start();
    const before = providerOf('openai');
    const health = deployments.healthOf({ id: 'openai/gpt' });
    change({ upstream: changed });
    expect(providerOf('openai')).not.toBe(before);
    expect(deployments.healthOf({ id: 'openai/gpt' })).toBe(health);
  });

  it('keeps every provider when only other timeouts have changed, and uses those for the next call', () => {
    const { providerOf, change, routing } = start();
    const before = providerOf('openai');
    change({ upstream: { ...upstream, timeouts: { ...upstream.timeouts, total: 77 } } });
    expect(providerOf('openai')).toBe(before);
    expect(routing.current.resolve('openai/gpt')?.deployments[0]?.timeouts.total).toBe(77);
  });

  it('forgets the health of a provider that is replaced or gone', () => {
    const { change, deployments } = start();
    const health = ['openai/a', 'groq/a'].map((id) => deployments.healthOf({ id }));
    change({
      providers: providers.filter(({ name }) => name === 'openai').map((each) => ({ ...each, apiKey: 'sk-2' })),
    });
    expect(deployments.healthOf({ id: 'openai/a' })).not.toBe(health[0]);
    expect(deployments.healthOf({ id: 'groq/a' })).not.toBe(health[1]);
  });
});
