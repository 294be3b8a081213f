import { LiveConfig } from './live-config.js';
import { loadConfig } from './load-config.js';

const CWD = '/nowhere';

describe('LiveConfig', () => {
  it('replaces providers and models in the same object, and names what waits for a restart', () => {
    const live = new LiveConfig(loadConfig({ env: {}, cwd: CWD }));
    const { config } = live;
    expect(config.providers.map(({ name }) => name)).toEqual(['sandbox']);
    const next = loadConfig({ env: { OPENAI_API_KEY: 'sk-1', PORT: '4000', LOG_LEVEL: 'debug' }, cwd: CWD });
    expect(live.replace(next)).toEqual(['server.port', 'log.level']);
    expect(config.providers.map(({ name }) => name)).toEqual(['openai']);
    expect(config.server.port).toBe(3000);
  });

  it('shows every setting and cannot be written to', () => {
    const loaded = loadConfig({ env: {}, cwd: CWD });
    const { config } = new LiveConfig(loaded);
    expect(JSON.stringify(config)).toBe(JSON.stringify(loaded));
    expect(() => Object.assign(config, { expose: 'listed' })).toThrow(TypeError);
  });
});
