import { startFakeUpstream, type FakeUpstream } from '../upstreams/fake-upstream-client.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';
import { until } from '../fixtures/until.js';

interface BudgetUsage {
  spent_usd: number;
  remaining_usd: number;
  period_start: number | null;
  period_end: number | null;
}
interface Key {
  id: string;
  key: string;
  name: string;
  budget_usage: BudgetUsage | null;
}

describe(`what is left of budgets (${isPostgresRun ? 'PostgreSQL' : 'SQLite'})`, () => {
  let upstream: FakeUpstream;
  let gateway: RunningGateway;

  beforeAll(async () => {
    upstream = await startFakeUpstream();
    gateway = await startGateway({
      config: `providers: { local: { type: openai, base_url: "${upstream.url}/v1" } }
models:
  - { id: paid, deployments: [{ provider: local, model: echo }], price: { input_per_million: 10, output_per_million: 100 } }
`,
    });
  });
  afterAll(async () => {
    await gateway.stop();
    await upstream.stop();
  });

  async function call<Body>(method: string, path: string, body?: object, key = gateway.adminKey): Promise<Body> {
    const response = await fetch(`${gateway.url}/v1/${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, ...(body !== undefined && { 'content-type': 'application/json' }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as Body;
    expect([path, response.status < 300, (answer as { error?: unknown }).error]).toEqual([path, true, undefined]);
    return answer;
  }

  it('is shown to operators for keys and groups, and to the client for its own', async () => {
    const group = await call<{ id: string }>('POST', 'admin/groups', {
      name: 'search team',
      budget: { usd: 5, period: 'total' },
    });
    const key = await call<Key>('POST', 'admin/keys', {
      name: 'checkout',
      budget: { usd: 2, period: 'day' },
      limits: { rpm: 600 },
      allowed_models: ['paid'],
      group_id: group.id,
    });
    const messages = [{ role: 'user', content: 'one two three' }];
    for (let each = 0; each < 3; each += 1) {
      await call('POST', 'chat/completions', { model: 'paid', messages, max_tokens: 20 }, key.key);
    }
    let cost = 0;
    await until(async () => {
      const { data } = await call<{ data: { cost_usd: number; requests: number }[] }>(
        'GET',
        `admin/usage?interval=none&key_id=${key.id}`,
      );
      cost = data[0]?.requests === 3 ? data[0].cost_usd : 0;
      return cost > 0;
    });
    const own = (): Promise<Record<string, unknown> & { budget_usage: BudgetUsage; group_budget_usage: BudgetUsage }> =>
      call('GET', 'key', undefined, key.key);
    await until(async () => Math.abs((await own()).budget_usage.spent_usd - cost) < 1e-9);
    const seen = await own();
    expect(seen).toMatchObject({
      id: key.id,
      name: 'checkout',
      scopes: ['inference'],
      allowed_models: ['paid'],
      limits: { rpm: 600 },
      budget: { usd: 2, period: 'day' },
      group_id: group.id,
      group_budget: { usd: 5, period: 'total' },
      group_budget_usage: { period_start: null, period_end: null },
    });
    const { spent_usd: spent, remaining_usd: remaining, period_start: start, period_end: end } = seen.budget_usage;
    expect(spent + remaining).toBeCloseTo(2, 9);
    expect((end ?? 0) - (start ?? 0)).toBe(86_400);
    expect(seen.group_budget_usage.remaining_usd).toBeCloseTo(5 - cost, 9);
    // A key of another has no part of what it shows.
    expect(JSON.stringify(seen)).not.toContain(key.key);

    expect((await call<Key>('GET', `admin/keys/${key.id}`)).budget_usage?.spent_usd).toBeCloseTo(cost, 9);
    const listed = await call<{ data: Key[] }>('GET', `admin/keys?group_id=${group.id}`);
    expect(listed.data[0]?.budget_usage?.remaining_usd).toBeCloseTo(2 - cost, 9);
    const groups = await call<{ data: Key[] }>('GET', 'admin/groups?name=SEARCH');
    expect(groups.data[0]?.budget_usage?.spent_usd).toBeCloseTo(cost, 9);
    expect((await call<Key>('GET', `admin/groups/${group.id}`)).budget_usage?.spent_usd).toBeCloseTo(cost, 9);
  });

  it('a key without any budget, and one with admin alone, may read themselves; no key may not', async () => {
    const plain = await call<Key>('POST', 'admin/keys', { name: 'plain', scopes: ['admin'] });
    const seen = await call<Key>('GET', 'key', undefined, plain.key);
    expect(seen).toMatchObject({ id: plain.id, scopes: ['admin'], budget: null, budget_usage: null, group_id: null });
    expect(await call('GET', 'key')).toMatchObject({ id: 'admin', allowed_models: null });
    expect((await fetch(`${gateway.url}/v1/key`)).status).toBe(401);
  });

  it('keys are found by a part of their name, including wildcard characters of the database', async () => {
    for (const name of ['100% sure', '100 percent', 'under_score', 'underXscore', 'bang! 50%']) {
      await call('POST', 'admin/keys', { name });
    }
    const namesOf = async (text: string): Promise<string[]> =>
      (await call<{ data: Key[] }>('GET', `admin/keys?name=${encodeURIComponent(text)}`)).data.map(({ name }) => name);
    expect(await namesOf('100%')).toEqual(['100% sure']);
    expect(await namesOf('R_S')).toEqual(['under_score']);
    expect(await namesOf('! 50%')).toEqual(['bang! 50%']);
    expect((await namesOf('UNDER')).sort()).toEqual(['underXscore', 'under_score']);
    expect(await namesOf("'; --")).toEqual([]);
  });
});
