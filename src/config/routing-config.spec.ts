import { settingsThatNeedRestart } from './changed-settings.js';
import { staticSettings } from './gateway-config.js';
import { loadConfig } from './load-config.js';
import { RoutingConfig } from './routing-config.js';
import { ROUTING_SECTIONS } from './settings/gateway-file.js';

const CWD = '/nowhere';

function load(env: Record<string, string> = {}) {
  return loadConfig({ env, cwd: CWD });
}

describe('RoutingConfig', () => {
  it('replaces what a reload replaces, and notifies in order', () => {
    const routing = new RoutingConfig(load());
    const calls: string[] = [];
    for (const name of ['first', 'second']) {
      routing.onChange((current, previous) => {
        expect(routing.current).toBe(current);
        const names = [previous, current].map(({ providers }) => providers.map((provider) => provider.name).join());
        calls.push(`${name}: ${names.join(' -> ')}`);
      });
    }
    routing.replace(load({ OPENAI_API_KEY: 'sk-1' }));
    expect(calls).toEqual(['first: sandbox -> openai', 'second: sandbox -> openai']);
  });

  it('keeps the previous settings when a listener cannot use the new ones', () => {
    const routing = new RoutingConfig(load());
    const before = routing.current;
    routing.onChange(() => {
      throw new Error('no');
    });
    expect(() => routing.replace(load({ OPENAI_API_KEY: 'sk-1' }))).toThrow('no');
    expect(routing.current).toBe(before);
  });

  it('holds nothing else, and cannot be written to', () => {
    const { current } = new RoutingConfig(load());
    expect(Object.keys(current).filter((name) => !(name in ROUTING_SECTIONS))).toEqual(['written']);
    expect(Object.keys(current)).toHaveLength(7);
    expect(() => Object.assign(current, { expose: 'listed' })).toThrow(TypeError);
  });
});

describe('staticSettings', () => {
  it('are what was loaded without what a reload replaces', () => {
    const loaded = load();
    const settings = staticSettings(loaded);
    expect({ ...settings, ...new RoutingConfig(loaded).current }).toEqual(loaded);
    expect(Object.keys(settings).filter((name) => name in ROUTING_SECTIONS)).toEqual([]);
    expect(() => Object.assign(settings, { role: 'worker' })).toThrow(TypeError);
  });
});

it('settingsThatNeedRestart names each static setting that differs, and none that a reload applies', () => {
  const next = load({ OPENAI_API_KEY: 'sk-1', PORT: '4000', LOG_LEVEL: 'debug', GATEWAY_ROLE: 'api' });
  expect(settingsThatNeedRestart(staticSettings(load()), next)).toEqual(['server.port', 'role', 'log.level']);
  expect(settingsThatNeedRestart(staticSettings(load()), load({ GROQ_API_KEY: 'k' }))).toEqual([]);
});
