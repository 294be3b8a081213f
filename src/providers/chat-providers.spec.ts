import { call, failure, read, TEXT, TIMEOUTS } from '../../test/upstreams/provider-calls.js';
import { until } from '../../test/fixtures/until.js';
import { FakeNativeProviders, startFakeNativeProviders } from '../../test/upstreams/fake-native-providers.js';
import type { ChatCompletion, ChatCompletionChunk, ChatRequest, ToolCall } from '../operations/chat/chat-completion.js';
import type { CloudSettings } from '../config/gateway-config.js';
import type { ChunkStream } from '../operations/chat/preserialized-chunk.js';
import type { Provider, ProviderCall } from './provider.js';
import { createProvider as createConfigured } from './create-provider.js';
import { quirksOfDefinition, definitionOfType } from './definitions/registry.js';

const MEGABYTE = 1_048_576;
/** The smallest PNG, one pixel. */
const IMAGE = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';
const TOOLS: ChatRequest['tools'] = ['get_weather', 'get_time'].map((name) => ({
  type: 'function',
  function: {
    name,
    description: `Of a city: ${name}`,
    parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
  },
}));
const SCHEMA = {
  type: 'json_schema',
  json_schema: {
    name: 'place',
    strict: true,
    schema: {
      type: 'object',
      properties: { city: { type: 'string' } },
      required: ['city'],
      additionalProperties: false,
    },
  },
};

interface Subject {
  readonly type: string;
  readonly model: string;
  readonly apiKey?: string;
  readonly cloud?: CloudSettings;
}

const BEDROCK_KEYS = { region: 'eu-west-1', accessKeyId: 'AKIAFAKE', secretAccessKey: 'bedrock-secret-0123456789' };
const OWN_FORMATS: Subject[] = [
  { type: 'anthropic', model: 'claude-sonnet-4-5', apiKey: 'native-key' },
  { type: 'google', model: 'gemini-2.5-flash', apiKey: 'native-key' },
  { type: 'bedrock', model: 'eu.anthropic.claude-sonnet-4-5-v1:0', cloud: BEDROCK_KEYS },
  { type: 'cohere', model: 'command-a', apiKey: 'native-key' },
];
const ALL: Subject[] = [
  ...OWN_FORMATS,
  { type: 'vertex', model: 'gemini-2.5-flash', apiKey: 'native-key' },
  { type: 'bedrock', model: 'eu.amazon.nova-2-lite-v1:0', apiKey: 'native-key', cloud: { region: 'eu-west-1' } },
  ...(['azure', 'mistral', 'xai', 'groq', 'deepseek', 'together', 'fireworks'] as const).map((type) => ({
    type,
    model: 'some-model',
    apiKey: 'native-key',
  })),
];

/** Chat at one provider, as the engine calls it. */
interface ChatProvider {
  complete(asked: ProviderCall): Promise<ChatCompletion>;
  stream(asked: ProviderCall): Promise<ChunkStream>;
  listModels(signal: AbortSignal): Promise<readonly { readonly id: string }[]>;
}

let fake: FakeNativeProviders;
const opened: Provider[] = [];

function createProvider({ type, apiKey, cloud }: Subject, maxResponseBytes = 32 * MEGABYTE): ChatProvider {
  const quirks = quirksOfDefinition(definitionOfType(type));
  const provider = createConfigured(
    {
      name: `my-${type}`,
      type,
      baseUrl: fake.baseUrl(type),
      apiKey,
      headers: {},
      listModels: true,
      ...(cloud !== undefined && { cloud }),
      ...(quirks !== undefined && { quirks }),
    },
    { maxResponseBytes, connectTimeoutMs: 1000 },
  );
  opened.push(provider);
  const port = provider.operation('chat');
  if (port?.open === undefined) throw new Error(`${type} has no chat`);
  const { open } = port;
  return {
    complete: (asked) => port.invoke(asked),
    stream: (asked) => open(asked),
    listModels: (signal) => provider.listModels(signal),
  };
}

/** A failure may come before the stream or in it, by how its frames arrive. */
async function readAll(provider: ChatProvider, asked: ProviderCall): Promise<ChatCompletionChunk[]> {
  return read(await provider.stream(asked));
}

function textOf(chunks: readonly ChatCompletionChunk[], index = 0): string {
  return chunks
    .flatMap(({ choices }) => choices)
    .filter((choice) => choice.index === index)
    .map(({ delta }) => delta.content ?? '')
    .join('');
}

/** What a client of a stream puts together from the deltas. */
function toolCallsOf(chunks: readonly ChatCompletionChunk[]): ToolCall[] {
  const calls: ToolCall[] = [];
  for (const delta of chunks.flatMap(({ choices }) => choices.flatMap((choice) => choice.delta.tool_calls ?? []))) {
    const { index, function: called, ...rest } = delta;
    const known = calls[index];
    if (known === undefined) {
      calls[index] = { ...rest, function: { arguments: '', name: '', ...called } } as ToolCall;
    } else {
      expect(rest).not.toHaveProperty('id');
      known.function.arguments += called?.arguments ?? '';
    }
  }
  return calls;
}

beforeAll(async () => {
  fake = await startFakeNativeProviders();
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((provider) => provider.close()));
  fake.requests.length = 0;
});
afterAll(async () => {
  await fake.stop();
});

describe.each(ALL)('$type, $model', (subject) => {
  const { model } = subject;
  let provider: ChatProvider;
  beforeEach(() => {
    provider = createProvider(subject);
  });

  it('answers with the whole shape', async () => {
    const completion = await provider.complete(call(model));
    expect(completion).toMatchObject({
      id: expect.stringMatching(/./) as string,
      object: 'chat.completion',
      created: expect.any(Number) as number,
      model: expect.stringContaining(model) as string,
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: TEXT, refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: { prompt_tokens: 20, completion_tokens: 7, total_tokens: 27 },
    });
    expect(fake.requests[0]?.headers).toMatchObject({ 'x-request-id': 'req-1' });
    expect(fake.requests[0]?.headers['user-agent']).toMatch(/^llm-gateway\//);
  });

  it('streams in the order of the contract', async () => {
    const chunks = await read(await provider.stream(call(model)));
    expect(textOf(chunks)).toBe(TEXT);
    expect(chunks[0]?.choices[0]?.delta.role).toBe('assistant');
    expect(chunks.slice(1).some(({ choices }) => choices[0]?.delta.role !== undefined)).toBe(false);
    expect(new Set(chunks.map(({ id, created, model: ran }) => `${id} ${created} ${ran}`)).size).toBe(1);
    expect(chunks.at(-2)?.choices).toEqual([{ index: 0, delta: {}, logprobs: null, finish_reason: 'stop' }]);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 20, completion_tokens: 7 } });
  });

  it('calls two tools at once, and takes their results back', async () => {
    const request = { tools: TOOLS };
    const completion = await provider.complete(call(model, request));
    const streamed = await read(await provider.stream(call(model, request)));
    const calls = completion.choices[0]?.message.tool_calls;
    expect(completion.choices[0]).toMatchObject({ message: { content: null }, finish_reason: 'tool_calls' });
    expect(calls).toMatchObject([
      { type: 'function', function: { name: 'get_weather', arguments: '{"city":"Paris"}' } },
      { type: 'function', function: { name: 'get_time', arguments: '{"city":"Rome"}' } },
    ]);
    expect(toolCallsOf(streamed)).toEqual(calls);
    expect(streamed.at(-2)?.choices[0]?.finish_reason).toBe('tool_calls');

    const [first, second] = calls!;
    const completed = await provider.complete(
      call(model, {
        tools: TOOLS,
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: TEXT },
          { role: 'assistant', content: null, tool_calls: calls! },
          { role: 'tool', tool_call_id: first!.id, content: '21 degrees' },
          { role: 'tool', tool_call_id: second!.id, content: [{ type: 'text', text: 'noon' }] },
        ],
      }),
    );
    const response = completed.choices[0]?.message.content;
    expect(response).toContain('=21 degrees; ');
    expect(response).toContain('=noon');
  });

  it('ends with a failure when the stream is cut', async () => {
    expect(await failure(readAll(provider, call(`${model}-cut`)))).toMatchObject({
      status: 502,
      code: 'upstream_error',
      retryable: true,
    });
  });
});

describe.each(OWN_FORMATS)('$type', (subject) => {
  const { model } = subject;
  let provider: ChatProvider;
  beforeEach(() => {
    provider = createProvider(subject);
  });

  it('streams the same text for any split of the bytes', async () => {
    expect(textOf(await read(await provider.stream(call(`${model}-split`))))).toBe(TEXT);
  });

  it('keeps to a JSON schema', async () => {
    const request = { response_format: SCHEMA };
    const completion = await provider.complete(call(model, request));
    expect(JSON.parse(completion.choices[0]?.message.content ?? '')).toEqual({ city: 'Paris' });
    const chunks = await read(await provider.stream(call(model, request)));
    expect(JSON.parse(textOf(chunks))).toEqual({ city: 'Paris' });
  });

  it('shows it an image', async () => {
    const completion = await provider.complete(
      call(model, {
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'What is this?' },
              { type: 'image_url', image_url: { url: `data:image/png;base64,${IMAGE}` } },
            ],
          },
        ],
      }),
    );
    expect(completion.choices[0]?.message.content).toMatch(/^What is this\? \[.*\d+\]$/);
  });

  it.each([
    [400, 400, 'invalid_request_error', false],
    [401, 502, 'server_error', true],
    [403, 502, 'server_error', true],
    [413, 413, expect.any(String) as string, false],
    [429, 429, 'rate_limit_error', true],
    [500, 502, 'server_error', true],
    [503, 503, 'server_error', true],
    [529, 503, 'server_error', true],
  ])('maps a status of %d to %d', async (upstream, status, type, retryable) => {
    for (const stream of [false, true]) {
      const asked = call(`${model}-status-${upstream}`);
      const error = await failure(stream ? provider.stream(asked) : provider.complete(asked));
      expect(error).toMatchObject({ status, type, retryable });
      expect(JSON.stringify(error.toBody())).not.toMatch(/native-key|AKIAFAKE|127\.0\.0\.1|bedrock-secret/);
      if (upstream === 400) expect(error.message).toBe('the fake says 400');
      if (upstream === 429) expect(error.retryAfterMs).toBe(7000);
    }
  });

  it('says 502 when the operator’s key is wrong, without showing it', async () => {
    const wrong = createProvider({ ...subject, apiKey: 'wrong-key-0123456789' });
    const error = await failure(wrong.complete(call(model)));
    if (subject.type === 'google') expect(error.status).toBe(502);
    expect(error.message).not.toContain('wrong-key');
  });

  it('takes a page, and an error with status 200, for failures', async () => {
    for (const fault of ['html', 'error-200']) {
      const plain = await failure(provider.complete(call(`${model}-${fault}`)));
      expect(plain.status).toBeGreaterThanOrEqual(502);
      const streamed = await failure(provider.stream(call(`${model}-${fault}`)));
      expect(streamed.status).toBeGreaterThanOrEqual(502);
    }
  });

  it('reports an error, a reset and a silence in the middle of a stream', async () => {
    const quick = { timeouts: { ...TIMEOUTS, idle: 200 } };
    for (const fault of ['error-event', 'reset', 'silent']) {
      const error = await failure(readAll(provider, call(`${model}-${fault}`, {}, quick)));
      expect(error.status).toBeGreaterThanOrEqual(502);
      if (fault === 'silent') expect(error.code).toBe('upstream_timeout');
    }
  });

  it('ends the call to a provider that sends nothing', async () => {
    const asked = call(`${model}-stall`, {}, { timeouts: { ...TIMEOUTS, firstByte: 200 } });
    expect(await failure(provider.stream(asked))).toMatchObject({ status: 504, code: 'upstream_timeout' });
  });

  it('limits a plain response only by the total timeout', async () => {
    const controller = new AbortController();
    const timeouts = { ...TIMEOUTS, firstByte: 20, idle: 20 };
    const plain = provider
      .complete(call(`${model}-stall`, {}, { timeouts, signal: controller.signal }))
      .catch((error: unknown) => error);
    // A stream that begins later and has ended by its time shows that the plain answer had its own.
    await failure(provider.stream(call(`${model}-stall`, {}, { timeouts: { ...timeouts, firstByte: 60 } })));
    const over = new Error('the total time is over');
    controller.abort(over);
    expect(await plain).toBe(over);
  });

  it('ends the upstream request when the client goes: before the response, and in the middle of it', async () => {
    const gone = new Error('the client has gone');
    for (const stream of [false, true]) {
      const controller = new AbortController();
      const asked = call(`${model}-stall`, {}, { signal: controller.signal });
      const response = stream ? provider.stream(asked) : provider.complete(asked);
      await until(() => fake.requests.length > 0);
      controller.abort(gone);
      await expect(response).rejects.toBe(gone);
      await until(() => fake.requests.every(({ aborted }) => aborted));
      fake.requests.length = 0;
    }
    const controller = new AbortController();
    const stream = await provider.stream(call(`${model}-wordy`, {}, { signal: controller.signal }));
    const reading = read(stream);
    controller.abort(gone);
    await expect(reading).rejects.toBe(gone);
    await until(() => fake.requests[0]?.aborted === true);
  });

  it('ends the upstream request when the stream is left, begun or not', async () => {
    const begun = await provider.stream(call(`${model}-wordy`));
    for await (const group of begun) {
      expect(group.length).toBeGreaterThan(0);
      break;
    }
    await until(() => fake.requests[0]?.aborted === true);
    const other = await provider.stream(call(`${model}-wordy`));
    await other[Symbol.asyncIterator]().return?.();
    await until(() => fake.requests[1]?.aborted === true);
  });

  it('asks as often as there are choices', async () => {
    const completion = await provider.complete(call(model, { n: 3 }));
    expect(completion.choices.map(({ index, message }) => [index, message.content])).toEqual([
      [0, TEXT],
      [1, TEXT],
      [2, TEXT],
    ]);
    expect(completion.usage).toMatchObject({ prompt_tokens: 60, completion_tokens: 21, total_tokens: 81 });
    const chunks = await read(await provider.stream(call(model, { n: 2 })));
    expect([textOf(chunks, 0), textOf(chunks, 1)]).toEqual([TEXT, TEXT]);
    expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
    expect(chunks.filter(({ usage }) => usage != null)).toHaveLength(1);
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { prompt_tokens: 40 } });
    expect(chunks.filter(({ choices }) => choices[0]?.finish_reason === 'stop')).toHaveLength(2);
  });

  it('aborts a response that is larger than the cap', async () => {
    const small = createProvider(subject, 2000);
    expect(await failure(small.complete(call(`${model}-wordy`)))).toMatchObject({ status: 502 });
    expect(await failure(readAll(small, call(`${model}-wordy`)))).toMatchObject({
      status: 502,
      code: 'upstream_error',
    });
  });

  it('names what it drops, and refuses it when the client is strict', async () => {
    const dropped: string[][] = [];
    const onDroppedParams = (names: readonly string[]): void => {
      dropped.push([...names]);
    };
    const tools = [{ type: 'function', function: { name: 'f' } }];
    const request = { logit_bias: { 5: 1 }, web_search_options: {}, tools, temperature: 0.5, user: 'me', store: false };
    await provider.complete(call(model, request, { onDroppedParams }));
    await read(await provider.stream(call(model, request, { onDroppedParams })));
    expect(dropped).toEqual([
      ['logit_bias', 'web_search_options'],
      ['logit_bias', 'web_search_options'],
    ]);
    fake.requests.length = 0;
    const strict = { ...request, strict_params: true };
    for (const response of [provider.complete(call(model, strict)), provider.stream(call(model, strict))]) {
      expect(await failure(response)).toMatchObject({
        status: 400,
        type: 'invalid_request_error',
        code: 'unsupported_parameter',
        param: 'logit_bias',
      });
    }
    expect(fake.requests).toHaveLength(0);
    await provider.complete(call(model, { strict_params: true, temperature: 0.5 }));
  });
});

describe('what one provider alone has', () => {
  it('names what the provider cannot take, and refuses it before anything is sent', async () => {
    const provider = createProvider(OWN_FORMATS[0]!);
    const names: string[] = [];
    const request = { seed: 1, frequency_penalty: 0.5 };
    await provider.complete(
      call('claude-sonnet-4-5', request, { onDroppedParams: (dropped) => names.push(...dropped) }),
    );
    expect(names).toEqual(['frequency_penalty', 'seed']);
    fake.requests.length = 0;
    expect(
      await failure(provider.complete(call('claude-sonnet-4-5', { ...request, strict_params: true }))),
    ).toMatchObject({ status: 400, code: 'unsupported_parameter', param: 'frequency_penalty' });
    expect(fake.requests).toHaveLength(0);
  });

  it.each([OWN_FORMATS[0]!, OWN_FORMATS[2]!])(
    '$type: gives thinking with its signature, and takes it back',
    async (subject) => {
      const provider = createProvider(subject);
      const model = `${subject.model}-thinks`;
      const request = { tools: TOOLS, reasoning_effort: 'low', max_completion_tokens: 10_000 };
      const completion = await provider.complete(call(model, request));
      const message = completion.choices[0]!.message;
      expect(message).toMatchObject({
        reasoning_content: 'Let me think.',
        thinking_blocks: [{ type: 'thinking', thinking: 'Let me think.', signature: 'signed-by-the-fake' }],
      });
      const chunks = await read(await provider.stream(call(model, request)));
      const deltas = chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta));
      expect(deltas.map((delta) => (delta['reasoning_content'] as string | undefined) ?? '').join('')).toBe(
        'Let me think.',
      );
      expect(deltas.flatMap((delta) => delta['thinking_blocks'] ?? [])).toEqual(message['thinking_blocks']);
      fake.requests.length = 0;
      await provider.complete(
        call(model, {
          ...request,
          messages: [
            { role: 'user', content: TEXT },
            { ...message, tool_calls: message.tool_calls! },
            ...message.tool_calls!.map(({ id }) => ({ role: 'tool' as const, tool_call_id: id, content: 'done' })),
          ],
        }),
      );
      const body = JSON.stringify(fake.requests[0]?.body);
      expect(body).toContain('signed-by-the-fake');
      expect(body).toContain('"budget_tokens":1024');
    },
  );

  it('vertex: gets no ids of calls, which it does not know, and log probabilities, which it does', async () => {
    const provider = createProvider({ type: 'vertex', model: 'gemini-2.5-flash', apiKey: 'native-key' });
    await provider.complete(
      call('gemini-2.5-flash', {
        tools: TOOLS,
        logprobs: true,
        messages: [
          { role: 'user', content: TEXT },
          {
            role: 'assistant',
            content: null,
            tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'get_time', arguments: '{}' } }],
          },
          { role: 'tool', tool_call_id: 'call_1', content: 'noon' },
        ],
      }),
    );
    const { body } = fake.requests[0]!;
    expect(JSON.stringify(body)).not.toContain('call_1');
    expect(body).toMatchObject({ generationConfig: { responseLogprobs: true } });
  });

  it('google: gives the signature of a tool call, and takes it back', async () => {
    const provider = createProvider(OWN_FORMATS[1]!);
    const completion = await provider.complete(call('gemini-2.5-flash', { tools: TOOLS }));
    const calls = completion.choices[0]!.message.tool_calls!;
    expect(calls[0]).toMatchObject({ extra_content: { google: { thought_signature: 'signed-by-the-fake' } } });
    await provider.complete(
      call('gemini-2.5-flash', {
        tools: TOOLS,
        messages: [
          { role: 'user', content: TEXT },
          { role: 'assistant', content: null, tool_calls: calls },
          ...calls.map(({ id }) => ({ role: 'tool' as const, tool_call_id: id, content: 'done' })),
        ],
      }),
    );
    expect(JSON.stringify(fake.requests[1]?.body)).toContain('"thoughtSignature":"signed-by-the-fake"');
  });

  it('anthropic: sends cache hints where they were put', async () => {
    const provider = createProvider(OWN_FORMATS[0]!);
    const cache_control = { type: 'ephemeral', ttl: '1h' };
    await provider.complete(
      call('claude-sonnet-4-5', {
        messages: [
          { role: 'system', content: [{ type: 'text', text: 'Long rules.', cache_control }] },
          { role: 'user', content: [{ type: 'text', text: TEXT, cache_control }] },
        ],
        tools: [{ ...TOOLS[0]!, cache_control }],
      }),
    );
    const body = fake.requests[0]?.body as Record<
      string,
      { cache_control?: unknown; content?: { cache_control?: unknown }[] }[]
    >;
    expect(body['system']![0]!.cache_control).toEqual(cache_control);
    expect(body['messages']![0]!.content![0]!.cache_control).toEqual(cache_control);
    expect(body['tools']![0]!.cache_control).toEqual(cache_control);
  });

  it('perplexity: takes no tools, and passes its own fields on', async () => {
    const provider = createProvider({ type: 'perplexity', model: 'sonar', apiKey: 'native-key' });
    const names: string[] = [];
    const request = { tools: TOOLS, search_mode: 'academic', response_format: SCHEMA };
    const completion = await provider.complete(
      call('sonar', request, { onDroppedParams: (dropped) => names.push(...dropped) }),
    );
    expect(completion.choices[0]?.message.content).toContain('Paris');
    expect(names).toEqual(['tools']);
    expect(fake.requests[0]?.body).toMatchObject({ search_mode: 'academic', response_format: SCHEMA });
    expect(textOf(await read(await provider.stream(call('sonar'))))).toBe(TEXT);
  });

  it('bedrock: refuses an image by its address, which it would have to fetch', async () => {
    const provider = createProvider(OWN_FORMATS[2]!);
    const content = [{ type: 'image_url', image_url: { url: 'http://169.254.169.254/latest' } }];
    const error = await failure(
      provider.complete(call(OWN_FORMATS[2]!.model, { messages: [{ role: 'user', content }] })),
    );
    expect(error).toMatchObject({ status: 400, type: 'invalid_request_error', code: 'unsupported_value' });
    expect(fake.requests).toHaveLength(0);
  });

  it.each(['../../v1/files', 'gemini?key=x', 'a/../b', 'x#y', 'a%2Fb', ''])(
    'knows no model called %j',
    async (model) => {
      const provider = createProvider(OWN_FORMATS[1]!);
      expect(await failure(provider.complete(call(model)))).toMatchObject({ status: 404, code: 'model_not_found' });
      expect(fake.requests).toHaveLength(0);
    },
  );

  it.each([
    [OWN_FORMATS[0]!, ['claude-fake']],
    [OWN_FORMATS[1]!, ['gemini-fake']],
    [OWN_FORMATS[2]!, []],
    [OWN_FORMATS[3]!, ['command-fake']],
  ])('lists what the provider lists: $type', async (subject, ids) => {
    const models = await createProvider(subject).listModels(new AbortController().signal);
    expect(models.map(({ id }) => id)).toEqual(ids);
  });
});
