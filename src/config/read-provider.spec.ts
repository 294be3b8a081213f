import { Environment, readProviderEnvironment, type ProviderEnvironment } from './environment.js';
import { readProvider, type ReadProvider } from './read-provider.js';
import type { ProviderFile } from './settings/providers.js';

function environmentOf(env: Record<string, string>): ProviderEnvironment {
  return readProviderEnvironment(new Environment(env, []));
}

function read(name: string, entry: ProviderFile, env: Record<string, string> = {}): ReadProvider {
  return readProvider(name, entry, environmentOf(env));
}

function keysOf({ faults }: ReadProvider): string[] {
  return faults.map(({ key }) => key);
}

describe('readProvider', () => {
  it('speaks a provider’s own format where the name says whose, and OpenAI’s elsewhere', () => {
    const types = (name: string, entry: ProviderFile = { api_key: 'k' }) => {
      const { config, faults } = read(name, entry);
      expect(faults).toEqual([]);
      return [config?.type, config?.baseUrl];
    };
    expect(types('anthropic')).toEqual(['anthropic', 'https://api.anthropic.com/v1']);
    expect(types('gemini')).toEqual(['google', 'https://generativelanguage.googleapis.com/v1beta']);
    expect(types('cohere')).toEqual(['cohere', 'https://api.cohere.com/v2']);
    expect(types('groq')).toEqual(['openai', 'https://api.groq.com/openai/v1']);
    expect(types('groq', { type: 'groq', api_key: 'k' })).toEqual(['groq', 'https://api.groq.com/openai/v1']);
    expect(types('my-claude', { type: 'anthropic', api_key: 'k' })).toEqual([
      'anthropic',
      'https://api.anthropic.com/v1',
    ]);
    expect(types('anthropic', { type: 'openai', base_url: 'https://proxy.example/v1/' })).toEqual([
      'openai',
      'https://proxy.example/v1',
    ]);
    expect(types('azure', { api_key: 'k', resource_name: 'mine' })).toEqual([
      'azure',
      'https://mine.openai.azure.com/openai',
    ]);
    expect(types('bedrock', { api_key: 'k', region: 'eu-west-1' })).toEqual([
      'bedrock',
      'https://bedrock-runtime.eu-west-1.amazonaws.com',
    ]);
    expect(types('vertex', { project: 'p', region: 'europe-west4' })).toEqual([
      'vertex',
      'https://europe-west4-aiplatform.googleapis.com',
    ]);
    expect(types('vertex', { project: 'p' })).toEqual(['vertex', 'https://aiplatform.googleapis.com']);
  });

  it('takes several keys in place of one', () => {
    const { config, faults } = read('openai', { api_keys: ['a', 'b', 'c'] });
    expect([config?.apiKey, config?.furtherKeys, faults]).toEqual(['a', ['b', 'c'], []]);
    expect(read('anthropic', { api_keys: ['a'] }).config?.furtherKeys).toBeUndefined();
    expect(keysOf(read('openai', { api_key: 'a', api_keys: ['b'] }))).toEqual(['api_keys']);
    expect(keysOf(read('openai', { api_keys: ['a', 'b', 'a'] }))).toEqual(['api_keys']);
    expect(keysOf(read('azure', { api_keys: ['a', 'b'], resource_name: 'mine' }))).toEqual([]);
  });

  it('takes what the file leaves out from the environment', () => {
    expect(read('my-claude', { type: 'anthropic' }, { ANTHROPIC_API_KEY: 'of-env' }).config?.apiKey).toBe('of-env');
    expect(
      read(
        'bedrock',
        {},
        { AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'AKIA', AWS_SECRET_ACCESS_KEY: 's', AWS_SESSION_TOKEN: 't' },
      ).config,
    ).toMatchObject({
      apiKey: undefined,
      cloud: { region: 'us-east-1', accessKeyId: 'AKIA', secretAccessKey: 's', sessionToken: 't' },
    });
    expect(
      read('vertex', {}, { GOOGLE_CLOUD_PROJECT: 'p', GOOGLE_APPLICATION_CREDENTIALS: '/key.json' }).config,
    ).toMatchObject({ apiKey: undefined, cloud: { project: 'p', region: 'global', credentialsFile: '/key.json' } });
    expect(read('azure', {}, { AZURE_RESOURCE_NAME: 'mine', AZURE_API_KEY: 'k' }).config).toMatchObject({
      baseUrl: 'https://mine.openai.azure.com/openai',
      apiKey: 'k',
    });
  });

  it('sends a key of the environment to the address that it is for alone', () => {
    const env = { ANTHROPIC_API_KEY: 'of-env', AZURE_API_KEY: 'of-env', AWS_SESSION_TOKEN: 'of-env' };
    const elsewhere = { base_url: 'https://elsewhere.example' };
    expect(read('my-claude', { type: 'anthropic', ...elsewhere }, env)).toMatchObject({
      config: { apiKey: undefined },
      faults: [{ key: 'api_key' }],
    });
    expect(keysOf(read('azure', elsewhere, env))).toEqual(['api_key']);
    const named = { region: 'us-east-1', access_key_id: 'AKIA', secret_access_key: 's' };
    expect(read('bedrock', named, env).config?.cloud).not.toHaveProperty('sessionToken');
  });

  it('says what is missing', () => {
    expect(keysOf(read('anthropic', {}))).toEqual(['api_key']);
    expect(keysOf(read('bedrock', {}))).toEqual(['region']);
    expect(keysOf(read('bedrock', { region: 'us-east-1', access_key_id: 'AKIA' }))).toEqual(['api_key']);
    expect(keysOf(read('vertex', {}))).toEqual([]);
    expect(keysOf(read('azure', {}))).toEqual(['resource_name', 'api_key']);
    expect(keysOf(read('mystery', {}))).toEqual(['base_url']);
  });

  it('reads where the batches of a cloud are, and says what is missing for them', () => {
    const role = 'arn:aws:iam::123456789012:role/batches';
    const login = { region: 'eu-west-1', access_key_id: 'AKIA', secret_access_key: 's' };
    const bedrock = { ...login, batch_location: 's3://mine/batches', batch_role_arn: role, batch_min_tasks: 20 };
    expect(read('bedrock', bedrock)).toMatchObject({
      faults: [],
      config: {
        batchMinTasks: 20,
        cloud: { batchStorage: { bucketUrl: 'https://mine.s3.eu-west-1.amazonaws.com', roleArn: role } },
      },
    });
    expect(read('bedrock', { ...bedrock, batch_location: 's3://my.own' }).config?.cloud?.batchStorage).toMatchObject({
      bucketUrl: 'https://s3.eu-west-1.amazonaws.com/my.own',
    });
    expect(keysOf(read('bedrock', { ...login, batch_location: 's3://mine' }))).toEqual(['batch_role_arn']);
    expect(keysOf(read('bedrock', { ...login, batch_role_arn: role }))).toEqual(['batch_role_arn']);
    expect(keysOf(read('bedrock', { ...bedrock, batch_location: 'gs://mine' }))).toEqual(['batch_location']);
    expect(keysOf(read('bedrock', { ...login, batches: 'native' }))).toEqual(['batch_location']);
    // An API key opens no bucket, so that a login is looked for as well.
    const byKey = { ...bedrock, access_key_id: undefined, secret_access_key: undefined, api_key: 'k' };
    const { config } = read('bedrock', byKey, { AWS_ACCESS_KEY_ID: 'A', AWS_SECRET_ACCESS_KEY: 's' });
    expect(config).toMatchObject({ apiKey: 'k', cloud: { accessKeyId: 'A' } });
    const vertex = { project: 'p', batch_location: 'gs://mine' };
    expect(read('vertex', vertex).config?.cloud?.batchStorage).toMatchObject({
      bucketUrl: 'https://storage.googleapis.com/mine',
    });
    expect(keysOf(read('vertex', { ...vertex, api_key: 'k' }))).toEqual(['batch_location']);
    expect(keysOf(read('vertex', { ...vertex, batch_role_arn: role }))).toEqual(['batch_role_arn']);
    expect(keysOf(read('vertex', { project: 'p', batches: 'native' }))).toEqual(['batch_location']);
    expect(keysOf(read('anthropic', { api_key: 'k', batch_location: 's3://mine' }))).toEqual(['batch_location']);
  });

  it('refuses settings of another type', () => {
    expect(read('groq', { region: 'us-east-1' }).faults).toEqual([
      { key: 'region', message: 'is for bedrock and vertex alone, not for type openai' },
    ]);
    expect(keysOf(read('azure', { resource_name: 'mine', api_key: 'k', project: 'p' }))).toEqual(['project']);
  });
});
