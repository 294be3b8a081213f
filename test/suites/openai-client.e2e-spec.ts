import { request as httpRequest } from 'node:http';
import OpenAI, {
  APIError,
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  RateLimitError,
} from 'openai';
import { startFakeUpstream, type FakeUpstream } from '../upstreams/fake-upstream-client.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { model, openAiAt, price, type GatewayFile } from '../fixtures/gateway-config.js';
import { until } from '../fixtures/until.js';

const WEATHER_TOOL = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'The weather of a city',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' }, unit: { type: 'string', enum: ['celsius', 'fahrenheit'] } },
      required: ['city', 'unit'],
      additionalProperties: false,
    },
  },
} as const;

const PERSON_FORMAT = {
  type: 'json_schema',
  json_schema: {
    name: 'person',
    strict: true,
    schema: {
      type: 'object',
      properties: { name: { type: 'string' }, age: { type: 'integer', minimum: 18 } },
      required: ['name', 'age'],
      additionalProperties: false,
    },
  },
} as const;

/** What would end a call whose client has gone away unnoticed: longer than this test may take. */
const LONG_TIMEOUTS = { connect: '1h', first_byte: '1h', idle: '1h', total: '1h' };

const configOf = (upstream: FakeUpstream): GatewayFile => ({
  upstream: { timeouts: LONG_TIMEOUTS },
  providers: { fake: openAiAt(upstream, { api_key: 'upstream-key-for-tests' }) },
  sandbox: true,
  models: [
    model('priced', 'fake/echo', { price: price(1_000_000, 2_000_000) }),
    model('fast-idle', 'fake/stall?at=mid', { timeouts: { idle: '300ms' } }),
    model('fast-first-byte', 'fake/stall?at=headers', { timeouts: { first_byte: '300ms', total: '2s' } }),
  ],
});

describe('the official openai client', () => {
  let upstream: FakeUpstream;
  let gateway: RunningGateway;
  let client: OpenAI;

  beforeAll(async () => {
    upstream = await startFakeUpstream();
    gateway = await startGateway({ config: configOf(upstream) });
    client = new OpenAI({ apiKey: await gateway.apiKey(), baseURL: `${gateway.url}/v1`, maxRetries: 0 });
  });
  afterAll(async () => {
    await gateway.stop();
    await upstream.stop();
  });

  const messages = (content: string): { role: 'user'; content: string }[] => [{ role: 'user', content }];

  async function streamed(model: string, content = 'Grüße, 世界 👋🏽 done'): Promise<string> {
    const stream = await client.chat.completions.create({ model, messages: messages(content), stream: true });
    let text = '';
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    return text;
  }

  describe.each([
    ['the sandbox', 'sandbox/echo', 'sandbox/echo', 'sandbox/echo'],
    ['an upstream over HTTP', 'fake/echo', 'fake/tools', 'fake/json-schema'],
    [
      'an upstream that splits every byte and sends CRLF',
      'fake/echo?split=byte&eol=crlf',
      'fake/tools?split=byte&eol=crlf',
      'fake/json-schema?split=byte&eol=crlf',
    ],
  ])('against %s', (_name, echo, tools, schema) => {
    it('gets a completion', async () => {
      const { data, response } = await client.chat.completions
        .create({ model: echo, messages: messages('Say hello') })
        .withResponse();
      expect(data).toMatchObject({
        object: 'chat.completion',
        choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'Say hello' } }],
      });
      expect(data.usage?.total_tokens).toBeGreaterThan(0);
      expect(response.headers.get('x-request-id')).toMatch(/^req/);
      expect(response.headers.get('x-gateway-model')).toBe(echo);
      expect(response.headers.get('x-gateway-attempts')).toBe('1');
    });

    it('gets a stream, and usage only when it asks for it', async () => {
      expect(await streamed(echo)).toBe('Grüße, 世界 👋🏽 done');
      const stream = await client.chat.completions.create({
        model: echo,
        messages: messages('a b c'),
        stream: true,
        stream_options: { include_usage: true },
      });
      const chunks = [];
      for await (const chunk of stream) chunks.push(chunk);
      expect(chunks.filter(({ usage }) => usage != null)).toHaveLength(1);
      expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: expect.any(Number) as number } });
    });

    it('assembles tool calls with the .stream() helper', async () => {
      const runner = client.chat.completions.stream({
        model: tools,
        messages: messages('Weather in Paris?'),
        tools: [WEATHER_TOOL],
      });
      const done: unknown[] = [];
      runner.on('tool_calls.function.arguments.done', (event) => done.push(event.name));
      const completion = await runner.finalChatCompletion();
      const [call] = completion.choices[0]?.message.tool_calls ?? [];
      expect(completion.choices[0]?.finish_reason).toBe('tool_calls');
      expect(call).toMatchObject({ type: 'function', function: { name: 'get_weather' } });
      if (call?.type !== 'function') throw new Error('not a function call');
      const given = JSON.parse(call.function.arguments) as Record<string, unknown>;
      expect(typeof given['city']).toBe('string');
      expect(['celsius', 'fahrenheit']).toContain(given['unit']);
      expect(done).toEqual(['get_weather']);
    });

    it('sends a tool’s result back and gets words', async () => {
      const first = await client.chat.completions.create({
        model: tools,
        messages: messages('Weather in Paris?'),
        tools: [WEATHER_TOOL],
      });
      const assistant = first.choices[0]!.message;
      const response = await client.chat.completions.create({
        model: echo,
        messages: [
          ...messages('Weather in Paris?'),
          assistant,
          ...(assistant.tool_calls ?? []).map(({ id }) => ({
            role: 'tool' as const,
            tool_call_id: id,
            content: '21 degrees',
          })),
        ],
        tools: [WEATHER_TOOL],
      });
      expect(response.choices[0]?.finish_reason).toBe('stop');
      expect(response.choices[0]?.message.content).not.toBe('');
    });

    it('parses structured output', async () => {
      const completion = await client.chat.completions.parse({
        model: schema,
        messages: messages('A person, please'),
        response_format: PERSON_FORMAT,
      });
      const { name, age } = completion.choices[0]?.message.parsed as unknown as { name: unknown; age: unknown };
      expect(typeof name).toBe('string');
      expect(age).toBeGreaterThanOrEqual(18);
    });
  });

  it('lists and retrieves models whose ids contain a slash', async () => {
    const list = await client.models.list();
    const ids = list.data.map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining(['priced', 'sandbox/echo']));
    expect(await client.models.retrieve('sandbox/echo')).toMatchObject({ id: 'sandbox/echo', owned_by: 'sandbox' });
    await expect(client.models.retrieve('sandbox/none')).rejects.toBeInstanceOf(NotFoundError);
  });

  it('gets the errors that its classes stand for', async () => {
    const stranger = new OpenAI({ apiKey: 'gw_wrong', baseURL: `${gateway.url}/v1`, maxRetries: 0 });
    await expect(stranger.models.list()).rejects.toBeInstanceOf(AuthenticationError);
    const ask = (model: string): Promise<unknown> => client.chat.completions.create({ model, messages: messages('x') });
    await expect(ask('no-such-model')).rejects.toMatchObject({ status: 404, code: 'model_not_found', param: 'model' });
    await expect(ask('sandbox/error-429')).rejects.toBeInstanceOf(RateLimitError);
    await expect(ask('sandbox/error-500')).rejects.toBeInstanceOf(InternalServerError);
    await expect(ask('fake/status?code=400&body=context')).rejects.toMatchObject({
      status: 400,
      code: 'context_length_exceeded',
    });
    await expect(ask('fake/status?code=401&body=key')).rejects.toMatchObject({ status: 502, code: 'upstream_error' });
    await expect(
      client.chat.completions.create({ model: 'priced', messages: messages('x'), temperature: 3 }),
    ).rejects.toBeInstanceOf(BadRequestError);
  });

  it('never shows the provider’s key or address in an error', async () => {
    for (const model of ['fake/status?code=401&body=key', 'fake/status?code=403&body=key', 'fake/drop']) {
      const error = await client.chat.completions.create({ model, messages: messages('x') }).then(
        () => '',
        (caught: unknown) => JSON.stringify([String(caught), (caught as APIError).error]),
      );
      expect(error).toMatch(/502/);
      expect(error).not.toMatch(/upstream-key-for-tests|127\.0\.0\.1/);
    }
  });

  it.each(['error', 'html', 'empty', 'no-choices', 'text', 'json'])(
    'does not receive a 200 with %s as a response',
    async (lie) => {
      const model = `fake/lie?with=${lie}`;
      await expect(client.chat.completions.create({ model, messages: messages('x') })).rejects.toMatchObject({
        status: 502,
      });
      await expect(streamed(model)).rejects.toMatchObject({ status: 502 });
    },
  );

  it.each(['fake/reset?at=mid', 'fake/close?at=mid', 'fake/truncate?at=mid', 'fake/malformed', 'fast-idle'])(
    'learns that a stream of %s broke',
    async (model) => {
      await expect(streamed(model)).rejects.toBeInstanceOf(APIError);
    },
  );

  it('learns that the first byte of a stream, or a whole plain answer, never came', async () => {
    await expect(streamed('fast-first-byte')).rejects.toMatchObject({ status: 504, code: 'upstream_timeout' });
    await expect(
      client.chat.completions.create({ model: 'fast-first-byte', messages: messages('x') }),
    ).rejects.toMatchObject({ status: 504 });
  });

  it.each([
    ['while a plain answer is awaited', 'fake/stall?at=headers', false],
    ['before the first token', 'fake/stall?at=headers', true],
    ['in the middle of a stream', 'fake/stall?at=mid', true],
  ])('aborts %s, and the upstream’s socket closes instead of at its timeout', async (_name, model, stream) => {
    await upstream.reset();
    const controller = new AbortController();
    const response = client.chat.completions
      .create({ model, messages: messages('x'), stream }, { signal: controller.signal })
      .then(async (result) => {
        for await (const _chunk of result as AsyncIterable<unknown>);
      });
    const settled = response.then(
      () => 'answered',
      (error: unknown) => error,
    );
    await until(async () => (await upstream.requests()).length === 1);
    if (model.includes('mid')) await new Promise((resolve) => setTimeout(resolve, 100));
    controller.abort();
    const outcome = await settled;
    if (!stream) expect(outcome).toBeInstanceOf(APIUserAbortError);
    await until(async () => (await upstream.openSockets()) === 0);
    expect(await upstream.requests()).toMatchObject([{ aborted: true }]);
  });

  it('keeps every field that it does not know, both ways, and sends on only the headers of the allow-list', async () => {
    await upstream.reset();
    const body = {
      model: 'fake/received',
      messages: [{ role: 'user', content: 'x', name: 'ann', vendor_field: { deep: [1, null, 'é'] } }],
      top_k: 40,
      logit_bias: { '50256': -100 },
      seed: 7,
      chat_template_kwargs: { enable_thinking: false },
      metadata: { secret_of_the_client: 'kept here' },
    };
    const response = await client.chat.completions.create(body as never, {
      headers: { cookie: 'a=b', 'x-forwarded-for': '10.0.0.1', 'x-request-id': 'req-from-client-1' },
    });
    const text = (response as OpenAI.ChatCompletion).choices[0]?.message.content ?? '';
    const received = JSON.parse(text) as { headers: Record<string, string>; body: Record<string, unknown> };
    expect(received.body).toMatchObject({
      messages: body.messages,
      top_k: 40,
      logit_bias: body.logit_bias,
      seed: 7,
      chat_template_kwargs: body.chat_template_kwargs,
      model: 'received',
    });
    expect(received.body).not.toHaveProperty('metadata');
    expect(received.headers['authorization']).toBe('Bearer upstream-key-for-tests');
    expect(received.headers['x-request-id']).toBe('req-from-client-1');
    for (const name of ['cookie', 'x-forwarded-for', 'x-api-key']) expect(received.headers).not.toHaveProperty(name);
  });

  it('has metadata sent upstream only with store: true', async () => {
    await client.chat.completions.create({
      model: 'fake/echo',
      messages: messages('x'),
      metadata: { project: 'one' },
      store: true,
    });
    expect((await upstream.requests()).at(-1)?.body).toMatchObject({ metadata: { project: 'one' }, store: true });
  });

  it('reads the cost of a model with a price in the file', async () => {
    const { data, response } = await client.chat.completions
      .create({ model: 'priced', messages: messages('one two three') })
      .withResponse();
    const { prompt_tokens: prompt, completion_tokens: completion } = data.usage!;
    expect(Number(response.headers.get('x-gateway-cost'))).toBeCloseTo(prompt + 2 * completion, 9);
    const unpriced = await client.chat.completions
      .create({ model: 'fake/words', messages: messages('x') })
      .asResponse();
    expect(unpriced.headers.has('x-gateway-cost')).toBe(false);
  });

  it('replays once on an idle socket that the upstream had closed', async () => {
    for (let round = 0; round < 3; round += 1) {
      const response = await client.chat.completions.create({ model: 'fake/stale', messages: messages('still here') });
      expect(response.choices[0]?.message.content).toBe('still here');
    }
  });

  it('abandons 500 streams, half before the first token, and every upstream socket closes before any timeout would close it', async () => {
    await upstream.reset();
    const key = await gateway.apiKey();
    // Plain requests, so that what is measured is the gateway and not 500 clients on the same two cores.
    const requests = Array.from({ length: 500 }, (_, index) => {
      const request = httpRequest(`${gateway.url}/v1/chat/completions`, {
        method: 'POST',
        agent: false,
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      });
      request.on('error', () => undefined).on('response', (response) => response.on('error', () => undefined).resume());
      const model = `fake/stall?at=${index % 2 === 0 ? 'headers' : 'mid'}`;
      request.end(JSON.stringify({ model, messages: messages('x'), stream: true }));
      return request;
    });
    await until(async () => (await upstream.requests()).length === 500);
    for (const request of requests) request.destroy();
    await until(async () => (await upstream.openSockets()) === 0);
    expect((await upstream.requests()).every((request) => request.aborted)).toBe(true);
  });
});
