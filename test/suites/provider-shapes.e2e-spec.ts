import OpenAI from 'openai';
import {
  nativeProviders,
  startFakeNativeProviders,
  type FakeNativeProviders,
} from '../upstreams/fake-native-providers.js';
import type { GatewayResponse, Json } from '../clients/gateway-response.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { model } from '../fixtures/gateway-config.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';
import { ResponseContract } from '../clients/response-contract.js';
import { chunkOf, completionOf, startScriptedUpstream, type ScriptedUpstream } from '../upstreams/scripted-upstream.js';

type Message = OpenAI.ChatCompletionMessageParam;
/** A message or delta in the deprecated form. */
interface Called {
  readonly function_call?: { readonly name?: string; readonly arguments?: string };
}

/** Servers that speak OpenAI's format, more or less; the names decide which of their rules are known. */
const COMPATIBLE = ['vllm', 'mistral', 'groq'];
const NATIVE = ['anthropic', 'google', 'bedrock', 'cohere', 'xai', 'deepseek'];
const MODELS: Readonly<Record<string, string>> = {
  anthropic: 'anthropic/claude-sonnet-4-5',
  google: 'google/gemini-2.5-flash',
  bedrock: 'bedrock/eu.amazon.nova-2-lite-v1:0',
  cohere: 'cohere/command-a-03-2025',
  xai: 'xai/grok-4',
  deepseek: 'deepseek/deepseek-chat',
};
const modelOf = (provider: string): string => MODELS[provider] ?? `${provider}/scripted`;
const user = (content: unknown): Message => ({ role: 'user', content }) as Message;
const parameters = { type: 'object', properties: { city: { type: 'string' } } };
const functions = [
  { name: 'weather', parameters },
  { name: 'clock', parameters },
];
const tools = functions.map((each) => ({ type: 'function', function: each }));

// The wire alone is tested here, so the second database has nothing to add.
const suite = isPostgresRun ? describe.skip : describe;

suite('shapes that providers answer in', () => {
  const contract = ResponseContract.fromFile(process.env['TEST_OPENAPI_DOCUMENT'] ?? 'openapi.json');
  let upstream: ScriptedUpstream;
  let native: FakeNativeProviders;
  let gateway: RunningGateway;
  let client: OpenAI;

  beforeAll(async () => {
    upstream = await startScriptedUpstream();
    native = await startFakeNativeProviders();
    gateway = await startGateway({
      config: {
        providers: {
          ...Object.fromEntries(
            COMPATIBLE.map((name) => [name, { base_url: `${upstream.url}/v1`, api_key: 'scripted-key' }]),
          ),
          ...nativeProviders(NATIVE, native),
          'mistral-native': { type: 'mistral', api_key: 'native-key', base_url: `${upstream.url}/v1` },
        },
        sandbox: true,
        server: { cors_origins: ['https://app.example'] },
        models: [
          model('watches', ['anthropic/claude-sonnet-4-5', 'vllm/scripted'], { strategy: 'priority' }),
          model('team/*', 'sandbox/echo'),
        ],
      },
    });
    client = new OpenAI({ apiKey: await gateway.apiKey(), baseURL: `${gateway.url}/v1`, maxRetries: 0 });
  });
  afterAll(async () => {
    await gateway.stop();
    await upstream.stop();
    await native.stop();
  });

  const ask = (body: string | object): Promise<GatewayResponse> => gateway.admin.post('/v1/chat/completions', body);

  /** The chunks of a stream, each held to the OpenAPI document. */
  async function stream(body: object): Promise<OpenAI.ChatCompletionChunk[]> {
    const { text } = await ask({ ...body, stream: true });
    expect(text).toMatch(/data: \[DONE\]\n\n$/);
    const lines = text.split('\n').filter((line) => line.startsWith('data: {'));
    const chunks = lines.map((line) => JSON.parse(line.slice(6)) as OpenAI.ChatCompletionChunk);
    expect(chunks.map((chunk) => contract.faultOfSchema('ChatCompletionChunk', chunk) ?? '').join('')).toBe('');
    return chunks;
  }

  describe('an answer of the gateway as history of the next request', () => {
    const calls = (...texts: string[]): object => ({
      content: null,
      tool_calls: texts.map((text, index) => ({
        id: `call_${index}`,
        type: 'function',
        function: { name: 'weather', arguments: text },
      })),
    });

    it.each<[string, object, string]>([
      ['no words at all', { content: null }, 'stop'],
      ['an empty text', { content: '' }, 'length'],
      ['thinking alone, in a field of its own name', { content: null, reasoning: 'Let me see' }, 'length'],
      ['thinking beside blank words', { content: ' \n', reasoning_content: 'Let me see' }, 'stop'],
      ['a refusal', { content: null, refusal: 'I will not.' }, 'stop'],
      [
        'audio',
        { content: null, audio: { id: 'audio_1', data: 'AAAA', expires_at: 1_800_000_000, transcript: 'Hello' } },
        'stop',
      ],
      [
        'a picture',
        {
          content: '',
          images: [{ type: 'image_url', index: 0, image_url: { url: 'data:image/png;base64,iVBORw0KGgo=' } }],
        },
        'stop',
      ],
      [
        'sources',
        {
          content: 'Oslo',
          annotations: [
            {
              type: 'url_citation',
              url_citation: { url: 'https://a.example', title: '', start_index: 0, end_index: 4 },
            },
          ],
        },
        'stop',
      ],
      ['content parts', { content: [{ type: 'text', text: 'Oslo' }] }, 'stop'],
      ['a call without arguments', calls(''), 'tool_calls'],
      ['calls whose arguments are null and a list', calls('null', '[1]'), 'tool_calls'],
      ['a call that was cut off', calls('{"city": "Os'), 'length'],
    ])('%s', async (_name, message, reason) => {
      upstream.respondWith(({ stream: streamed }) => {
        const content: unknown = (message as { content: unknown }).content;
        const toolCalls = (message as { tool_calls?: object[] }).tool_calls?.map((call, index) => ({ ...call, index }));
        const delta = { role: 'assistant', ...message, content, ...(toolCalls && { tool_calls: toolCalls }) };
        return streamed === true
          ? { events: [chunkOf(delta), chunkOf({}, reason)] }
          : { body: completionOf(message, reason) };
      });
      const question = [user('Where?')];
      const plain = await client.chat.completions.create({ model: 'vllm/scripted', messages: question });
      const folded = await client.chat.completions
        .stream({ model: 'vllm/scripted', messages: question })
        .finalMessage();
      upstream.respondWith({ body: completionOf({ content: 'Go on.' }) });
      const refused: string[] = [];
      for (const response of [plain.choices[0]!.message, folded]) {
        const results = (response.tool_calls ?? []).map(({ id }) => ({
          role: 'tool',
          tool_call_id: id,
          content: 'cold',
        }));
        const messages = [...question, response, ...results, ...(results.length > 0 ? [] : [user('Go on.')])];
        await Promise.all(
          [...COMPATIBLE, ...NATIVE, 'mistral-native', 'sandbox'].map(async (provider) => {
            const model = provider === 'sandbox' ? 'sandbox/echo' : modelOf(provider);
            const { status, text } = await ask({ model, messages });
            if (status !== 200) refused.push(`${provider}: ${status} ${text} for ${JSON.stringify(response)}`);
          }),
        );
      }
      expect(refused).toEqual([]);
    });
  });

  describe('nearly-OpenAI streams', () => {
    const call = (fields: object, name: string | undefined, text: string): object =>
      chunkOf({ tool_calls: [{ ...fields, function: { ...(name !== undefined && { name }), arguments: text } }] });

    it.each<[string, object[], [string, string][]]>([
      [
        'three calls in pieces, without index, and ids in the first pieces',
        [
          call({ id: 'a' }, 'weather', '{"city":'),
          call({}, undefined, '"Oslo"}'),
          call({ id: 'b' }, 'clock', '{'),
          call({}, undefined, '}'),
          call({ id: 'c' }, 'weather', '{"city":"Bergen"}'),
          chunkOf({}, 'tool_calls'),
        ],
        [
          ['weather', '{"city":"Oslo"}'],
          ['clock', '{}'],
          ['weather', '{"city":"Bergen"}'],
        ],
      ],
      [
        'two whole calls in one chunk, both with index 0 and one id, a reason in each chunk',
        [
          chunkOf(
            {
              tool_calls: ['Oslo', 'Rome'].map((city) => ({
                index: 0,
                id: '',
                type: 'function',
                function: { name: 'weather', arguments: JSON.stringify({ city }) },
              })),
            },
            'tool_calls',
          ),
          chunkOf({ content: '' }, 'tool_calls'),
        ],
        [
          ['weather', '{"city":"Oslo"}'],
          ['weather', '{"city":"Rome"}'],
        ],
      ],
      [
        'a name that every piece repeats',
        [
          call({ index: 0, id: 'a', type: 'function' }, 'clock', '{"ci'),
          call({ index: 0, id: 'a', type: 'function' }, 'clock', 'ty":1}'),
          chunkOf({}, 'stop'),
        ],
        [['clock', '{"city":1}']],
      ],
    ])('%s', async (_name, events, expected) => {
      upstream.respondWith({ events });
      const chunks = await stream({ model: 'vllm/scripted', messages: [user('Weather?')], tools });
      const found: [string, string][] = [];
      for (const { choices } of chunks) {
        for (const delta of choices[0]?.delta.tool_calls ?? []) {
          const known = (found[delta.index] ??= [delta.function?.name ?? '', '']);
          known[1] += delta.function?.arguments ?? '';
        }
      }
      expect(found).toEqual(expected);
      expect(chunks.filter(({ choices }) => choices[0]?.finish_reason != null)).toHaveLength(1);
    });

    it('a reason in the first chunk alone, after which the words go on', async () => {
      upstream.respondWith({
        events: [
          chunkOf({ role: 'assistant', content: 'Uno ' }, 'length'),
          chunkOf({ content: 'due ' }),
          chunkOf({ content: 'tre' }, 'stop'),
        ],
      });
      const chunks = await stream({ model: 'groq/scripted', messages: [user('Count.')] });
      expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe('Uno due tre');
      expect(chunks.flatMap(({ choices }) => choices[0]?.finish_reason ?? [])).toEqual(['length']);
    });
  });

  describe('the deprecated functions', () => {
    it.each(['anthropic', 'google', 'cohere', 'xai', 'sandbox'])(
      'are called, streamed and taken back as history by %s',
      async (provider) => {
        const model = provider === 'sandbox' ? 'sandbox/echo' : modelOf(provider);
        const question = { model, messages: [user('Weather in Paris?')], functions };
        const { choices } = (await ask(question)).body as unknown as {
          choices: { message: Called; finish_reason: string }[];
        };
        const [message, reason] = [choices[0]?.message, choices[0]?.finish_reason];
        expect([message?.function_call?.name, reason]).toEqual(['weather', 'function_call']);
        expect(message).not.toHaveProperty('tool_calls');
        const chunks = await stream(question);
        const deltas = chunks.map((chunk) => (chunk.choices[0]?.delta ?? {}) as Called & { tool_calls?: unknown });
        expect(deltas.every((delta) => delta.tool_calls === undefined)).toBe(true);
        const called = deltas.flatMap((delta) => delta.function_call ?? []);
        expect(called.flatMap(({ name }) => name ?? [])).toEqual(['weather']);
        expect(called.map((each) => each.arguments ?? '').join('')).toBe(message?.function_call?.arguments);
        expect(chunks.flatMap((chunk) => chunk.choices[0]?.finish_reason ?? [])).toEqual(['function_call']);
        const result = { role: 'function', name: 'weather', content: 'cold' };
        const next = await ask({ ...question, messages: [...question.messages, message, result] });
        expect([next.status, (next.body as unknown as OpenAI.ChatCompletion).choices[0]?.finish_reason]).toEqual([
          200,
          'stop',
        ]);
      },
    );
  });

  describe('usage in a place of the provider’s own', () => {
    const counts = { prompt_tokens: 1_234, completion_tokens: 56, total_tokens: 1_290 };

    it.each<[string, object[]]>([
      ['in the delta of the last chunk', [chunkOf({ content: 'Hi' }), chunkOf({ usage: counts }, 'stop')]],
      [
        'in the choice of a chunk before the end',
        [chunkOf({ content: 'Hi' }, null, { usage: counts }), chunkOf({}, 'stop')],
      ],
      [
        'in Groq’s envelope, growing',
        [
          { ...chunkOf({ content: 'Hi' }), x_groq: { usage: { ...counts, completion_tokens: 1 } } },
          { ...chunkOf({}, 'stop'), x_groq: { usage: counts } },
        ],
      ],
    ])('%s, reaches the client and the ledger', async (_name, events) => {
      upstream.respondWith({ events });
      const key = await gateway.apiKey();
      const response = await new OpenAI({ apiKey: key, baseURL: `${gateway.url}/v1`, maxRetries: 0 }).chat.completions
        .create({
          model: 'vllm/scripted',
          messages: [{ role: 'user', content: 'Hi' }],
          stream: true,
          stream_options: { include_usage: true },
        })
        .withResponse();
      const requestId = response.response.headers.get('x-request-id');
      let usage: OpenAI.CompletionUsage | null | undefined;
      for await (const chunk of response.data) usage = chunk.usage ?? usage;
      expect(usage).toMatchObject(counts);
      const record = await gateway.admin.usageRecord(({ request_id: id }) => id === requestId);
      expect(record).toMatchObject({ prompt_tokens: 1_234, completion_tokens: 56 });
    });
  });

  describe('content parts that a server added', () => {
    const parts = [
      { type: 'document_url', document_url: 'https://example.com/a.pdf', document_name: 'a' },
      { type: 'file_url', file_url: { url: 'https://example.com/b.docx' } },
      { type: 'image_url', image_url: 'https://example.com/c.png' },
      { type: 'vendor_point_cloud', points: [[0, 1, 2.5]] },
    ];

    it.each(parts.map((part) => [part.type, part] as const))('%s passes through', async (_type, part) => {
      upstream.respondWith({ body: completionOf({ content: 'seen' }) });
      const { status } = await ask({
        model: 'vllm/scripted',
        messages: [user([{ type: 'text', text: 'What?' }, part])],
      });
      expect(status).toBe(200);
      const sent = JSON.parse(upstream.received.at(-1) ?? '') as { messages: { content: unknown[] }[] };
      const passed = sent.messages[0]?.content[1] as Json;
      if (part.type === 'image_url') expect(JSON.stringify(passed)).toContain('https://example.com/c.png');
      else expect(passed).toEqual(part);
    });

    it('are refused by name where the format has no place for them, unless another deployment has one', async () => {
      upstream.respondWith({ body: completionOf({ content: 'seen' }) });
      for (const part of parts.filter(({ type }) => type === 'vendor_point_cloud')) {
        const messages = [user([{ type: 'text', text: 'What?' }, part])];
        const refused = await ask({ model: modelOf('anthropic'), messages });
        expect([refused.status, refused.text]).toEqual([400, expect.stringContaining(part.type) as string]);
        expect((await ask({ model: 'watches', messages })).status).toBe(200);
      }
    });
  });

  describe('integers beyond 2^53', () => {
    const LARGE = '-9007199254740993';
    const LARGER = '18446744073709551615';

    it('keep their digits in what a client sends', async () => {
      upstream.respondWith({ body: completionOf({ content: 'Hi' }) });
      const fields = `"seed":${LARGE},"logit_bias":{"${LARGER}":1},"vendor":{"deep":[${LARGER},1.5,"${LARGE}"]}`;
      const { status } = await ask(
        `{"model":"vllm/scripted","messages":[{"role":"user","content":"Hi","vendor_id":${LARGER}}],${fields}}`,
      );
      expect(status).toBe(200);
      const sent = upstream.received.at(-1) ?? '';
      for (const field of [`"seed":${LARGE}`, `"${LARGER}":1`, `[${LARGER},1.5,"${LARGE}"]`, `"vendor_id":${LARGER}`]) {
        expect(sent).toContain(field);
      }
    });

    it('keep their digits in what a provider answers, plain and streamed', async () => {
      const completion = JSON.stringify(
        completionOf({ content: 'Hi', vendor_id: 'LARGER' }, 'stop', { trace: 'LARGE' }),
      );
      upstream.respondWith({ body: completion.replace('"LARGER"', LARGER).replace('"LARGE"', LARGE) });
      const { text } = await ask({ model: 'vllm/scripted', messages: [user('Hi')] });
      expect(text).toContain(`"vendor_id":${LARGER}`);
      expect(text).toContain(`"trace":${LARGE}`);
      const event = JSON.stringify(chunkOf({ content: 'Hi', vendor_id: 'LARGER' })).replace('"LARGER"', LARGER);
      upstream.respondWith({ events: [event, chunkOf({}, 'stop')] });
      const streamed = await ask({ model: 'vllm/scripted', messages: [user('Hi')], stream: true });
      expect(streamed.text).toContain(LARGER);
    });

    it.each(['anthropic', 'google', 'bedrock'])(
      'keep their digits in the arguments of a call in a history for %s',
      async (provider) => {
        const messages: Message[] = [
          user('Find it.'),
          {
            role: 'assistant',
            content: null,
            tool_calls: [
              {
                id: 'call_1',
                type: 'function',
                function: { name: 'weather', arguments: `{"ids":[${LARGE},{"deep":${LARGER}}]}` },
              },
            ],
          },
          { role: 'tool', tool_call_id: 'call_1', content: 'none' },
        ];
        const { status } = await ask({ model: modelOf(provider), messages, tools });
        expect(status).toBe(200);
        const raw = native.requests.at(-1)?.text ?? '';
        expect(raw).toContain(LARGE);
        expect(raw).toContain(LARGER);
      },
    );
  });

  describe('the reason of a refusal', () => {
    it.each<[string, number, unknown, string]>([
      [
        'a list within an object within `error`',
        422,
        { error: { message: { detail: [{ loc: ['body', 'tools', 1, 'name'], msg: 'String should match pattern' }] } } },
        'tools[1].name: String should match pattern',
      ],
      ['a list of strings', 400, { errors: ['top_k must be below 500', 'n must be 1'] }, 'top_k must be below 500'],
      [
        'JSON within a string',
        400,
        { message: JSON.stringify({ error: { message: 'The prompt has an odd role', code: 3 } }) },
        'The prompt has an odd role',
      ],
      [
        'a problem document',
        422,
        { type: 'about:blank', title: 'Unprocessable', detail: 'The field stop is too long', status: 422 },
        'The field stop is too long',
      ],
    ])('%s', async (_name, status, body, reason) => {
      upstream.respondWith({ status, body });
      for (const model of ['vllm/scripted', 'mistral/mistral-small-latest', 'mistral-native/mistral-small-latest']) {
        const response = await ask({ model, messages: [user('Hi')] });
        expect([model, response.status, response.text]).toEqual([
          model,
          status,
          expect.stringContaining(reason) as string,
        ]);
      }
    });
  });

  it('lets pages read the headers that clients wait and count by', async () => {
    upstream.respondWith({ body: completionOf({ content: 'Hi' }) });
    const headers = { origin: 'https://app.example' };
    const response = await gateway.admin.chat({ model: 'vllm/scripted' }, { headers });
    expect(response.header('access-control-allow-origin')).toBe('https://app.example');
    const exposed = response.header('access-control-expose-headers').toLowerCase().split(/, ?/);
    // What the gateway sends, except what a page may read of every response.
    const always = /^(?:content-(?:type|length|language)|cache-control|expires|last-modified|pragma)$/;
    const own = [...response.headers.keys()].filter((name) => name.startsWith('x-') && !always.test(name));
    expect(own.length).toBeGreaterThan(3);
    expect(own.filter((name) => /^x-(?:gateway|ratelimit|request)-/.test(name) && !exposed.includes(name))).toEqual([]);
    expect(exposed).toEqual(
      expect.arrayContaining([
        'retry-after',
        'x-request-id',
        'x-ratelimit-limit-requests',
        'x-ratelimit-remaining-requests',
        'x-ratelimit-reset-requests',
        'x-ratelimit-limit-tokens',
        'x-ratelimit-remaining-tokens',
        'x-ratelimit-reset-tokens',
      ]),
    );
  });

  it('answers a preflight for any path, and names the methods of a path', async () => {
    const preflight = { origin: 'https://app.example', 'access-control-request-method': 'POST' };
    const ask = (path: string, headers: Record<string, string>): Promise<GatewayResponse> =>
      gateway.client('').send('OPTIONS', path, undefined, { headers });
    for (const path of ['/v1/chat/completions', '/chat/completions', '/v1/nothing']) {
      const response = await ask(path, preflight);
      expect([path, response.status, response.text]).toEqual([path, 204, '']);
      expect(response.header('access-control-allow-origin')).toBe('https://app.example');
      expect(response.header('access-control-allow-methods')).toMatch(/POST/);
      expect(response.header('allow')).toBe(path === '/v1/nothing' ? '' : 'POST, OPTIONS');
    }
    expect((await ask('/v1/models', {})).header('allow')).toBe('GET, HEAD, OPTIONS');
    expect((await ask('/v1/nothing', {})).status).toBe(404);
  });

  it('describes the models that a pattern or `provider/model` leads to', async () => {
    for (const id of ['sandbox/echo', 'vllm/never-listed', 'anthropic/claude-next', 'team/ann', 'watches']) {
      expect(await client.models.retrieve(id)).toMatchObject({ id, object: 'model' });
      if (id.startsWith('team/')) expect((await ask({ model: id, messages: [user('Hi')] })).status).toBe(200);
    }
    await expect(client.models.retrieve('sandbox/none')).rejects.toMatchObject({ status: 404 });
  });
});
