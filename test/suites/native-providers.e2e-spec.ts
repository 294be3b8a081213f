import OpenAI, { type APIError, APIUserAbortError, BadRequestError, RateLimitError } from 'openai';
import {
  nativeProviders,
  startFakeNativeProviders,
  type FakeNativeProviders,
} from '../upstreams/fake-native-providers.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { until } from '../fixtures/until.js';

const tool = (name: string) =>
  ({
    type: 'function',
    function: {
      name,
      description: `Asks the ${name}`,
      parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
    },
  }) as const;
/** One red pixel. */
const PIXEL =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';

describe('the official openai client, through the gateway, on providers with wire formats of their own', () => {
  let providers: FakeNativeProviders;
  let gateway: RunningGateway;
  let client: OpenAI;

  beforeAll(async () => {
    providers = await startFakeNativeProviders();
    gateway = await startGateway({
      config: { providers: nativeProviders(['anthropic', 'google', 'bedrock'], providers) },
    });
    client = new OpenAI({ apiKey: await gateway.apiKey(), baseURL: `${gateway.url}/v1`, maxRetries: 0 });
  });
  afterAll(async () => {
    await gateway.stop();
    await providers.stop();
  });

  describe.each([
    ['anthropic', 'claude-sonnet-4-5'],
    ['google', 'gemini-2.5-flash'],
    ['bedrock', 'eu.amazon.nova-2-lite-v1:0'],
  ])('%s', (provider, name) => {
    const model = (behaviour = ''): string => `${provider}/${name}${behaviour === '' ? '' : `-${behaviour}`}`;
    const ask = (content: string): OpenAI.ChatCompletionMessageParam[] => [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content },
    ];

    it('answers in text, plain and streamed, with usage', async () => {
      const { data, response } = await client.chat.completions
        .create({ model: model(), messages: ask('Grüße, 世界') })
        .withResponse();
      expect(data.choices[0]).toMatchObject({ finish_reason: 'stop', message: { content: 'Grüße, 世界' } });
      expect(data.usage?.total_tokens).toBeGreaterThan(0);
      expect(response.headers.get('x-gateway-provider')).toBe(provider);
      const stream = await client.chat.completions.create({
        model: model(),
        messages: ask('one two three'),
        stream: true,
        stream_options: { include_usage: true },
      });
      let text = '';
      let usage: OpenAI.CompletionUsage | null | undefined;
      for await (const chunk of stream) {
        text += chunk.choices[0]?.delta.content ?? '';
        usage = chunk.usage ?? usage;
      }
      expect(text).toBe('one two three');
      expect(usage?.total_tokens).toBeGreaterThan(0);
    });

    it('makes two parallel tool calls and reads their results', async () => {
      const tools = [tool('weather'), tool('clock')];
      for (const stream of [false, true]) {
        const first = stream
          ? await client.chat.completions
              .stream({ model: model(), messages: ask('Paris?'), tools })
              .finalChatCompletion()
          : await client.chat.completions.create({ model: model(), messages: ask('Paris?'), tools });
        const assistant = first.choices[0]!.message;
        const calls = assistant.tool_calls ?? [];
        expect(first.choices[0]?.finish_reason).toBe('tool_calls');
        expect(calls.map((call) => (call.type === 'function' ? call.function.name : ''))).toEqual(['weather', 'clock']);
        const response = await client.chat.completions.create({
          model: model(),
          tools,
          messages: [
            ...ask('Paris?'),
            assistant,
            ...calls.map(({ id }, index) => ({
              role: 'tool' as const,
              tool_call_id: id,
              content: `result-${index}`,
            })),
          ],
        });
        expect(response.choices[0]?.message.content).toContain('result-0');
        expect(response.choices[0]?.message.content).toContain('result-1');
      }
    });

    it('gives structured output', async () => {
      const completion = await client.chat.completions.parse({
        model: model(),
        messages: ask('A city'),
        response_format: {
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
      });
      expect(completion.choices[0]?.message.parsed).toEqual({ city: expect.any(String) as string });
    });

    it('sees an image', async () => {
      const completion = await client.chat.completions.create({
        model: model(),
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'What is this?' },
              { type: 'image_url', image_url: { url: PIXEL } },
            ],
          },
        ],
      });
      expect(completion.choices[0]?.message.content).toMatch(/png/);
    });

    it('refuses with errors that the client’s classes stand for, and never shows the provider’s key', async () => {
      const failure = (behaviour: string): Promise<unknown> =>
        client.chat.completions.create({ model: model(behaviour), messages: ask('x') }).then(
          () => undefined,
          (error: unknown) => error,
        );
      expect(await failure('status-400')).toBeInstanceOf(BadRequestError);
      expect(await failure('status-429')).toBeInstanceOf(RateLimitError);
      const refused = await failure('status-401');
      expect(refused).toMatchObject({ status: 502, code: 'upstream_error' });
      expect(JSON.stringify((refused as APIError).error)).not.toMatch(/native-key|127\.0\.0\.1/);
    });

    it('learns that a stream broke', async () => {
      for (const behaviour of ['cut', 'reset', 'error-event']) {
        const read = async (): Promise<void> => {
          const stream = await client.chat.completions.create({
            model: model(behaviour),
            messages: ask('one two three four five six'),
            stream: true,
          });
          for await (const _chunk of stream);
        };
        await expect(read()).rejects.toBeInstanceOf(OpenAI.APIError);
      }
    });

    it('aborts the upstream’s request when the client goes', async () => {
      const controller = new AbortController();
      const count = providers.requests.length;
      const response = client.chat.completions.create(
        { model: model('stall'), messages: ask('x') },
        { signal: controller.signal },
      );
      const settled = response.catch((error: unknown) => error);
      await until(() => providers.requests.length > count);
      controller.abort();
      expect(await settled).toBeInstanceOf(APIUserAbortError);
      await until(() => providers.requests.at(-1)?.aborted === true);
    });

    it('names the parameters that the provider cannot take, or refuses them with strict_params', async () => {
      const body = { model: model(), messages: ask('x'), logit_bias: { '50256': -100 } };
      const { response } = await client.chat.completions.create(body).withResponse();
      expect(response.headers.get('x-gateway-dropped-params')).toContain('logit_bias');
      await expect(client.chat.completions.create({ ...body, strict_params: true } as never)).rejects.toMatchObject({
        status: 400,
        code: 'unsupported_parameter',
        param: 'logit_bias',
      });
    });
  });
});
