import OpenAI from 'openai';
import { ContentFilterFinishReasonError, LengthFinishReasonError } from 'openai/error';
import { makeParseableResponseFormat } from 'openai/lib/parser';
import {
  nativeProviders,
  startFakeNativeProviders,
  type FakeNativeProviders,
} from '../upstreams/fake-native-providers.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';
import { chunkOf, completionOf, startScriptedUpstream, type ScriptedUpstream } from '../upstreams/scripted-upstream.js';

interface City {
  readonly city: string;
}

const NATIVE = ['anthropic', 'google', 'bedrock', 'cohere', 'xai'];
const messages = [{ role: 'user' as const, content: 'Weather?' }];
const cityFormat = makeParseableResponseFormat<City>(
  {
    type: 'json_schema',
    json_schema: {
      name: 'city',
      strict: true,
      schema: {
        type: 'object',
        properties: { city: { type: 'string' } },
        required: ['city'],
        additionalProperties: false,
      },
    },
  },
  (text) => JSON.parse(text) as City,
);

// The wire alone is tested here, so the second database has nothing to add.
const suite = isPostgresRun ? describe.skip : describe;

suite('the helpers of the official openai client', () => {
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
          scripted: { base_url: `${upstream.url}/v1`, api_key: 'scripted-key' },
          ...nativeProviders(NATIVE, native),
        },
        sandbox: true,
      },
    });
    client = new OpenAI({ apiKey: await gateway.apiKey(), baseURL: `${gateway.url}/v1`, maxRetries: 0 });
  });
  afterAll(async () => {
    await gateway.stop();
    await upstream.stop();
    await native.stop();
  });

  describe.each([
    'sandbox/echo',
    'anthropic/claude-sonnet-4-5',
    'google/gemini-2.5-flash',
    'bedrock/eu.amazon.nova-2-lite-v1:0',
    'cohere/command-a-03-2025',
    'xai/grok-4',
  ])('on %s', (model) => {
    it('runTools calls the tools and gives their results back, plain and streamed', async () => {
      for (const stream of [false, true]) {
        const asked: string[] = [];
        const tool = (name: string) => ({
          type: 'function' as const,
          function: {
            name,
            description: `Asks the ${name}`,
            parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
            parse: (text: string) => JSON.parse(text) as City,
            function: ({ city }: City) => {
              asked.push(`${name} of ${city}`);
              return `${name}-result`;
            },
          },
        });
        const body = { model, messages, tools: [tool('weather'), tool('clock')] };
        const runner = stream
          ? client.chat.completions.runTools(
              { ...body, stream, stream_options: { include_usage: true } },
              { maxChatCompletions: 5 },
            )
          : client.chat.completions.runTools({ ...body, stream }, { maxChatCompletions: 5 });
        const content = await runner.finalContent();
        expect(asked.length).toBeGreaterThan(0);
        for (const each of asked) expect(content).toContain(`${each.split(' ')[0] ?? ''}-result`);
        expect(runner.messages.map(({ role }) => role).at(-1)).toBe('assistant');
        expect((await runner.totalUsage()).total_tokens).toBeGreaterThan(0);
      }
    });

    it('parse and stream give parsed values', async () => {
      const body = { model, messages, response_format: cityFormat };
      const completion = await client.chat.completions.parse(body);
      expect(completion.choices[0]?.message.parsed).toEqual({ city: expect.any(String) as string });
      const stream = client.chat.completions.stream(body);
      const done: unknown[] = [];
      stream.on('content.done', ({ parsed }) => done.push(parsed));
      expect((await stream.finalChatCompletion()).choices[0]?.message.parsed).toEqual(
        completion.choices[0]?.message.parsed,
      );
      expect(done).toEqual([completion.choices[0]?.message.parsed]);
    });
  });

  it.each([
    ['length', LengthFinishReasonError],
    ['content_filter', ContentFilterFinishReasonError],
  ] as const)('an answer that ended with %s is an error of its own for parse and stream', async (reason, kind) => {
    const body = { model: 'scripted/any', messages, response_format: cityFormat };
    upstream.respondWith(({ stream }) =>
      stream === true
        ? { events: [chunkOf({ role: 'assistant', content: '{"ci' }), chunkOf({}, reason)] }
        : { body: completionOf({ content: '{"ci' }, reason) },
    );
    await expect(client.chat.completions.parse(body)).rejects.toBeInstanceOf(kind);
    await expect(client.chat.completions.stream(body).finalChatCompletion()).rejects.toBeInstanceOf(kind);
  });

  it('a refusal in pieces is put together, with its log probabilities', async () => {
    const logprobs = { content: null, refusal: [{ token: 'No', logprob: -0.5, bytes: [78, 111], top_logprobs: [] }] };
    upstream.respondWith({
      events: [
        chunkOf({ role: 'assistant', content: null, refusal: '' }),
        chunkOf({ refusal: 'No' }, null, { logprobs }),
        chunkOf({ refusal: ', I will not.' }),
        chunkOf({}, 'stop'),
      ],
    });
    const stream = client.chat.completions.stream({ model: 'scripted/any', messages, logprobs: true });
    const tokens: string[] = [];
    stream.on('logprobs.refusal.delta', ({ refusal }) => tokens.push(...refusal.map(({ token }) => token)));
    const message = await stream.finalMessage();
    expect([message.content, message.refusal, tokens]).toEqual([null, 'No, I will not.', ['No']]);
  });

  it('two choices with a tool call each stay apart', async () => {
    const call = (index: number, text: string, name?: string): object => ({
      index,
      delta: {
        tool_calls: [
          { index: 0, ...(name && { id: `call_${index}` }), type: 'function', function: { name, arguments: text } },
        ],
      },
      finish_reason: null,
    });
    const chunk = (...choices: object[]): object => ({ ...chunkOf({}), choices });
    upstream.respondWith({
      events: [
        chunk(call(0, '{"city":', 'weather'), call(1, '{"city":', 'clock')),
        chunk(call(1, '"Rome"}'), call(0, '"Oslo"}')),
        chunk(
          { index: 0, delta: {}, finish_reason: 'tool_calls' },
          { index: 1, delta: {}, finish_reason: 'tool_calls' },
        ),
      ],
    });
    const stream = client.chat.completions.stream({ model: 'scripted/any', messages, n: 2 });
    const { choices } = await stream.finalChatCompletion();
    expect(choices.map(({ message }) => message.tool_calls?.map((each) => each.function))).toMatchObject([
      [{ name: 'weather', arguments: '{"city":"Oslo"}' }],
      [{ name: 'clock', arguments: '{"city":"Rome"}' }],
    ]);
  });
});
