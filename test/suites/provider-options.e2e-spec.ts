import { randomBytes } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RequestLogListDto } from '../../src/request-log/request-log.dto.js';
import type { GatewayResponse } from '../clients/gateway-response.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { model, openAiAt, price } from '../fixtures/gateway-config.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';
import { until } from '../fixtures/until.js';

interface Call {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Record<string, unknown>;
}

const COMPLETION = {
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1_700_000_000,
  model: 'x',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
};
const MESSAGE = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'claude',
  content: [{ type: 'text', text: 'Hi' }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 5, output_tokens: 2 },
};
const CHUNK = { ...COMPLETION, object: 'chat.completion.chunk', usage: undefined };
const MESSAGES = [{ role: 'user', content: 'Hello' }];

/** What reaches a provider, and what is named as left out; nothing of it depends on the database but the request log. */
describe('what a request may say to a provider', () => {
  const calls: Call[] = [];
  let upstream: Server;
  let gateway: RunningGateway;
  let key: string;

  beforeAll(async () => {
    upstream = createServer((request, response) => {
      let text = '';
      request.setEncoding('utf8').on('data', (piece: string) => (text += piece));
      request.on('end', () => {
        const body = (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>;
        calls.push({ url: String(request.url), headers: request.headers, body });
        if (body['stream'] !== true) {
          const refusal = { error: { message: `${String(body['model'])} cannot`, type: 'invalid_request_error' } };
          const isRefused = String(body['model']).startsWith('refuses');
          response.writeHead(isRefused ? 422 : 200, { 'content-type': 'application/json' });
          const isAnthropic = String(request.url).includes('/messages');
          response.end(JSON.stringify(isRefused ? refusal : isAnthropic ? MESSAGE : COMPLETION));
          return;
        }
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        const [choice] = COMPLETION.choices;
        const chunk = { ...CHUNK, choices: [{ index: 0, delta: choice?.message, finish_reason: 'stop' }] };
        response.end(`data: ${JSON.stringify(chunk)}\n\ndata: [DONE]\n\n`);
      });
    });
    await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
    gateway = await startGateway({
      config: {
        providers: {
          local: openAiAt({ url }, { api_key: 'sk-operator' }),
          claude: { type: 'anthropic', base_url: `${url}/anthropic/v1`, api_key: 'sk-ant' },
        },
        models: [
          model('cheap', 'local/small', { price: price(1, 1) }),
          model('picky', ['local/refuses-1', 'local/refuses-2', 'local/takes']),
          model('none', 'local/refuses-1', { strategy: 'priority', fallbacks: ['last'] }),
          model('last', 'local/refuses-2'),
          model('one-a-minute', 'local/rare', { limits: { rpm: 1 } }),
          model('falls-back', 'local/refuses-1', { strategy: 'priority', fallbacks: ['one-a-minute'] }),
          model('any/*', 'local/*'),
        ],
      },
      env: { GATEWAY_REQUEST_LOG_KEY: randomBytes(32).toString('hex') },
    });
    key = await gateway.apiKey({ budget: { usd: 1, period: 'day' } });
  });
  afterAll(async () => {
    await gateway.stop();
    upstream.closeAllConnections();
    await new Promise((resolve) => upstream.close(resolve));
  });
  beforeEach(() => {
    calls.length = 0;
  });

  const ask = (fields: object, by = key, headers: Record<string, string> = {}): Promise<GatewayResponse<object>> =>
    gateway.client(by).chat({ model: 'cheap', messages: MESSAGES, max_tokens: 5, ...fields }, { headers });

  const CHOSEN = {
    route: 'fallback',
    user_config: { a: 1 },
    speed: 'fast',
    'Cached-Content': 'c',
    MODEL: 'dear',
    modalities: ['audio'],
  };

  it.each([false, true])('is not what is the operator’s to choose, and it is named (stream: %s)', async (stream) => {
    const headers = {
      'openai-project': 'proj',
      'idempotency-key': 'order-1',
      'anthropic-beta': 'b',
      traceparent: '00-a-b-01',
    };
    const response = await ask({ ...CHOSEN, top_k: 4, stream }, key, headers);
    expect(response.status).toBe(200);
    const named = response.header('x-gateway-dropped-params').split(', ');
    expect(named.sort()).toEqual(
      [...Object.keys(CHOSEN), 'anthropic-beta', 'idempotency-key', 'openai-project'].sort(),
    );
    const [call] = calls;
    expect(call?.body).toMatchObject({ model: 'small', top_k: 4 });
    for (const name of Object.keys(CHOSEN)) expect(call?.body).not.toHaveProperty([name]);
    for (const name of ['openai-project', 'idempotency-key', 'anthropic-beta'])
      expect(call?.headers).not.toHaveProperty([name]);
  });

  it('is what a key with the scope sends', async () => {
    const trusted = await gateway.apiKey({ scopes: ['inference', 'provider_options'] });
    const response = await ask(CHOSEN, trusted, { 'idempotency-key': 'order-1' });
    expect([response.status, response.headers.get('x-gateway-dropped-params')]).toEqual([200, null]);
    expect(calls[0]?.body).toMatchObject({ ...CHOSEN, model: 'small' });
    expect(calls[0]?.headers['idempotency-key']).toMatch(/^key_\w+-order-1$/);
  });

  it('is named in the results of a batch, and a tool that must be called is sent or refused', async () => {
    const open = await gateway.newClient();
    const tool = { type: 'custom', name: 'record', input_schema: { type: 'object', properties: {} } };
    const id = await open.submitBatch('claude/claude-sonnet-4-5', [
      { messages: MESSAGES, presence_penalty: 0.5, service_tier: 'flex' },
      { messages: MESSAGES, max_tokens: 77, tools: [tool], tool_choice: { type: 'tool', name: 'record' } },
      { messages: MESSAGES, tools: [{ type: 'web_search' }], tool_choice: 'required' },
      { messages: MESSAGES },
    ]);
    const job = await open.endedBatch(id);
    const [dropped, forced, impossible, plain] = job.results;
    expect(dropped?.response?.warnings?.map(({ code, param }) => [code, param])).toEqual([
      ['dropped_param', 'service_tier'],
      ['dropped_param', 'presence_penalty'],
    ]);
    expect(forced?.status).toBe('succeeded');
    expect(calls.find(({ body }) => body['max_tokens'] === 77)?.body).toMatchObject({
      tools: [{ name: 'record' }],
      tool_choice: { type: 'tool', name: 'record' },
    });
    expect([impossible?.status, impossible?.error?.message]).toEqual(['failed', expect.stringContaining('tools[0]')]);
    expect(plain?.response).not.toHaveProperty('warnings');
  });

  it('is named in the request log', async () => {
    const logged = await gateway.apiKey({ request_log: { days: 1 } });
    await ask({ route: 'x' }, logged);
    let id = '';
    await until(async () => {
      const { data } = await gateway.admin.read<RequestLogListDto>('/v1/admin/request-log');
      id = data[0]?.id ?? '';
      return id !== '';
    });
    expect(await gateway.admin.read(`/v1/admin/request-log/${id}`)).toMatchObject({ dropped_params: ['route'] });
  });

  if (isPostgresRun) return;

  it('goes to the deployment that takes it, whichever comes first; else the last one’s reason comes back', async () => {
    const responses = await Promise.all(Array.from({ length: 20 }, () => ask({ model: 'picky' }, gateway.adminKey)));
    expect(responses.map(({ status }) => status)).toEqual(responses.map(() => 200));
    const refused = await ask({ model: 'none' }, gateway.adminKey);
    expect([refused.status, refused.body.error?.message]).toEqual([422, 'refuses-2 cannot']);
  });

  it('counts with the limits of a model under every name that leads to it', async () => {
    const statuses: number[] = [];
    for (const model of ['falls-back', 'local/rare', 'any/rare', 'local/RARE', 'one-a-minute']) {
      statuses.push((await ask({ model }, gateway.adminKey)).status);
    }
    expect(statuses).toEqual([200, 429, 429, 429, 429]);
    // The fallback has no room, so the reason of the model itself is the answer, or that there is no room.
    expect((await ask({ model: 'falls-back' }, gateway.adminKey)).status).toBe(429);
  });
});
