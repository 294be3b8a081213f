import { randomBytes } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';
import { until } from '../fixtures/until.js';

interface Call {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Record<string, unknown>;
}

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown> & { error?: { message: string; param: string | null; code: string } };
}

interface Results {
  readonly status: string;
  readonly results: {
    readonly status: string;
    readonly error: { message: string } | null;
    readonly response: { warnings?: { code: string; param: string }[] } | null;
  }[];
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
      config: `providers:
  local: { type: openai, base_url: "${url}/v1", api_key: sk-operator }
  claude: { type: anthropic, base_url: "${url}/anthropic/v1", api_key: sk-ant }
models:
  - { id: cheap, deployments: [{ provider: local, model: small }], price: { input_per_million: 1, output_per_million: 1 } }
  - { id: picky, deployments: [{ provider: local, model: refuses-1 }, { provider: local, model: refuses-2 }, { provider: local, model: takes }] }
  - { id: none, strategy: priority, deployments: [{ provider: local, model: refuses-1 }], fallbacks: [last] }
  - { id: last, deployments: [{ provider: local, model: refuses-2 }] }
  - { id: one-a-minute, deployments: [{ provider: local, model: rare }], limits: { rpm: 1 } }
  - { id: falls-back, strategy: priority, deployments: [{ provider: local, model: refuses-1 }], fallbacks: [one-a-minute] }
  - { id: "any/*", deployments: [{ provider: local, model: "*" }] }
`,
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

  async function post(path: string, body: object, by: string, headers: Record<string, string> = {}): Promise<Answer> {
    const response = await fetch(`${gateway.url}${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${by}`, 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
    return {
      status: response.status,
      headers: response.headers,
      body: (isJson ? JSON.parse(text) : {}) as Answer['body'],
    };
  }
  const ask = (fields: object, by = key, headers: Record<string, string> = {}): Promise<Answer> =>
    post('/v1/chat/completions', { model: 'cheap', messages: MESSAGES, max_tokens: 5, ...fields }, by, headers);
  async function batch(model: string, tasks: object[], by: string): Promise<Results> {
    const { body } = await post('/v1/batch/generate', { model, tasks }, by);
    let job: Results | undefined;
    await until(async () => {
      const response = await fetch(`${gateway.url}/v1/batch/${String(body['job_id'])}`, {
        headers: { authorization: `Bearer ${by}` },
      });
      job = (await response.json()) as Results;
      return job.status === 'completed' || job.status === 'failed';
    });
    return job!;
  }

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
    const answer = await ask({ ...CHOSEN, top_k: 4, stream }, key, headers);
    expect(answer.status).toBe(200);
    const named = answer.headers.get('x-gateway-dropped-params')?.split(', ');
    expect(named?.sort()).toEqual(
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
    const answer = await ask(CHOSEN, trusted, { 'idempotency-key': 'order-1' });
    expect([answer.status, answer.headers.get('x-gateway-dropped-params')]).toEqual([200, null]);
    expect(calls[0]?.body).toMatchObject({ ...CHOSEN, model: 'small' });
    expect(calls[0]?.headers['idempotency-key']).toMatch(/^key_\w+-order-1$/);
  });

  it('is named in the results of a batch, and a tool that must be called is sent or refused', async () => {
    const open = await gateway.apiKey();
    const tool = { type: 'custom', name: 'record', input_schema: { type: 'object', properties: {} } };
    const job = await batch(
      'claude/claude-sonnet-4-5',
      [
        { messages: MESSAGES, presence_penalty: 0.5, service_tier: 'flex' },
        { messages: MESSAGES, max_tokens: 77, tools: [tool], tool_choice: { type: 'tool', name: 'record' } },
        { messages: MESSAGES, tools: [{ type: 'web_search' }], tool_choice: 'required' },
        { messages: MESSAGES },
      ],
      open,
    );
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
    const admin = { headers: { 'x-api-key': gateway.adminKey } };
    let id = '';
    await until(async () => {
      const list = (await (await fetch(`${gateway.url}/v1/admin/request-log`, admin)).json()) as {
        data: { id: string }[];
      };
      id = list.data[0]?.id ?? '';
      return id !== '';
    });
    const entry = (await (await fetch(`${gateway.url}/v1/admin/request-log/${id}`, admin)).json()) as object;
    expect(entry).toMatchObject({ dropped_params: ['route'] });
  });

  if (isPostgresRun) return;

  it('goes to the deployment that takes it, whichever comes first; else the last one’s reason comes back', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask({ model: 'picky' }, gateway.adminKey)));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
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
