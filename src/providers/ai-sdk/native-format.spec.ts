import { readdirSync, readFileSync } from 'node:fs';
import type { ProviderConfig } from '../../config/gateway-config.js';
import { NATIVE_TYPES } from '../definitions/registry.js';
import { loadPackage } from './native-format.js';

function config(type: ProviderConfig['type'], rest: Partial<ProviderConfig> = {}): ProviderConfig {
  return {
    name: type,
    type,
    baseUrl: 'http://127.0.0.1:9',
    apiKey: 'key',
    headers: {},
    listModels: true,
    ...rest,
  };
}

describe('loadPackage', () => {
  it.each(NATIVE_TYPES)('makes language models of version 3 for %s', async (type) => {
    const factory = await loadPackage(type, config(type), fetch);
    expect(await factory('some-model')).toMatchObject({ specificationVersion: 'v3', modelId: 'some-model' });
  });

  it('makes Claude on Vertex AI out of its own package', async () => {
    const factory = await loadPackage('vertex', config('vertex', { cloud: { project: 'p', region: 'global' } }), fetch);
    expect((await factory('claude-sonnet-4-5@20250929')).provider).toMatch(/anthropic/);
    expect((await factory('gemini-2.5-pro')).provider).toMatch(/google\.vertex/);
  });

  it('asks nothing of the environment', async () => {
    // A package reads missing options from the environment, and so could send a key to the wrong server.
    const before = { ...process.env };
    Object.assign(process.env, {
      ANTHROPIC_API_KEY: 'of-the-environment',
      ANTHROPIC_BASE_URL: 'http://of-the-environment',
      AWS_BEARER_TOKEN_BEDROCK: 'of-the-environment',
      AWS_ENDPOINT_URL: 'http://of-the-environment',
      GOOGLE_VERTEX_API_KEY: 'of-the-environment',
    });
    try {
      const sent: unknown[] = [];
      const record: typeof fetch = (input, init) => {
        sent.push([input, init?.headers]);
        return Promise.reject(new Error('enough'));
      };
      const keys = { region: 'eu-west-1', accessKeyId: 'AKIA', secretAccessKey: 'secret' };
      const prompt = [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'Hi' }] }];
      for (const provider of [
        config('anthropic'),
        config('bedrock', { apiKey: undefined, cloud: keys }),
        config('vertex'),
      ]) {
        const factory = await loadPackage(provider.type, provider, record);
        await expect((await factory('some-model')).doGenerate({ prompt })).rejects.toThrow();
      }
      expect(sent).toHaveLength(3);
      expect(JSON.stringify(sent)).not.toContain('of-the-environment');
    } finally {
      process.env = before;
    }
  });

  it.each(['.', '../definitions/'])('%s loads a package only when it is called', (path) => {
    const folder = new URL(path, import.meta.url);
    const sources = readdirSync(folder).filter((name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'));
    expect(sources.length).toBeGreaterThan(10);
    for (const name of sources) {
      const text = readFileSync(new URL(name, folder), 'utf8');
      expect([name, /^import (?!type\b)[^;]*'@ai-sdk\//m.test(text)]).toEqual([name, false]);
    }
  });
});
