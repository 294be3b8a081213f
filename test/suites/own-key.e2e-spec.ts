import type { GroupListDto, GroupWithUsageDto } from '../../src/admin/groups/groups.dto.js';
import type { KeyListDto, KeyWithUsageDto } from '../../src/admin/keys/key.dto.js';
import type { OwnKeyDto } from '../../src/admin/keys/own-key.dto.js';
import { startFakeUpstream, type FakeUpstream } from '../upstreams/fake-upstream-client.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { model, openAiAt, price } from '../fixtures/gateway-config.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';
import { until } from '../fixtures/until.js';

describe(`what is left of budgets (${isPostgresRun ? 'PostgreSQL' : 'SQLite'})`, () => {
  let upstream: FakeUpstream;
  let gateway: RunningGateway;

  beforeAll(async () => {
    upstream = await startFakeUpstream();
    gateway = await startGateway({
      config: {
        providers: { local: openAiAt(upstream) },
        models: [model('paid', 'local/echo', { price: price(10, 100) })],
      },
    });
  });
  afterAll(async () => {
    await gateway.stop();
    await upstream.stop();
  });

  it('is shown to operators for keys and groups, and to the client for its own', async () => {
    const group = await gateway.admin.createGroup({
      name: 'search team',
      budget: { usd: 5, period: 'total' },
    });
    const key = await gateway.admin.createKey({
      name: 'checkout',
      budget: { usd: 2, period: 'day' },
      limits: { rpm: 600 },
      allowed_models: ['paid'],
      group_id: group.id,
    });
    for (let each = 0; each < 3; each += 1) {
      expect((await gateway.client(key.key).chat({ model: 'paid', max_tokens: 20 })).status).toBe(200);
    }
    let cost = 0;
    await until(async () => {
      const [row] = await gateway.admin.usage(`interval=none&key_id=${key.id}`);
      cost = row?.requests === 3 ? row.cost_usd : 0;
      return cost > 0;
    });
    const own = (): Promise<OwnKeyDto> => gateway.client(key.key).read('/v1/key');
    await until(async () => Math.abs((await own()).budget_usage!.spent_usd - cost) < 1e-9);
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
    const { spent_usd: spent, remaining_usd: remaining, period_start: start, period_end: end } = seen.budget_usage!;
    expect(spent + remaining).toBeCloseTo(2, 9);
    expect((end ?? 0) - (start ?? 0)).toBe(86_400);
    expect(seen.group_budget_usage?.remaining_usd).toBeCloseTo(5 - cost, 9);
    // A key of another has no part of what it shows.
    expect(JSON.stringify(seen)).not.toContain(key.key);

    expect((await gateway.admin.read<KeyWithUsageDto>(`/v1/admin/keys/${key.id}`)).budget_usage?.spent_usd).toBeCloseTo(
      cost,
      9,
    );
    const listed = await gateway.admin.read<KeyListDto>(`/v1/admin/keys?group_id=${group.id}`);
    expect(listed.data[0]?.budget_usage?.remaining_usd).toBeCloseTo(2 - cost, 9);
    const groups = await gateway.admin.read<GroupListDto>('/v1/admin/groups?name=SEARCH');
    expect(groups.data[0]?.budget_usage?.spent_usd).toBeCloseTo(cost, 9);
    expect(
      (await gateway.admin.read<GroupWithUsageDto>(`/v1/admin/groups/${group.id}`)).budget_usage?.spent_usd,
    ).toBeCloseTo(cost, 9);
  });

  it('a key without any budget, and one with admin alone, may read themselves; no key may not', async () => {
    const plain = await gateway.admin.createKey({ name: 'plain', scopes: ['admin'] });
    const seen = await gateway.client(plain.key).read<OwnKeyDto>('/v1/key');
    expect(seen).toMatchObject({ id: plain.id, scopes: ['admin'], budget: null, budget_usage: null, group_id: null });
    expect(await gateway.admin.read('/v1/key')).toMatchObject({ id: 'admin', allowed_models: null });
    expect((await gateway.client('').get('/v1/key')).status).toBe(401);
  });

  it('keys are found by a part of their name, including wildcard characters of the database', async () => {
    for (const name of ['100% sure', '100 percent', 'under_score', 'underXscore', 'bang! 50%']) {
      await gateway.admin.createKey({ name });
    }
    const namesOf = async (text: string): Promise<string[]> =>
      (await gateway.admin.read<KeyListDto>(`/v1/admin/keys?name=${encodeURIComponent(text)}`)).data.map(
        ({ name }) => name,
      );
    expect(await namesOf('100%')).toEqual(['100% sure']);
    expect(await namesOf('R_S')).toEqual(['under_score']);
    expect(await namesOf('! 50%')).toEqual(['bang! 50%']);
    expect((await namesOf('UNDER')).sort()).toEqual(['underXscore', 'under_score']);
    expect(await namesOf("'; --")).toEqual([]);
  });
});
