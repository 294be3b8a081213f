import { randomBytes } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OWNED_ROWS } from '../../src/admin/keys/owned-rows.js';
import type { GatewayClient } from '../clients/gateway-client.js';
import type { GatewayResponse } from '../clients/gateway-response.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { model } from '../fixtures/gateway-config.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';
import { queryDatabase } from '../fixtures/query-database.js';
import { until } from '../fixtures/until.js';
import { completionOf } from '../upstreams/scripted-upstream.js';

type Json = Record<string, unknown>;

/** Anthropic's own example of a usage with both kinds of cache writes. */
const CLAUDE_USAGE = {
  input_tokens: 2_048,
  cache_read_input_tokens: 1_800,
  cache_creation_input_tokens: 248,
  output_tokens: 503,
  cache_creation: { ephemeral_5m_input_tokens: 148, ephemeral_1h_input_tokens: 100 },
};
/** Its cost at 3, 3.75, 6, 0.3 and 15 dollars a million, as the invoice has it. */
const CLAUDE_COST = (2_048 * 3 + 148 * 3.75 + 100 * 6 + 1_800 * 0.3 + 503 * 15) / 1e6;
const SEARCH_USAGE = {
  input_tokens: 1_000,
  output_tokens: 503,
  service_tier: 'priority',
  server_tool_use: { web_search_requests: 3, web_fetch_requests: 1 },
};
const CLAUDE_HEAD = { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude', stop_sequence: null };
const LIMITS = {
  'anthropic-ratelimit-requests-limit': '50',
  'anthropic-ratelimit-requests-remaining': '41',
  'anthropic-ratelimit-tokens-reset': '2026-11-28T08:00:00Z',
  'anthropic-ratelimit-not-known-yet': '1',
  'x-ratelimit-limit-requests': '50',
  'x-ratelimit-remaining-requests': '41',
};
const UNPASSED = { 'anthropic-organization-id': 'org-of-the-operator', 'x-other': '1' };

/** Providers on one port: the first part of a path is the name of the provider. */
class Providers {
  /** Those that answer 500. */
  readonly broken = new Set<string>();
  readonly received: { readonly provider: string; readonly headers: IncomingHttpHeaders; readonly body: Json }[] = [];
  url = '';
  private readonly server: Server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    request.on('end', () => {
      const [, provider = '', ...path] = (request.url ?? '').split('/');
      const body = JSON.parse(text === '' ? '{}' : text) as Json;
      this.received.push({ provider, headers: request.headers, body });
      this.respond(provider, path.join('/'), body, response);
    });
  });

  async start(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.server.listen(0, '127.0.0.1', resolve);
    });
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    await new Promise((resolve) => {
      this.server.close(resolve);
      this.server.closeAllConnections();
    });
  }

  private respond(provider: string, path: string, body: Json, response: ServerResponse): void {
    const json = (status: number, value: object, more: Record<string, string> = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json', ...LIMITS, ...UNPASSED, ...more });
      response.end(JSON.stringify(value));
    };
    if (this.broken.has(provider)) {
      json(500, { error: { message: 'broken' } });
      return;
    }
    if (body['model'] === 'full') {
      const error = { type: 'rate_limit_error', message: 'Too many requests.' };
      json(429, { type: 'error', error }, { 'retry-after': '7' });
      return;
    }
    if (!path.endsWith('messages')) {
      json(200, { ...completionOf({ content: 'Hi' }), ...(body['model'] === 'gpt-flex' && { service_tier: 'flex' }) });
      return;
    }
    const content = [{ type: 'text', text: 'Hi' }];
    const usage = body['model'] === 'searches' ? SEARCH_USAGE : CLAUDE_USAGE;
    if (body['stream'] !== true) {
      json(200, { ...CLAUDE_HEAD, content, stop_reason: 'end_turn', usage });
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', ...LIMITS, ...UNPASSED });
    const events = [
      {
        type: 'message_start',
        message: { ...CLAUDE_HEAD, content: [], stop_reason: null, usage: { ...usage, output_tokens: 1 } },
      },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hi' } },
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 503 } },
      { type: 'message_stop' },
    ];
    for (const event of events) response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
    response.end();
  }
}

type Turns = readonly string[];
const userTurns = (turns: Turns): { role: string; content: string }[] =>
  turns.map((content, index) => ({ role: index % 2 === 0 ? 'user' : 'assistant', content }));
const SYSTEM = 'You are a guide of the city.';

/** A conversation in each client's format. */
const FORMATS: readonly { name: string; path: (id: string) => string; body: (id: string, turns: Turns) => object }[] = [
  {
    name: 'OpenAI chat',
    path: () => '/v1/chat/completions',
    body: (id, turns) => ({ model: id, messages: [{ role: 'system', content: SYSTEM }, ...userTurns(turns)] }),
  },
  {
    name: 'Messages',
    path: () => '/v1/messages',
    body: (id, turns) => ({ model: id, max_tokens: 20, system: SYSTEM, messages: userTurns(turns) }),
  },
  {
    name: 'Responses',
    path: () => '/v1/responses',
    body: (id, turns) => ({ model: id, store: false, instructions: SYSTEM, input: userTurns(turns) }),
  },
  {
    name: 'Gemini',
    path: (id) => `/v1beta/models/${id}:generateContent`,
    body: (_id, turns) => ({
      systemInstruction: { parts: [{ text: SYSTEM }] },
      contents: turns.map((text, index) => ({ role: index % 2 === 0 ? 'user' : 'model', parts: [{ text }] })),
    }),
  },
];

describe(`sessions (${isPostgresRun ? 'PostgreSQL' : 'SQLite'})`, () => {
  const providers = new Providers();
  let gateway: RunningGateway;
  let client: GatewayClient;

  beforeAll(async () => {
    await providers.start();
    const openAi = (name: string) =>
      ({ type: 'openai', base_url: `${providers.url}/${name}/v1`, api_key: 'k' }) as const;
    const claudePrice = {
      input_per_million: 3,
      output_per_million: 15,
      cached_input_per_million: 0.3,
      cache_write_per_million: 3.75,
    };
    gateway = await startGateway({
      config: {
        providers: {
          a: openAi('a'),
          b: openAi('b'),
          c: openAi('c'),
          claude: { type: 'anthropic', base_url: `${providers.url}/claude/v1`, api_key: 'k' },
        },
        models: [
          model('three', ['a/m', 'b/m', 'c/m']),
          model('busy', ['a/n', 'b/n', 'c/n'], { strategy: 'least_busy' }),
          model('apart', ['a/o', 'b/o'], { affinity: 'none' }),
          model('claude', 'claude/claude-sonnet-4-5', { price: claudePrice }),
          model('claude-limited', 'claude/claude-limited', { limits: { rpm: 1_000 } }),
          model('searches', 'claude/searches', { price: { ...claudePrice, per_web_search: 0.02 } }),
          model('flex', 'a/gpt-flex'),
          model('full', 'claude/full'),
          model('gpt', 'a/gpt'),
          model('gpt-limited', 'a/gpt-limited', { limits: { rpm: 1_000 } }),
        ],
      },
      env: { GATEWAY_REQUEST_LOG_KEY: randomBytes(32).toString('hex') },
    });
    client = await gateway.newClient({ request_log: { days: 1 } });
  });
  afterAll(async () => {
    await gateway.stop();
    await providers.stop();
  });

  /** Which provider a request of a format reaches. */
  async function placeOf(
    format: (typeof FORMATS)[number],
    id: string,
    turns: Turns,
    headers: Record<string, string> = {},
  ): Promise<string> {
    const { status, text, header } = await client.post(format.path(id), format.body(id, turns), { headers });
    if (status !== 200) throw new Error(`${format.name} answered ${status}: ${text}`);
    return header('x-gateway-provider');
  }
  const [chat] = FORMATS as [(typeof FORMATS)[number]];

  it.each(FORMATS)(
    'rule 14: stay on one deployment in the format of $name, by whichever header names them',
    async (format) => {
      const names = ['x-claude-code-session-id', 'session_id', 'session-id', 'x-session-affinity', 'x-session-id'];
      const places = await Promise.all(
        names.map(async (name) => {
          // Each request is a conversation of its own, so that the header alone keeps them together.
          const ask = (index: number): Promise<string> =>
            placeOf(format, index % 2 === 0 ? 'three' : 'busy', [`question ${index}`], { [name]: 'session-of-many' });
          const reached = await Promise.all([0, 2, 4, 6, 8].map(ask));
          const busy = await Promise.all([1, 3, 5].map(ask));
          return [...new Set(reached), ...new Set(busy)];
        }),
      );
      expect(places.map((reached) => reached.length)).toEqual(names.map(() => 2));
      expect(new Set(places.map(([first]) => first)).size).toBe(1);
    },
  );

  it.each(FORMATS)(
    'rule 14: without a header, a conversation in the format of $name stays where it began',
    async (format) => {
      const reached = await Promise.all(
        Array.from({ length: 12 }, async (_, index) => {
          const turns = [`Where is street ${index}?`, 'To the left.', 'And the museum?', 'Straight on.', 'Thank you.'];
          return Promise.all([1, 3, 5].map((length) => placeOf(format, 'three', turns.slice(0, length))));
        }),
      );
      expect(reached.map((places) => new Set(places).size)).toEqual(reached.map(() => 1));
      expect(new Set(reached.flat()).size).toBeGreaterThan(1);
    },
  );

  it('prefer the key of the prompt cache to the header, and spread with `affinity: none`', async () => {
    const ask = async (cacheKey: string, session: string): Promise<string> => {
      const fields = { model: 'three', prompt_cache_key: cacheKey };
      return (await client.chat(fields, { headers: { 'x-session-id': session } })).header('x-gateway-provider');
    };
    const places = await Promise.all(Array.from({ length: 10 }, (_, index) => ask('one', `session ${index}`)));
    expect(new Set(places).size).toBe(1);
    const others = await Promise.all(Array.from({ length: 40 }, (_, index) => ask(`key ${index}`, 'one')));
    expect(new Set(others).size).toBeGreaterThan(1);
    const apart = await Promise.all(
      Array.from({ length: 60 }, () => placeOf(chat, 'apart', ['Hi'], { 'x-session-id': 'one' })),
    );
    expect(new Set(apart)).toEqual(new Set(['a', 'b']));
  });

  it('rule 14: are named by records, reports and the request log, with their agents and what was written into caches', async () => {
    const session = 'f33c5710-7cb0-434a-b897-66f4e33f3611';
    const headers = { 'x-claude-code-session-id': session, 'x-claude-code-agent-id': 'a5022d752ab2ad15a' };
    const body = { model: 'claude', max_tokens: 600, messages: [{ role: 'user', content: 'Hi' }] };
    const whole = await client.post('/v1/messages', body, { headers });
    expect(Number(whole.header('x-gateway-cost'))).toBeCloseTo(CLAUDE_COST, 9);
    const stream = await client.open('/v1/messages', { ...body, stream: true }, { headers });
    expect(await stream.text()).toContain('message_stop');
    await client.post('/v1/messages', body, { headers: { 'x-claude-code-session-id': 'not an id' } });
    const { admin } = gateway;
    let records = await admin.usageRecords(`session_id=${session}`);
    await until(async () => (records = await admin.usageRecords(`session_id=${session}`)).length === 2);
    for (const record of records) {
      expect(record).toMatchObject({
        session_id: session,
        agent_id: 'a5022d752ab2ad15a',
        prompt_tokens: 4_096,
        cached_tokens: 1_800,
        cache_write_tokens: 248,
        cache_write_1h_tokens: 100,
        completion_tokens: 503,
      });
      expect(record.cost_usd).toBeCloseTo(CLAUDE_COST, 9);
    }
    expect(await admin.usageRecords('agent_id=a5022d752ab2ad15a')).toHaveLength(2);
    const ofModel = `key_id=${client.keyId}&model=claude&interval=none`;
    let rows = await admin.usage(`${ofModel}&group_by=session,agent`);
    await until(async () => (rows = await admin.usage(`${ofModel}&group_by=session,agent`)).length === 2);
    expect(rows.find(({ group }) => group === session)).toMatchObject({
      groups: { session, agent: 'a5022d752ab2ad15a' },
      requests: 2,
      cached_tokens: 3_600,
      cache_write_tokens: 496,
    });
    expect(rows.find(({ group }) => group === null)?.requests).toBe(1);
    const entries = (): Promise<Json[]> => admin.pages<Json>(`/v1/admin/request-log?session_id=${session}`);
    await until(async () => (await entries()).length === 2);
    expect((await entries())[0]).toMatchObject({ session_id: session, agent_id: 'a5022d752ab2ad15a' });
  });

  it('rule 14: are read from `metadata.user_id`; records name format, tier and searches, which are billed', async () => {
    const session = '2b1c7a52-7a0e-4a6f-8a43-0f4d7f1f9c11';
    const user = JSON.stringify({ device_id: 'd'.repeat(64), account_uuid: '', session_id: session });
    const body = { model: 'searches', max_tokens: 600, messages: [{ role: 'user', content: 'Hi' }] };
    const metadata = { user_id: user };
    const whole = await client.post('/v1/messages', { ...body, metadata });
    const cost = (1_000 * 3 + 503 * 15) / 1e6 + 3 * 0.02;
    expect(Number(whole.header('x-gateway-cost'))).toBeCloseTo(cost, 9);
    const stream = await client.open('/v1/messages', { ...body, metadata, stream: true });
    expect(await stream.text()).toContain('message_stop');
    const translated = await client.chat({ model: 'searches', stream: false });
    expect(translated.header('x-gateway-cost')).toBe(whole.header('x-gateway-cost'));
    await client.chat({ model: 'flex' });
    const { admin } = gateway;
    const ofKey = (query: string) => admin.usageRecords(`key_id=${client.keyId}&${query}`);
    let records = await ofKey(`session_id=${session}`);
    await until(async () => (records = await ofKey(`session_id=${session}`)).length === 2);
    for (const record of records) {
      expect(record).toMatchObject({ wire_format: 'anthropic', service_tier: 'priority', web_searches: 3 });
      expect(record.cost_usd).toBeCloseTo(cost, 9);
    }
    await until(async () => (await ofKey('service_tier=flex')).length === 1);
    expect((await ofKey('service_tier=flex'))[0]).toMatchObject({ wire_format: 'openai-chat', web_searches: null });
    const inChat = await ofKey('service_tier=priority&wire_format=openai-chat');
    expect(inChat).toMatchObject([{ web_searches: 3, session_id: null }]);
    const rows = await admin.usage(
      `key_id=${client.keyId}&model=searches&interval=none&group_by=wire_format,service_tier`,
    );
    expect(rows.map(({ groups, web_searches: searches }) => ({ ...groups, searches }))).toEqual([
      { wire_format: 'anthropic', service_tier: 'priority', searches: 6 },
      { wire_format: 'openai-chat', service_tier: 'priority', searches: 3 },
    ]);
    expect((await admin.get('/v1/admin/usage?wire_format=morse')).status).toBe(400);
  });

  it('rule 10: limits of Anthropic reach clients of its format, with errors too, and no other header does', async () => {
    const body = { model: 'claude', max_tokens: 5, messages: [{ role: 'user', content: 'Hi' }] };
    const ofAnthropic = Object.entries(LIMITS).filter(([name]) => name.startsWith('anthropic-'));
    const expectPassed = (read: (name: string) => string | null): void => {
      for (const [name, value] of ofAnthropic) expect([name, read(name)]).toEqual([name, value]);
      for (const name of Object.keys(UNPASSED)) expect(read(name) ?? '').toBe('');
    };
    expectPassed((await client.post('/v1/messages', body)).header);
    const stream = await client.open('/v1/messages', { ...body, stream: true });
    expectPassed((name) => stream.headers.get(name));
    await stream.text();
    const limited = await client.post('/v1/messages', { ...body, model: 'claude-limited' });
    expectPassed(limited.header);
    expect(limited.header('x-ratelimit-limit-requests')).toBe('1000');
    const full = await client.post('/v1/messages', { ...body, model: 'full' });
    expect([full.status, full.header('retry-after')]).toEqual([429, '7']);
    expectPassed(full.header);
    const translated = await client.chat({ model: 'claude' });
    expect([translated.status, translated.header('anthropic-ratelimit-requests-limit')]).toEqual([200, '']);
  });

  it("passes the limits of a server of OpenAI's format on where the gateway has none of its own", async () => {
    const limitsOf = ({ header }: GatewayResponse<unknown>): string[] => [
      header('x-ratelimit-limit-requests'),
      header('x-ratelimit-remaining-requests'),
    ];
    expect(limitsOf(await client.chat({ model: 'gpt' }))).toEqual(['50', '41']);
    const [limit, remaining] = limitsOf(await client.chat({ model: 'gpt-limited' }));
    expect(limit).toBe('1000');
    expect(Number(remaining)).toBeGreaterThan(900);
    const body = { model: 'gpt', max_tokens: 5, messages: [{ role: 'user', content: 'Hi' }] };
    expect(limitsOf(await client.post('/v1/messages', body))).toEqual(['', '']);
  });

  it('of a deployment that fails go to the others, and all others stay', async () => {
    const sessions = Array.from({ length: 30 }, (_, index) => `s-${index}`);
    const placesOf = (): Promise<string[]> =>
      Promise.all(sessions.map((session) => placeOf(chat, 'three', ['Hi'], { 'x-session-id': session })));
    const before = await placesOf();
    expect(new Set(before)).toEqual(new Set(['a', 'b', 'c']));
    providers.broken.add('b');
    // One after the other, since the budget of retries is for a few failures at once.
    const after: string[] = [];
    for (const session of sessions) after.push(await placeOf(chat, 'three', ['Hi'], { 'x-session-id': session }));
    providers.broken.delete('b');
    before.forEach((place, index) => {
      if (place === 'b') expect(['a', 'c']).toContain(after[index]);
      else expect(after[index]).toBe(place);
    });
  });

  it('every row of a purged key is kept or deleted as its table says', async () => {
    const owner = await gateway.newClient({ request_log: { days: 1 } });
    const countOf = async (table: string): Promise<number> => {
      const sql = `SELECT COUNT(*) AS rows_found FROM ${table} WHERE key_id = '${owner.keyId}'`;
      const [row] = await queryDatabase<{ rows_found: number | string }>(gateway.databaseUrl, sql);
      return Number(row?.rows_found ?? 0);
    };
    const countAll = async (): Promise<Record<string, number>> =>
      Object.fromEntries(
        await Promise.all(Object.keys(OWNED_ROWS).map(async (table) => [table, await countOf(table)] as const)),
      );
    const made = await owner.make<{ id: string }>('/v1/responses', { model: 'gpt', input: 'Hi' });
    expect((await owner.get(`/v1/responses/${made.id}`)).status).toBe(200);
    const streamed = { model: 'gpt', input: 'Hi', background: true, stream: true };
    expect(await (await owner.open('/v1/responses', streamed)).text()).toContain('response.completed');
    await owner.endedBatch(await owner.submitBatch('gpt', [{ messages: [{ role: 'user', content: 'Hi' }] }]));
    const form = new FormData();
    form.append('purpose', 'user_data');
    form.append('file', new Blob(['x']), 'x');
    expect((await owner.post('/v1/files', form)).status).toBe(200);
    const upload = { filename: 'x', purpose: 'user_data', bytes: 1, mime_type: 'text/plain' };
    expect((await owner.post('/v1/uploads', upload)).status).toBe(200);
    expect((await owner.post('/v1/session', { key: owner.key })).status).toBe(201);
    // A batch at a provider's own API needs such a provider; its row is all that matters here.
    await queryDatabase(
      gateway.databaseUrl,
      `INSERT INTO batch_part (id, job_id, key_id, deployment, lane, state, line_count, created_at)
       VALUES ('part_of_${owner.keyId}', 'job', '${owner.keyId}', 'openai/gpt', 'lane', 'ended', 1, 1) RETURNING id`,
      { readonly: false },
    );
    let before = await countAll();
    await until(async () => {
      before = await countAll();
      // Two responses and a task of a batch, each with a record and a log that are written behind.
      const isWritten = (table: string): boolean => (before[table] ?? 0) >= 3;
      return Object.values(before).every((count) => count > 0) && isWritten('usage_record') && isWritten('request_log');
    });
    await gateway.admin.revokeKey(owner.keyId);
    // The sessions of the console with a key end with it.
    before = await countAll();
    expect(before['console_session']).toBe(0);
    const dry = await gateway.admin.make<{ purged: number }>('/v1/admin/keys/purge', {
      retention_days: 0,
      dry_run: true,
    });
    expect(dry.purged).toBe(1);
    expect(await countAll()).toEqual(before);
    await gateway.admin.make('/v1/admin/keys/purge', { retention_days: 0 });
    const after = await countAll();
    for (const [table, fate] of Object.entries(OWNED_ROWS)) {
      expect([table, after[table]]).toEqual([table, fate === 'kept' ? before[table] : 0]);
    }
    const import_ = await gateway.admin.post('/v1/admin/keys/import', {
      keys: [{ id: owner.keyId, name: 'again', key: owner.key }],
    });
    expect([import_.status, import_.text]).toEqual([expect.any(Number), expect.stringContaining('purged')]);
  });
});
