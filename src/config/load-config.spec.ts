import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from './config-error.js';
import type { Configuration } from './gateway-config.js';
import { loadConfig } from './load-config.js';

describe('loadConfig', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gateway-config-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function load(yaml: string | undefined, env: Record<string, string> = {}): Configuration {
    if (yaml !== undefined) writeFileSync(join(folder, 'gateway.yaml'), yaml);
    return loadConfig({ env, cwd: folder });
  }

  function faultsOf(yaml: string | undefined, env: Record<string, string> = {}): string[] {
    try {
      load(yaml, env);
    } catch (error) {
      if (error instanceof ConfigError)
        return error.faults.map(({ path, message, line }) => `${line ?? '-'} ${path}: ${message}`);
      throw error;
    }
    throw new Error('no fault was found');
  }

  describe('a secret in a file', () => {
    const secretFile = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };

    it('is read for every variable that the gateway or the file asks for, and for no other', () => {
      const config = load('providers: { mine: { base_url: "http://127.0.0.1:9/v1", api_key: "${MY_OWN_KEY}" } }', {
        GATEWAY_ADMIN_KEY_FILE: secretFile('admin', 'Zk81PqLm20XvRt7Yw3Hc9dAb\n\n'),
        GATEWAY_KEY_PEPPER_FILE: secretFile('pepper', 'k3J9sQ1xV7bN5mZ0pL2wR8tY4uD6fG1h'),
        DATABASE_URL_FILE: secretFile('database', 'postgres://u:p@h/d\n'),
        REDIS_URL_FILE: secretFile('redis', 'redis://h:1'),
        GROQ_API_KEY_FILE: secretFile('groq', 'gsk-1\n'),
        MY_OWN_KEY_FILE: secretFile('mine', 'own-1\n'),
        SSL_CERT_FILE: '/nowhere/ca.pem',
      });
      expect(config.auth).toEqual({ adminKey: 'Zk81PqLm20XvRt7Yw3Hc9dAb', pepper: 'k3J9sQ1xV7bN5mZ0pL2wR8tY4uD6fG1h' });
      expect(config.database).toEqual({ kind: 'postgres', url: 'postgres://u:p@h/d' });
      expect(config.redisUrl).toBe('redis://h:1');
      expect(config.providers).toMatchObject([
        { name: 'mine', apiKey: 'own-1' },
        { name: 'groq', apiKey: 'gsk-1' },
      ]);
    });

    it('that cannot be used is a fault that names the variable', () => {
      expect(
        faultsOf(undefined, {
          DATABASE_URL_FILE: join(folder, 'none'),
          OPENAI_API_KEY_FILE: secretFile('empty', ' \n'),
          GATEWAY_ADMIN_KEY_FILE: secretFile('admin', 'short'),
          GROQ_API_KEY: 'gsk',
          GROQ_API_KEY_FILE: secretFile('groq', 'gsk'),
        }),
      ).toEqual([
        expect.stringMatching(/^- DATABASE_URL_FILE: the file .*none cannot be read \(ENOENT\)$/),
        expect.stringMatching(/^- GATEWAY_ADMIN_KEY: must have at least 24 characters/),
        '- GROQ_API_KEY_FILE: GROQ_API_KEY is set as well. Set one of the two',
        expect.stringMatching(/^- OPENAI_API_KEY_FILE: the file .*empty is empty$/),
      ]);
    });
  });

  it('finds variables that are misspelt, with what was meant', () => {
    expect(
      faultsOf(undefined, {
        GATEWAY_ADMIN_KEYS: 'x',
        GATEWAY_PEPPER: 'x',
        GATEWAY_DATABASE_URL: 'x',
        GATEWAY_LOG_LEVL: 'x',
        GATEWAY_ADMIN_KYE_FILE: 'x',
        GATEWAY_SOME_OPTION: 'x',
        GATEWAY_PORT: '3000',
        GATEWAY_CONFIG_FILE: 'gateway.yaml',
      }),
    ).toEqual([
      '- GATEWAY_ADMIN_KEYS: unknown variable. Did you mean GATEWAY_ADMIN_KEY?',
      '- GATEWAY_PEPPER: unknown variable. Did you mean GATEWAY_KEY_PEPPER?',
      '- GATEWAY_DATABASE_URL: unknown variable. Did you mean DATABASE_URL?',
      '- GATEWAY_LOG_LEVL: unknown variable. Did you mean LOG_LEVEL?',
      '- GATEWAY_ADMIN_KYE_FILE: unknown variable. Did you mean GATEWAY_ADMIN_KEY_FILE?',
      expect.stringMatching(/^- GATEWAY_SOME_OPTION: unknown variable\./),
      '- GATEWAY_PORT: unknown variable. Did you mean PORT?',
      '- GATEWAY_CONFIG_FILE: unknown variable. Did you mean GATEWAY_CONFIG?',
    ]);
  });

  it('leaves variables alone that others set or that the file asks for', () => {
    const variables = {
      GATEWAY_KEY: 'gw_1',
      GATEWAY_UPSTREAM: 'http://127.0.0.1:9/v1',
      GATEWAY_PORT: 'tcp://10.0.0.1:3000',
      GATEWAY_PORT_3000_TCP_ADDR: '10.0.0.1',
      GATEWAY_SERVICE_HOST: '10.0.0.1',
      GATEWAY_API_SERVICE_PORT_HTTP: '3000',
      GATEWAY_UNUSED: '',
    };
    expect(load('providers: { a: { base_url: "${GATEWAY_UPSTREAM}" } }', variables).providers).toMatchObject([
      { name: 'a', baseUrl: 'http://127.0.0.1:9/v1' },
    ]);
  });

  it('needs nothing: the sandbox on an embedded database', () => {
    const config = load(undefined);
    expect(config.server).toMatchObject({ host: '127.0.0.1', port: 3000, swagger: true, drainTimeout: 25_000 });
    expect(config.database).toEqual({ kind: 'sqlite', path: join(folder, 'data/gateway.sqlite') });
    expect(config.dataDirectory).toBe(join(folder, 'data'));
    expect(config.providers).toMatchObject([{ name: 'sandbox', type: 'sandbox' }]);
    expect(config.upstream.timeouts).toEqual({ connect: 5_000, firstByte: 60_000, idle: 90_000, total: 600_000 });
    expect(Object.isFrozen(config.upstream.timeouts)).toBe(true);
  });

  it('reads the documented file', () => {
    const config = load(
      [
        'providers:',
        '  openai:    { type: openai, api_key: ${OPENAI_API_KEY} }',
        '  local:     { type: openai, base_url: http://127.0.0.1:11434/v1/ }',
        'models:',
        '  - id: fast',
        '    strategy: weighted',
        '    deployments:',
        '      - { provider: openai, model: gpt-5-mini, weight: 3 }',
        '      - { provider: local, model: llama3 }',
        '    fallbacks: [smart]',
        '    price: { input_per_million: 0.25, output_per_million: 2 }',
        '    timeouts: { connect: 1s, first_byte: 30s }',
        '  - { id: smart, deployments: [{ provider: openai, model: gpt-5 }] }',
      ].join('\n'),
      { OPENAI_API_KEY: 'sk-abc' },
    );
    expect(config.providers).toMatchObject([
      { name: 'openai', baseUrl: 'https://api.openai.com/v1', apiKey: 'sk-abc' },
      { name: 'local', baseUrl: 'http://127.0.0.1:11434/v1', apiKey: undefined },
    ]);
    expect(config.models[0]).toMatchObject({
      id: 'fast',
      strategy: 'weighted',
      deployments: [{ weight: 3 }, { weight: 1 }],
      fallbacks: ['smart'],
      price: { inputPerMillion: 0.25, outputPerMillion: 2, cachedInputPerMillion: undefined },
      timeouts: { connect: 1_000, firstByte: 30_000, idle: 90_000, total: 600_000 },
    });
  });

  it('switches providers on by their key alone, and lets the file win over it', () => {
    expect(
      load(undefined, { GROQ_API_KEY: 'gsk', OPENAI_API_KEY: 'sk', OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' })
        .providers,
    ).toMatchObject([
      { name: 'groq', baseUrl: 'https://api.groq.com/openai/v1', apiKey: 'gsk' },
      { name: 'openai', baseUrl: 'http://127.0.0.1:9/v1', apiKey: 'sk' },
    ]);
    expect(
      load('providers: { groq: { base_url: "http://127.0.0.1:8/v1" } }', { GROQ_API_KEY: 'gsk' }).providers,
    ).toMatchObject([{ name: 'groq', baseUrl: 'http://127.0.0.1:8/v1', apiKey: 'gsk' }]);
  });

  it('has a provider where its variable moves it, also with the key in the file', () => {
    const moved = { OPENAI_BASE_URL: 'http://127.0.0.1:9/v1' };
    const read = (entry: string): unknown => load(`providers: { openai: ${entry} }`, moved).providers[0];
    expect(read('{ api_key: sk }')).toMatchObject({ type: 'openai', baseUrl: 'http://127.0.0.1:9/v1', apiKey: 'sk' });
    expect(read('{ api_key: sk, base_url: "http://127.0.0.1:8/v1" }')).toMatchObject({
      baseUrl: 'http://127.0.0.1:8/v1',
    });
    // Another format is another server, also where the variables have a key of this one.
    for (const variables of [moved, { ...moved, OPENAI_API_KEY: 'sk-openai' }]) {
      const [entry] = load('providers: { openai: { type: anthropic, api_key: sk } }', variables).providers;
      expect(entry).toMatchObject({ baseUrl: 'https://api.anthropic.com/v1', apiKey: 'sk' });
    }
  });

  it('has no fault of a variable that moves a provider which is not used', () => {
    const wrong = { OPENAI_BASE_URL: 'http://127.0.0.1:9/v1?key=1' };
    const config = load('sandbox: true', wrong);
    expect(config.knownProviders.map(({ name }) => name)).not.toContain('openai');
    expect(faultsOf('providers: { openai: { api_key: sk } }', wrong)).toEqual([
      expect.stringMatching(/providers\.openai\.base_url: is that of OPENAI_BASE_URL, which must not have a query/),
    ]);
    expect(
      load('providers: { openai: { api_key: sk, base_url: "http://127.0.0.1:8" } }', wrong).providers,
    ).toHaveLength(1);
  });

  it('speaks the own formats of the providers that have one, with a key alone', () => {
    expect(
      load(undefined, { ANTHROPIC_API_KEY: 'sk-ant', GEMINI_API_KEY: 'AIza', COHERE_API_KEY: 'co' }).providers,
    ).toMatchObject([
      { name: 'anthropic', type: 'anthropic', baseUrl: 'https://api.anthropic.com/v1', apiKey: 'sk-ant' },
      { name: 'cohere', type: 'cohere', apiKey: 'co' },
      { name: 'gemini', type: 'google', baseUrl: 'https://generativelanguage.googleapis.com/v1beta', apiKey: 'AIza' },
    ]);
    expect(faultsOf('providers:\n  bedrock: { region: "../evil" }\n  mine: { type: antropic }\n')).toEqual([
      expect.stringMatching(/^2 providers\.bedrock\.region: /),
      expect.stringMatching(/^3 providers\.mine\.type: must be one of openai, anthropic, azure, /),
    ]);
  });

  it('keeps the sandbox beside real providers only when asked, and can switch it off', () => {
    expect(load('sandbox: true', { GROQ_API_KEY: 'gsk' }).providers.map(({ name }) => name)).toEqual([
      'groq',
      'sandbox',
    ]);
    expect(load('sandbox: false').providers).toEqual([]);
  });

  it('lets the environment win over the file', () => {
    const config = load(
      'server: { port: 4000, host: 0.0.0.0 }\nlog: { level: debug }\ndatabase_url: "sqlite::memory:"\n',
      {
        PORT: '5000',
        LOG_LEVEL: 'warn',
        DATABASE_URL: 'postgres://u:p%40@db/gateway',
        GATEWAY_DATA_DIR: '/var/lib/gateway',
      },
    );
    expect(config.server).toMatchObject({ port: 5000, host: '0.0.0.0' });
    expect(config.log.level).toBe('warn');
    expect(config.database).toEqual({ kind: 'postgres', url: 'postgres://u:p%40@db/gateway' });
    expect(config.dataDirectory).toBe('/var/lib/gateway');
  });

  it('names every fault of the file at once, with its line and the nearest known key', () => {
    expect(
      faultsOf(
        [
          'sever: { port: 1 }',
          'server: { port: 70000, drain_timeout: 25 }',
          'providers:',
          '  lokal: { base_url: "ftp://x" , api_kee: x }',
          'models:',
          '  - { id: a, strategy: cheapest, deployments: [] }',
        ].join('\n'),
      ),
    ).toEqual([
      '1 sever: unknown key. Did you mean server?',
      '2 server.port: must be <= 65535',
      '2 server.drain_timeout: must be a duration with its unit, such as 500ms, 5s, 10m, 2h or 30d',
      expect.stringMatching(/^4 providers\.lokal\.api_kee: unknown key\. Did you mean api_key\?/),
      '6 models[0].strategy: must be one of weighted, priority, least_busy, fastest',
      '6 models[0].deployments: must NOT have fewer than 1 items',
    ]);
  });

  it('checks what refers to what', () => {
    expect(
      faultsOf(
        [
          'providers: { local: { base_url: "http://u:p@x/v1" }, mystery: {}, sandbox: {} }',
          'models:',
          '  - { id: a, deployments: [{ provider: lokal, model: m }], fallbacks: [a, b, local/x, nowhere/x] }',
          '  - { id: a, deployments: [{ provider: local, model: m }] }',
        ].join('\n'),
      ),
    ).toEqual([
      '1 providers.local.base_url: must not hold credentials; use api_key or headers',
      '1 providers.mystery.base_url: is required, such as http://127.0.0.1:11434/v1',
      expect.stringContaining('providers.sandbox: the name sandbox is taken'),
      "4 models[1].id: 'a' is already taken by models[0].id",
      "3 models[0].deployments[0].provider: there is no provider 'lokal'. Did you mean local?",
      '3 models[0].fallbacks[0]: a model cannot fall back to itself',
      "3 models[0].fallbacks[1]: there is no model 'b'. Did you mean a?",
      "3 models[0].fallbacks[3]: there is no model 'nowhere/x'. Use an id under models, or provider/model",
    ]);
  });

  it('refuses names of white space alone', () => {
    expect(
      faultsOf(
        [
          'models:',
          '  - { id: "  ", deployments: [{ provider: sandbox, model: echo }] }',
          '  - { id: a, aliases: ["\\u00a0"], deployments: [{ provider: sandbox, model: "\\t" }], display_name: " " }',
        ].join('\n'),
      ).sort(),
    ).toEqual(
      ['2 models[0].id', '3 models[1].aliases[0]', '3 models[1].deployments[0].model', '3 models[1].display_name'].map(
        (path) => `${path}: must have a character that is not white space`,
      ),
    );
  });

  it('checks patterns and aliases', () => {
    expect(
      faultsOf(
        [
          'providers: { local: { base_url: "http://127.0.0.1:9/v1" } }',
          'models:',
          '  - { id: "openai/*", deployments: [{ provider: local, model: "*" }], fallbacks: [fine], aliases: [x] }',
          '  - { id: "gpt*", deployments: [{ provider: local, model: "a*b*" }] }',
          '  - { id: fine, aliases: [other, fine, "o*"], deployments: [{ provider: local, model: "m*" }], fallbacks: [other, openai/x] }',
        ].join('\n'),
      ),
    ).toEqual([
      "5 models[2].aliases[1]: 'fine' is already taken by models[2].id",
      '5 models[2].aliases[2]: an alias is an id, without *',
      '3 models[0].aliases: a pattern has none; give the alias to a model with an id of its own',
      '4 models[1].id: a pattern is * or ends in /*, such as openai/*',
      '4 models[1].deployments[0].model: takes one *, and only where the id of the model is a pattern such as openai/*',
      '5 models[2].deployments[0].model: takes one *, and only where the id of the model is a pattern such as openai/*',
    ]);
  });

  it('knows local servers by name, probes them only when enabled, and lays quirks over known ones', () => {
    const file = [
      'discover: true',
      'providers:',
      '  ollama: {}',
      '  openai: { api_key: k }',
      '  mine: { base_url: "http://127.0.0.1:8000/v1", quirks: { token_limit: max_tokens } }',
      '  far: { base_url: "https://api.deepseek.com/v1", quirks: { developer_role: true } }',
    ].join('\n');
    const { providers } = load(file);
    expect(providers.map(({ name, isDiscovered = false }) => (isDiscovered ? `${name}?` : name))).toEqual([
      'ollama',
      'openai',
      'mine',
      'far',
      'llamacpp?',
      'lmstudio?',
    ]);
    expect(providers.slice(0, 4).map(({ quirks }) => quirks)).toEqual([
      { tokenLimit: 'max_tokens', developerRole: false },
      { tokenLimit: 'max_completion_tokens', accepts: 'openai' },
      { tokenLimit: 'max_tokens' },
      { tokenLimit: 'max_tokens', developerRole: true, accepts: 'deepseek' },
    ]);
    expect(providers[0]?.baseUrl).toBe('http://127.0.0.1:11434/v1');
    expect(load('providers: { openai: { api_key: k } }').providers.map(({ name }) => name)).toEqual(['openai']);
  });

  it('names every fault of the environment at once, and never a secret’s value', () => {
    const faults = faultsOf(undefined, {
      PORT: '70000',
      GATEWAY_ADMIN_KEY: 'short',
      GATEWAY_KEY_PEPPER: 'changeme-changeme-changeme-changeme',
      GATEWAY_ROLE: 'boss',
      LOG_LEVEL: 'loud',
      DATABASE_URL: 'mysql://x',
      REDIS_URL: 'http://x',
      GATEWAY_CONFIG: 'missing.yaml',
    });
    expect(faults).toHaveLength(8);
    expect(faults.join('\n')).not.toMatch(/short|changeme/);
    expect(faults.join('\n')).toMatch(/GATEWAY_ADMIN_KEY: must have at least 24 characters/);
  });

  it('finds the line of names with dots, slashes, brackets and digits alone', () => {
    const names = ['llama.cpp', 'llama', '123', 'a.b.c', 'a.b'];
    const lines = names.map((name) => `  ${JSON.stringify(name)}: { base_url: "ftp://x" }`);
    expect(faultsOf(['providers:', ...lines].join('\n'))).toEqual(
      // JavaScript puts names of digits first.
      [...names.entries()]
        .sort(([, first], [, second]) => Number(second === '123') - Number(first === '123'))
        .map(([index, name]) => `${index + 2} providers.${name}.base_url: must begin with http:// or https://`),
    );
    const wrong = names.map((name) => `  ${JSON.stringify(name)}: { api_kee: x }`);
    expect(faultsOf(['providers:', ...wrong].join('\n')).sort()).toEqual(
      names.map((name, index) => `${index + 2} providers.${name}.api_kee: unknown key. Did you mean api_key?`).sort(),
    );
    expect(faultsOf('models:\n  - id: a\n    deployments:\n      - { provider: "x[0].y", model: m }\n')).toEqual([
      expect.stringMatching(/^4 models\[0\]\.deployments\[0\]\.provider: there is no provider/),
    ]);
    expect(faultsOf('providers:\n  a: {}\n  "b/c[0]": {}\n')).toContainEqual(
      expect.stringMatching(/^3 providers\.b\/c\[0\]: a provider name takes/),
    );
  });

  it('refuses aliases that expand without end, and aliases of nothing', () => {
    const levels = Array.from({ length: 12 }, (_, level) => `a${level}: &a${level} [${`*a${level - 1}, `.repeat(9)}]`);
    const bomb = ['a0: &a0 [x]', ...levels.slice(1)].join('\n');
    expect(faultsOf(bomb)).toEqual([expect.stringMatching(/YAML: .*alias/i)]);
    expect(faultsOf('providers: *nothing\n')).toEqual([expect.stringMatching(/YAML: .*alias/i)]);
  });

  it('says where the YAML itself is broken, and which variable is missing', () => {
    expect(faultsOf('server: {\n  port: 1\n')[0]).toMatch(/^\d+ YAML: /);
    expect(faultsOf('providers:\n  openai: { api_key: ${NOT_THERE} }\n')).toEqual([
      '2 providers.openai.api_key: the environment variable NOT_THERE is not set. Set it, or give a default: ${NOT_THERE:-default}',
    ]);
  });

  it('takes the name of a provider at another address for a proxy of it, and lets quirks say whose fields a server accepts', () => {
    const { providers } = load(
      [
        'providers:',
        '  mistral: { base_url: "http://127.0.0.1:9000/v1" }',
        '  openai: { base_url: "http://127.0.0.1:9000/v1" }',
        '  mine: { base_url: "http://127.0.0.1:9000/v1", quirks: { accepts: groq } }',
        '  free: { base_url: "https://api.mistral.ai/v1", quirks: { accepts: any } }',
      ].join('\n'),
    );
    expect(providers.map(({ quirks }) => quirks)).toEqual([
      { tokenLimit: 'max_tokens', developerRole: false, streamOptions: false, accepts: 'mistral' },
      { accepts: 'openai' },
      { accepts: 'groq' },
      { tokenLimit: 'max_tokens', developerRole: false, streamOptions: false, accepts: 'any' },
    ]);
  });

  it('ships an example that is valid', () => {
    const example = new URL('../../gateway.example.yaml', import.meta.url).pathname;
    const config = loadConfig({ env: { GATEWAY_CONFIG: example, OPENAI_API_KEY: 'sk-abc' }, cwd: folder });
    expect(config.models.map(({ id }) => id)).toContain('fast');
  });
});
