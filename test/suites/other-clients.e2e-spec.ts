import { createOpenAI } from '@ai-sdk/openai';
import { HumanMessage } from '@langchain/core/messages';
import { ChatOpenAI } from '@langchain/openai';
import { generateText, jsonSchema, streamText, tool } from 'ai';
import { startFakeUpstream, type FakeUpstream } from '../upstreams/fake-upstream-client.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { openAiAt } from '../fixtures/gateway-config.js';

describe('other OpenAI-compatible clients', () => {
  let upstream: FakeUpstream;
  let gateway: RunningGateway;
  let apiKey: string;

  beforeAll(async () => {
    upstream = await startFakeUpstream();
    gateway = await startGateway({
      config: { providers: { fake: openAiAt(upstream) }, sandbox: true },
    });
    apiKey = await gateway.apiKey();
  });
  afterAll(async () => {
    await gateway.stop();
    await upstream.stop();
  });

  describe.each(['sandbox/echo', 'fake/echo', 'fake/echo?split=byte&eol=crlf'])('against %s', (model) => {
    it('LangChain’s ChatOpenAI chats and streams', async () => {
      const chat = new ChatOpenAI({ model, apiKey, configuration: { baseURL: `${gateway.url}/v1` }, maxRetries: 0 });
      const response = await chat.invoke([new HumanMessage('Bonjour à tous')]);
      expect(response.content).toBe('Bonjour à tous');
      expect(response.usage_metadata?.total_tokens).toBeGreaterThan(0);
      let text = '';
      for await (const chunk of await chat.stream('one two three')) text += chunk.text;
      expect(text).toBe('one two three');
    });

    it('the AI SDK’s OpenAI provider chats and streams', async () => {
      const openai = createOpenAI({ apiKey, baseURL: `${gateway.url}/v1` });
      const { text, usage } = await generateText({
        model: openai.chat(model),
        prompt: 'Bonjour à tous',
        maxRetries: 0,
      });
      expect(text).toBe('Bonjour à tous');
      expect(usage.totalTokens).toBeGreaterThan(0);
      const stream = streamText({ model: openai.chat(model), prompt: 'one two three', maxRetries: 0 });
      let streamed = '';
      for await (const part of stream.textStream) streamed += part;
      expect(streamed).toBe('one two three');
      expect(await stream.finishReason).toBe('stop');
    });
  });

  it('the AI SDK runs a tool that the sandbox calls', async () => {
    const openai = createOpenAI({ apiKey, baseURL: `${gateway.url}/v1` });
    const stream = streamText({
      model: openai.chat('sandbox/echo'),
      prompt: 'add',
      tools: {
        add: tool({
          inputSchema: jsonSchema<{ a: number; b: number }>({
            type: 'object',
            properties: { a: { type: 'number' }, b: { type: 'number' } },
            required: ['a', 'b'],
          }),
          execute: ({ a, b }) => a + b,
        }),
      },
    });
    await stream.consumeStream();
    expect((await stream.toolResults).map(({ toolName }) => toolName)).toEqual(['add']);
  });
});
