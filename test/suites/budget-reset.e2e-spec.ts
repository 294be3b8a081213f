import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';
import { startRedis, type RedisServer } from '../fixtures/redis-server.js';
import { until } from '../fixtures/until.js';
import { startFakeUpstream, type FakeUpstream } from '../upstreams/fake-upstream-client.js';

interface Owner {
  readonly id: string;
  readonly key: string;
  readonly budget_usage: {
    spent_usd: number;
    remaining_usd: number;
    credit_usd: number;
    reset_at: number | null;
    period_end: number;
  } | null;
  readonly error?: { code: string; param: string; message: string };
}

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
    const config = `providers: { local: { type: openai, base_url: "${upstream.url}/v1" } }
models:
  - { id: paid, deployments: [{ provider: local, model: echo }], price: { input_per_million: 10, output_per_million: 100 } }
  - { id: slow, deployments: [{ provider: local, model: "echo?delay=1500" }], price: { input_per_million: 10, output_per_million: 100 } }
`;
    redis = isPostgresRun ? await startRedis() : undefined;
    const env = {
      GATEWAY_KEY_PEPPER: 'Zk81PqLm20XvRt7Yw3Hc9dAbQw5Er6Ty',
      ...(redis !== undefined && { REDIS_URL: redis.url }),
    };
    gateway = await startGateway({ config, env: { ...env, ...(redis === undefined && { GATEWAY_PROCESSES: '2' }) } });
    other =
      redis === undefined
        ? gateway
        : await startGateway({
            config,
            env: { ...env, DATABASE_URL: gateway.databaseUrl, GATEWAY_ADMIN_KEY: gateway.adminKey },
          });
  });
  afterAll(async () => {
    if (other !== gateway) await other.stop();
    await gateway.stop();
    await upstream.stop();
    await redis?.stop();
  });

  async function admin(path: string, method = 'GET', body?: object, key = gateway.adminKey): Promise<Owner> {
    const response = await fetch(`${gateway.url}/v1/admin/${path}`, {
      method,
      // On a connection of its own, so that any of the processes may answer.
      headers: { 'x-api-key': key, 'content-type': 'application/json', connection: 'close' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return (await response.json()) as Owner;
  }
  async function ask(key: string, model = 'paid'): Promise<number> {
    return (await answerOf(key, model)).status;
  }
  async function answerOf(key: string, model: string): Promise<{ status: number; code: string | undefined }> {
    const response = await fetch(`${other.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', connection: 'close' },
      body: JSON.stringify({ model, max_tokens: 3, messages: [{ role: 'user', content: 'one two three' }] }),
    });
    const { error } = (await response.json()) as Owner;
    return { status: response.status, code: error?.code };
  }
  /** Makes calls until the budget is spent, and waits for reservations of calls before; returns how many passed. */
  async function spend(key: string): Promise<number> {
    for (let passed = 0; ;) {
      const { status, code } = await answerOf(key, 'paid');
      if (code === 'insufficient_quota') return passed;
      if (status === 200) passed += 1;
    }
  }
  /** Each process remembers for a second what it has read. */
  const readAnew = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1_100));
  const usageOf = async (path: string): Promise<NonNullable<Owner['budget_usage']>> =>
    (await admin(path)).budget_usage!;
  const newKey = (fields: object = {}): Promise<Owner> =>
    admin('keys', 'POST', { name: 'spender', budget: BUDGET, ...fields });

  it.each(['key', 'group'])(
    'a %s has its whole budget again at once, everywhere, and a credit on top',
    async (kind) => {
      const group = kind === 'group' ? await admin('groups', 'POST', { name: 'team', budget: BUDGET }) : undefined;
      const { id, key } = await newKey(group === undefined ? {} : { budget: null, group_id: group.id });
      const path = group === undefined ? `keys/${id}` : `groups/${group.id}`;
      const whole = await spend(key);
      expect(whole).toBeGreaterThanOrEqual(2);
      await until(async () => Math.abs((await usageOf(path)).spent_usd - whole * COST) < 1e-9);

      const reset = await admin(`${path}/budget/reset`, 'POST', {});
      expect(reset.budget_usage).toMatchObject({ spent_usd: 0, remaining_usd: BUDGET.usd, credit_usd: 0 });
      expect(reset.budget_usage?.reset_at).toBeGreaterThan(1_700_000_000);
      expect(await spend(key)).toBe(whole);
      await until(async () => Math.abs((await usageOf(path)).spent_usd - whole * COST) < 1e-9);

      await readAnew();
      const before = await usageOf(path);
      const credited = await admin(`${path}/budget/reset`, 'POST', { credit: 2 * COST });
      expect(credited.budget_usage).toMatchObject({ spent_usd: before.spent_usd, credit_usd: 2 * COST });
      expect(credited.budget_usage?.remaining_usd).toBeCloseTo(before.remaining_usd + 2 * COST, 9);
      expect(await spend(key)).toBe(2);
      expect((await admin(`${path}/budget/reset`, 'POST', { credit: COST })).budget_usage?.credit_usd).toBeCloseTo(
        3 * COST,
        9,
      );
      expect((await admin(`${path}/budget/reset`, 'POST')).budget_usage).toMatchObject({
        spent_usd: 0,
        credit_usd: 0,
        remaining_usd: BUDGET.usd,
      });
      const own = await fetch(`${other.url}/v1/key`, { headers: { 'x-api-key': key } });
      const { budget_usage: mine, group_budget_usage: ours } = (await own.json()) as Record<
        string,
        Owner['budget_usage']
      >;
      expect(group === undefined ? mine : ours).toMatchObject({ spent_usd: 0, remaining_usd: BUDGET.usd });

      const audit = (await admin(`audit?target_id=${group?.id ?? id}`)) as unknown as {
        data: { action: string; changes: object; before: object | null }[];
      };
      expect(audit.data.slice(0, 4).map(({ action }) => action)).toEqual(
        ['budget_reset', 'budget_credited', 'budget_credited', 'budget_reset'].map((action) => `${kind}.${action}`),
      );
      expect(audit.data[2]?.changes).toEqual({ credit: 2 * COST });
    },
  );

  it('what a call costs that came before the reset and ends after it counts no more', async () => {
    const { id, key } = await newKey({ budget: { usd: 1, period: 'total' } });
    await upstream.reset();
    const call = ask(key, 'slow');
    await until(async () => (await upstream.requests()).length > 0);
    await admin(`keys/${id}/budget/reset`, 'POST', {});
    expect(await call).toBe(200);
    expect(await ask(key)).toBe(200);
    await until(async () => (await usageOf(`keys/${id}`)).spent_usd > 0);
    await readAnew();
    expect((await usageOf(`keys/${id}`)).spent_usd).toBeCloseTo(COST, 9);
  });

  it('is refused where it is no use, or would lift a budget that holds for the key that asks', async () => {
    const without = await newKey({ budget: null });
    expect((await admin(`keys/${without.id}/budget/reset`, 'POST', {})).error?.code).toBe('conflict');
    expect((await admin('keys/key_0000000000000000/budget/reset', 'POST', {})).error?.code).toBe('not_found');
    expect((await admin('groups/group_0000000000000000/budget/reset', 'POST', {})).error?.code).toBe('not_found');
    const some = await newKey();
    for (const credit of [0, -1, '5', 1e12, true]) {
      expect((await admin(`keys/${some.id}/budget/reset`, 'POST', { credit })).error?.param).toBe('credit');
    }
    expect((await admin(`keys/${some.id}/budget/reset`, 'POST', { credits: 1 })).error?.param).toBe('credits');
    const group = await admin('groups', 'POST', { name: 'bounded', budget: { usd: 5, period: 'month' } });
    const bounded = await newKey({
      scopes: ['admin', 'inference'],
      budget: { usd: 1, period: 'month' },
      group_id: group.id,
    });
    const child = await admin(
      'keys',
      'POST',
      { name: 'child', budget: { usd: 0.5, period: 'month' }, group_id: group.id },
      bounded.key,
    );
    for (const path of [`keys/${bounded.id}`, `groups/${group.id}`, `keys/${some.id}`]) {
      expect((await admin(`${path}/budget/reset`, 'POST', { credit: 1 }, bounded.key)).error?.code).toBe(
        'insufficient_scope',
      );
    }
    expect((await admin(`keys/${child.id}/budget/reset`, 'POST', {}, bounded.key)).budget_usage).toMatchObject({
      spent_usd: 0,
    });
    await admin(`keys/${some.id}`, 'DELETE');
    expect((await admin(`keys/${some.id}/budget/reset`, 'POST', {})).error?.code).toBe('conflict');
  });
});
