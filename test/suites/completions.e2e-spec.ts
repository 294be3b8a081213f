import OpenAI, { BadRequestError } from 'openai';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { until } from '../fixtures/until.js';
import { ReplayProvider } from '../upstreams/replay-provider.js';

describe('POST /v1/completions, and bodies of the Responses API on the chat route', () => {
  let gateway: RunningGateway;
  let openai: OpenAI;
  const provider = new ReplayProvider();

  beforeAll(async () => {
    await provider.start();
    gateway = await startGateway({
      config: {
        sandbox: true,
        providers: provider.providers(['vllm', 'llamacpp', 'anthropic']),
        models: [{ id: 'two', deployments: ['anthropic/claude-sonnet-4-5', 'vllm/base'].map(deploymentOf) }],
      },
    });
    openai = new OpenAI({ apiKey: await gateway.apiKey(), baseURL: `${gateway.url}/v1`, maxRetries: 0 });
  });
  afterAll(async () => {
    await gateway.stop();
    await provider.stop();
  });

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

  it('passes what only a raw prompt can have to a completions API, and its response back', async () => {
    const choices = [{ index: 0, text: 'x = 1', logprobs: { tokens: ['x'], token_logprobs: [-9007199254740993] } }];
    const head = { id: 'cmpl-7', object: 'text_completion', created: 1_770_933_883, model: 'base' };
    const usage = { prompt_tokens: 4, completion_tokens: 3, total_tokens: 7 };
    const whole = JSON.stringify({ ...head, choices: [{ ...choices[0], finish_reason: 'stop' }], usage, x_new: 1 });
    const key = await gateway.newClient();
    const ask = async (fields: object, pieces: string[], type = 'application/json') => {
      const prompt = provider.add({ headers: { 'content-type': type }, pieces });
      const body = { model: 'vllm/base', prompt, max_tokens: 5, ...fields };
      return { prompt, ...(await key.post('/v1/completions', body)) };
    };
    for (const fields of [{ echo: true }, { suffix: 'return x' }, { logprobs: 2 }, { best_of: 3, n: 2 }]) {
      const { prompt, status, text } = await ask({ ...fields, x_unknown: 1 }, [whole]);
      expect([status, text]).toEqual([200, whole]);
      const [received] = provider.requestsOf(prompt);
      expect(received?.path).toMatch(/\/v1\/completions$/);
      expect(JSON.parse(String(received?.body))).toEqual({
        model: 'base',
        prompt,
        max_tokens: 5,
        ...fields,
        x_unknown: 1,
      });
    }
    const tokens = await ask({ model: 'two', echo: true }, [whole]);
    expect([tokens.status, tokens.header('x-gateway-provider')]).toEqual([200, 'vllm']);
    const frames = [
      { ...head, choices: [{ ...choices[0], finish_reason: null }] },
      { ...head, choices: [{ index: 0, text: '', logprobs: null, finish_reason: 'stop' }] },
      { ...head, choices: [], usage },
    ].map((event) => `data: ${JSON.stringify(event)}\n\n`);
    const stream = await ask({ echo: true, stream: true }, [...frames, 'data: [DONE]\n\n'], 'text/event-stream');
    // The client did not ask for usage, by which the call is billed all the same.
    expect(stream.text).toBe(`${frames[0]}${frames[1]}data: [DONE]\n\n`);
    const withoutEnd = await ask({ echo: true, stream: true }, frames, 'text/event-stream');
    expect(withoutEnd.text).toBe(stream.text);
    const isCounted = async (): Promise<boolean> => {
      const records = await gateway.admin.usageRecords(`key_id=${key.keyId}&wire_format=openai-completions`);
      return records.length === 7 && records.every(({ total_tokens: total, estimated }) => total === 7 && !estimated);
    };
    await until(isCounted);
  });

  it('names the field where the server has no completions API, and goes to chat for all other requests', async () => {
    const prompt = provider.add({
      pieces: [JSON.stringify({ choices: [{ index: 0, message: { content: 'Hi' }, finish_reason: 'stop' }] })],
    });
    const echo = openai.completions.create({ model: 'llamacpp/chat', prompt: 'none here', echo: true });
    await expect(echo).rejects.toMatchObject({ status: 400, param: 'echo', code: 'unsupported_parameter' });
    const plain = await openai.completions.create({ model: 'llamacpp/chat', prompt });
    expect(plain.choices[0]?.text).toBe('Hi');
    expect(provider.requestsOf(prompt)[0]?.path).toMatch(/\/chat\/completions$/);
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

function deploymentOf(place: string): { provider: string; model: string } {
  const [provider = '', model = ''] = place.split('/');
  return { provider, model };
}
