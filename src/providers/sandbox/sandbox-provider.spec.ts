import { Ajv } from 'ajv';
import fc from 'fast-check';
import type { ChatCompletion, ChatCompletionChunk, ChatRequest } from '../../operations/chat/chat-completion.js';
import { toChunks } from '../../operations/chat/preserialized-chunk.js';
import { SandboxProvider } from './sandbox-provider.js';

const provider = new SandboxProvider('sandbox');
const user = (content: string): ChatRequest['messages'] => [{ role: 'user', content }];

function callOf(model: string, request: Partial<ChatRequest>, signal: AbortSignal = new AbortController().signal) {
  return {
    request: { model: `sandbox/${model}`, messages: user('Say hello  to\nAda.'), ...request },
    upstreamModel: model,
    timeouts: { connect: 1, firstByte: 1, idle: 1, total: 1 },
    requestId: 'req_1',
    headers: {},
    signal,
  };
}

function complete(model: string, request: Partial<ChatRequest> = {}): Promise<ChatCompletion> {
  return provider.complete(callOf(model, request));
}

async function stream(model: string, request: Partial<ChatRequest> = {}): Promise<ChatCompletionChunk[]> {
  const chunks: ChatCompletionChunk[] = [];
  for await (const group of await provider.stream(callOf(model, request))) chunks.push(...toChunks(group));
  return chunks;
}

const weather = {
  type: 'function' as const,
  function: {
    name: 'get_weather',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string' }, unit: { enum: ['celsius', 'fahrenheit'] } },
      required: ['city', 'unit'],
      additionalProperties: false,
    },
  },
};
const clock = { type: 'function' as const, function: { name: 'get_time', parameters: { type: 'object' } } };

describe('the sandbox', () => {
  it('echoes the last user message in the whole OpenAI shape', async () => {
    const completion = await complete('echo', {
      messages: [...user('first'), { role: 'assistant', content: 'second' }, ...user('Hello Ada')],
    });
    expect(completion).toEqual({
      id: expect.stringMatching(/^chatcmpl-/) as string,
      object: 'chat.completion',
      created: expect.any(Number) as number,
      model: 'sandbox/echo',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Hello Ada', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
        },
      ],
      usage: { prompt_tokens: 4, completion_tokens: 2, total_tokens: 6 },
    });
  });

  it('streams word by word what it would have answered plainly, white space included', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme', minLength: 1 }), async (text) => {
        const chunks = await stream('echo', { messages: user(text) });
        expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? '').join('')).toBe(text);
        expect((await complete('echo', { messages: user(text) })).choices[0]?.message.content).toBe(text);
        expect(chunks[0]?.choices[0]?.delta.role).toBe('assistant');
        expect(chunks.at(-2)?.choices).toEqual([{ index: 0, delta: {}, logprobs: null, finish_reason: 'stop' }]);
        expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { total_tokens: expect.any(Number) as number } });
        expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
      }),
      { numRuns: 50 },
    );
  });

  it('honours max_tokens, max_completion_tokens, stop and n', async () => {
    const text = { messages: user('one two three four') };
    const cut = (await complete('echo', { ...text, max_tokens: 2 })).choices[0];
    expect(cut).toMatchObject({ message: { content: 'one two' }, finish_reason: 'length' });
    expect((await complete('echo', { ...text, max_completion_tokens: 4 })).choices[0]?.finish_reason).toBe('stop');
    expect((await complete('echo', { ...text, max_tokens: 0 })).choices[0]).toMatchObject({
      message: { content: '' },
      finish_reason: 'length',
    });
    expect((await complete('echo', { ...text, stop: [' four', ' three'] })).choices[0]).toMatchObject({
      message: { content: 'one two' },
      finish_reason: 'stop',
    });
    const three = await complete('echo', { ...text, n: 3 });
    expect(three.choices.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(three.usage?.completion_tokens).toBe(12);
  });

  it('says lorem ipsum of max_tokens words', async () => {
    const completion = await complete('lorem', { max_tokens: 7 });
    expect(completion.choices[0]?.message.content).toBe('lorem ipsum dolor sit amet consectetur adipiscing');
    expect(completion.usage?.completion_tokens).toBe(7);
    expect((await complete('lorem')).usage?.completion_tokens).toBe(50);
  });

  it('calls the first tool, or the one that is named, with arguments that satisfy its schema', async () => {
    const completion = await complete('echo', { tools: [weather, clock] });
    const [call] = completion.choices[0]?.message.tool_calls ?? [];
    expect(completion.choices[0]).toMatchObject({ message: { content: null }, finish_reason: 'tool_calls' });
    expect(call?.function.name).toBe('get_weather');
    expect(new Ajv().validate(weather.function.parameters, JSON.parse(call?.function.arguments ?? ''))).toBe(true);
    const named = await complete('echo', {
      tools: [weather, clock],
      tool_choice: { type: 'function', function: { name: 'get_time' } },
    });
    expect(named.choices[0]?.message.tool_calls?.[0]?.function.name).toBe('get_time');
    expect(
      (await complete('echo', { tools: [weather], tool_choice: 'none' })).choices[0]?.message.tool_calls,
    ).toBeUndefined();
  });

  it('streams a tool call with its name once and its arguments in pieces', async () => {
    const deltas = (await stream('echo', { tools: [weather] })).flatMap(({ choices }) =>
      choices.flatMap(({ delta }) => delta.tool_calls ?? []),
    );
    expect(deltas.every(({ index }) => index === 0)).toBe(true);
    expect(deltas.filter(({ id }) => id !== undefined)).toHaveLength(1);
    expect(deltas.filter(({ function: called }) => called?.name !== undefined)).toHaveLength(1);
    expect(JSON.parse(deltas.map(({ function: called }) => called?.arguments ?? '').join(''))).toMatchObject({
      unit: 'celsius',
    });
  });

  it('answers with what a tool said', async () => {
    const completion = await complete('echo', {
      tools: [weather],
      messages: [
        ...user('Weather?'),
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'c', type: 'function', function: { name: 'get_weather', arguments: '{}' } }],
        },
        { role: 'tool', tool_call_id: 'c', content: '21 degrees' },
      ],
    });
    expect(completion.choices[0]).toMatchObject({ message: { content: '21 degrees' }, finish_reason: 'stop' });
  });

  it('answers JSON when it is asked to', async () => {
    const schema = {
      type: 'object',
      properties: { name: { type: 'string' }, born: { type: 'integer' } },
      required: ['name', 'born'],
    };
    const structured = await complete('echo', {
      response_format: { type: 'json_schema', json_schema: { name: 'person', schema } },
    });
    expect(new Ajv().validate(schema, JSON.parse(structured.choices[0]?.message.content ?? ''))).toBe(true);
    const object = await complete('echo', { messages: user('hi'), response_format: { type: 'json_object' } });
    expect(JSON.parse(object.choices[0]?.message.content ?? '')).toEqual({ answer: 'hi' });
  });

  it('names the parts of a message that it cannot see', async () => {
    const content = [
      { type: 'text', text: 'Look:' },
      { type: 'image_url', image_url: { url: 'x' } },
    ];
    expect((await complete('echo', { messages: [{ role: 'user', content }] })).choices[0]?.message.content).toBe(
      'Look: [image_url]',
    );
  });

  it('fails on demand', async () => {
    await expect(complete('error-429')).rejects.toMatchObject({
      status: 429,
      code: 'rate_limit_exceeded',
      retryable: true,
      retryAfterMs: 1_000,
    });
    await expect(complete('error-500')).rejects.toMatchObject({ status: 502, code: 'upstream_error' });
    await expect(complete('cut')).rejects.toMatchObject({ status: 502, code: 'upstream_error' });
    await expect(complete('nope')).rejects.toMatchObject({ status: 404, code: 'model_not_found' });
    const received: ChatCompletionChunk[] = [];
    const cut = (async () => {
      for await (const group of await provider.stream(callOf('cut', {}))) received.push(...toChunks(group));
    })();
    await expect(cut).rejects.toMatchObject({ code: 'upstream_error' });
    expect(received).toHaveLength(2);
  });

  it('waits as long as the request to sandbox/slow says, and no longer than its client', async () => {
    const started = performance.now();
    await complete('slow', { sandbox: { delay_ms: 50 } });
    expect(performance.now() - started).toBeGreaterThan(45);
    const controller = new AbortController();
    const reason = new Error('gone');
    const waiting = provider.complete(callOf('slow', { sandbox: { delay_ms: 60_000 } }, controller.signal));
    controller.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  });
});
