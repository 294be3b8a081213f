import { request as httpRequest } from 'node:http';
import OpenAI, { BadRequestError, NotFoundError } from 'openai';
import agents from '../fixtures/responses-agents.json' with { type: 'json' };
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { RECORDINGS, responseOf } from '../fixtures/responses-recordings.js';
import { framesOf, startResponsesServer, type ResponsesServer } from '../upstreams/fake-responses.js';
import { chunkOf, completionOf, startScriptedUpstream, type ScriptedUpstream } from '../upstreams/scripted-upstream.js';

type Json = Record<string, unknown>;

const WEATHER = {
  type: 'function',
  name: 'get_weather',
  strict: false,
  parameters: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
} as const;

describe('POST /v1/responses', () => {
  let chat: ScriptedUpstream;
  let first: ResponsesServer;
  let second: ResponsesServer;
  let gateway: RunningGateway;
  let key: string;
  let openai: OpenAI;

  beforeAll(async () => {
    [chat, first, second] = await Promise.all([
      startScriptedUpstream(),
      startResponsesServer(),
      startResponsesServer(),
    ]);
    gateway = await startGateway({
      config: {
        sandbox: true,
        providers: {
          chat: { type: 'openai', base_url: `${chat.url}/v1`, api_key: 'sk-chat' },
          openai: { type: 'openai', base_url: `${first.url}/v1`, api_key: 'sk-first' },
          second: { type: 'openai', base_url: `${second.url}/v1`, api_key: 'sk-second', responses: 'native' },
          only: { type: 'openai', base_url: `${second.url}/v1`, api_key: 'sk-second', responses: 'all' },
          missing: { type: 'openai', base_url: `${chat.url}/v1`, api_key: 'sk-chat', responses: 'off' },
        },
        models: [
          { id: 'plain', deployments: [{ provider: 'chat', model: 'gpt-4.1' }] },
          { id: 'native', deployments: [{ provider: 'openai', model: 'gpt-5' }] },
          { id: 'only', deployments: [{ provider: 'only', model: 'gpt-5-codex' }] },
          {
            id: 'two',
            deployments: [
              { provider: 'openai', model: 'gpt-5' },
              { provider: 'second', model: 'gpt-5' },
            ],
          },
        ],
      },
    });
    key = await gateway.apiKey();
    openai = new OpenAI({ apiKey: key, baseURL: `${gateway.url}/v1`, maxRetries: 0 });
  });
  afterAll(async () => {
    await gateway.stop();
    await Promise.all([chat.stop(), first.stop(), second.stop()]);
  });
  beforeEach(() => {
    for (const received of [chat.received, first.received, second.received]) received.length = 0;
    chat.respondWith({ body: completionOf({ content: 'Hello' }) });
    first.respondWith(() => ({ body: responseOf(RECORDINGS.text) }));
    second.respondWith(() => ({ body: responseOf(RECORDINGS.text) }));
  });

  const post = (body: object, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(`${gateway.url}/v1/responses`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });

  describe('on any provider', () => {
    it('gives a text, plain and streamed, to the official client', async () => {
      const response = await openai.responses.create({ model: 'sandbox/echo', input: 'Say hello.' });
      expect(response.output_text).toBe('Say hello.');
      expect(response).toMatchObject({ status: 'completed', usage: { total_tokens: expect.any(Number) as number } });
      const events: string[] = [];
      const stream = openai.responses.stream({ model: 'sandbox/echo', input: 'Say hello.' });
      stream.on('event', ({ type }) => events.push(type));
      const final = await stream.finalResponse();
      expect(final.output_text).toBe('Say hello.');
      expect(events.slice(0, 4)).toEqual([
        'response.created',
        'response.in_progress',
        'response.output_item.added',
        'response.content_part.added',
      ]);
      expect(events.at(-1)).toBe('response.completed');
    });

    it('makes structured output, which the client parses', async () => {
      const response = await openai.responses.parse({
        model: 'sandbox/echo',
        input: 'A person.',
        text: {
          format: {
            type: 'json_schema',
            name: 'person',
            schema: {
              type: 'object',
              properties: { name: { type: 'string' } },
              required: ['name'],
              additionalProperties: false,
            },
          },
        },
      });
      expect(typeof (response.output_parsed as unknown as Json)['name']).toBe('string');
    });

    it('does a whole turn with a tool: chat gets messages and tools, the client items', async () => {
      const toolCall = {
        id: 'call_1',
        type: 'function',
        function: { name: 'get_weather', arguments: '{"city":"Paris"}' },
      };
      chat.respondWith({
        events: [chunkOf({ role: 'assistant', tool_calls: [{ index: 0, ...toolCall }] }), chunkOf({}, 'tool_calls')],
      });
      const stream = openai.responses.stream({ model: 'plain', input: 'Weather in Paris?', tools: [WEATHER] });
      const { output } = await stream.finalResponse();
      expect(output).toMatchObject([{ type: 'function_call', call_id: 'call_1', arguments: '{"city":"Paris"}' }]);
      chat.respondWith({ body: completionOf({ content: 'Sunny.' }) });
      const input = [
        { role: 'user' as const, content: 'Weather in Paris?' },
        ...output.map((item) => ({ ...item }) as OpenAI.Responses.ResponseInputItem),
        { type: 'function_call_output' as const, call_id: 'call_1', output: 'sunny' },
      ];
      const last = await openai.responses.create({ model: 'plain', input, tools: [WEATHER], store: false });
      expect(last.output_text).toBe('Sunny.');
      expect(JSON.parse(chat.received.at(-1) ?? '')).toMatchObject({
        messages: [
          { role: 'user', content: 'Weather in Paris?' },
          { role: 'assistant', tool_calls: [{ id: 'call_1', function: { name: 'get_weather' } }] },
          { role: 'tool', tool_call_id: 'call_1', content: 'sunny' },
        ],
      });
    });

    it('rule 19: hosted tools are left out and named, and refused by name where there is no other', async () => {
      const left = await post({ model: 'plain', input: 'x', tools: [{ type: 'web_search' }, WEATHER] });
      expect([left.status, left.headers.get('x-gateway-dropped-params')]).toEqual([200, 'tools[0].web_search']);
      const refused = await post({ model: 'plain', input: 'x', tools: [{ type: 'web_search' }] });
      expect([refused.status, await refused.json()]).toEqual([
        400,
        {
          error: expect.objectContaining({
            param: 'tools',
            message: expect.stringContaining('web_search') as string,
          }) as Json,
        },
      ]);
      const unknown = await post({
        model: 'plain',
        input: [{ role: 'user', content: 'x' }, { type: 'from_the_future' }],
      });
      expect([unknown.status, await unknown.text()]).toEqual([400, expect.stringContaining('from_the_future')]);
    });

    it('rule 23: reasoning of a model that needs it back reaches it on the next turn', async () => {
      const call = { id: 'call_1', type: 'function', function: { name: 'get_weather', arguments: '{}' } };
      chat.respondWith({
        body: completionOf({ content: null, reasoning_content: 'Think.', tool_calls: [call] }, 'tool_calls'),
      });
      const { output } = await openai.responses.create({ model: 'plain', input: 'x', tools: [WEATHER] });
      expect(output[0]).toMatchObject({ type: 'reasoning', summary: [{ text: 'Think.' }] });
      await openai.responses.create({
        model: 'plain',
        store: false,
        input: [
          { role: 'user', content: 'x' },
          ...output.map((item) => ({ ...item }) as OpenAI.Responses.ResponseInputItem),
          { type: 'function_call_output', call_id: 'call_1', output: 'ok' },
        ],
      });
      expect(JSON.parse(chat.received.at(-1) ?? '')).toMatchObject({
        messages: [{ role: 'user' }, { role: 'assistant', reasoning_content: 'Think.' }, { role: 'tool' }],
      });
    });

    it('rule 16: an overflow of a stream is a failed response, as agents expect it', async () => {
      chat.respondWith({
        status: 400,
        body: {
          error: { message: 'This model has a maximum context length of 10 tokens.', code: 'context_length_exceeded' },
        },
      });
      const response = await post({ model: 'plain', input: 'x', stream: true });
      const text = await response.text();
      expect(response.status).toBe(200);
      expect(text).toMatch(/event: response\.failed\ndata: .*"code":"context_length_exceeded"/);
      expect((await post({ model: 'plain', input: 'x' })).status).toBe(400);
    });

    it.each(Object.entries(agents as unknown as Record<string, Json>))(
      'takes the request of %s',
      async (_name, body) => {
        chat.respondWith({ events: [chunkOf({ role: 'assistant', content: 'Hi' }), chunkOf({}, 'stop')] });
        const response = await post({ ...body, model: 'plain' });
        const text = await response.text();
        expect([response.status, text.includes('event: response.completed')]).toEqual([200, true]);
        const { messages } = JSON.parse(chat.received.at(-1) ?? '') as { messages: Json[] };
        expect(messages.length).toBeGreaterThan(1);
      },
    );
  });

  describe('rule 17: state', () => {
    it('goes on from an earlier response, of any provider', async () => {
      const one = await openai.responses.create({ model: 'sandbox/echo', input: 'My name is Ada.' });
      const two = await openai.responses.create({ model: 'plain', input: 'And?', previous_response_id: one.id });
      expect(two.previous_response_id).toBe(one.id);
      const three = openai.responses.stream({ model: 'plain', input: 'Who am I?', previous_response_id: two.id });
      chat.respondWith({ events: [chunkOf({ role: 'assistant', content: 'Ada' }), chunkOf({}, 'stop')] });
      const final = await three.finalResponse();
      expect(JSON.parse(chat.received.at(-1) ?? '')).toMatchObject({
        messages: [
          { role: 'user', content: 'My name is Ada.' },
          { role: 'assistant', content: 'My name is Ada.' },
          { role: 'user', content: 'And?' },
          { role: 'assistant', content: 'Hello' },
          { role: 'user', content: 'Who am I?' },
        ],
      });
      expect((await openai.responses.retrieve(final.id)).output_text).toBe('Ada');
    });

    it('is committed before the last event is sent', async () => {
      chat.respondWith({ events: [chunkOf({ role: 'assistant', content: 'Hi' }), chunkOf({}, 'stop')] });
      for await (const event of await openai.responses.create({ model: 'plain', input: 'x', stream: true })) {
        if (event.type !== 'response.completed') continue;
        expect((await openai.responses.retrieve(event.response.id)).status).toBe('completed');
      }
    });

    it('is read, listed and deleted by its own key alone', async () => {
      const { id } = await openai.responses.create({
        model: 'sandbox/echo',
        input: [
          { role: 'user', content: 'One' },
          { role: 'user', content: 'Two' },
        ],
      });
      const other = new OpenAI({ apiKey: await gateway.apiKey(), baseURL: `${gateway.url}/v1`, maxRetries: 0 });
      await expect(other.responses.retrieve(id)).rejects.toBeInstanceOf(NotFoundError);
      await expect(other.responses.delete(id)).rejects.toBeInstanceOf(NotFoundError);
      const items: unknown[] = [];
      for await (const item of openai.responses.inputItems.list(id, { order: 'asc', limit: 1 })) items.push(item);
      expect(items).toMatchObject([
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'One' }] },
        { content: [{ text: 'Two' }] },
      ]);
      await expect(openai.responses.cancel(id)).rejects.toBeInstanceOf(BadRequestError);
      await openai.responses.delete(id);
      await expect(openai.responses.retrieve(id)).rejects.toBeInstanceOf(NotFoundError);
      const goesOn = openai.responses.create({ model: 'sandbox/echo', input: 'x', previous_response_id: id });
      await expect(goesOn).rejects.toMatchObject({ status: 400, code: 'previous_response_not_found' });
      const foreign = other.responses.create({ model: 'sandbox/echo', input: 'x', previous_response_id: id });
      await expect(foreign).rejects.toMatchObject({ status: 400, code: 'previous_response_not_found' });
    });

    it('is not kept with store: false, and items can be referred to by their ids', async () => {
      const none = await openai.responses.create({ model: 'sandbox/echo', input: 'x', store: false });
      await expect(openai.responses.retrieve(none.id)).rejects.toBeInstanceOf(NotFoundError);
      const kept = await openai.responses.create({ model: 'sandbox/echo', input: 'Kept.' });
      const item = kept.output[0] as { id: string };
      await openai.responses.create({
        model: 'plain',
        input: [
          { type: 'item_reference', id: item.id },
          { role: 'user', content: 'x' },
        ],
      });
      expect(JSON.parse(chat.received.at(-1) ?? '')).toMatchObject({
        messages: [{ role: 'assistant', content: 'Kept.' }, { role: 'user' }],
      });
    });

    it.each([
      ['conversation', { conversation: 'conv_1' }],
      ['previous_response_id', { previous_response_id: 5 }],
    ])('%s is a 400 that names it', async (param, more) => {
      const response = await post({ model: 'plain', input: 'x', ...more });
      expect([response.status, ((await response.json()) as { error: Json }).error['param']]).toEqual([400, param]);
    });
  });

  describe('at a provider that has the API', () => {
    it('requests and responses pass as they are, but for the model', async () => {
      for (const [name, body] of Object.entries(agents as unknown as Record<string, Json>)) {
        const frames = framesOf(RECORDINGS['reasoning and calls']);
        first.respondWith(() => ({ frames }));
        const sent = { ...body, model: 'native', stream: true, unheard_of: [1] };
        const response = await post(sent);
        expect([name, await response.text()]).toEqual([name, frames]);
        expect(first.received.at(-1)?.body).toEqual({ ...sent, model: 'gpt-5' });
      }
      const text = `{"model":"native","input":"x","metadata":{"id":12345678901234567890}}`;
      await fetch(`${gateway.url}/v1/responses`, {
        method: 'POST',
        headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
        body: text,
      });
      expect(first.received.at(-1)?.text).toContain('12345678901234567890');
      expect(first.received.at(-1)?.headers['authorization']).toBe('Bearer sk-first');
    });

    it('goes on by the id that the provider keeps, and elsewhere with the whole conversation', async () => {
      const response = { ...responseOf(RECORDINGS.text), id: 'resp_kept' };
      first.respondWith(() => ({ body: response }));
      const one = await openai.responses.create({ model: 'native', input: 'Hi' });
      expect(one.id).toBe('resp_kept');
      await openai.responses.create({ model: 'native', input: 'x', previous_response_id: one.id });
      expect(first.received.at(-1)?.body).toMatchObject({ previous_response_id: 'resp_kept', input: 'x' });
      await openai.responses.create({ model: 'plain', input: 'x', previous_response_id: one.id });
      expect(JSON.parse(chat.received.at(-1) ?? '')).toMatchObject({
        messages: [{ content: 'Hi' }, { role: 'assistant' }, { content: 'x' }],
      });
    });

    it('rule 18: encrypted reasoning goes to the provider that made it, and is stripped elsewhere', async () => {
      const made = responseOf(RECORDINGS['reasoning and calls']);
      const [reasoning] = made['output'] as [Json];
      const encrypted = `gAAAA-${Date.now()}`;
      second.respondWith(() => ({ body: { ...made, output: [{ ...reasoning, encrypted_content: encrypted }] } }));
      first.respondWith(() => ({ status: 503, body: { error: { message: 'overloaded' } } }));
      const input = [{ role: 'user' as const, content: 'x' }];
      const one = await openai.responses.create({ model: 'two', input, store: false });
      const item = one.output[0] as OpenAI.Responses.ResponseInputItem;
      expect(item).toMatchObject({ encrypted_content: encrypted });
      first.respondWith(() => ({ body: responseOf(RECORDINGS.text) }));
      second.received.length = 0;
      await openai.responses.create({ model: 'two', input: [...input, item], store: false });
      expect(second.received).toHaveLength(1);
      expect(second.received[0]?.text).toContain(encrypted);
      first.received.length = 0;
      await openai.responses.create({ model: 'native', input: [...input, item], store: false });
      expect(first.received.at(-1)?.text).not.toContain(encrypted);
      await openai.responses.create({ model: 'plain', input: [...input, item], store: false });
      expect(chat.received.at(-1)).not.toContain(encrypted);
    });

    it('leaves reasoning out that the provider cannot decrypt, and sends the request once more', async () => {
      first.respondWith((body) =>
        JSON.stringify(body).includes('gAAAA-unknown')
          ? {
              status: 400,
              body: {
                error: { message: 'The encrypted content could not be verified.', code: 'invalid_encrypted_content' },
              },
            }
          : { body: responseOf(RECORDINGS.text) },
      );
      const item = { type: 'reasoning' as const, id: 'rs_1', summary: [], encrypted_content: 'gAAAA-unknown' };
      const { status } = await openai.responses.create({
        model: 'native',
        input: [{ role: 'user', content: 'x' }, item],
      });
      expect(status).toBe('completed');
      expect(first.received.length).toBe(2);
    });

    it('a stream that ends early is ended with a failed response', async () => {
      first.respondWith(() => ({ frames: framesOf(RECORDINGS.text.slice(0, 8)) }));
      const text = await (await post({ model: 'native', input: 'x', stream: true })).text();
      expect(text.startsWith(framesOf(RECORDINGS.text.slice(0, 8)))).toBe(true);
      expect(text).toMatch(/event: response\.failed\ndata: \{[^\n]*"status":"failed"[^\n]*\n\n$/);
    });

    it('serves clients of chat where the provider has no other API', async () => {
      second.respondWith(() => ({ body: responseOf(RECORDINGS['reasoning and calls']) }));
      const completion = await openai.chat.completions.create({
        model: 'only',
        messages: [{ role: 'user', content: 'x' }],
        tools: [{ type: 'function', function: { name: 'get_current_weather', parameters: { type: 'object' } } }],
      });
      expect(second.received.at(-1)?.body).toMatchObject({
        model: 'gpt-5-codex',
        store: false,
        input: [{ role: 'user' }],
      });
      expect(completion.choices[0]).toMatchObject({ finish_reason: 'tool_calls' });
      expect(completion.choices[0]?.message.tool_calls).toHaveLength(2);
      second.respondWith(() => ({ frames: framesOf(RECORDINGS.text) }));
      let text = '';
      const stream = await openai.chat.completions.create({
        model: 'only',
        messages: [{ role: 'user', content: 'x' }],
        stream: true,
      });
      for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
      expect(text).toBe('Hi there! How can I assist you today?');
    });
  });

  describe('rule 20: compaction', () => {
    const input = [
      { role: 'user' as const, content: 'My name is Ada.' },
      { role: 'assistant' as const, content: 'Hello, Ada.' },
    ];

    it('a trigger and the endpoint each give exactly one item, which any model can go on from', async () => {
      chat.respondWith({ body: completionOf({ content: 'The user is Ada.' }) });
      const triggered = await post({ model: 'plain', input: [...input, { type: 'compaction_trigger' }], store: true });
      const { output, id } = (await triggered.json()) as { output: Json[]; id: string };
      expect(output).toMatchObject([{ type: 'compaction' }]);
      const kept = await openai.responses.inputItems.list(id);
      expect(kept.data.map((item) => item.type)).toEqual(['message', 'message']);
      const compacted = await openai.responses.compact({ model: 'plain', input });
      expect(compacted).toMatchObject({ object: 'response.compaction', output: [{ type: 'compaction' }] });
      await openai.responses.create({
        model: 'plain',
        input: [...(compacted.output as OpenAI.Responses.ResponseInputItem[]), { role: 'user', content: 'Who am I?' }],
      });
      expect(chat.received.at(-1)).toContain('The user is Ada.');
    });
  });

  it('rule 21: a WebSocket gets 426 at once', async () => {
    const status = await new Promise((resolve, reject) => {
      const headers = { upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-version': '13' };
      const request = httpRequest(`${gateway.url}/v1/responses`, { headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      request.on('error', reject).end();
    });
    expect(status).toBe(426);
  });
});
