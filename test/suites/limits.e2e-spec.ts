import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startFakeUpstream, type FakeUpstream } from '../upstreams/fake-upstream-client.js';
import { atTheSameTime } from '../fixtures/at-the-same-time.js';
import { keyIdOf } from '../clients/gateway-client.js';
import { countStatuses, type ApiError, type GatewayResponse } from '../clients/gateway-response.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { model, openAiAt, price, type GatewayFile } from '../fixtures/gateway-config.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';
import { startRedis, type RedisServer } from '../fixtures/redis-server.js';
import { countLogged, REDIS_BACK, REDIS_LOST, whileRedisHolds } from '../fixtures/shared-redis.js';
import { until } from '../fixtures/until.js';

const configOf = (upstream: FakeUpstream): GatewayFile => ({
  providers: { local: openAiAt(upstream) },
  models: [
    model('paid', 'local/echo', { price: price(10, 100) }),
    model('held', 'local/echo?gate'),
    model('free', 'local/echo'),
    model('falls-back', 'local/echo', { price: price(10, 100), fallbacks: ['paid', 'free'] }),
    model('narrow', 'local/echo', { limits: { rpm: 5 } }),
  ],
});
/** @param key of the gateway's */
const ask = (gateway: RunningGateway, key: string, fields: object): Promise<GatewayResponse<object>> =>
  gateway.client(key).chat({ max_tokens: 10, ...fields });

/** Longest that a request waits for Redis. */
const REDIS_TIMEOUT_MS = 250;

describe('limits of one process', () => {
  let upstream: FakeUpstream;
  let gateway: RunningGateway;
  let hook: Server;
  const events: { type: string; data: { threshold: number; id: string } }[] = [];

  beforeAll(async () => {
    hook = createServer((incoming, response) => {
      let text = '';
      incoming.on('data', (piece: Buffer) => (text += piece.toString()));
      incoming.on('end', () => {
        events.push(JSON.parse(text) as (typeof events)[number]);
        response.end();
      });
    });
    await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve));
    upstream = await startFakeUpstream();
    gateway = await startGateway({
      config: {
        ...configOf(upstream),
        alerts: {
          webhook_url: `http://127.0.0.1:${(hook.address() as AddressInfo).port}/`,
          webhook_secret: `whsec_${randomBytes(32).toString('base64')}`,
        },
      },
      env: { GATEWAY_WEBHOOK_ALLOW_PRIVATE: 'true' },
    });
  });
  afterAll(async () => {
    await gateway.stop();
    await upstream.stop();
    hook.closeAllConnections();
    await new Promise((resolve) => hook.close(resolve));
  });

  it('lets exactly 50 of 200 concurrent requests through at 50 rpm, and sends the others a retry time', async () => {
    const key = await gateway.apiKey({ limits: { rpm: 50 } });
    const responses = await Promise.all(
      Array.from({ length: 200 }, (_, index) => ask(gateway, key, { model: 'free', stream: index % 3 === 0 })),
    );
    expect(countStatuses(responses)).toEqual({ 200: 50, 429: 150 });
    const refused = responses.find(({ status }) => status === 429);
    expect(refused?.body.error).toMatchObject({ type: 'rate_limit_error', code: 'rate_limit_exceeded' });
    expect(Number(refused?.header('retry-after'))).toBeGreaterThan(0);
    expect(Number(refused?.header('retry-after'))).toBeLessThanOrEqual(60);
    expect(refused?.header('x-ratelimit-remaining-requests')).toBe('0');
    const passed = responses.filter(({ status }) => status === 200);
    expect(new Set(passed.map(({ header }) => header('x-ratelimit-remaining-requests'))).size).toBe(50);
    expect(passed[0]?.header('x-ratelimit-limit-requests')).toBe('50');
    expect(passed[0]?.header('x-ratelimit-reset-requests')).toMatch(/^(1m0s|\d+s)$/);
  });

  it('counts tokens at their worst and then as they were', async () => {
    const key = await gateway.apiKey({ limits: { tpm: 200 } });
    const first = await ask(gateway, key, { model: 'free', max_tokens: 100 });
    expect([first.status, first.header('x-ratelimit-limit-tokens')]).toEqual([200, '200']);
    // If the first 100 were still reserved, these would not fit.
    expect((await ask(gateway, key, { model: 'free', max_tokens: 150 })).status).toBe(200);
    const responses = await atTheSameTime(upstream, () =>
      Array.from({ length: 10 }, () => ask(gateway, key, { model: 'held', max_tokens: 60 })),
    );
    expect(countStatuses(responses)).toEqual({ 200: 2, 429: 8 });
  });

  it('bounds requests in flight, and releases the slot when a client disconnects', async () => {
    const key = await gateway.apiKey({ limits: { concurrency: 3 } });
    const responses = await atTheSameTime(upstream, () =>
      Array.from({ length: 10 }, (_, index) => ask(gateway, key, { model: 'held', stream: index % 2 === 0 })),
    );
    expect(countStatuses(responses)).toEqual({ 200: 3, 429: 7 });
    await upstream.reset();
    await upstream.closeGate();
    const controller = new AbortController();
    const open = Array.from({ length: 3 }, () =>
      gateway
        .client(key)
        .chat(
          { model: 'held', stream: true, messages: [{ role: 'user', content: 'a b c d e f g h' }] },
          { signal: controller.signal },
        )
        .catch(() => undefined),
    );
    await until(async () => (await upstream.requests()).length === 3);
    expect((await ask(gateway, key, { model: 'held' })).status).toBe(429);
    controller.abort();
    await Promise.all(open);
    await until(async () => (await ask(gateway, key, { model: 'free' })).status === 200);
    await upstream.openGate();
  });

  it('does not keep a place while the tokens of a client that went away are counted', async () => {
    const places = 10;
    const key = await gateway.apiKey({ limits: { concurrency: places } });
    await upstream.reset();
    await upstream.closeGate();
    const controller = new AbortController();
    const prompt = randomBytes(30_000).toString('hex');
    const open = Array.from({ length: places }, () =>
      gateway
        .client(key)
        .chat({ model: 'held', messages: [{ role: 'user', content: prompt }] }, { signal: controller.signal })
        .catch(() => undefined),
    );
    await until(async () => (await upstream.requests()).length === places);
    controller.abort();
    await Promise.all(open);
    await until(async () => (await upstream.requests()).every(({ closedAt }) => closedAt !== null));
    await upstream.openGate();
    const responses = await Promise.all(Array.from({ length: places }, () => ask(gateway, key, { model: 'free' })));
    expect(countStatuses(responses)).toEqual({ 200: places });
  });

  it('adds up the keys of a group, and all keys of a model', async () => {
    const group = await gateway.admin.createGroup({ name: 'team', limits: { rpm: 20 } });
    const keys = await Promise.all([1, 2, 3].map(() => gateway.apiKey({ group_id: group.id, limits: { rpm: 15 } })));
    const responses = await Promise.all(
      keys.flatMap((key) => Array.from({ length: 20 }, () => ask(gateway, key, { model: 'free' }))),
    );
    expect(countStatuses(responses)).toEqual({ 200: 20, 429: 40 });
    const others = await Promise.all([1, 2].map(() => gateway.apiKey()));
    const narrow = await Promise.all(
      others.flatMap((key) => Array.from({ length: 5 }, () => ask(gateway, key, { model: 'narrow' }))),
    );
    expect(countStatuses(narrow)).toEqual({ 200: 5, 429: 5 });
    const conflict = await gateway.admin.delete(`/v1/admin/groups/${group.id}`);
    expect(conflict.body.error?.code).toBe('conflict');
  });

  it('never overdraws a budget of $0.01, alerts once, and agrees with the records', async () => {
    const made = await gateway.admin.createKey({
      name: 'poor',
      budget: { usd: 0.01, period: 'month', soft_thresholds: [0.5] },
    });
    let passed = 0;
    for (let round = 0; round < 6; round += 1) {
      const responses = await Promise.all(
        Array.from({ length: 12 }, () => ask(gateway, made.key, { model: 'paid', max_tokens: 3 })),
      );
      passed += countStatuses(responses)[200] ?? 0;
      for (const { status, body, header } of responses.filter((each) => each.status !== 200)) {
        expect(status).toBe(429);
        if (body.error?.code === 'insufficient_quota') {
          expect([body.error.type, header('x-should-retry'), header('retry-after')]).toEqual([
            'insufficient_quota',
            'false',
            '',
          ]);
        }
      }
    }
    // 3 tokens of prompt at $10 and 3 of answer at $100 a million: 0.00033 each, so 30 fit.
    const cost = 0.00033;
    expect(passed * cost).toBeLessThanOrEqual(0.01);
    expect(passed).toBeGreaterThan(20);
    const spentOf = async (): Promise<number> => {
      const [row] = await gateway.admin.usage(`interval=none&key_id=${made.id}`);
      return row?.requests === passed ? row.cost_usd : 0;
    };
    await until(async () => (await spentOf()) > 0);
    expect(await spentOf()).toBeCloseTo(passed * cost, 9);
    const ownEvents = (): string[] =>
      events.filter(({ data }) => data.id === made.id).map(({ type, data }) => `${type} ${data.threshold}`);
    await until(() => ownEvents().length >= 2);
    expect(ownEvents().sort()).toEqual(['budget.exhausted 1', 'budget.threshold_reached 0.5']);
    const { text: counted } = await gateway.admin.get('/metrics');
    expect(counted).toMatch(/^gateway_budget_events_total\{type="exhausted"\} [1-9]/m);
    expect(gateway.logs()).toContain('"msg":"a budget is exhausted"');
    console.info(`a budget of $0.01: ${passed} of 72 requests passed, $${(passed * cost).toFixed(5)} spent`);
  });

  it('goes on from the records after a SIGKILL', async () => {
    const env = { GATEWAY_KEY_PEPPER: randomBytes(24).toString('hex') };
    const config = configOf(upstream);
    const first = await startGateway({ config, env });
    const key = await first.apiKey({ budget: { usd: 0.01, period: 'total' } });
    const id = keyIdOf(key);
    const spend = async (gateway: RunningGateway, requests: number): Promise<number> => {
      let passed = 0;
      for (let round = 0; round < requests; round += 1) {
        if ((await ask(gateway, key, { model: 'paid', max_tokens: 3 })).status === 200) passed += 1;
      }
      return passed;
    };
    const before = await spend(first, 20);
    const sumsOf = async (gateway: RunningGateway): Promise<number> =>
      (await gateway.admin.usage(`interval=none&key_id=${id}`))[0]?.requests ?? 0;
    await until(async () => (await sumsOf(first)) === before);
    process.kill(first.pid, 'SIGKILL');
    const second = await startGateway({
      config,
      dataDirectory: first.dataDirectory,
      env,
      joins: first,
    });
    const after = await spend(second, 20);
    expect(before).toBe(20);
    // 0.00033 each and up to 0.00079 reserved: between 28 and 30 fit, before and after together.
    expect(before + after).toBeGreaterThanOrEqual(27);
    expect((before + after) * 0.00033).toBeLessThanOrEqual(0.01);
    await until(async () => (await sumsOf(second)) === before + after);
    await second.stop();
    await first.stop();
  });

  it('refuses a model without a price to a key with a budget, unless it is allowed', async () => {
    const strict = await gateway.apiKey({ budget: { usd: 1, period: 'day' } });
    const refused = await ask(gateway, strict, { model: 'free' });
    expect([refused.status, refused.body.error?.code]).toEqual([403, 'model_unpriced']);
    expect(refused.body.error?.message).toMatch(/^The price of 'free' is not known/);
    const byFallback = await ask(gateway, strict, { model: 'falls-back' });
    expect(byFallback.body.error).toMatchObject({
      code: 'model_unpriced',
      message: expect.stringMatching(/^The price of 'free', a fallback of 'falls-back', is not known/) as string,
    });
    // A fallback that may not serve the key needs no price.
    const bound = {
      budget: { usd: 1, period: 'day' },
      allowed_models: ['falls-back', 'paid'],
      fallbacks: 'within_allowed',
    };
    expect((await ask(gateway, await gateway.apiKey(bound), { model: 'falls-back' })).status).toBe(200);
    const lenient = await gateway.apiKey({ budget: { usd: 1, period: 'day', allow_unpriced: true } });
    expect((await ask(gateway, lenient, { model: 'free' })).status).toBe(200);
  });

  it('holds a minted key within its maker, and names wrong fields', async () => {
    const maker = await gateway.apiKey({
      scopes: ['inference', 'admin'],
      limits: { rpm: 10 },
      budget: { usd: 5, period: 'month' },
    });
    const mint = async (fields: object): Promise<{ error?: ApiError }> =>
      (await gateway.client(maker).post('/v1/admin/keys', { name: 'minted', ...fields })).body;
    const budget = { usd: 5, period: 'month' };
    expect((await mint({ budget })).error).toMatchObject({ param: 'limits.rpm' });
    expect((await mint({ limits: { rpm: 11 }, budget })).error).toMatchObject({ param: 'limits.rpm' });
    expect((await mint({ limits: { rpm: 10 } })).error).toMatchObject({ param: 'budget' });
    expect((await mint({ limits: { rpm: 10 }, budget: { usd: 5, period: 'day' } })).error).toMatchObject({
      param: 'budget',
    });
    expect((await mint({ limits: { rpm: 10 }, budget })).error).toBeUndefined();
    expect((await mint({ limits: { rpm: 0 } })).error).toMatchObject({ param: 'limits.rpm' });
    expect((await mint({ limits: { rps: 1 } })).error?.param).toContain('limits');
    expect((await mint({ limits: { rpm: 10 }, budget, group_id: 'group_none' })).error).toMatchObject({
      param: 'group_id',
    });
  });

  it('lets a batch wait for its limits without losing a task', async () => {
    const key = await gateway.apiKey({ limits: { concurrency: 2 } });
    const client = gateway.client(key);
    const tasks = Array.from({ length: 30 }, (_, index) => ({
      messages: [{ role: 'user', content: `task ${index}` }],
    }));
    const id = await client.submitBatch('free', tasks);
    await client.endedBatch(id);
    const lines = (await client.get(`/v1/batch/${id}/results`)).text.trim().split('\n');
    expect(lines).toHaveLength(30);
    expect(lines.filter((line) => !line.includes('chat.completion'))).toEqual([]);
  });
});

(isPostgresRun ? describe : describe.skip)('limits of three processes with Redis', () => {
  let redis: RedisServer;
  let upstream: FakeUpstream;
  let gateways: RunningGateway[];

  beforeAll(async () => {
    [redis, upstream] = await Promise.all([startRedis(), startFakeUpstream()]);
    const config = configOf(upstream);
    const env = { REDIS_URL: redis.url, GATEWAY_KEY_PEPPER: randomBytes(24).toString('hex') };
    const first = await startGateway({ config, env });
    gateways = [first, ...(await Promise.all([1, 2].map(() => startGateway({ config, env, joins: first }))))];
  });
  afterAll(async () => {
    for (const gateway of gateways.reverse()) await gateway.stop();
    await Promise.all([redis.stop(), upstream.stop()]);
  });

  const at = (index: number): RunningGateway => {
    const gateway = gateways[index % gateways.length];
    if (gateway === undefined) throw new Error('no gateway');
    return gateway;
  };

  const shared = <Result>(run: () => Promise<Result>): Promise<Result> => whileRedisHolds(gateways, run);

  it('lets exactly 50 of 200 through at 50 rpm over all of them', async () => {
    const responses = await shared(async () => {
      const key = await at(0).apiKey({ limits: { rpm: 50 } });
      return Promise.all(Array.from({ length: 200 }, (_, index) => ask(at(index), key, { model: 'free' })));
    });
    expect(countStatuses(responses)).toEqual({ 200: 50, 429: 150 });
  });

  it('never overdraws a budget over all of them', async () => {
    const key = await at(0).apiKey({ budget: { usd: 0.01, period: 'total' } });
    const responses: GatewayResponse<object>[] = [];
    for (let round = 0; round < 5; round += 1) {
      responses.push(
        ...(await Promise.all(
          Array.from({ length: 24 }, (_, index) => ask(at(index), key, { model: 'paid', max_tokens: 3 })),
        )),
      );
    }
    const passed = countStatuses(responses)[200] ?? 0;
    expect(passed * 0.00033).toBeLessThanOrEqual(0.01);
    expect(passed).toBeGreaterThan(20);
  });

  it('shares requests in flight, and a revoked key ends everywhere', async () => {
    const made = await at(0).admin.createKey({
      name: 'x',
      limits: { concurrency: 4 },
    });
    const responses = await shared(() =>
      atTheSameTime(upstream, () =>
        Array.from({ length: 12 }, (_, index) => ask(at(index), made.key, { model: 'held' })),
      ),
    );
    expect(countStatuses(responses)).toEqual({ 200: 4, 429: 8 });
    await at(0).admin.revokeKey(made.id);
    for (const other of [1, 2])
      await until(async () => (await ask(at(other), made.key, { model: 'free' })).status === 401);
  });

  it('goes on alone while Redis is frozen, says so once, and shares again when it is back', async () => {
    const key = await at(0).apiKey({ limits: { rpm: 100_000 } });
    const rounds = async (): Promise<GatewayResponse<object>[]> => {
      const responses: GatewayResponse<object>[] = [];
      for (let round = 0; round < 40; round += 1)
        responses.push(...(await Promise.all([0, 1, 2].map((index) => ask(at(index), key, { model: 'free' })))));
      return responses;
    };
    const usual = await shared(rounds);
    const losses = (): number[] => gateways.map((gateway) => countLogged(gateway, REDIS_LOST));
    const before = losses();
    process.kill(redis.pid, 'SIGSTOP');
    let frozen: GatewayResponse<object>[];
    try {
      frozen = await rounds();
      // Each says it once, however often it is asked.
      await until(() => losses().every((count, index) => count > before[index]!));
      expect(losses()).toEqual(before.map((count) => count + 1));
    } finally {
      process.kill(redis.pid, 'SIGCONT');
    }
    expect(countStatuses(frozen)).toEqual({ 200: 120 });
    // Only the first ones waited for it: the quicker ones take about as long as with Redis.
    const quicker = (responses: GatewayResponse<object>[]): number =>
      responses.map(({ tookMs }) => tookMs).sort((one, other) => one - other)[40]!;
    console.info(`with Redis ${quicker(usual).toFixed(1)} ms, while it is frozen ${quicker(frozen).toFixed(1)} ms`);
    expect(quicker(frozen)).toBeLessThan(REDIS_TIMEOUT_MS / 2 + 4 * quicker(usual));
    await until(() => gateways.every((each) => countLogged(each, REDIS_LOST) === countLogged(each, REDIS_BACK)));
    const responses = await shared(async () => {
      const again = await at(0).apiKey({ limits: { rpm: 10 } });
      return Promise.all(Array.from({ length: 30 }, (_, index) => ask(at(index), again, { model: 'free' })));
    });
    expect(countStatuses(responses)).toEqual({ 200: 10, 429: 20 });
  });
});
