import type { ConfigFault } from './config-error.js';
import { baseUrlFault, dataDirectoryOf, readDatabaseUrl, readEnvironment } from './environment.js';

function faultsOf(env: Record<string, string>): ConfigFault[] {
  const faults: ConfigFault[] = [];
  readEnvironment(env, faults);
  return faults;
}

describe('GATEWAY_ADMIN_KEY', () => {
  it.each([['admin-9f2c6e1b7a3d5048c1e2f3a4'], ['correct horse battery staple'], ['gw_ops_Zk81PqLm20XvRt7Yw3Hc']])(
    'may be %s',
    (key) => {
      expect(faultsOf({ GATEWAY_ADMIN_KEY: key })).toEqual([]);
    },
  );

  it.each([
    ['short'],
    ['changeme-changeme-changeme'],
    ['your-admin-key-goes-here-please'],
    ['aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'],
    ['admin-admin-admin-admin-admin'],
    ['test-admin-key-1234567890'],
    ['passwordpasswordpassword'],
    ['123456789012345678901234'],
    ['<paste a long random string>'],
  ])('may not be %s', (key) => {
    const [fault] = faultsOf({ GATEWAY_ADMIN_KEY: key });
    expect(fault?.path).toBe('GATEWAY_ADMIN_KEY');
    expect(fault?.message).not.toContain(key);
  });
});

describe('readDatabaseUrl', () => {
  const read = (url: string): unknown => {
    let fault: string | undefined;
    const database = readDatabaseUrl(url, '/srv', (message) => (fault = message));
    return database ?? fault;
  };

  it.each([
    ['sqlite:./data/a.sqlite', { kind: 'sqlite', path: '/srv/data/a.sqlite' }],
    ['sqlite:/var/a.sqlite', { kind: 'sqlite', path: '/var/a.sqlite' }],
    ['sqlite:///var/a.sqlite', { kind: 'sqlite', path: '/var/a.sqlite' }],
    ['sqlite::memory:', { kind: 'sqlite', path: ':memory:' }],
    ['postgresql://u@h/d', { kind: 'postgres', url: 'postgresql://u@h/d' }],
  ])('reads %s', (url, expected) => {
    expect(read(url)).toEqual(expected);
  });

  it.each([['sqlite:'], ['sqlite://host/a'], ['mysql://h/d'], ['postgres://u:p@ss:w@rd@h:x/d'], ['']])(
    'refuses %s',
    (url) => {
      expect(read(url)).toEqual(expect.any(String));
    },
  );
});

it('keeps the pepper beside the embedded database, unless a folder is named', () => {
  expect(dataDirectoryOf(undefined, { kind: 'sqlite', path: '/var/a/b.sqlite' }, '/srv')).toBe('/var/a');
  expect(dataDirectoryOf('state', { kind: 'sqlite', path: '/var/a/b.sqlite' }, '/srv')).toBe('/srv/state');
  expect(dataDirectoryOf(undefined, { kind: 'postgres', url: 'postgres://h/d' }, '/srv')).toBe('/srv/data');
});

it.each([
  ['http://127.0.0.1:1/v1', true],
  ['https://h', true],
  ['ftp://h', false],
  ['h', false],
  ['http://u:p@h', false],
  ['http://h?x=1', false],
])('judges the base URL %s', (url, good) => {
  expect(baseUrlFault(url) === undefined).toBe(good);
});

it.each([
  ['https://api.openai.com/v1/chat/completions', 'https://api.openai.com/v1'],
  ['http://127.0.0.1:8000/v1/completions/', 'http://127.0.0.1:8000/v1'],
  ['https://api.anthropic.com/v1/messages', 'https://api.anthropic.com/v1'],
  ['https://host/openai/v1/responses', 'https://host/openai/v1'],
  ['https://api.cohere.com/v2/chat', 'https://api.cohere.com/v2'],
  ['https://host/v1/embeddings', 'https://host/v1'],
  ['https://host/v1/models', 'https://host/v1'],
  ['https://host/v1beta/models/gemini-3:generateContent', 'https://host/v1beta'],
  [
    'https://bedrock-runtime.eu-west-1.amazonaws.com/model/a.b-v1/converse-stream',
    'https://bedrock-runtime.eu-west-1.amazonaws.com',
  ],
])('says what to write instead of %s', (url, base) => {
  expect(baseUrlFault(url)).toMatch(/ends in the route/);
  expect(baseUrlFault(url)?.endsWith(`Write ${base}`)).toBe(true);
  expect(baseUrlFault(base)).toBeUndefined();
});

it.each([['https://resource.services.ai.azure.com/models'], ['https://host/chat'], ['https://host/messages-proxy/v1']])(
  'takes %s for a base',
  (url) => {
    expect(baseUrlFault(url)).toBeUndefined();
  },
);
