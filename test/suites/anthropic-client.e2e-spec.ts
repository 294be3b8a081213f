import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Anthropic, {
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  RateLimitError,
} from '@anthropic-ai/sdk';
import { RECORDED_STREAMS } from '../fixtures/anthropic-recordings.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { until } from '../fixtures/until.js';

/** What a fake provider was sent. */
interface Received {
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
  readonly body: Record<string, unknown>;
  isClosed: boolean;
}

type Respond = (received: Received, response: ServerResponse) => void;

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const WEATHER = {
  name: 'get_weather',
  description: 'The weather of a city.',
  input_schema: { type: 'object' as const, properties: { city: { type: 'string' } }, required: ['city'] },
};
const HELLO = [{ role: 'user' as const, content: 'Hi' }];

function json(value: unknown, status = 200, headers: Record<string, string> = {}): Respond {
  return (_received, response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(typeof value === 'string' ? value : JSON.stringify(value));
  };
}

function events(list: readonly object[], end = ''): Respond {
  return (_received, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const event of list) {
      const name = 'type' in event ? `event: ${String(event.type)}\n` : '';
      response.write(`${name}data: ${JSON.stringify(event)}\n\n`);
    }
    response.end(end);
  };
}

/** A provider that answers as the test says. */
class Fake {
  readonly received: Received[] = [];
  respond: Respond = json({});
  private readonly server: Server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    request.on('end', () => {
      const body = JSON.parse(text === '' ? '{}' : text) as Record<string, unknown>;
      const received = { url: request.url ?? '', headers: request.headers, text, body, isClosed: false };
      this.received.push(received);
      response.on('close', () => (received.isClosed = true));
      this.respond(received, response);
    });
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => {
      this.server.listen(0, '127.0.0.1', resolve);
    });
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  get last(): Received {
    const last = this.received.at(-1);
    if (last === undefined) throw new Error('The provider received nothing.');
    return last;
  }

  async stop(): Promise<void> {
    await new Promise((resolve) => {
      this.server.close(resolve);
      this.server.closeAllConnections();
    });
  }
}

const chunk = (delta: object, finish: string | null = null) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'gpt-x',
  choices: [{ index: 0, delta, finish_reason: finish }],
});
const completion = (message: object, finish: string) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-x',
  choices: [{ index: 0, message: { role: 'assistant', content: null, ...message }, finish_reason: finish }],
  usage: { prompt_tokens: 30, completion_tokens: 4, total_tokens: 34, prompt_tokens_details: { cached_tokens: 10 } },
});

/** A ping may come at any time. */
const withoutPings = (text: string) => text.replaceAll('event: ping\ndata: {"type":"ping"}\n\n', '');

const messageOf = (text: string) => ({
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude-x',
  content: [{ type: 'text', text }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 5, output_tokens: 2 },
});

describe('the official Anthropic client', () => {
  const claude = new Fake();
  const open = new Fake();
  let gateway: RunningGateway;
  let client: Anthropic;
  let key: string;

  beforeAll(async () => {
    const [claudeUrl, openUrl] = await Promise.all([claude.start(), open.start()]);
    gateway = await startGateway({
      config: `
streaming: { keep_alive: 200ms }
providers:
  anthropic: { api_key: "sk-ant-upstream-key", base_url: "${claudeUrl}/v1" }
  foundry: { api_key: "foundry-upstream-key", base_url: "${claudeUrl}/anthropic/v1" }
  open: { type: openai, api_key: "open-upstream-key", base_url: "${openUrl}/v1" }
sandbox: true
models:
  - { id: limited, deployments: [{ provider: open, model: gpt-limited }], limits: { rpm: 1 } }
`,
    });
    key = await gateway.apiKey();
    client = new Anthropic({ apiKey: key, baseURL: gateway.url, maxRetries: 0 });
  });
  afterAll(async () => {
    await gateway.stop();
    await Promise.all([claude.stop(), open.stop()]);
  });

  it('speaks to the sandbox: whole, streamed, with tools', async () => {
    const params = {
      model: 'sandbox/echo',
      max_tokens: 100,
      messages: [{ role: 'user' as const, content: 'Grüße, 世界 👋🏽' }],
    };
    const message = await client.messages.create(params);
    expect(message).toMatchObject({
      type: 'message',
      role: 'assistant',
      stop_reason: 'end_turn',
      content: [{ type: 'text', text: 'Grüße, 世界 👋🏽' }],
    });
    expect(message._request_id).toMatch(/^req_/);
    expect(await client.messages.stream(params).finalText()).toBe('Grüße, 世界 👋🏽');
    const tool = await client.messages.create({ ...params, tools: [WEATHER], tool_choice: { type: 'any' } });
    expect(tool).toMatchObject({ stop_reason: 'tool_use', content: [{ type: 'tool_use', name: 'get_weather' }] });
  });

  describe('on Claude', () => {
    it.each(Object.keys(RECORDED_STREAMS))(
      'a recorded stream of %s comes as it was sent, byte by byte',
      async (name) => {
        claude.respond = events(RECORDED_STREAMS[name] ?? []);
        const body = { model: 'anthropic/claude-sonnet-4-5', max_tokens: 100, stream: true, messages: HELLO };
        const direct = await (
          await fetch(`${gateway.url}/v1/messages`, {
            method: 'POST',
            headers: { 'x-api-key': key, 'content-type': 'application/json' },
            body: JSON.stringify(body),
          })
        ).text();
        const sent = (RECORDED_STREAMS[name] ?? []).map(
          (event) => `event: ${String(event['type'])}\ndata: ${JSON.stringify(event)}\n\n`,
        );
        expect(withoutPings(direct)).toBe(withoutPings(sent.join('')));
        const stream = client.messages.stream({ ...body, stream: undefined as never });
        expect((await stream.finalMessage()).stop_reason).toMatch(/end_turn|tool_use/);
      },
    );

    it('rule 7: body and headers pass through as they are, but for the model and the credential', async () => {
      claude.respond = json(
        '{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[{"type":"text","text":"Hi"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":5,"output_tokens":2},"future":12345678901234567890}',
      );
      const fields =
        '"max_tokens":9,"context_management":{"edits":[]},"future_field":{"id":12345678901234567890},"messages":[{"role":"user","content":"Hi"}],"tools":[{"type":"web_search_20250305","name":"web_search"}]';
      const response = await fetch(`${gateway.url}/v1/messages?beta=true`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${key}`,
          'x-api-key': key,
          'content-type': 'application/json',
          'anthropic-beta': 'a-new-beta,b',
          'anthropic-version': '2024-10-22',
          cookie: 'a=b',
        },
        body: `{"model":"anthropic/claude-x",${fields}}`,
      });
      expect(response.status).toBe(200);
      expect(await response.text()).toContain('"future":12345678901234567890');
      expect(claude.last.text).toBe(`{"model":"claude-x",${fields}}`);
      expect(claude.last.headers).toMatchObject({
        'x-api-key': 'sk-ant-upstream-key',
        'anthropic-beta': 'a-new-beta,b',
        'anthropic-version': '2024-10-22',
      });
      expect(claude.last.headers).not.toHaveProperty('cookie');
      expect(claude.last.headers).not.toHaveProperty('authorization');
    });

    it('rule 4: thinking of another provider does not reach Claude, its own does as it came', async () => {
      claude.respond = json(messageOf('Hi'));
      const own = { type: 'thinking' as const, thinking: 'hm', signature: 'EqQB' };
      const content = [
        own,
        { ...own, signature: 'gw1.gemini.AAA' },
        { ...own, signature: '' },
        { type: 'text' as const, text: 'a' },
      ];
      await client.messages.create({
        model: 'anthropic/claude-x',
        max_tokens: 5,
        messages: [...HELLO, { role: 'assistant', content }, ...HELLO],
      });
      expect(claude.last.body['messages']).toMatchObject([{}, { content: [own, { type: 'text' }] }, {}]);
    });

    it('rule 4: a signature that Claude refuses is left out, once', async () => {
      claude.respond = (received, response) => {
        const isSigned = received.text.includes('EqQB');
        const refused = {
          type: 'error',
          error: {
            type: 'invalid_request_error',
            message: 'messages.1.content.0: Invalid `signature` in `thinking` block',
          },
        };
        json(isSigned ? refused : messageOf('Hi'), isSigned ? 400 : 200)(received, response);
      };
      const content = [
        { type: 'thinking' as const, thinking: 'hm', signature: 'EqQB' },
        { type: 'text' as const, text: 'a' },
      ];
      const message = await client.messages.create({
        model: 'anthropic/claude-x',
        max_tokens: 5,
        messages: [...HELLO, { role: 'assistant', content }, ...HELLO],
      });
      expect(message.stop_reason).toBe('end_turn');
    });

    it('rule 9: its own count is the count, and no max_tokens is sent', async () => {
      claude.respond = json({ input_tokens: 4321 });
      const count = await client.messages.countTokens({ model: 'anthropic/claude-x', messages: HELLO, system: 'a' });
      expect(count).toEqual({ input_tokens: 4321 });
      expect(claude.last).toMatchObject({
        url: '/v1/messages/count_tokens',
        body: { model: 'claude-x', messages: HELLO, system: 'a' },
      });
    });

    it('on Foundry it is reached at the address of the resource', async () => {
      claude.respond = json(messageOf('Hi'));
      await client.messages.create({ model: 'foundry/claude-sonnet-4-5', max_tokens: 5, messages: HELLO });
      expect(claude.last).toMatchObject({
        url: '/anthropic/v1/messages',
        headers: {
          'x-api-key': 'foundry-upstream-key',
          'anthropic-version': expect.stringMatching(/^\d{4}-\d\d-\d\d$/) as string,
        },
      });
    });
  });

  describe('on a model of OpenAI’s format', () => {
    it('rules 1 and 2: a streamed tool call with thinking is a message of the SDK', async () => {
      open.respond = events(
        [
          chunk({ role: 'assistant', reasoning_content: 'hm' }),
          chunk({ content: 'Let me see.' }),
          chunk({
            tool_calls: [
              {
                index: 0,
                id: 'functions.get_weather:0',
                type: 'function',
                function: { name: 'get_weather', arguments: '{"ci' },
              },
            ],
          }),
          chunk({ tool_calls: [{ index: 0, function: { arguments: 'ty":"Oslo"}' } }] }),
          chunk({}, 'tool_calls'),
          {
            ...chunk({}),
            choices: [],
            usage: {
              prompt_tokens: 30,
              completion_tokens: 4,
              total_tokens: 34,
              prompt_tokens_details: { cached_tokens: 10 },
            },
          },
        ],
        'data: [DONE]\n\n',
      );
      const message = await client.messages
        .stream({ model: 'open/gpt-x', max_tokens: 99, tools: [WEATHER], messages: HELLO })
        .finalMessage();
      expect(message).toMatchObject({
        stop_reason: 'tool_use',
        content: [
          { type: 'thinking', thinking: 'hm' },
          { type: 'text', text: 'Let me see.' },
          { type: 'tool_use', name: 'get_weather', input: { city: 'Oslo' } },
        ],
        usage: { input_tokens: 20, cache_read_input_tokens: 10, output_tokens: 4 },
      });
      expect(message.content[2]).toMatchObject({ id: expect.stringMatching(/^[a-zA-Z0-9_-]+$/) as string });
    });

    it('rule 6: a whole tool turn, with an image in the result', async () => {
      open.respond = json(completion({ content: 'Sunny.' }, 'stop'));
      const message = await client.messages.create({
        model: 'open/gpt-x',
        max_tokens: 99,
        tools: [WEATHER],
        messages: [
          ...HELLO,
          {
            role: 'assistant',
            content: [{ type: 'tool_use', id: 'toolu_1', name: 'get_weather', input: { city: 'Oslo' } }],
          },
          {
            role: 'user',
            content: [
              {
                type: 'tool_result',
                tool_use_id: 'toolu_1',
                content: [
                  { type: 'text', text: 'see' },
                  { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } },
                ],
              },
            ],
          },
        ],
      });
      expect(message).toMatchObject({ content: [{ type: 'text', text: 'Sunny.' }], stop_reason: 'end_turn' });
      const sent = open.last.body['messages'] as { role: string; tool_call_id?: string }[];
      expect(sent.slice(1, 3)).toMatchObject([{ role: 'assistant' }, { role: 'tool', tool_call_id: 'toolu_1' }]);
      expect(open.last.text).toContain(PNG);
    });

    it('rule 8: an overflow has the words that clients match', async () => {
      const overflow = (message: string) =>
        json(
          { error: { message, type: 'invalid_request_error', param: 'messages', code: 'context_length_exceeded' } },
          400,
        );
      const ask = () => client.messages.create({ model: 'open/gpt-x', max_tokens: 5, messages: HELLO });
      open.respond = overflow(
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens. Please reduce the length of the messages.",
      );
      await expect(ask()).rejects.toThrow(/prompt is too long: 9000 tokens > 8192 maximum/);
      open.respond = overflow(
        "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens (4000 in the messages, 1000 in the completion). Please reduce the length of the messages or completion.",
      );
      await expect(ask()).rejects.toThrow(/input length and `max_tokens` exceed context limit: 4000 \+ 1000 > 4096/);
    });

    it('rule 11: a tool that Anthropic runs is a 400 that names it', async () => {
      const ask = client.messages.create({
        model: 'open/gpt-x',
        max_tokens: 5,
        messages: HELLO,
        tools: [{ type: 'web_search_20250305', name: 'web_search' }],
      });
      await expect(ask).rejects.toThrow(/web_search_20250305/);
      await expect(ask).rejects.toBeInstanceOf(BadRequestError);
    });

    it('rule 9: the estimate of a count needs no max_tokens, and does not count against the limit of requests', async () => {
      for (let time = 0; time < 3; time += 1) {
        const { input_tokens: tokens } = await client.messages.countTokens({ model: 'limited', messages: HELLO });
        expect(tokens).toBeGreaterThan(1);
      }
    });

    it('rule 3: a ping comes before the first byte of the provider', async () => {
      let respond: (() => void) | undefined;
      open.respond = (received, response) => {
        respond = () =>
          events([chunk({ role: 'assistant', content: 'Hi' }), chunk({}, 'stop')], 'data: [DONE]\n\n')(
            received,
            response,
          );
      };
      const response = await client.messages
        .create({ model: 'open/gpt-x', max_tokens: 5, stream: true, messages: HELLO })
        .asResponse();
      const reader = (response.body as ReadableStream<Uint8Array> | null)?.getReader();
      // Several may have come by the time that a busy machine reads.
      const first = new TextDecoder().decode((await reader?.read())?.value);
      expect(first.replaceAll('event: ping\ndata: {"type":"ping"}\n\n', '')).toBe('');
      expect(first).not.toBe('');
      respond?.();
      let rest = '';
      for (let part = await reader?.read(); part?.done === false; part = await reader?.read())
        rest += new TextDecoder().decode(part.value);
      expect(rest).toContain('event: message_stop');
    });

    it('rule 10: errors have the class of the SDK, the id of the request and whole seconds to wait', async () => {
      open.respond = json({ error: { message: 'Slow down', type: 'rate_limit_error' } }, 429, { 'retry-after': '1.5' });
      const error = await client.messages
        .create({ model: 'open/gpt-busy', max_tokens: 5, messages: HELLO })
        .catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(RateLimitError);
      expect(error).toMatchObject({
        error: {
          type: 'error',
          error: { type: 'rate_limit_error' },
          request_id: expect.stringMatching(/^req_/) as string,
        },
      });
      expect((error as RateLimitError).headers.get('retry-after')).toBe('2');
      await expect(client.messages.create({ model: 'nope', max_tokens: 5, messages: HELLO })).rejects.toBeInstanceOf(
        NotFoundError,
      );
      await expect(
        new Anthropic({ apiKey: 'wrong', baseURL: gateway.url, maxRetries: 0 }).messages.create({
          model: 'open/gpt-busy',
          max_tokens: 5,
          messages: HELLO,
        }),
      ).rejects.toBeInstanceOf(AuthenticationError);
      open.respond = (_received, response) => response.destroy();
      await expect(
        client.messages.create({ model: 'open/gpt-broken', max_tokens: 5, messages: HELLO }),
      ).rejects.toBeInstanceOf(InternalServerError);
    });

    it('an abort of the client ends the request to the provider', async () => {
      open.respond = (_received, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.write(`data: ${JSON.stringify(chunk({ role: 'assistant', content: 'Hi' }))}\n\n`);
      };
      const stream = client.messages.stream({ model: 'open/gpt-x', max_tokens: 5, messages: HELLO });
      stream.on('text', () => stream.abort());
      await expect(stream.finalMessage()).rejects.toBeInstanceOf(APIUserAbortError);
      const { last } = open;
      await until(() => last.isClosed);
    });

    it('rule 14: the session of Claude Code is the key of the prompt cache', async () => {
      open.respond = json(completion({ content: 'Hi' }, 'stop'));
      await client.messages.create(
        { model: 'open/gpt-x', max_tokens: 5, messages: HELLO },
        { headers: { 'x-claude-code-session-id': 'session-1' } },
      );
      expect(open.last.body['prompt_cache_key']).toBe('session-1');
      expect((await fetch(`${gateway.url}/api/hello`, { method: 'HEAD' })).status).toBe(404);
    });
  });

  it('lists models as the SDK reads them', async () => {
    const page = await client.models.list();
    const echo = page.data.find(({ id }) => id === 'sandbox/echo');
    expect(echo).toMatchObject({
      type: 'model',
      display_name: expect.any(String) as string,
      created_at: expect.stringMatching(/Z$/) as string,
    });
    expect(page).toMatchObject({ has_more: false, first_id: page.data[0]?.id, last_id: page.data.at(-1)?.id });
    expect((await client.models.retrieve('sandbox/echo')).id).toBe('sandbox/echo');
  });
});
