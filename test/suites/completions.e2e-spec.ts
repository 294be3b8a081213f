import OpenAI, { BadRequestError } from 'openai';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';

describe('POST /v1/completions, and bodies of the Responses API on the chat route', () => {
  let gateway: RunningGateway;
  let openai: OpenAI;

  beforeAll(async () => {
    gateway = await startGateway({ config: { sandbox: true } });
    openai = new OpenAI({ apiKey: await gateway.apiKey(), baseURL: `${gateway.url}/v1`, maxRetries: 0 });
  });
  afterAll(() => gateway.stop());

  it('completes a prompt for the official client, plain and streamed', async () => {
    const completion = await openai.completions.create({ model: 'sandbox/echo', prompt: 'Once upon a time' });
    expect(completion).toMatchObject({
      object: 'text_completion',
      choices: [{ text: 'Once upon a time', index: 0, finish_reason: 'stop', logprobs: null }],
    });
    expect(completion.usage?.total_tokens).toBeGreaterThan(0);
    let text = '';
    let usage: OpenAI.CompletionUsage | undefined;
    const stream = await openai.completions.create({ model: 'sandbox/echo', prompt: 'Once upon a time', stream: true });
    for await (const chunk of stream) {
      text += chunk.choices[0]?.text ?? '';
      usage = chunk.usage ?? usage;
    }
    expect([text, usage?.total_tokens]).toEqual(['Once upon a time', completion.usage?.total_tokens]);
    const several = await openai.completions.create({ model: 'sandbox/echo', prompt: 'x', n: 2 });
    expect(several.choices.map(({ index }) => index)).toEqual([0, 1]);
  });

  it('names what a chat model cannot do', async () => {
    const echo = openai.completions.create({ model: 'sandbox/echo', prompt: 'x', echo: true });
    await expect(echo).rejects.toBeInstanceOf(BadRequestError);
    await expect(echo).rejects.toMatchObject({ param: 'echo', code: 'unsupported_parameter' });
  });

  it('rule 22: a Responses-shaped body gets chat chunks', async () => {
    const body = { model: 'sandbox/echo', input: [{ role: 'user', content: 'Hello' }], stream: true };
    const stream = await openai.chat.completions.create(body as unknown as OpenAI.ChatCompletionCreateParamsStreaming);
    let text = '';
    for await (const chunk of stream) {
      expect(chunk.object).toBe('chat.completion.chunk');
      text += chunk.choices[0]?.delta.content ?? '';
    }
    expect(text).toBe('Hello');
  });
});
