import OpenAI from 'openai';
import { FakeNativeProviders, startFakeNativeProviders } from './servers/fake-native-providers.js';
import { startGateway, type RunningGateway } from './servers/gateway.js';

const PROMPT = 'a-private-prompt in words';
const TOOLS: OpenAI.Chat.ChatCompletionTool[] = ['get_weather', 'get_time'].map((name) => ({
  type: 'function',
  function: { name, parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] } },
}));
const MODELS = [
  'anthropic/claude-sonnet-4-5',
  'gemini/gemini-2.5-flash',
  'bedrock/eu.anthropic.claude-sonnet-4-5-v1:0',
  'cohere/command-a',
];

describe('the official client, through the gateway, to providers with formats of their own', () => {
  let fake: FakeNativeProviders;
  let gateway: RunningGateway;
  let client: OpenAI;

  beforeAll(async () => {
    fake = await startFakeNativeProviders();
    gateway = await startGateway({
      config: [
        'providers:',
        `  anthropic: { api_key: native-key, base_url: "${fake.baseUrl('anthropic')}" }`,
        `  gemini: { api_key: native-key, base_url: "${fake.baseUrl('google')}" }`,
        `  bedrock: { region: eu-west-1, access_key_id: AKIAFAKE, secret_access_key: bedrock-secret-0123456789, base_url: "${fake.baseUrl('bedrock')}" }`,
        `  cohere: { api_key: native-key, base_url: "${fake.baseUrl('cohere')}" }`,
      ].join('\n'),
    });
    client = new OpenAI({ apiKey: await gateway.apiKey(), baseURL: `${gateway.url}/v1`, maxRetries: 0 });
  });
  afterAll(async () => {
    await gateway.stop();
    await fake.stop();
    expect(gateway.logs()).not.toMatch(/a-private-prompt|native-key|bedrock-secret/);
  });
  afterEach(() => {
    fake.requests.length = 0;
  });

  describe.each(MODELS)('%s', (model) => {
    const messages: OpenAI.Chat.ChatCompletionMessageParam[] = [{ role: 'user', content: PROMPT }];

    it('answers, plain and in a stream', async () => {
      const { data, response } = await client.chat.completions.create({ model, messages }).withResponse();
      expect(data.choices[0]?.message.content).toBe(PROMPT);
      expect(data.usage).toMatchObject({ prompt_tokens: 20, completion_tokens: 7, total_tokens: 27 });
      expect(response.headers.get('x-gateway-provider')).toBe(model.split('/')[0]);
      const stream = client.chat.completions.stream({ model, messages, stream_options: { include_usage: true } });
      const final = await stream.finalChatCompletion();
      expect(final.choices[0]).toMatchObject({ message: { content: PROMPT }, finish_reason: 'stop' });
      expect(final.usage?.total_tokens).toBe(27);
    });

    it('calls two tools at once, and takes their results back', async () => {
      const stream = client.chat.completions.stream({ model, messages, tools: TOOLS });
      const { message } = (await stream.finalChatCompletion()).choices[0]!;
      expect(message.tool_calls).toMatchObject([
        { function: { name: 'get_weather', arguments: '{"city":"Paris"}' } },
        { function: { name: 'get_time', arguments: '{"city":"Rome"}' } },
      ]);
      const results = message.tool_calls!.map(
        ({ id }, index) => ({ role: 'tool', tool_call_id: id, content: `result ${index}` }) as const,
      );
      const answer = await client.chat.completions.create({
        model,
        messages: [...messages, message, ...results],
        tools: TOOLS,
      });
      expect(answer.choices[0]?.message.content).toMatch(/=result 0; .*=result 1$/);
    });

    it('keeps to a JSON schema', async () => {
      const schema = {
        type: 'object',
        properties: { city: { type: 'string' } },
        required: ['city'],
        additionalProperties: false,
      };
      const answer = await client.chat.completions.parse({
        model,
        messages,
        response_format: { type: 'json_schema', json_schema: { name: 'place', strict: true, schema } },
      });
      expect(answer.choices[0]?.message.parsed).toEqual({ city: 'Paris' });
    });

    it('is shown an image', async () => {
      const url = 'data:image/png;base64,iVBORw0KGgo=';
      const answer = await client.chat.completions.create({
        model,
        messages: [
          {
            role: 'user',
            content: [
              { type: 'text', text: 'See:' },
              { type: 'image_url', image_url: { url } },
            ],
          },
        ],
      });
      expect(answer.choices[0]?.message.content).toMatch(/^See: \[.*\d+\]$/);
    });

    it('has the errors of OpenAI', async () => {
      const refusal = async (suffix: string): Promise<unknown> =>
        client.chat.completions.create({ model: `${model}-${suffix}`, messages }).catch((error: unknown) => error);
      expect(await refusal('status-429')).toBeInstanceOf(OpenAI.RateLimitError);
      expect(await refusal('status-400')).toBeInstanceOf(OpenAI.BadRequestError);
      expect(await refusal('status-401')).toMatchObject({ status: 502, code: 'upstream_error' });
      const stream = client.chat.completions.stream({ model: `${model}-error-event`, messages });
      await expect(stream.finalChatCompletion()).rejects.toBeInstanceOf(OpenAI.APIError);
      const strict = client.chat.completions.create({
        model,
        messages,
        logit_bias: { 5: 1 },
        strict_params: true,
      } as never);
      await expect(strict).rejects.toMatchObject({ status: 400, code: 'unsupported_parameter', param: 'logit_bias' });
    });

    it('lets go of the provider when the client goes', async () => {
      const stream = await client.chat.completions.create({ model: `${model}-wordy`, messages, stream: true });
      for await (const chunk of stream) {
        if (chunk.choices[0]?.delta.content !== undefined) break;
      }
      const deadline = Date.now() + 1000;
      while (fake.requests[0]?.aborted !== true) {
        expect(Date.now()).toBeLessThan(deadline);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    });
  });

  it('lists their models', async () => {
    const ids = (await client.models.list()).data.map(({ id }) => id);
    expect(ids).toEqual(['anthropic/claude-fake', 'gemini/gemini-fake', 'cohere/command-fake']);
  });
});
