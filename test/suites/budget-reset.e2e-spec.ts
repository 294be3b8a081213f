import type { BudgetUsageDto } from '../../src/admin/keys/budget-usage.dto.js';
import type { KeyWithSecretDto, KeyWithUsageDto } from '../../src/admin/keys/key.dto.js';
import type { OwnKeyDto } from '../../src/admin/keys/own-key.dto.js';
import type { GatewayResponse } from '../clients/gateway-response.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { model, openAiAt, price } from '../fixtures/gateway-config.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';
import { startRedis, type RedisServer } from '../fixtures/redis-server.js';
import { whileRedisHolds } from '../fixtures/shared-redis.js';
import { until } from '../fixtures/until.js';
import { startFakeUpstream, type FakeUpstream } from '../upstreams/fake-upstream-client.js';

type Owner = Pick<KeyWithUsageDto, 'budget_usage'>;

/** 3 tokens of prompt at $10 and 3 of the answer at $100 a million. */
const COST = 0.00033;
/** Three calls fit, because more than their cost is reserved. */
const BUDGET = { usd: 0.00135, period: 'month' };

/** In another process of the same start, or of another replica with Redis. */
describe(`budgets are reset and credited (${isPostgresRun ? 'two replicas, PostgreSQL, Redis' : 'two processes, SQLite'})`, () => {
  let upstream: FakeUpstream;
  let redis: RedisServer | undefined;
  let gateway: RunningGateway;
  let other: RunningGateway;

  beforeAll(async () => {
    upstream = await startFakeUpstream();
    const config = {
      providers: { local: openAiAt(upstream) },
      models: [
        model('paid', 'local/echo', { price: price(10, 100) }),
        model('held', 'local/echo?gate', { price: price(10, 100) }),
      ],
    };
    redis = isPostgresRun ? await startRedis() : undefined;
    const env = {
      GATEWAY_KEY_PEPPER: 'Zk81PqLm20XvRt7Yw3Hc9dAbQw5Er6Ty',
      ...(redis !== undefined && { REDIS_URL: redis.url }),
    };
    gateway = await startGateway({ config, env: { ...env, ...(redis === undefined && { GATEWAY_PROCESSES: '2' }) } });
    other = redis === undefined ? gateway : await startGateway({ config, env, joins: gateway });
  });
  afterAll(async () => {
    if (other !== gateway) await other.stop();
    await gateway.stop();
    await upstream.stop();
    await redis?.stop();
  });

  /** On connections of their own, so that any of the processes may answer. */
  const headers = { connection: 'close' };
  const get = <Body = Owner>(path: string): Promise<GatewayResponse<Body>> =>
    gateway.admin.get(`/v1/admin/${path}`, { headers });
  const post = <Body = Owner>(path: string, body?: object, key = gateway.adminKey): Promise<GatewayResponse<Body>> =>
    gateway.client(key).post(`/v1/admin/${path}`, body, { headers });
  const ask = (key: string, id = 'paid'): Promise<GatewayResponse<object>> =>
    other.client(key).chat({ model: id, max_tokens: 3 }, { headers });
  /** Makes calls until the budget is spent, and waits for reservations of calls before; returns how many passed. */
  async function spend(key: string): Promise<number> {
    for (let passed = 0; ;) {
      const { status, body } = await ask(key);
      if (body.error?.code === 'insufficient_quota') return passed;
      if (status === 200) passed += 1;
    }
  }
  /** Each process remembers for a second what it has read. */
  const readAnew = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1_100));
  const usageOf = async (path: string): Promise<BudgetUsageDto> => (await get(path)).body.budget_usage!;
  const newKey = (fields: object = {}): Promise<KeyWithSecretDto> =>
    gateway.admin.createKey({ budget: BUDGET, ...fields });

  it.each(['key', 'group'])('a %s has its whole budget again, everywhere, and a credit on top', (kind) =>
    whileRedisHolds(new Set([gateway, other]), async () => {
      const group = kind === 'group' ? await gateway.admin.createGroup({ name: 'team', budget: BUDGET }) : undefined;
      const { id, key } = await newKey(group === undefined ? {} : { budget: null, group_id: group.id });
      const path = group === undefined ? `keys/${id}` : `groups/${group.id}`;
      // Replicas notify each other of a change by a message, which may arrive after the response to the operator.
      const otherKnows = (isNew: (usage: BudgetUsageDto) => boolean): Promise<void> =>
        until(async () => {
          const own = await other.client(key).read<OwnKeyDto>('/v1/key');
          const usage = group === undefined ? own.budget_usage : own.group_budget_usage;
          return usage !== null && isNew(usage);
        });
      const whole = await spend(key);
      expect(whole).toBeGreaterThanOrEqual(2);
      await until(async () => Math.abs((await usageOf(path)).spent_usd - whole * COST) < 1e-9);

      const reset = await post(`${path}/budget/reset`, {});
      expect(reset.body.budget_usage).toMatchObject({ spent_usd: 0, remaining_usd: BUDGET.usd, credit_usd: 0 });
      expect(reset.body.budget_usage?.reset_at).toBeGreaterThan(1_700_000_000);
      await otherKnows(({ reset_at: resetAt }) => resetAt === reset.body.budget_usage?.reset_at);
      expect(await spend(key)).toBe(whole);
      await until(async () => Math.abs((await usageOf(path)).spent_usd - whole * COST) < 1e-9);

      await readAnew();
      const before = await usageOf(path);
      const credited = await post(`${path}/budget/reset`, { credit: 2 * COST });
      expect(credited.body.budget_usage).toMatchObject({ spent_usd: before.spent_usd, credit_usd: 2 * COST });
      expect(credited.body.budget_usage?.remaining_usd).toBeCloseTo(before.remaining_usd + 2 * COST, 9);
      await otherKnows(({ credit_usd: credit }) => credit === 2 * COST);
      expect(await spend(key)).toBe(2);
      expect((await post(`${path}/budget/reset`, { credit: COST })).body.budget_usage?.credit_usd).toBeCloseTo(
        3 * COST,
        9,
      );
      expect((await post(`${path}/budget/reset`)).body.budget_usage).toMatchObject({
        spent_usd: 0,
        credit_usd: 0,
        remaining_usd: BUDGET.usd,
      });
      const own = await other.client(key).read<OwnKeyDto>('/v1/key');
      expect(group === undefined ? own.budget_usage : own.group_budget_usage).toMatchObject({
        spent_usd: 0,
        remaining_usd: BUDGET.usd,
      });

      const audit = await gateway.admin.audit(`target_id=${group?.id ?? id}`);
      expect(audit.slice(0, 4).map(({ action }) => action)).toEqual(
        ['budget_reset', 'budget_credited', 'budget_credited', 'budget_reset'].map((action) => `${kind}.${action}`),
      );
      expect(audit[2]?.changes).toEqual({ credit: 2 * COST });
    }),
  );

  it('what a call costs that came before the reset and ends after it counts no more', () =>
    whileRedisHolds(new Set([gateway, other]), async () => {
      const { id, key } = await newKey({ budget: { usd: 1, period: 'total' } });
      await upstream.reset();
      await upstream.closeGate();
      const call = ask(key, 'held');
      await until(async () => (await upstream.requests()).length > 0);
      await post(`keys/${id}/budget/reset`, {});
      await until(async () => {
        const { budget_usage: usage } = await other.client(key).read<OwnKeyDto>('/v1/key');
        return typeof usage?.reset_at === 'number';
      });
      await upstream.openGate();
      expect((await call).status).toBe(200);
      expect((await ask(key)).status).toBe(200);
      await until(async () => (await usageOf(`keys/${id}`)).spent_usd > 0);
      await readAnew();
      expect((await usageOf(`keys/${id}`)).spent_usd).toBeCloseTo(COST, 9);
    }));

  it('is refused where it is no use, or would lift a budget that holds for the key that asks', async () => {
    const without = await newKey({ budget: null });
    expect((await post(`keys/${without.id}/budget/reset`, {})).body.error?.code).toBe('conflict');
    expect((await post('keys/key_0000000000000000/budget/reset', {})).body.error?.code).toBe('not_found');
    expect((await post('groups/group_0000000000000000/budget/reset', {})).body.error?.code).toBe('not_found');
    const some = await newKey();
    for (const credit of [0, -1, '5', 1e12, true]) {
      expect((await post(`keys/${some.id}/budget/reset`, { credit })).body.error?.param).toBe('credit');
    }
    expect((await post(`keys/${some.id}/budget/reset`, { credits: 1 })).body.error?.param).toBe('credits');
    const group = await gateway.admin.createGroup({ name: 'bounded', budget: { usd: 5, period: 'month' } });
    const bounded = await newKey({
      scopes: ['admin', 'inference'],
      budget: { usd: 1, period: 'month' },
      group_id: group.id,
    });
    const child = await gateway
      .client(bounded.key)
      .createKey({ name: 'child', budget: { usd: 0.5, period: 'month' }, group_id: group.id });
    for (const path of [`keys/${bounded.id}`, `groups/${group.id}`, `keys/${some.id}`]) {
      expect((await post(`${path}/budget/reset`, { credit: 1 }, bounded.key)).body.error?.code).toBe(
        'insufficient_scope',
      );
    }
    expect((await post(`keys/${child.id}/budget/reset`, {}, bounded.key)).body.budget_usage).toMatchObject({
      spent_usd: 0,
    });
    await gateway.admin.revokeKey(some.id);
    expect((await post(`keys/${some.id}/budget/reset`, {})).body.error?.code).toBe('conflict');
  });
});
