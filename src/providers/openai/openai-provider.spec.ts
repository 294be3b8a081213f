import { until } from '../../../test/fixtures/until.js';
import { call, failure, read, TEXT, TIMEOUTS } from '../../../test/upstreams/provider-calls.js';
import { once, setMaxListeners } from 'node:events';
import { createServer as createTcpServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { FakeUpstream, startFakeUpstream } from '../../../test/upstreams/fake-upstream-client.js';
import type { ChatCompletionChunk, ChatRequest } from '../../operations/chat/chat-completion.js';
import { toChunks } from '../../operations/chat/preserialized-chunk.js';
import type { ProviderConfig } from '../../config/gateway-config.js';
import type { ProviderCall } from '../provider.js';
import { OpenAiProvider } from './openai-provider.js';

const API_KEY = 'sk-canary-0123456789';
const MEGABYTE = 1_048_576;

let upstream: FakeUpstream;
let provider: OpenAiProvider;

function createProvider(config: Partial<ProviderConfig> = {}, maxResponseBytes = 32 * MEGABYTE): OpenAiProvider {
  return new OpenAiProvider(
    {
      name: 'fake',
      type: 'openai',
      baseUrl: `${upstream.url}/v1`,
      apiKey: API_KEY,
      headers: {},
      listModels: true,
      ...config,
    },
    { maxResponseBytes, connectTimeoutMs: 1000 },
  );
}

async function streamed(model: string, request: Partial<ChatRequest> = {}): Promise<ChatCompletionChunk[]> {
  return read(await provider.stream(call(model, request)));
}

function textOf(chunks: readonly ChatCompletionChunk[]): string {
  return chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('');
}

beforeAll(async () => {
  upstream = await startFakeUpstream();
});
afterAll(async () => {
  await upstream.stop();
});
beforeEach(async () => {
  await upstream.reset();
  provider = createProvider();
});
afterEach(async () => {
  await provider.close();
});

describe('a plain response', () => {
  it('has the whole shape and keeps what the upstream added', async () => {
    const completion = await provider.complete(call('echo'));
    expect(completion).toEqual({
      id: 'chatcmpl-fake',
      object: 'chat.completion',
      created: 1_700_000_000,
      model: 'fake-model-2026',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: TEXT, refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: expect.objectContaining({ prompt_tokens_details: { cached_tokens: 0 } }) as object,
      system_fingerprint: 'fp_fake',
      vendor_field: { kept: true },
    });
  });

  it.each([
    'echo?split=byte',
    'echo?without=id,created,object,model,finish_reason,role',
    'echo?encoding=gzip',
    'echo?encoding=deflate',
    'echo?encoding=deflate-raw',
    'echo?encoding=br',
    'echo?encoding=gzip&split=byte',
  ])('is the same text from %s', async (model) => {
    const completion = await provider.complete(call(model));
    expect(completion.choices[0]!.message.content).toBe(TEXT);
    expect(completion).toMatchObject({ object: 'chat.completion', choices: [{ finish_reason: 'stop' }] });
  });

  it('sends every field and no header that was not named', async () => {
    const request = {
      model: 'client-model',
      messages: [{ role: 'user' as const, content: TEXT, vendor: 1 }],
      top_k: 4,
      logit_bias: { 5: -1 },
      chat_template_kwargs: { deep: [{ a: null }] },
      temperature: null,
      metadata: { mine: true },
    };
    await provider.close();
    provider = createProvider({ headers: { 'openai-organization': 'org-1' } });
    await provider.complete(
      call('echo', request, { headers: { 'openai-beta': 'a=v1', 'openai-organization': 'org-2' } }),
    );
    const [received] = await upstream.requests();
    expect(received!.url).toBe('/v1/chat/completions');
    expect(received!.body).toEqual({
      model: 'echo',
      stream: false,
      messages: request.messages,
      top_k: 4,
      logit_bias: { 5: -1 },
      chat_template_kwargs: { deep: [{ a: null }] },
    });
    const { host: _host, ...headers } = received!.headers;
    expect(headers).toEqual({
      accept: 'application/json',
      'accept-encoding': 'identity',
      authorization: `Bearer ${API_KEY}`,
      connection: 'keep-alive',
      'content-length': expect.any(String) as string,
      'content-type': 'application/json',
      'openai-beta': 'a=v1',
      'openai-organization': 'org-1',
      'user-agent': expect.stringMatching(/^llm-gateway\//) as string,
      'x-request-id': 'req-1',
    });
  });

  it('keeps the path and the query of the base URL', async () => {
    const azure = createProvider({ baseUrl: `${upstream.url}/openai/deployments/x/?api-version=2` });
    await azure.complete(call('echo'));
    await azure.close();
    expect((await upstream.requests())[0]!.url).toBe('/openai/deployments/x/chat/completions?api-version=2');
  });

  it('uses a connection again', async () => {
    for (let count = 0; count < 5; count += 1) await provider.complete(call('echo'));
    expect(await upstream.socketsEver()).toBe((await upstream.requests())[0]!.socket);
  });
});

describe('a stream', () => {
  it('arrives in groups, in order, with usage last', async () => {
    const chunks = await streamed('echo');
    expect(textOf(chunks)).toBe(TEXT);
    expect(chunks[0]!.choices[0]!.delta).toEqual({ role: 'assistant', content: '' });
    expect(chunks.at(-2)!.choices[0]).toMatchObject({ delta: {}, finish_reason: 'stop' });
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: expect.any(Number) as number } });
    expect((await upstream.requests())[0]!.body).toMatchObject({
      model: 'echo',
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  it.each([
    'echo?split=byte',
    'echo?split=7&eol=crlf&comments',
    'echo?split=byte&eol=crlf&bom&fields&comments',
    'echo?eol=cr&split=3',
    'echo?encoding=gzip',
    'echo?encoding=br&split=11',
    'echo?done=missing',
    'echo?done=missing&usage=merged&finish-chunk=merged',
    'echo?usage=every',
    'echo?role=null',
    'echo?role=missing',
    'echo?role=every',
    'echo?id=changing',
    'echo?without=id,created,object,model',
    'echo?type=application/json',
    'echo?stream=ignored',
    'echo?linger=300',
    'echo?delay=5',
  ])('is the same from %s', async (model) => {
    const chunks = await streamed(model);
    expect(textOf(chunks)).toBe(TEXT);
    expect(new Set(chunks.map(({ id, created, object }) => `${id} ${created} ${object}`)).size).toBe(1);
    const choices = chunks.flatMap((chunk) => chunk.choices);
    expect(choices.map(({ delta }) => delta.role).filter(Boolean)).toEqual(['assistant']);
    expect(choices[0]!.delta.role).toBe('assistant');
    expect(choices.map(({ finish_reason: reason }) => reason).filter(Boolean)).toEqual(['stop']);
    expect(choices.at(-1)!.delta).toEqual({});
    expect(chunks.filter(({ usage }) => usage != null)).toEqual([chunks.at(-1)]);
  });

  it.each([
    'tools',
    'tools?index=missing',
    'tools?index=zero',
    'tools?names=repeated',
    'tools?ids=missing',
    'tools?stream=ignored',
  ])('has whole tool calls from %s', async (model) => {
    const chunks = await streamed(model);
    const deltas = chunks.flatMap(({ choices }) => choices.flatMap(({ delta }) => delta.tool_calls ?? []));
    for (const index of [0, 1]) {
      const own = deltas.filter((delta) => delta.index === index);
      expect(own.filter(({ id }) => id !== undefined)).toHaveLength(1);
      expect(own.filter(({ type }) => type !== undefined)).toHaveLength(1);
      expect(own.map(({ function: called }) => called?.name).filter(Boolean)).toHaveLength(1);
      expect(own[0]!.function!.name).toBe(['get_weather', 'get_time'][index]);
      expect(own.map(({ function: called }) => called?.arguments ?? '').join('')).toBe(
        ['{"city":"text"}', '{}'][index],
      );
    }
    expect(deltas.every(({ index }) => index < 2)).toBe(true);
  });

  it('ends with [DONE], whenever the body does, and uses the connection again', async () => {
    // A body that goes on for a minute is not waited for, and its connection is closed.
    await streamed('echo?linger=60000');
    await until(async () => (await upstream.requests())[0]!.aborted);
    await upstream.reset();
    await streamed('echo?linger=100');
    await until(async () => (await upstream.requests())[0]!.closedAt !== null);
    await new Promise((resolve) => setTimeout(resolve, 50));
    await streamed('echo');
    const [first, second] = await upstream.requests();
    expect(first!.aborted).toBe(false);
    expect(second!.socket).toBe(first!.socket);
  });

  it('takes an event of several megabytes', async () => {
    expect(textOf(await streamed('huge-event?mb=3'))).toHaveLength(3 * MEGABYTE);
  });

  it('resolves with the first event, not with the headers', async () => {
    const error = await failure(
      provider.stream(call('stall?at=first', {}, { timeouts: { ...TIMEOUTS, firstByte: 150 } })),
    );
    expect(error).toMatchObject({ status: 504, code: 'upstream_timeout' });
  });

  it('slows the upstream down while the client does not read', async () => {
    const before = process.memoryUsage().rss;
    const stream = await provider.stream(call('endless?mb=400&chunk=60000'));
    // On an idle machine all 400 MB are sent within this time to one who reads.
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(process.memoryUsage().rss - before).toBeLessThan(200 * MEGABYTE);
    let size = 0;
    for await (const group of stream) {
      size += textOf(toChunks(group)).length;
      if (size > 20 * MEGABYTE) break;
    }
    await until(async () => (await upstream.requests())[0]!.aborted);
  });

  it('does not count the silence of a client that does not read', async () => {
    const stream = await provider.stream(
      call(
        'echo',
        { messages: [{ role: 'user', content: 'word '.repeat(20_000) }] },
        { timeouts: { ...TIMEOUTS, firstByte: 60_000, idle: 1_000 } },
      ),
    );
    const iterator = stream[Symbol.asyncIterator]();
    await iterator.next();
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    const chunks = await read({ [Symbol.asyncIterator]: () => iterator });
    expect(chunks.at(-2)!.choices[0]!.finish_reason).toBe('stop');
  });
});

describe.each(['plain', 'stream'] as const)('faults of a %s response', (kind) => {
  async function run(model: string, rest: Partial<ProviderCall> = {}): Promise<unknown> {
    if (kind === 'plain') return provider.complete(call(model, {}, rest));
    return read(await provider.stream(call(model, {}, rest)));
  }

  it.each([
    'lie?with=error',
    'lie?with=error&type=json',
    'lie?with=html',
    'lie?with=empty',
    'lie?with=done',
    'lie?with=no-choices',
    'lie?with=text',
    'reset?at=headers',
    'reset?at=first',
    'reset?at=mid',
    'reset?at=json',
    'close?at=headers',
    'close?at=mid',
    'close?at=mid&length',
    'truncate?at=mid',
    'truncate?at=json',
    'echo?encoding=zstd',
    'redirect?to=/v1/chat/completions',
    'redirect?to=http://169.254.169.254/',
    'status-500',
    'status-502?body=html',
    'status-404?body=html',
    'status-401?body=key',
    'status-403',
    'status-402',
    'status-429?body=quota',
  ])('%s is an upstream_error', async (model) => {
    const error = await failure(run(model));
    expect(error).toMatchObject({ status: 502, code: 'upstream_error', type: 'server_error', retryable: true });
    expect(JSON.stringify(error.toBody())).not.toMatch(/canary|127\.0\.0\.1|secret\.internal|localhost/);
    expect(await upstream.requests()).toHaveLength(1);
  });

  it.each([
    ['status-400', { status: 400, code: 'fake_code', type: 'fake_error', param: 'messages', retryable: false }],
    ['status-400?body=context', { status: 400, code: 'context_length_exceeded', retryable: false }],
    ['status-404?body=model', { status: 404, code: 'model_not_found', retryable: false }],
    ['status-409', { status: 409, retryable: false }],
    ['status-413', { status: 413, retryable: false }],
    ['status-415', { status: 415, retryable: false }],
    ['status-422?body=fastapi', { status: 422, param: 'messages[0].content', retryable: false }],
    ['status-408', { status: 504, code: 'upstream_timeout', retryable: true }],
    ['status-429?retry-after=5', { status: 429, code: 'rate_limit_exceeded', retryAfterMs: 5000, retryable: true }],
    ['status-429?body=empty', { status: 429, retryAfterMs: undefined, retryable: true }],
    ['status-503?body=text&retry-after-ms=70', { status: 503, code: 'upstream_unavailable', retryAfterMs: 70 }],
    ['status-529', { status: 503, code: 'upstream_unavailable' }],
    ['status-504?body=html', { status: 504, code: 'upstream_timeout' }],
  ])('%s is mapped', async (model, expected) => {
    expect(await failure(run(model))).toMatchObject(expected);
  });

  it('knows a refusal by its status when its body does not end', async () => {
    const controller = new AbortController();
    expect(await failure(run('status-429?body=stall&retry-after=1', { signal: controller.signal }))).toMatchObject({
      status: 429,
      retryAfterMs: 1000,
    });
  });

  it('is cut at the cap', async () => {
    await provider.close();
    provider = createProvider({}, MEGABYTE);
    for (const model of ['endless', 'bomb', 'endless?kind=event', 'endless?kind=comments']) {
      expect(await failure(run(model))).toMatchObject({ status: 502, code: 'upstream_error' });
    }
    await until(async () => (await upstream.openSockets()) === 0);
  });

  it('ends in 502 when the connection is refused', async () => {
    const closed = createTcpServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as AddressInfo;
    closed.close();
    await provider.close();
    provider = createProvider({ baseUrl: `http://127.0.0.1:${port}/v1` });
    const error = await failure(run('echo'));
    expect(error).toMatchObject({ status: 502, code: 'upstream_error', retryable: true });
    expect(error.message).not.toContain('127.0.0.1');
  });

  it('ends in 502 when the name does not resolve, or TLS does not come about', async () => {
    for (const baseUrl of ['http://no-such-host.invalid/v1', upstream.url.replace('http:', 'https:')]) {
      await provider.close();
      provider = createProvider({ baseUrl });
      expect(await failure(run('echo'))).toMatchObject({ status: 502, code: 'upstream_error' });
    }
  });

  it('replays once when a kept connection has been closed', async () => {
    await run('stale');
    await run('stale');
    const requests = await upstream.requests();
    expect(requests).toHaveLength(3);
    expect(requests[1]!.socket).toBe(requests[0]!.socket);
    expect(requests[2]!.socket).not.toBe(requests[0]!.socket);
    await run('stale?reset');
  });

  it('survives a server that closes its idle connections, whenever it does', async () => {
    for (let count = 0; count < 10; count += 1) {
      await run('echo');
      await Promise.all([upstream.closeIdle(), run('echo')]);
    }
    expect((await upstream.requests()).filter(({ aborted }) => !aborted)).toHaveLength(20);
  });

  it('does not replay on a new connection, nor twice', async () => {
    expect(await failure(run('drop'))).toMatchObject({ code: 'upstream_error' });
    expect(await upstream.requests()).toHaveLength(1);
    await run('echo');
    expect(await failure(run('drop'))).toMatchObject({ code: 'upstream_error' });
    expect(await upstream.requests()).toHaveLength(4);
  });

  it('does not replay once a byte has come', async () => {
    await run('echo');
    expect(await failure(run('reset?at=first'))).toMatchObject({ code: 'upstream_error' });
    expect(await upstream.requests()).toHaveLength(2);
  });

  it.each(['stall?at=headers', 'stall?at=first', 'stall?at=mid'])('an abort ends %s at once', async (model) => {
    const controller = new AbortController();
    const reason = new Error('the client has gone');
    const outcome = run(model, { signal: controller.signal }).then(
      () => 'an answer',
      (error: unknown) => error,
    );
    await until(async () => (await upstream.requests()).length === 1);
    await new Promise((resolve) => setTimeout(resolve, 50));
    controller.abort(reason);
    expect(await outcome).toBe(reason);
    await until(async () => (await upstream.openSockets()) === 0);
    const [request] = await upstream.requests();
    expect(request!.aborted).toBe(true);
    // No connection is opened in its stead.
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await upstream.openSockets()).toBe(0);
  });

  it('sends nothing for a call that is aborted already', async () => {
    const reason = new Error('gone');
    await expect(run('echo', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(await upstream.requests()).toHaveLength(0);
  });
});

describe('faults of a stream alone', () => {
  /** What came before the stream broke, and how it broke. A failure that comes in one read with the first content is one of the start. */
  async function broken(model: string, rest: Partial<ProviderCall> = {}) {
    const chunks: ChatCompletionChunk[] = [];
    await upstream.closeGate();
    const stream = await provider.stream(call(`${model}${model.includes('?') ? '&' : '?'}gate=end`, {}, rest));
    await upstream.openGate();
    const error = await failure(
      (async () => {
        for await (const group of stream) chunks.push(...toChunks(group));
      })(),
    );
    return { chunks, error };
  }

  it.each([
    'reset?at=mid',
    'reset?at=json',
    'close?at=mid',
    'truncate?at=mid',
    'error-event',
    'error-event?named',
    'malformed',
    'echo?without=finish_reason&done=missing',
    'echo?finish=error',
  ])('%s gives what came, then an error', async (model) => {
    const { chunks, error } = await broken(model);
    expect(chunks.length).toBeGreaterThan(0);
    expect(chunks[0]!.choices[0]!.delta.role).toBe('assistant');
    expect(chunks.some(({ choices }) => choices[0]?.finish_reason != null)).toBe(false);
    expect(error).toMatchObject({ status: 502, code: 'upstream_error' });
  });

  it('gives an error after a stall, and closes the socket', async () => {
    const { chunks, error } = await broken('stall?at=mid', { timeouts: { ...TIMEOUTS, idle: 150 } });
    expect(chunks.length).toBeGreaterThan(0);
    expect(error).toMatchObject({ status: 504, code: 'upstream_timeout' });
    await until(async () => (await upstream.openSockets()) === 0);
  });

  it.each(['stall?at=headers', 'stall?at=mid'])('%s: only the total timeout ends a plain response', async (model) => {
    const controller = new AbortController();
    const timeouts = { ...TIMEOUTS, firstByte: 20, idle: 20 };
    const plain = provider
      .complete(call(model, {}, { timeouts, signal: controller.signal }))
      .catch((error: unknown) => error);
    // A stream that begins later and has ended by its time shows that the plain answer had its own.
    await failure(provider.stream(call('stall?at=headers', {}, { timeouts: { ...timeouts, firstByte: 60 } })));
    const over = new Error('the total time is over');
    controller.abort(over);
    expect(await plain).toBe(over);
    await until(async () => (await upstream.openSockets()) === 0);
  });

  it.each(['stall?at=headers', 'stall?at=mid'])('%s: a stream has times of its own', async (model) => {
    const timeouts = { ...TIMEOUTS, firstByte: 200, idle: 200 };
    const error = await failure(
      provider.stream(call(model, {}, { timeouts })).then(async (stream) => {
        await read(stream);
      }),
    );
    expect(error).toMatchObject({ status: 504, code: 'upstream_timeout', retryable: true });
    await until(async () => (await upstream.openSockets()) === 0);
  });

  it('takes comments before the first event for a sign of life, not for an event', async () => {
    const controller = new AbortController();
    let hasBegun = false;
    const waiting = provider
      .stream(call('stall?at=comments', {}, { timeouts: { ...TIMEOUTS, firstByte: 1_500 }, signal: controller.signal }))
      .then(() => {
        hasBegun = true;
      }, String);
    const silent = call('stall?at=headers', {}, { timeouts: { ...TIMEOUTS, firstByte: 2_000 } });
    expect(await failure(provider.stream(silent))).toMatchObject({ status: 504, code: 'upstream_timeout' });
    controller.abort(new Error('the total time is over'));
    expect(await waiting).toBe('Error: the total time is over');
    expect(hasBegun).toBe(false);
  });

  it.each(['reset?at=finish', 'close?at=finish', 'stall?at=finish'])(
    '%s, after every choice has ended, is whole',
    async (model) => {
      const stream = await provider.stream(call(model, {}, { timeouts: { ...TIMEOUTS, idle: 200 } }));
      const chunks = await read(stream);
      expect(textOf(chunks)).toBe(TEXT);
      expect(chunks.at(-1)!.choices[0]!.finish_reason).toBe('stop');
    },
  );

  it('ends the upstream request when the reader stops', async () => {
    const stream = await provider.stream(call('words?count=1000&delay=10'));
    let groups = 0;
    for await (const group of stream) {
      groups += group.length > 0 ? 1 : 0;
      if (groups === 3) break;
    }
    await until(async () => (await upstream.requests())[0]!.aborted && (await upstream.openSockets()) === 0);
  });

  it('throws the reason of an abort between two reads', async () => {
    const controller = new AbortController();
    const stream = await provider.stream(call('words?count=1000&delay=5', {}, { signal: controller.signal }));
    const iterator = stream[Symbol.asyncIterator]();
    await iterator.next();
    const reason = new Error('gone');
    controller.abort(reason);
    await expect(iterator.next()).rejects.toBe(reason);
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });
});

describe('connecting', () => {
  /** Accepts TCP and says nothing, so that a TLS handshake never ends. */
  let silent: Server;
  const accepted = new Set<Socket>();

  beforeAll(async () => {
    silent = createTcpServer((socket) => {
      accepted.add(socket);
      socket.resume();
      socket.on('error', () => undefined);
      socket.on('close', () => accepted.delete(socket));
    }).listen(0, '127.0.0.1');
    await once(silent, 'listening');
  });
  afterAll(() => {
    for (const socket of accepted) socket.destroy();
    silent.close();
  });
  beforeEach(async () => {
    await provider.close();
    provider = createProvider({ baseUrl: `https://127.0.0.1:${(silent.address() as AddressInfo).port}/v1` });
  });

  it('has its own time', async () => {
    const timeouts = { ...TIMEOUTS, connect: 200, firstByte: 600_000 };
    const error = await failure(provider.complete(call('echo', {}, { timeouts })));
    expect(error).toMatchObject({ status: 504, code: 'upstream_timeout', retryable: true });
    await until(() => Promise.resolve(accepted.size === 0));
  });

  it('ends with an abort', async () => {
    const controller = new AbortController();
    const reason = new Error('gone');
    const outcome = expect(provider.stream(call('echo', {}, { signal: controller.signal }))).rejects.toBe(reason);
    await until(() => Promise.resolve(accepted.size === 1));
    controller.abort(reason);
    await outcome;
    await until(() => Promise.resolve(accepted.size === 0));
  });
});

describe('many at once', () => {
  it('closes every upstream socket when they are aborted', async () => {
    const controller = new AbortController();
    setMaxListeners(0, controller.signal);
    const outcomes = Array.from({ length: 100 }, (_, index) =>
      (async () =>
        read(
          await provider.stream(
            call(
              index % 2 === 0 ? 'stall?at=first' : 'words?count=1000&delay=20',
              {},
              { signal: controller.signal, timeouts: TIMEOUTS },
            ),
          ),
        ))().catch((error: unknown) => error),
    );
    await until(async () => (await upstream.requests()).length === 100);
    await new Promise((resolve) => setTimeout(resolve, 100));
    const reason = new Error('gone');
    controller.abort(reason);
    expect(new Set(await Promise.all(outcomes))).toEqual(new Set([reason]));
    await until(async () => (await upstream.openSockets()) === 0);
  });

  it('keeps their responses apart', async () => {
    const responses = await Promise.all(
      Array.from({ length: 50 }, async (_, index) => textOf(await streamed(`echo?split=5&text=answer ${index}`))),
    );
    expect(responses).toEqual(Array.from({ length: 50 }, (_, index) => `answer ${index}`));
  });
});

describe('listModels', () => {
  it('reads the list', async () => {
    const models = await provider.listModels(new AbortController().signal);
    expect(models[0]).toMatchObject({ id: 'echo', created: 1_700_000_000, owned_by: 'fake' });
    const [request] = await upstream.requests();
    expect(request).toMatchObject({
      method: 'GET',
      url: '/v1/models',
      headers: { authorization: `Bearer ${API_KEY}` },
    });
  });

  it('reads another shape of it', async () => {
    const other = createProvider({ baseUrl: `${upstream.url}/v1?ollama` });
    expect((await other.listModels(new AbortController().signal)).map(({ id }) => id)).toEqual([
      'echo',
      'tools',
      'words',
    ]);
    await other.close();
  });

  it('ends with the signal', async () => {
    const reason = new Error('gone');
    await expect(provider.listModels(AbortSignal.abort(reason))).rejects.toBe(reason);
  });
});
