import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import OpenAI from 'openai';
import { BATCH_ENDPOINTS } from '../../src/batch/batch-generate.dto.js';
import type { BatchDto } from '../../src/batch/batch.dto.js';
import type { TaskResultDto } from '../../src/batch/task-result.dto.js';
import { openDatabase } from '../../src/database/open-database.js';
import { SCHEMA } from '../../src/schema.js';
import type { GatewayClient } from '../clients/gateway-client.js';
import type { GatewayResponse } from '../clients/gateway-response.js';
import { endpointRequests, withoutIds, type EndpointRequest, type Json } from '../fixtures/endpoint-requests.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { model, openAiAt, price } from '../fixtures/gateway-config.js';
import { createDatabase, dropDatabase, isPostgresRun } from '../fixtures/postgres-databases.js';
import { startRedis, type RedisServer } from '../fixtures/redis-server.js';
import { RECORDINGS, responseOf } from '../fixtures/responses-recordings.js';
import { until } from '../fixtures/until.js';
import {
  nativeProviders,
  startFakeNativeProviders,
  type FakeNativeProviders,
} from '../upstreams/fake-native-providers.js';
import { startResponsesServer, type ResponsesServer } from '../upstreams/fake-responses.js';
import { startFakeUpstream, type FakeUpstream } from '../upstreams/fake-upstream-client.js';
import {
  SERVER_KEY,
  startJsonOperationServers,
  type JsonOperationServers,
} from '../upstreams/json-operation-servers.js';

const SEED = 20_261_128;
/** Models by endpoint: the sandbox, and providers that speak the endpoint's format and another. */
const CHAT_MODELS = [
  'sandbox/echo',
  'fake/echo',
  'anthropic/claude-sonnet-4-5',
  'google/gemini-2.5-flash',
  'openai/gpt-5',
];
const MODELS: Readonly<Record<string, readonly string[]>> = {
  '/v1/chat/completions': CHAT_MODELS,
  '/v1/completions': CHAT_MODELS,
  '/v1/responses': CHAT_MODELS,
  '/v1/messages': CHAT_MODELS,
  '/v1/embeddings': ['sandbox/embed', 'vllm/e5', 'cohere/embed-v4.0'],
  '/v1/rerank': ['sandbox/rerank', 'vllm/bge', 'cohere/rerank-v3.5'],
  '/v2/rerank': ['sandbox/rerank', 'cohere/rerank-v3.5'],
  '/v1/moderations': ['sandbox/moderate', 'vllm/guard'],
};
const MESSAGE = { messages: [{ role: 'user', content: 'one two three' }] };
/** A request of each endpoint, without its model. */
const REQUESTS: Readonly<Record<string, Json>> = {
  '/v1/chat/completions': MESSAGE,
  '/v1/completions': { prompt: 'one two three', max_tokens: 50 },
  '/v1/responses': { input: 'one two three', instructions: 'Be brief.' },
  '/v1/messages': { max_tokens: 50, system: 'Be brief.', ...MESSAGE },
  '/v1/embeddings': { input: ['one', 'two'] },
  '/v1/rerank': { query: 'longest', documents: ['one', 'three'] },
  '/v2/rerank': { query: 'longest', documents: ['one', 'three'] },
  '/v1/moderations': { input: 'I want to kill them.' },
};
const OPERATIONS: Readonly<Record<string, string>> = {
  '/v1/embeddings': 'embeddings',
  '/v1/rerank': 'rerank',
  '/v2/rerank': 'rerank',
  '/v1/moderations': 'moderations',
};

interface OfResult extends Omit<TaskResultDto, 'response' | 'error'> {
  readonly response: { status_code: number; request_id: string; body: Json; warnings?: Json[] } | null;
  readonly error: Json | null;
}

describe(`batch tasks of every endpoint (${isPostgresRun ? 'PostgreSQL and Redis' : 'SQLite'})`, () => {
  let upstream: FakeUpstream;
  let natives: FakeNativeProviders;
  let responses: ResponsesServer;
  let servers: JsonOperationServers;
  let redis: RedisServer | undefined;
  let gateway: RunningGateway;
  let client: GatewayClient;

  beforeAll(async () => {
    [upstream, natives, responses, servers] = await Promise.all([
      startFakeUpstream(),
      startFakeNativeProviders(),
      startResponsesServer(),
      startJsonOperationServers(),
    ]);
    responses.respondWith(() => ({ body: responseOf(RECORDINGS.text) }));
    redis = isPostgresRun ? await startRedis() : undefined;
    gateway = await startGateway({
      config: {
        sandbox: true,
        providers: {
          ...nativeProviders(['anthropic', 'google'], natives),
          fake: openAiAt(upstream),
          openai: { type: 'openai', base_url: `${responses.url}/v1`, api_key: 'sk-first', responses: 'all' },
          vllm: { type: 'openai', base_url: servers.baseUrl('vllm'), api_key: SERVER_KEY },
          cohere: { type: 'cohere', base_url: servers.baseUrl('cohere'), api_key: SERVER_KEY },
        },
        models: [
          model('priced', 'fake/echo', { price: price(1_000, 2_000) }),
          model('priced-claude', 'anthropic/claude-sonnet-4-5', { price: price(1_000, 2_000) }),
        ],
      },
      ...(redis !== undefined && { env: { REDIS_URL: redis.url } }),
    });
    client = await gateway.newClient();
  });
  afterAll(async () => {
    await gateway.stop();
    await redis?.stop();
    await Promise.all([upstream.stop(), natives.stop(), responses.stop(), servers.stop()]);
  });

  const submit = (body: object): Promise<GatewayResponse<Json & { error?: Json; job_id: string }>> =>
    client.post('/v1/batch/generate', body);
  const resultsOf = async (id: string): Promise<OfResult[]> => {
    await client.endedBatch(id);
    return (await client.batchResults(id)) as unknown as OfResult[];
  };
  const run = async (tasks: readonly unknown[], fields: object = {}): Promise<OfResult[]> =>
    resultsOf(await client.submitBatch('sandbox/echo', tasks, fields));
  const lineOf = ({ path, body }: EndpointRequest): object => ({ method: 'POST', url: path, body });

  it('responds as the live endpoint does, on the sandbox and on providers of the same and of other formats, in one job', async () => {
    const requests = Object.entries(REQUESTS).flatMap(([path, body]) =>
      (MODELS[path] ?? []).map((name): EndpointRequest => ({ path, body: { model: name, ...body } })),
    );
    const results = await run(requests.map(lineOf));
    for (const [index, { path, body }] of requests.entries()) {
      const live = await client.post(path, body);
      const what = { path, model: body['model'] };
      expect({ ...what, status: live.status }).toEqual({ ...what, status: 200 });
      const { status, error, response, usage } = results[index]!;
      expect({ ...what, status, error }).toEqual({ ...what, status: 'succeeded', error: null });
      expect({ ...what, body: withoutIds(response?.body) }).toEqual({ ...what, body: withoutIds(live.body) });
      expect(usage).toEqual(response?.body['usage'] ?? null);
    }
  });

  it('passes requests and responses through unchanged where the provider speaks the format', async () => {
    natives.requests.length = 0;
    const body = { model: 'anthropic/claude-sonnet-4-5', max_tokens: 20, ...MESSAGE, brand_new: { big: 1 } };
    const text = JSON.stringify({ model: 'sandbox/echo', tasks: [{ custom_id: 'a', params: body }] });
    const { body: job } = await client.post<{ job_id: string }>(
      '/v1/batch/generate',
      text.replace('{"big":1}', '{"big":9007199254740993}'),
    );
    const [result] = await resultsOf(job.job_id);
    expect(result?.response?.body).toMatchObject({
      type: 'message',
      content: [{ type: 'text', text: 'one two three' }],
    });
    const [received] = natives.requests;
    expect(received?.text).toContain('"brand_new":{"big":9007199254740993}');
    expect(received?.body).toEqual({ ...body, model: 'claude-sonnet-4-5', brand_new: { big: 9007199254740993 } });
  });

  it('sends headers of a format to providers of tasks in this format, as of live requests', async () => {
    natives.requests.length = 0;
    const headers = {
      'anthropic-version': '2024-10-22',
      'anthropic-beta': 'context-1m-2025-08-07,files-api-2025-04-14',
      'openai-beta': 'responses=v1',
      'x-other': '1',
    };
    const tasks = [
      { params: { model: 'anthropic/claude-sonnet-4-5', max_tokens: 20, ...MESSAGE } },
      { body: { model: 'google/gemini-2.5-flash', ...MESSAGE } },
    ];
    const submitted = await client.post<{ job_id: string }>(
      '/v1/batch/generate',
      { model: 'sandbox/echo', tasks },
      { headers },
    );
    const results = await resultsOf(submitted.body.job_id);
    expect(results.map(({ status }) => status)).toEqual(['succeeded', 'succeeded']);
    await client.post('/v1/messages', tasks[0]?.params, { headers });
    const sent = (name: string): unknown[] => natives.requests.map((request) => request.headers[name]);
    const ofProvider = (path: RegExp): number[] =>
      natives.requests.flatMap(({ url }, index) => (path.test(url) ? [index] : []));
    const claude = ofProvider(/messages/);
    expect(claude).toHaveLength(2);
    for (const name of Object.keys(headers)) {
      const [ofTask, ofLive] = claude.map((index) => sent(name)[index]);
      expect([name, ofTask]).toEqual([name, ofLive]);
    }
    expect(sent('anthropic-version')[claude[0]!]).toBe('2024-10-22');
    expect(sent('anthropic-beta')[claude[0]!]).toBe(headers['anthropic-beta']);
    const [gemini] = ofProvider(/generateContent/);
    expect([sent('anthropic-version')[gemini!], sent('anthropic-beta')[gemini!]]).toEqual([undefined, undefined]);
  });

  it('reads a text, a prompt and fields as requests of the job’s endpoint, and gives the job’s fields by its names', async () => {
    const shapes = ['one two three', { prompt: 'one two three' }];
    for (const [endpoint, expected] of [
      ['/v1/messages', { type: 'message', stop_reason: 'max_tokens' }],
      ['/v1/responses', { object: 'response', status: 'incomplete', max_output_tokens: 2 }],
      ['/v1/completions', { object: 'text_completion', choices: [{ finish_reason: 'length' }] }],
      ['v1/chat/completions/', { object: 'chat.completion', choices: [{ finish_reason: 'length' }] }],
    ] as const) {
      const id = await client.submitBatch('sandbox/echo', shapes, { endpoint, max_tokens: 2 });
      for (const { response } of await resultsOf(id)) expect(response?.body).toMatchObject(expected);
      const job = (await client.readBatch(id)) as BatchDto & { endpoint: string };
      expect(job.endpoint).toBe(`/${endpoint}`.replace('//', '/').replace(/\/$/, ''));
    }
    const embedded = await resultsOf(
      await client.submitBatch('sandbox/embed', shapes, { endpoint: '/v1/embeddings', max_tokens: 2 }),
    );
    expect(embedded.map(({ response }) => response?.body['object'])).toEqual(['list', 'list']);
    const moderated = await resultsOf(
      await client.submitBatch('sandbox/moderate', shapes, { endpoint: '/v1/moderations' }),
    );
    expect(moderated.map(({ response }) => (response?.body['results'] as Json[])[0]?.['flagged'])).toEqual([
      false,
      false,
    ]);
  });

  it('reads tasks for an endpoint that comes after them, also when they fill a file or are faults for chat', async () => {
    const documents = ['one', 'three'];
    const tasks = Array.from({ length: 30 }, (_, index) => ({ query: `q${index}`, documents }));
    const spread = `{"model": "sandbox/rerank", "tasks": ${JSON.stringify(tasks, null, 2)}, "endpoint": "/v1/rerank"}`;
    const { status, body } = await client.post<{ job_id: string }>('/v1/batch/generate', spread);
    expect(status).toBe(202);
    const results = await resultsOf(body.job_id);
    expect(results.every(({ response }) => Array.isArray(response?.body['results']))).toBe(true);
    const long = { prompt: 'word '.repeat(60_000) };
    const id = await client.submitBatch(
      'sandbox/lorem',
      Array.from({ length: 20 }, () => long),
      {
        endpoint: '/v1/messages',
        max_tokens: 1,
      },
    );
    for (const { response } of await resultsOf(id)) expect(response?.body['type']).toBe('message');
    const refused = await submit({
      model: 'sandbox/echo',
      tasks: Array.from({ length: 40 }, () => ({ input: 'x' })),
      endpoint: '/v1/messages',
    });
    expect(refused.body.error).toMatchObject({ param: 'tasks[0].messages' });
    expect(refused.body.error?.['message']).toMatch(/^20 or more faults/);
    const chat = await submit({ model: 'sandbox/echo', tasks: Array.from({ length: 40 }, () => ({ max_tokens: 1 })) });
    expect(chat.body.error?.['message']).toMatch(/^20 or more faults/);
  });

  it('runs a task of another endpoint than its job’s', async () => {
    const results = await run(
      [
        'one',
        { endpoint: '/v1/embeddings', model: 'sandbox/embed', input: 'two' },
        { custom_id: 'r', method: 'post', url: 'https://api.openai.com/v1/responses', body: { input: 'three' } },
        { custom_id: 'c', body: MESSAGE, endpoint: '/v1/chat/completions' },
        { custom_id: 'm', params: { max_tokens: 9, ...MESSAGE } },
      ],
      { endpoint: '/v1/messages', max_tokens: 5 },
    );
    expect(results.map(({ response }) => response?.body['object'] ?? response?.body['type'])).toEqual([
      'message',
      'list',
      'response',
      'chat.completion',
      'message',
    ]);
  });

  describe('refuses at the submission, by path,', () => {
    const line = (fields: object): Json => ({ model: 'sandbox/echo', tasks: ['fine', { custom_id: 'x', ...fields }] });

    it.each<[name: string, body: Json, param: string, word: RegExp]>([
      [
        'an unknown endpoint of a line',
        line({ url: '/v1/images/generations', body: {} }),
        'tasks[1].url',
        /\/v1\/messages/,
      ],
      [
        'an unknown endpoint of a task',
        line({ endpoint: '/v1/nothing', ...MESSAGE }),
        'tasks[1].endpoint',
        /\/v1\/responses/,
      ],
      ['an endpoint that is a part of a name', line({ url: '/v1/xcompletions', body: {} }), 'tasks[1].url', /one of/],
      [
        'an unknown endpoint of the job',
        { model: 'm', endpoint: '/v1/audio/speech', tasks: ['x'] },
        'endpoint',
        new RegExp(`: one of ${BATCH_ENDPOINTS.join(', ')}\\.$`),
      ],
      ['an endpoint that is no text', { model: 'm', endpoint: 7, tasks: ['x'] }, 'endpoint', /string/],
      [
        'another method',
        line({ method: 'GET', url: '/v1/responses', body: { input: 'x' } }),
        'tasks[1].method',
        /POST/,
      ],
      ['a line without its body', line({ method: 'POST', url: '/v1/responses' }), 'tasks[1].body', /Missing/],
      [
        'params of another endpoint',
        line({ endpoint: '/v1/responses', params: MESSAGE }),
        'tasks[1].endpoint',
        /params/,
      ],
      ['a stream', line({ url: '/v1/responses', body: { input: 'x', stream: true } }), 'tasks[1].body.stream', /batch/],
      ['a stream of messages', line({ params: { ...MESSAGE, stream: true } }), 'tasks[1].params.stream', /batch/],
      [
        'a fault in a request',
        line({ params: { messages: [{ role: 'wizard', content: 'x' }] } }),
        'tasks[1].params.messages[0].role',
        /role/,
      ],
      [
        'background',
        line({ url: '/v1/responses', body: { input: 'x', background: true } }),
        'tasks[1].body.background',
        /background/,
      ],
      ['no input', line({ endpoint: '/v1/embeddings' }), 'tasks[1].input', /input/],
      [
        'a text where more is needed',
        { model: 'sandbox/rerank', endpoint: '/v1/rerank', tasks: ['x'] },
        'tasks[0]',
        /\/v1\/rerank/,
      ],
      [
        'a custom_id that is there twice',
        {
          model: 'sandbox/echo',
          tasks: [
            { custom_id: 'a', prompt: 'x' },
            { custom_id: 'a', params: { max_tokens: 1, ...MESSAGE } },
          ],
        },
        'tasks[1].custom_id',
        /twice/,
      ],
    ])('%s', async (_name, body, param, word) => {
      const { status, body: answer } = await submit(body);
      expect(status).toBe(400);
      expect(answer.error).toMatchObject({ type: 'invalid_request_error', param });
      expect(answer.error?.['message']).toMatch(word);
      expect(answer.error?.['message']).toContain(`'${param}`);
    });

    it('a model of a line that the key may not call', async () => {
      const { status, body } = await submit({
        ...line({ url: '/v1/messages', body: { model: 'no/such', ...MESSAGE } }),
      });
      expect({ status, param: body.error?.['param'] }).toEqual({ status: 404, param: 'tasks[1].body.model' });
    });
  });

  it('law: a request ends in a batch as it does live, with the same body or the same error', async () => {
    const requests = fc.sample(endpointRequests(MODELS), { seed: SEED, numRuns: 120 });
    const isValid: boolean[] = [];
    for (const request of requests) {
      const live = await client.post(request.path, request.body);
      const { status, body } = await submit({ model: 'sandbox/echo', tasks: [lineOf(request)] });
      isValid.push(status === 202);
      const what = JSON.stringify(request);
      if (status === 202) {
        const [result] = await resultsOf(body.job_id);
        const error = (live.body as Json)['error'];
        if (live.status === 200) {
          expect([what, result?.error, withoutIds(result?.response?.body)]).toEqual([
            what,
            null,
            withoutIds(live.body),
          ]);
        } else expect([what, result?.error]).toEqual([what, error]);
      } else {
        expect([what, live.status]).toEqual([what, 400]);
        const param = ((live.body as Json)['error'] as Json)['param'];
        if (request.path !== '/v1/messages') {
          expect([what, body.error?.['param']]).toEqual([what, `tasks[0].body.${String(param)}`]);
        }
      }
    }
    // Both sides of the law were tried.
    expect(isValid.filter(Boolean).length).toBeGreaterThan(40);
    expect(isValid.filter((valid) => !valid).length).toBeGreaterThan(5);
  });

  it('says in each format’s own form why a task failed', async () => {
    const failing = 'anthropic/status-422';
    const requests = ['/v1/chat/completions', '/v1/completions', '/v1/responses', '/v1/messages'].map((path) => ({
      path,
      body: { model: failing, ...REQUESTS[path] },
    }));
    const results = await run(requests.map(lineOf));
    for (const [index, { path, body }] of requests.entries()) {
      const live = await client.post<{ error: Json }>(path, body);
      expect(live.status).toBe(422);
      expect(results[index]).toMatchObject({
        status: 'failed',
        response: null,
        error: live.body.error,
        status_code: 422,
        request_id: expect.stringMatching(/^req_/) as string,
      });
      expect(Object.keys(results[index]?.error ?? {}).sort()).toEqual(
        path === '/v1/messages' ? ['message', 'type'] : ['code', 'message', 'param', 'type'],
      );
    }
    const page = await client.readBatch(await client.submitBatch(failing, [{ params: REQUESTS['/v1/messages'] }]));
    const ended = await client.endedBatch(page.job_id);
    expect(ended).toMatchObject({ completed_count: 0, failed_count: 1 });
    expect(ended.results[0]?.error).toMatchObject({ type: 'invalid_request_error' });
  });

  it('names dropped parameters, and records and prices tasks as live requests', async () => {
    const own = await gateway.newClient();
    const requests: EndpointRequest[] = [
      {
        path: '/v1/messages',
        body: {
          model: 'priced',
          max_tokens: 9,
          ...MESSAGE,
          top_k: 3,
          thinking: { type: 'enabled', budget_tokens: 1024 },
        },
      },
      { path: '/v1/responses', body: { model: 'priced-claude', input: 'one two', truncation: 'auto' } },
      { path: '/v1/embeddings', body: { model: 'sandbox/embed', input: 'one' } },
      { path: '/v1/rerank', body: { model: 'cohere/rerank-v3.5', ...REQUESTS['/v1/rerank'] } },
    ];
    const live = [];
    for (const { path, body } of requests) live.push(await own.post(path, body));
    expect(live.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    const id = await own.submitBatch('sandbox/echo', requests.map(lineOf));
    await own.endedBatch(id);
    const results = (await own.batchResults(id)) as unknown as OfResult[];
    for (const [index, response] of live.entries()) {
      const dropped = response.header('x-gateway-dropped-params');
      expect((results[index]?.response?.warnings ?? []).map(({ param }) => param).join(', ')).toBe(dropped);
    }
    const query = `key_id=${own.keyId}`;
    await until(async () => (await gateway.admin.usageRecords(query)).length === 2 * requests.length);
    const records = await gateway.admin.usageRecords(query);
    const factsOf = (record: (typeof records)[number]): Json => ({
      operation: record.operation,
      model: record.model,
      provider: record.provider,
      prompt_tokens: record.prompt_tokens,
      completion_tokens: record.completion_tokens,
      cost_usd: record.cost_usd,
    });
    const ids = new Set(results.map(({ response }) => response?.request_id));
    const batch = records.filter(({ request_id: request }) => ids.has(request));
    expect(batch).toHaveLength(requests.length);
    const sorted = (of: typeof records): string[] => of.map((record) => JSON.stringify(factsOf(record))).sort();
    expect(sorted(batch)).toEqual(sorted(records.filter((record) => !batch.includes(record))));
    expect(batch.map(({ operation }) => operation).sort()).toEqual(
      requests.map(({ path }) => OPERATIONS[path] ?? 'chat').sort(),
    );
  });

  it('keeps responses of tasks, and goes on from those of the same key alone', async () => {
    const openai = new OpenAI({ apiKey: client.key, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
    const first = await openai.responses.create({ model: 'fake/echo', input: 'My name is Ada.' });
    const next = { endpoint: '/v1/responses', model: 'fake/echo', input: 'And now?', previous_response_id: first.id };
    const [result, unkept] = await run([next, { ...next, store: false }]);
    expect(result?.response?.body).toMatchObject({ object: 'response', previous_response_id: first.id, store: true });
    const asked = await upstream.requests();
    expect(JSON.stringify(asked.at(-1))).toContain('My name is Ada.');
    const kept = await openai.responses.retrieve(String(result?.response?.body['id']));
    expect(kept.output_text).toBe('And now?');
    await expect(openai.responses.retrieve(String(unkept?.response?.body['id']))).rejects.toMatchObject({
      status: 404,
    });
    const other = await gateway.newClient();
    const id = await other.submitBatch('fake/echo', [next]);
    await other.endedBatch(id);
    expect((await other.batchResults(id))[0]).toMatchObject({
      status: 'failed',
      error: { code: 'previous_response_not_found', param: 'previous_response_id' },
    });
  });

  it('gives results of all formats one a line, also where a provider breaks its lines', async () => {
    responses.respondWith(() => ({ body: responseOf(RECORDINGS.text) }));
    const id = await client.submitBatch('sandbox/echo', [
      { url: '/v1/responses', body: { model: 'openai/gpt-5', input: 'x' } },
      { params: { max_tokens: 5, ...MESSAGE } },
    ]);
    await client.endedBatch(id);
    const { text } = await client.get(`/v1/batch/${id}/results`);
    expect(
      text
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as OfResult).index),
    ).toEqual([0, 1]);
  });
});

describe(`batch tasks of every endpoint while workers are killed (${isPostgresRun ? 'PostgreSQL and Redis' : 'SQLite'})`, () => {
  const CONCURRENCY = 8;
  const TASKS = 120;
  const FORMATS = [
    (index: number) => ({ custom_id: `t${index}`, messages: [{ role: 'user', content: `number ${index}` }] }),
    (index: number) => ({ custom_id: `t${index}`, url: '/v1/responses', body: { input: `number ${index}` } }),
    (index: number) => ({
      custom_id: `t${index}`,
      params: { max_tokens: 9, messages: [{ role: 'user', content: `number ${index}` }] },
    }),
    (index: number) => ({ custom_id: `t${index}`, endpoint: '/v1/completions', prompt: `number ${index}` }),
  ];
  const KINDS = ['chat.completion', 'response', 'message', 'text_completion'];

  it('keeps the format of each task, and fails a task of a newer version by name', async () => {
    const upstream = await startFakeUpstream();
    const redis = isPostgresRun ? await startRedis() : undefined;
    const folder = mkdtempSync(join(tmpdir(), 'gateway-formats-'));
    const path = join(folder, 'gateway.sqlite');
    const databaseUrl = isPostgresRun ? await createDatabase({ isMigrated: true }) : `sqlite:${path}`;
    const adminKey = 'Zk3v9-formats-8Qm-Zk3v9-formats-4Wd';
    const running = new Set<RunningGateway>();
    const start = async (role: 'api' | 'worker'): Promise<RunningGateway> => {
      const gateway = await startGateway({
        dataDirectory: folder,
        config: { providers: { fake: openAiAt(upstream) }, batch: { concurrency: CONCURRENCY, lease: '2s' } },
        env: {
          DATABASE_URL: databaseUrl,
          GATEWAY_ADMIN_KEY: adminKey,
          GATEWAY_ROLE: role,
          ...(redis !== undefined && { REDIS_URL: redis.url }),
        },
      });
      running.add(gateway);
      return gateway;
    };
    try {
      const api = await start('api');
      const tasks = Array.from({ length: TASKS }, (_, index) => FORMATS[index % FORMATS.length]?.(index));
      const id = await api.admin.submitBatch('fake/echo?delay=100', tasks);
      const strange = await api.admin.submitBatch('fake/echo', ['x', { params: { max_tokens: 3, ...MESSAGE } }]);
      const dataSource = await openDatabase(
        isPostgresRun ? { kind: 'postgres', url: databaseUrl } : { kind: 'sqlite', path },
        SCHEMA,
      );
      await dataSource.query(
        `UPDATE batch_task SET dialect = 'of-tomorrow' WHERE job_id = '${strange}' AND task_index = 1`,
      );
      await dataSource.destroy();
      let worker = await start('worker');
      for (let kill = 1; kill <= 2; kill += 1) {
        await until(async () => (await api.admin.readBatch(id)).completed_count >= (kill * TASKS) / 4);
        running.delete(worker);
        await worker.stop('SIGKILL');
        worker = await start('worker');
      }
      const job = await api.admin.endedBatch(id);
      expect(job).toMatchObject({ status: 'completed', completed_count: TASKS, failed_count: 0 });
      const results = (await api.admin.batchResults(id)) as unknown as OfResult[];
      expect(results.map(({ custom_id: custom }) => custom)).toEqual(tasks.map((_, index) => `t${index}`));
      for (const [index, { response }] of results.entries()) {
        const body = response?.body;
        expect(body?.['object'] ?? body?.['type']).toBe(KINDS[index % KINDS.length]);
        expect(JSON.stringify(body)).toContain(`number ${index}`);
      }
      await api.admin.endedBatch(strange);
      expect(await api.admin.batchResults(strange)).toMatchObject([
        { status: 'succeeded' },
        {
          status: 'failed',
          error: { code: 'unsupported_endpoint', message: expect.stringContaining("'of-tomorrow'") as string },
        },
      ]);
    } finally {
      await Promise.all([...running].map((gateway) => gateway.stop('SIGKILL')));
      await redis?.stop();
      await upstream.stop();
      if (isPostgresRun) await dropDatabase(databaseUrl);
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
