import {
  AWS_KEYS,
  SERVER_KEY,
  startJsonOperationServers,
  vectorOf,
  type JsonOperationServers,
} from '../../../test/upstreams/json-operation-servers.js';
import { TIMEOUTS } from '../../../test/upstreams/provider-calls.js';
import type { ProviderConfig } from '../../config/gateway-config.js';
import type { RequestOf, ResultOf } from '../../operations/operation-types.js';
import type { ProviderCall } from '../provider.js';
import { JsonOperations } from './json-operations.js';

let servers: JsonOperationServers;
const opened: JsonOperations[] = [];

beforeAll(async () => {
  servers = await startJsonOperationServers();
});
afterAll(async () => {
  for (const operations of opened) await operations.close();
  await servers.stop();
});

function provider(name: string, config: Partial<ProviderConfig> = {}): JsonOperations {
  const whole = {
    name,
    type: 'openai',
    baseUrl: servers.baseUrl(name),
    apiKey: SERVER_KEY,
    headers: {},
    listModels: false,
    ...config,
  } as ProviderConfig;
  const operations = new JsonOperations(whole, { maxResponseBytes: 1_000_000 });
  opened.push(operations);
  return operations;
}

/** Calls an operation of a provider, which it must have. */
async function invoke<Name extends 'embeddings' | 'rerank' | 'moderations'>(
  operations: JsonOperations,
  name: Name,
  upstreamModel: string,
  request: Omit<RequestOf<Name>, 'model'>,
  more: Partial<ProviderCall<RequestOf<Name>>> = {},
): Promise<ResultOf<Name>> {
  const port = operations.ports[name];
  if (port === undefined) throw new Error(`no ${name}`);
  return port.invoke({
    request: { model: 'asked', ...request } as RequestOf<Name>,
    upstreamModel,
    timeouts: TIMEOUTS,
    requestId: 'req_1',
    headers: {},
    signal: new AbortController().signal,
    ...more,
  });
}

function embed(
  operations: JsonOperations,
  model: string,
  request: Omit<RequestOf<'embeddings'>, 'model'>,
  more: Partial<ProviderCall<RequestOf<'embeddings'>>> = {},
): Promise<ResultOf<'embeddings'>> {
  return invoke(operations, 'embeddings', model, request, more);
}

const TYPES: readonly [name: string, config: Partial<ProviderConfig>, model: string, tokensEach: number | undefined][] =
  [
    ['openai', { type: 'openai' }, 'text-embedding-3-small', 2],
    ['azure', { type: 'azure' }, 'my-deployment', 2],
    ['azure', { type: 'azure', cloud: { apiVersion: '2024-10-21' } }, 'my-deployment', 2],
    ['mistral', { type: 'mistral' }, 'mistral-embed', 2],
    ['mistral', { type: 'openai', quirks: { accepts: 'mistral' } }, 'mistral-embed', 2],
    ['google', { type: 'google' }, 'gemini-embedding-001', undefined],
    ['vertex', { type: 'vertex', cloud: { project: 'p', region: 'global' } }, 'text-embedding-005', 5],
    ['bedrock', { type: 'bedrock', cloud: { region: 'eu-west-1' } }, 'amazon.titan-embed-text-v2:0', 4],
    [
      'bedrock',
      { type: 'bedrock', apiKey: undefined, cloud: { region: 'eu-west-1', ...AWS_KEYS } },
      'amazon.titan-embed-text-v2:0',
      4,
    ],
    ['cohere', { type: 'cohere' }, 'embed-v4.0', 3],
  ];

describe.each(TYPES)('embeddings by %s %j', (name, config, model, tokensEach) => {
  it('come in the order of the inputs, however many calls they take', async () => {
    const input = Array.from(
      { length: 230 },
      (_, index) => 'x'.repeat((index * 7) % 50) + String.fromCharCode(65 + (index % 26)),
    );
    const from = servers.requests.length;
    const result = await embed(provider(name, config), model, { input });
    expect(result.vectors).toEqual(input.map(vectorOf));
    expect(result.tokens).toBe(tokensEach === undefined ? undefined : tokensEach * input.length);
    const calls = servers.requests.length - from;
    const expected = { google: 3, bedrock: 230, cohere: 3, mistral: 2 }[name] ?? 1;
    expect(calls).toBe(expected);
    if (calls > 8) expect(servers.mostInFlight).toBeLessThanOrEqual(8);
    for (const { headers } of servers.requests.slice(from)) {
      expect(headers).toMatchObject({ 'x-request-id': 'req_1', 'content-type': 'application/json' });
    }
  });

  it('give one text one vector', async () => {
    const result = await embed(provider(name, config), model, { input: 'one', encoding_format: 'base64' });
    const text = Buffer.from(Float32Array.from(vectorOf('one')).buffer).toString('base64');
    expect(result.vectors).toEqual([text]);
  });
});

describe('addresses and credentials', () => {
  it('are those of the type', async () => {
    const from = servers.requests.length;
    const dated = { type: 'azure', cloud: { apiVersion: '2024-10-21' } } as const;
    await embed(provider('azure', dated), 'my-deployment', { input: 'a' });
    await embed(provider('azure', { type: 'azure' }), 'my-deployment', { input: 'a' });
    const vertex = { type: 'vertex', cloud: { project: 'p', region: 'global' } } as const;
    await embed(provider('vertex', vertex), 'm', { input: 'a' });
    await embed(provider('openai', { baseUrl: `${servers.baseUrl('openai')}?api-version=7` }), 'm', { input: 'a' });
    expect(servers.requests.slice(from).map(({ url }) => url)).toEqual([
      '/azure/openai/deployments/my-deployment/embeddings?api-version=2024-10-21',
      '/azure/openai/v1/embeddings?api-version=v1',
      '/vertex/v1/publishers/google/models/m:predict',
      '/openai/v1/embeddings?api-version=7',
    ]);
  });

  it('pass the client’s headers to servers of OpenAI’s format alone, and never over the operator’s', async () => {
    const headers = { 'openai-organization': 'client', traceparent: 'trace', 'x-operator': 'client' };
    const from = servers.requests.length;
    await embed(provider('openai', { headers: { 'x-operator': 'operator' } }), 'm', { input: 'a' }, { headers });
    await embed(provider('cohere', { type: 'cohere' }), 'm', { input: 'a' }, { headers });
    const [openai, cohere] = servers.requests.slice(from);
    expect(openai?.headers).toMatchObject({ ...headers, 'x-operator': 'operator' });
    expect(cohere?.headers['openai-organization']).toBeUndefined();
    expect(cohere?.headers).toMatchObject({ traceparent: 'trace' });
  });

  it('lead no model id out of its path', async () => {
    for (const model of ['..', 'a/../b', 'a?b', '']) {
      await expect(
        invoke(provider('bedrock', { type: 'bedrock' }), 'rerank', model, { query: 'q', documents: ['a'] }),
      ).rejects.toMatchObject({ status: 404, code: 'model_not_found' });
    }
  });
});

describe('what a provider cannot take', () => {
  const google = (): JsonOperations => provider('google', { type: 'google' });

  it('is refused by name before anything is sent', async () => {
    const from = servers.requests.length;
    await expect(embed(google(), 'm', { input: [[1], [2]] })).rejects.toMatchObject({
      status: 400,
      param: 'input[0]',
    });
    expect(servers.requests.length).toBe(from);
  });

  it('is named where it is left out, and refused with strict_params', async () => {
    const dropped: string[] = [];
    const onDroppedParams = (names: readonly string[]): number => dropped.push(...names);
    const request = { input: 'a', user: 'u', seed: 5 };
    await embed(google(), 'm', request, { onDroppedParams });
    // Who asks is for the gateway; nothing is lost.
    expect(dropped).toEqual(['seed']);
    await expect(embed(google(), 'm', { ...request, strict_params: true })).rejects.toMatchObject({
      status: 400,
      param: 'seed',
      code: 'unsupported_parameter',
    });
  });
});

it.each<[Partial<ProviderConfig>, string[]]>([
  [{ type: 'anthropic' }, []],
  [{ type: 'groq' }, []],
  [{ quirks: { accepts: 'deepseek' } }, []],
  [{ quirks: { accepts: 'openai' } }, ['embeddings', 'moderations']],
  [{ type: 'mistral' }, ['embeddings', 'moderations']],
  [{ type: 'cohere' }, ['embeddings', 'rerank']],
  [{ type: 'google' }, ['embeddings']],
  [{}, ['embeddings', 'rerank', 'moderations']],
])('a provider with %j has %j', (config, names) => {
  expect(Object.keys(provider('openai', config).ports)).toEqual(names);
});

it('finds /api/embed and TEI’s /rerank beside the /v1 of the base URL', async () => {
  const ollama = provider('ollama', { baseUrl: `${servers.baseUrl('ollama')}/v1`, quirks: { embeddings: 'ollama' } });
  await expect(embed(ollama, 'm', { input: 'a' })).resolves.toMatchObject({ tokens: 1 });
  const tei = provider('tei', { baseUrl: `${servers.baseUrl('tei')}/v1`, quirks: { rerank: 'tei' } });
  await expect(invoke(tei, 'rerank', 'm', { query: 'q', documents: ['a'] })).resolves.toMatchObject({
    results: [{ index: 0 }],
  });
});

describe('failures', () => {
  it.each([
    [401, { status: 502, code: 'upstream_error', retryable: true }],
    [429, { status: 429, retryable: true }],
    [503, { status: 503, retryable: true }],
    [400, { status: 400, retryable: false }],
  ])('%p is mapped as for chat, and ends the other calls', async (status, expected) => {
    const input = Array.from({ length: 40 }, () => 'a');
    const titan = provider('bedrock', { type: 'bedrock' });
    await expect(embed(titan, `amazon.titan-embed-text-v2:0-status-${status}`, { input })).rejects.toMatchObject(
      expected,
    );
  });

  it('are those of the caller when it is gone', async () => {
    const controller = new AbortController();
    const input = Array.from({ length: 40 }, () => 'a');
    const titan = provider('bedrock', { type: 'bedrock' });
    const from = servers.requests.length;
    const pending = embed(titan, 'amazon.titan-embed-text-v2:0-slow', { input }, { signal: controller.signal });
    const reason = new Error('gone');
    setTimeout(() => controller.abort(reason), 50);
    await expect(pending).rejects.toBe(reason);
    const sent = servers.requests.slice(from).filter(({ url }) => url.includes('slow'));
    expect(sent.length).toBeLessThanOrEqual(8);
  });
});

describe('reranking', () => {
  const documents = Array.from({ length: 70 }, (_, index) => 'y'.repeat((index * 13) % 71));
  const best = documents
    .map((text, index) => ({ text, index }))
    .toSorted((one, other) => other.text.length - one.text.length);
  const request = { query: 'q', documents, top_n: 3 };

  it.each<[string, Partial<ProviderConfig>, string, unknown]>([
    ['cohere', { type: 'cohere' }, 'rerank-v3.5', { tokens: undefined, searchUnits: 2 }],
    ['bedrock', { type: 'bedrock' }, 'cohere.rerank-v3-5:0', { tokens: undefined, searchUnits: undefined }],
    ['vllm', {}, 'bge', { tokens: 11, searchUnits: undefined }],
    ['voyage', { quirks: { rerank: 'voyage' } }, 'rerank-2', { tokens: 26, searchUnits: undefined }],
    ['cohere', { quirks: { rerank: 'cohere' } }, 'rerank-v3.5', { tokens: undefined, searchUnits: 2 }],
    // Its server takes 32 texts at once.
    ['tei', { quirks: { rerank: 'tei' } }, 'bge', { tokens: undefined, searchUnits: undefined }],
    ['openai', { type: 'together' }, 'bge', { tokens: 11, searchUnits: undefined }],
  ])('by %s %j', async (name, config, model, usage) => {
    const result = await invoke(provider(name, config), 'rerank', model, request);
    expect(result.results.map(({ index }) => index)).toEqual(best.slice(0, 3).map(({ index }) => index));
    expect(result.usage).toEqual(usage);
  });
});

it.each<[string, Partial<ProviderConfig>]>([
  ['openai', { quirks: { accepts: 'openai' } }],
  ['mistral', { type: 'mistral' }],
])('moderations by %s', async (name, config) => {
  const input = ['hello', 'kill them'];
  const { results } = await invoke(provider(name, config), 'moderations', 'm', { input });
  expect(results.map(({ flagged }) => flagged)).toEqual([false, true]);
  expect(results[1]?.categories['violence']).toBe(true);
});
