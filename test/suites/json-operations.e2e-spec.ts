import { Cohere, CohereClient, CohereClientV2 } from 'cohere-ai';
import OpenAI, { BadRequestError, NotFoundError } from 'openai';
import type { UsageRecordDto } from '../../src/usage/report/usage-record.dto.js';
import type { GatewayResponse } from '../clients/gateway-response.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { model, price, type GatewayFile, type ProviderFile } from '../fixtures/gateway-config.js';
import { until } from '../fixtures/until.js';
import {
  AWS_KEYS,
  SERVER_KEY,
  startJsonOperationServers,
  vectorOf,
  type JsonOperationServers,
} from '../upstreams/json-operation-servers.js';

type Json = Record<string, unknown>;
interface Ranking {
  readonly id: string;
  readonly results: { index: number; relevance_score: number; document?: Json }[];
  readonly meta: { api_version: { version: string }; billed_units: Json };
  readonly usage?: Json;
}

function configOf(servers: JsonOperationServers): GatewayFile {
  const at = (name: string, more: Partial<ProviderFile> = {}): ProviderFile => ({
    type: 'openai',
    base_url: servers.baseUrl(name),
    api_key: SERVER_KEY,
    ...more,
  });
  return {
    providers: {
      openai: at('openai'),
      azure: at('azure', { type: 'azure', api_version: '2024-10-21' }),
      mistral: at('mistral', { type: 'mistral' }),
      google: at('google', { type: 'google' }),
      vertex: at('vertex', { type: 'vertex' }),
      bedrock: {
        type: 'bedrock',
        base_url: servers.baseUrl('bedrock'),
        region: 'eu-west-1',
        access_key_id: AWS_KEYS.accessKeyId,
        secret_access_key: AWS_KEYS.secretAccessKey,
      },
      cohere: at('cohere', { type: 'cohere' }),
      vllm: at('vllm'),
      voyage: at('voyage', { quirks: { embeddings: 'voyage', rerank: 'voyage' } }),
      tei: at('tei', { quirks: { rerank: 'tei' } }),
      ollama: at('ollama', { base_url: `${servers.baseUrl('ollama')}/v1`, quirks: { embeddings: 'ollama' } }),
      anthropic: at('openai', { type: 'anthropic' }),
    },
    sandbox: true,
    models: [
      model('priced', 'openai/text-embedding-3-small', { price: price(1_000, 0) }),
      model('priced-fan-out', 'bedrock/amazon.titan-embed-text-v2:0', { price: price(1_000, 0) }),
      model('priced-search', 'cohere/rerank-v3.5', { price: { ...price(0, 0), per_search: 0.002 } }),
      model('either', ['google/gemini-embedding-001', 'openai/text-embedding-3-small'], { strategy: 'priority' }),
      model('falls-back', 'cohere/status-503', { fallbacks: ['priced'] }),
    ],
  };
}

/** Each provider's embedding model, and what the fakes report as tokens of one input. */
const EMBEDDERS: readonly [model: string, tokensEach: number | undefined][] = [
  ['openai/text-embedding-3-small', 2],
  ['azure/my-deployment', 2],
  ['mistral/mistral-embed', 2],
  ['google/gemini-embedding-001', undefined],
  ['vertex/text-embedding-005', 5],
  ['bedrock/amazon.titan-embed-text-v2:0', 4],
  ['bedrock/cohere.embed-multilingual-v3', undefined],
  ['cohere/embed-v4.0', 3],
  ['vllm/intfloat/e5-small', 2],
  ['voyage/voyage-3', 2],
  ['ollama/all-minilm', 1],
];

describe('embeddings, reranking and moderations', () => {
  let servers: JsonOperationServers;
  let gateway: RunningGateway;
  let key: string;
  let client: OpenAI;

  beforeAll(async () => {
    servers = await startJsonOperationServers();
    gateway = await startGateway({ config: configOf(servers) });
    key = await gateway.apiKey({ name: 'operations' });
    client = new OpenAI({ apiKey: key, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
  });
  afterAll(async () => {
    await gateway.stop();
    await servers.stop();
  });

  const post = <Body = object>(path: string, body: object, apiKey = key): Promise<GatewayResponse<Body>> =>
    gateway.client(apiKey).post(path, body);
  const error = ({ status, body }: GatewayResponse<object>): object => ({ status, ...body.error });
  const recordsOf = (id: string): Promise<UsageRecordDto[]> =>
    gateway.admin.usageRecords(`model=${encodeURIComponent(id)}`);

  describe('the official openai client', () => {
    it('gets vectors of the sandbox that are closer for similar texts, whichever the encoding', async () => {
      const input = ['Where is the station?', 'The station is behind the park.', 'Bring an umbrella tomorrow.'];
      // The client asks for base64 by itself, and decodes it.
      const decoded = await client.embeddings.create({ model: 'sandbox/embed', input });
      const plain = await client.embeddings.create({ model: 'sandbox/embed', input, encoding_format: 'float' });
      expect(plain.data.map(({ embedding }) => embedding)).toEqual(decoded.data.map(({ embedding }) => [...embedding]));
      const [query = [], near = [], far = []] = plain.data.map(({ embedding }) => embedding);
      const dot = (one: number[], other: number[]): number =>
        one.reduce((sum, value, index) => sum + value * (other[index] ?? 0), 0);
      expect(dot(query, near)).toBeGreaterThan(dot(query, far));
      expect(plain.usage).toEqual({ prompt_tokens: 14, total_tokens: 14 });
      const short = await client.embeddings.create({ model: 'sandbox/embed', input: [[1, 2], [3]], dimensions: 16 });
      expect(short.data.map(({ embedding }) => embedding.length)).toEqual([16, 16]);
    });

    it.each(EMBEDDERS)('gets vectors of %s in the order of 120 inputs', async (model, tokensEach) => {
      const input = Array.from({ length: 120 }, (_, index) => String.fromCharCode(65 + (index % 26)).repeat(1 + index));
      const { data, usage } = await client.embeddings.create({ model, input });
      expect(data.map(({ embedding, index }) => [index, ...embedding])).toEqual(
        input.map((text, index) => [index, ...vectorOf(text)]),
      );
      if (tokensEach === undefined) expect(usage.prompt_tokens).toBeGreaterThan(0);
      else expect(usage).toEqual({ prompt_tokens: tokensEach * 120, total_tokens: tokensEach * 120 });
    });

    it('gets moderations of each provider that has them', async () => {
      const input = ['hello', 'I will kill them'];
      for (const model of ['sandbox/moderate', 'openai/omni-moderation-latest', 'mistral/mistral-moderation-latest']) {
        const { results, id } = await client.moderations.create({ model, input });
        expect(id).toMatch(/^mod/);
        expect(results.map(({ flagged, categories }) => [flagged, categories.violence])).toEqual([
          [false, false],
          [true, true],
        ]);
      }
      const parts = await client.moderations.create({
        model: 'sandbox/moderate',
        input: [
          { type: 'text', text: 'murder' },
          { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
        ],
      });
      expect(parts.results).toHaveLength(1);
    });

    it('need not name a model for a moderation', async () => {
      const { model } = await client.moderations.create({ input: 'hello' });
      expect(model).toBe('omni-moderation-latest');
    });

    it('throws its own errors', async () => {
      const tokens = client.embeddings.create({ model: 'google/gemini-embedding-001', input: [[1, 2], [3]] });
      await expect(tokens).rejects.toBeInstanceOf(BadRequestError);
      await expect(tokens).rejects.toMatchObject({ status: 400, param: 'input[0]', code: 'unsupported_value' });
      for (const model of ['anthropic/claude', 'unknown/none']) {
        await expect(client.embeddings.create({ model, input: 'a' })).rejects.toBeInstanceOf(NotFoundError);
      }
      await expect(client.embeddings.create({ model: 'sandbox/echo', input: 'a' })).rejects.toMatchObject({
        status: 404,
        code: 'model_not_found',
      });
      await expect(
        client.embeddings.create({ model: 'mistral/mistral-embed', input: 'a', user: 'u' }).withResponse(),
      ).resolves.toBeTruthy();
    });
  });

  it('pass the body of an OpenAI-compatible provider on byte by byte', async () => {
    const body = { model: 'vllm/m', input: ['a', 'bb'], truncate_prompt_tokens: 5 };
    const { text } = await post('/v1/embeddings', body);
    const { body: sent } = servers.requests.at(-1) ?? {};
    expect(sent).toEqual({ ...body, model: 'm' });
    const direct = await fetch(`${servers.baseUrl('vllm')}/embeddings`, {
      method: 'POST',
      headers: { authorization: `Bearer ${SERVER_KEY}` },
      body: JSON.stringify(sent),
    });
    expect(text).toBe(await direct.text());
  });

  it('name what a provider does not get', async () => {
    const response = await post('/embeddings', { model: 'cohere/embed-v4.0', input: 'a', seed: 5, user: 'u' });
    expect(response.status).toBe(200);
    expect(response.header('x-gateway-dropped-params')).toBe('seed');
    const strict = await post('/v1/embeddings', {
      model: 'cohere/embed-v4.0',
      input: 'a',
      seed: 5,
      strict_params: true,
    });
    expect(error(strict)).toMatchObject({ status: 400, param: 'seed', code: 'unsupported_parameter' });
  });

  it('go to another deployment, and to a fallback, where one cannot serve them', async () => {
    const tokens = await post('/v1/embeddings', { model: 'either', input: [[1, 2, 3]] });
    expect(tokens.header('x-gateway-provider')).toBe('openai');
    const fallback = await post('/v1/embeddings', { model: 'falls-back', input: 'a' });
    expect(fallback.header('x-gateway-model')).toBe('priced');
    // The only deployment of the model was tried twice.
    expect(fallback.header('x-gateway-attempts')).toBe('3');
  });

  it('map the failures of providers as chat does', async () => {
    for (const [status, expected] of [
      [401, 502],
      [429, 429],
      [500, 502],
      [503, 503],
    ] as const) {
      const response = await post('/v1/embeddings', { model: `openai/status-${status}`, input: 'a' });
      expect(response.status).toBe(expected);
    }
    expect((await post('/v1/rerank', { model: 'sandbox/error-429', query: 'q', documents: ['a'] })).status).toBe(429);
    const wrong = await post('/v1/embeddings', { model: 'sandbox/embed', input: ['a', 5] });
    expect(error(wrong)).toMatchObject({ status: 400, param: 'input[1]', code: 'invalid_type' });
    const get = await gateway.client(key).get('/v1/embeddings');
    expect(error(get)).toMatchObject({ status: 405, code: 'method_not_allowed' });
  });

  describe('reranking', () => {
    const query = 'Where is the station?';
    const documents = ['The bakery opens at six.', { text: 'The station is behind the park.', id: 7 }, 'Umbrellas'];

    it.each(['/v1/rerank', '/v2/rerank', '/rerank'])('at %s has the shape of Cohere and of Jina', async (path) => {
      const { results, meta, usage, id } = (
        await post<Ranking>(path, {
          model: 'sandbox/rerank',
          query,
          documents,
          top_n: 2,
          return_documents: true,
        })
      ).body;
      expect(results).toHaveLength(2);
      expect(results[0]).toMatchObject({ index: 1, document: documents[1] });
      expect(results[1]?.document).toHaveProperty('text');
      expect(results[0]?.relevance_score).toBeGreaterThan(results[1]?.relevance_score ?? 1);
      expect(meta.api_version.version).toBe(path === '/v2/rerank' ? '2' : '1');
      expect(usage).toEqual({
        prompt_tokens: expect.any(Number) as number,
        total_tokens: expect.any(Number) as number,
      });
      expect(id).toMatch(/^rerank-/);
    });

    it("is what Cohere's client gets, by version 1 and version 2", async () => {
      const options = { token: key, environment: gateway.url };
      const texts = ['The bakery opens at six.', 'The station is behind the park.'];
      for (const model of ['sandbox/rerank', 'cohere/rerank-v3.5', 'vllm/bge-reranker', 'tei/bge-reranker']) {
        const v2 = await new CohereClientV2(options).rerank({ model, query, documents: texts, topN: 1 });
        expect(v2.results).toEqual([{ index: 1, relevanceScore: expect.any(Number) as number }]);
        const v1 = await new CohereClient(options).rerank({
          model,
          query,
          documents: texts.map((text) => ({ text })),
          returnDocuments: true,
        });
        expect(v1.results.map(({ index, document }) => [index, document?.text])).toEqual([
          [1, texts[1]],
          [0, texts[0]],
        ]);
        expect(v1.meta?.apiVersion?.version).toBe('1');
      }
      const refused = new CohereClientV2(options).rerank({ model: 'unknown/none', query, documents: texts });
      await expect(refused).rejects.toBeInstanceOf(Cohere.NotFoundError);
    });

    it.each([
      ['cohere/rerank-v3.5', { search_units: 2 }],
      ['bedrock/cohere.rerank-v3-5:0', {}],
      ['vllm/bge-reranker', { input_tokens: 11 }],
      ['voyage/rerank-2', { input_tokens: 26 }],
      ['tei/bge-reranker', {}],
    ])('by %s', async (model, billed) => {
      const { results, meta } = (
        await post<Ranking>('/v1/rerank', { model, query: 'q', documents: ['a', 'ccc', 'bb'], top_n: 2 })
      ).body;
      expect(results.map(({ index }) => index)).toEqual([1, 2]);
      expect(results[0]).not.toHaveProperty('document');
      expect(meta.billed_units).toEqual(billed);
    });

    it('names the document that has no text', async () => {
      const response = await post('/v1/rerank', {
        model: 'cohere/rerank-v3.5',
        query,
        documents: ['a', { title: 'b' }],
      });
      expect(error(response)).toMatchObject({ status: 400, param: 'documents[1]' });
    });
  });

  describe('are accounted for', () => {
    it('by the tokens of all calls of a request, at the price of the model', async () => {
      const response = await post('/v1/embeddings', {
        model: 'priced-fan-out',
        input: ['a', 'b', 'c'],
        metadata: { ticket: 'T-1' },
      });
      expect(response.header('x-gateway-cost')).toBe('0.012');
      await until(async () => (await recordsOf('priced-fan-out')).length === 1);
      expect((await recordsOf('priced-fan-out'))[0]).toMatchObject({
        operation: 'embeddings',
        provider: 'bedrock',
        prompt_tokens: 12,
        completion_tokens: 0,
        cost_usd: 0.012,
        cost_basis: 'reported',
        status: 'succeeded',
        metadata: { ticket: 'T-1' },
      });
    });

    it('by an estimate where the provider does not count', async () => {
      const { usage } = await client.embeddings.create({
        model: 'google/gemini-embedding-001',
        input: 'one two three',
      });
      const records = await until1(
        () => recordsOf('google/gemini-embedding-001'),
        ({ prompt_tokens: tokens }) => tokens === 3,
      );
      expect(records).toMatchObject({ estimated: true, operation: 'embeddings', search_units: null });
      expect(usage.prompt_tokens).toBe(3);
    });

    it('by the searches that the provider counted', async () => {
      const priced = await post('/v1/rerank', { model: 'priced-search', query: 'q', documents: ['a'] });
      expect(priced.header('x-gateway-cost')).toBe('0.004');
      const unpriced = await post('/v1/rerank', { model: 'cohere/rerank-3', query: 'q', documents: ['a'] });
      expect(unpriced.headers.has('x-gateway-cost')).toBe(false);
      for (const [model, cost] of [
        ['priced-search', 0.004],
        ['cohere/rerank-3', null],
      ] as const) {
        const record = await until1(
          () => recordsOf(model),
          () => true,
        );
        expect(record).toMatchObject({ operation: 'rerank', search_units: 2, prompt_tokens: 0, cost_usd: cost });
      }
    });

    it('and held to limits and budgets', async () => {
      const limited = await gateway.apiKey({ name: 'one a minute', limits: { rpm: 1 } });
      expect(
        (await post('/v1/rerank', { model: 'sandbox/rerank', query: 'q', documents: ['a'] }, limited)).status,
      ).toBe(200);
      const second = await post('/v1/moderations', { model: 'sandbox/moderate', input: 'a' }, limited);
      expect(error(second)).toMatchObject({ status: 429, code: 'rate_limit_exceeded' });
      const poor = await gateway.apiKey({ name: 'poor', budget: { usd: 0.005, period: 'total' } });
      expect((await post('/v1/embeddings', { model: 'priced', input: 'a' }, poor)).status).toBe(200);
      const tooDear = await post('/v1/embeddings', { model: 'priced', input: 'a'.repeat(100) }, poor);
      expect(error(tooDear)).toMatchObject({ status: 429, code: 'insufficient_quota' });
      const narrow = await gateway.apiKey({ name: 'narrow', allowed_models: ['priced'] });
      const forbidden = await post('/v1/embeddings', { model: 'openai/text-embedding-3-small', input: 'a' }, narrow);
      expect(error(forbidden)).toMatchObject({ status: 403, code: 'model_not_allowed' });
    });
  });

  async function until1<Item>(
    list: () => Promise<Item[]>,
    isMeant: (item: Item) => boolean,
  ): Promise<Item | undefined> {
    await until(async () => (await list()).some(isMeant));
    return (await list()).find(isMeant);
  }
});
