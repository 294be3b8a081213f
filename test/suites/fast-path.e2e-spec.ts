import { request as sendRequest, type IncomingMessage, type OutgoingHttpHeaders } from 'node:http';
import { gzipSync } from 'node:zlib';
import { startFakeUpstream, type FakeUpstream } from '../upstreams/fake-upstream-client.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { openAiAt } from '../fixtures/gateway-config.js';
import { until } from '../fixtures/until.js';

/** Served ahead of Express. */
const DIRECT = '/v1/chat/completions';
/** Spelled so that Express serves it. */
const THROUGH_EXPRESS = '/v1/chat/completions/';

interface Sent {
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Buffer;
  readonly chunked?: boolean;
}

const user = (content: unknown): unknown[] => [{ role: 'user', content }];
const json = (body: unknown): Sent => ({ body: JSON.stringify(body) });

/** A request to each of the other endpoints, which the sandbox answers. */
const OTHERS: Readonly<Record<string, { readonly model: string; readonly [field: string]: unknown }>> = {
  '/v1/completions': { prompt: 'one', model: 'sandbox/echo' },
  '/v1/responses': { input: 'one', model: 'sandbox/echo' },
  '/v1/responses/compact': { input: 'one', model: 'sandbox/echo' },
  '/v1/responses/input_tokens': { input: 'one', model: 'sandbox/echo' },
  '/v1/messages': { max_tokens: 9, messages: user('one two'), model: 'sandbox/echo' },
  '/v1/messages/count_tokens': { messages: user('one two'), model: 'sandbox/echo' },
  '/v1/embeddings': { input: ['one', 'two'], model: 'sandbox/embed' },
  '/v1/rerank': { query: 'one', documents: ['one', 'two'], model: 'sandbox/rerank' },
  '/v2/rerank': { query: 'one', documents: ['one', 'two'], model: 'sandbox/rerank' },
  '/v1/moderations': { input: 'one', model: 'sandbox/moderate' },
  '/v1/images/generations': { prompt: 'one', size: '64x64', model: 'sandbox/image' },
  '/v1/audio/speech': { input: 'one', voice: 'alloy', model: 'sandbox/speech' },
};

interface OpenApiDocument {
  readonly paths: Readonly<
    Record<
      string,
      {
        readonly post?: {
          readonly parameters?: readonly { readonly name: string }[];
          readonly requestBody?: { readonly content: Readonly<Record<string, unknown>> };
        };
      }
    >
  >;
}

/** Everything that a client can see of an answer. */
async function responseTo(url: string, { headers = {}, body = '', chunked = false }: Sent): Promise<unknown> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const length = chunked ? {} : { 'content-length': Buffer.byteLength(body) };
    const request = sendRequest(url, {
      method: 'POST',
      agent: false,
      headers: { 'content-type': 'application/json', 'x-request-id': 'the-same', ...length, ...headers },
    });
    request.on('response', resolve).on('error', reject);
    request.end(body);
  });
  const bytes: Buffer[] = [];
  let end = 'whole';
  response.on('data', (chunk: Buffer) => bytes.push(chunk));
  await new Promise<void>((resolve) => {
    response.on('close', resolve).on('error', () => (end = 'broken'));
  });
  return {
    status: response.statusCode,
    // Names, their order and their values, but for what the clock and chance decide.
    headers: response.rawHeaders
      .join('\n')
      .replace(/^Date\n.*$/m, 'Date')
      .replace(/^(openai-processing-ms|x-ratelimit-(?:reset|remaining)-\w+)\n.*$/gm, '$1'),
    body: Buffer.concat(bytes)
      .toString()
      .replace(/(chatcmpl|rerank|modr)-[0-9a-f]{24}/g, '$1')
      .replace(/(resp|msg|cmp)_[0-9a-f]{48,}/g, '$1')
      .replace(/"(created|created_at|completed_at)":\d+/g, '"$1":0'),
    end,
  };
}

describe('model endpoints, ahead of Express and through it', () => {
  let upstream: FakeUpstream;
  let gateway: RunningGateway;
  let keys: Record<'plain' | 'limited' | 'narrow' | 'empty', string>;

  beforeAll(async () => {
    upstream = await startFakeUpstream();
    gateway = await startGateway({
      config: {
        server: { max_body_size: '64KB' },
        sandbox: true,
        providers: { fake: openAiAt(upstream) },
      },
    });
    keys = {
      plain: await gateway.apiKey(),
      limited: await gateway.apiKey({ limits: { rpm: 1000, tpm: 1_000_000, concurrency: 5 } }),
      narrow: await gateway.apiKey({ allowed_models: ['sandbox/echo'] }),
      empty: await gateway.apiKey({ budget: { usd: 0.000001, period: 'day' } }),
    };
  });
  afterAll(async () => {
    await gateway.stop();
    await upstream.stop();
  });

  const echo = { model: 'fake/echo', messages: user('one two three') };

  it.each<[string, Sent & { key?: keyof typeof keys | null }]>([
    ['a completion', json(echo)],
    ['umlauts and emoji', json({ ...echo, messages: user('grüß dich 👋') })],
    ['limits', { ...json(echo), key: 'limited' }],
    ['a stream', json({ ...echo, stream: true })],
    ['a stream with usage', json({ ...echo, stream: true, stream_options: { include_usage: true } })],
    ['a stream that breaks', json({ ...echo, model: 'fake/reset?at=mid', stream: true })],
    ['tools', json({ ...echo, model: 'fake/tools', tools: [{ type: 'function', function: { name: 'f' } }] })],
    ['dropped parameters', json({ model: 'sandbox/echo', messages: user('hi'), logit_bias: {} })],
    ['no key', { ...json(echo), key: null }],
    ['a wrong key', { ...json(echo), key: null, headers: { authorization: 'Bearer sk-gw-unknown' } }],
    ['a model that the key may not call', { ...json(echo), key: 'narrow' }],
    ['a budget that is spent', { ...json(echo), key: 'empty' }],
    ['an unknown model', json({ ...echo, model: 'nothing' })],
    ['an upstream that fails', json({ ...echo, model: 'fake/status-500' })],
    ['an upstream that refuses', json({ ...echo, model: 'fake/status-400' })],
    ['no messages', json({ model: 'fake/echo' })],
    ['a wrong field', json({ ...echo, temperature: 7 })],
    ['a wrong part', json({ ...echo, messages: user([{ type: 'smell' }]) })],
    ['deep nesting', { body: `{"model":"fake/echo","x":${'['.repeat(100)}${']'.repeat(100)}}` }],
    ['broken JSON', { body: '{"model":' }],
    ['JSON that is no object', { body: '"text"' }],
    ['an array', { body: '[]' }],
    ['no body', { body: '' }],
    ['a byte order mark', { body: `\ufeff${JSON.stringify(echo)}` }],
    ['another content type', { ...json(echo), headers: { 'content-type': 'text/plain' } }],
    ['another charset', { ...json(echo), headers: { 'content-type': 'application/json; charset=latin1' } }],
    [
      'a parameter of the content type',
      { ...json(echo), headers: { 'content-type': 'application/json; charset=UTF-8' } },
    ],
    ['gzip', { body: gzipSync(JSON.stringify(echo)), headers: { 'content-encoding': 'gzip' } }],
    ['an unknown encoding', { ...json(echo), headers: { 'content-encoding': 'zebra' } }],
    ['a chunked body', { ...json(echo), chunked: true }],
    ['a body that is too large', json({ ...echo, messages: user('x'.repeat(70_000)) })],
    ['a chunked body that is too large', { ...json({ ...echo, messages: user('x'.repeat(70_000)) }), chunked: true }],
    ['an override without the right to it', { ...json(echo), headers: { 'x-gateway-timeout': '5s' } }],
  ])('answers %s alike, byte for byte', async (_name, { key = 'plain', ...sent }) => {
    const headers = { ...(key !== null && { authorization: `Bearer ${keys[key]}` }), ...sent.headers };
    // Each key is asked for in the database once.
    await responseTo(gateway.url + DIRECT, { ...sent, headers });
    const direct = await responseTo(gateway.url + DIRECT, { ...sent, headers });
    const throughExpress = await responseTo(gateway.url + THROUGH_EXPRESS, { ...sent, headers });
    expect(direct).toEqual(throughExpress);
  });

  it('has a request below for every endpoint of the OpenAPI document that takes JSON for a model', async () => {
    const document = await gateway.client('').read<OpenApiDocument>('/docs-json');
    const paths = Object.entries(document.paths).flatMap(([path, { post }]) =>
      // Paths with parameters go through Express.
      !path.includes('{') &&
      post?.parameters?.some(({ name }) => name === 'x-gateway-fallbacks') === true &&
      post.requestBody?.content['application/json'] !== undefined
        ? [path]
        : [],
    );
    expect(paths.sort()).toEqual([DIRECT, ...Object.keys(OTHERS)].sort());
  });

  it.each(Object.entries(OTHERS))('answers %s alike, byte for byte', async (path, body) => {
    const headers = { authorization: `Bearer ${keys.plain}` };
    const { model: _model, ...unnamed } = body;
    const [field] = Object.keys(unnamed);
    const requests: Sent[] = [
      { ...json(body), headers },
      { ...json(body), headers: { ...headers, 'x-gateway-timeout': '5s' } },
      { ...json({ ...body, model: 'nothing' }), headers },
      { ...json({ ...body, model: 'fake/status-500' }), headers },
      { ...json({ ...body, [field ?? '']: 5 }), headers },
      { ...json({ model: body.model }), headers },
      { ...json(body), headers: {} },
      { ...json(body), headers: { ...headers, 'content-type': 'text/plain' } },
      { ...json([body]), headers },
      { ...json({ ...body, more: 'x'.repeat(70_000) }), headers },
      { ...json(body), headers, chunked: true },
      { body: '{"model":', headers },
      { body: '', headers },
    ];
    const statuses = new Set<number>();
    for (const each of requests) {
      const direct = await responseTo(gateway.url + path, each);
      expect(direct).toEqual(await responseTo(`${gateway.url}${path}/`, each));
      if (path.startsWith('/v1/')) expect(direct).toEqual(await responseTo(gateway.url + path.slice(3), each));
      statuses.add((direct as { status: number }).status);
    }
    expect([...statuses].sort()).toEqual(expect.arrayContaining([200, 400, 401, 403, 404, 413, 415]));
  });

  it('writes the same line to the log, and counts both as one route', async () => {
    const lineOf = (id: string): Record<string, unknown> => {
      const line = gateway
        .logs()
        .split('\n')
        .find((each) => each.includes(`"request_id":"${id}"`));
      return JSON.parse(line ?? '{}') as Record<string, unknown>;
    };
    const headers = { authorization: `Bearer ${keys.plain}` };
    await responseTo(gateway.url + DIRECT, { ...json(echo), headers: { ...headers, 'x-request-id': 'first-one' } });
    await responseTo(gateway.url + THROUGH_EXPRESS, {
      ...json(echo),
      headers: { ...headers, 'x-request-id': 'second-one' },
    });
    await until(() => Promise.resolve('route' in lineOf('first-one') && 'route' in lineOf('second-one')));
    const [first, second] = ['first-one', 'second-one'].map((id) => ({
      ...lineOf(id),
      request_id: '',
      time: '',
      duration_ms: 0,
    }));
    expect(first).toEqual(second);
    expect(first).toMatchObject({ route: DIRECT, status: 200, model: 'fake/echo' });
  });

  it('leaves other methods and other origins to Express', async () => {
    expect((await gateway.client(keys.plain).get(DIRECT)).status).toBe(405);
  });
});
