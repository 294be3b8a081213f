import pg from 'pg';
import { loadSqlite } from '../../src/database/sqlite-library.js';
import type { UsageRecordDto } from '../../src/usage/report/usage-record.dto.js';
import type { UsageRowDto } from '../../src/usage/report/usage-row.dto.js';
import type { GatewayResponse } from '../clients/gateway-response.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';
import { until } from '../fixtures/until.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const END = Date.UTC(2026, 5, 1);
const START = END - 60 * DAY_MS;

/** A row of the table. */
type Row = Record<string, string | number | boolean | null> & { id: string; created_at: number; total_tokens: number };

/** Some days busy, some empty; every column that reports group by, none of them in step with another. */
const ROWS: Row[] = Array.from({ length: 4_000 }, (_, index) => ({
  id: `use_${String(index).padStart(24, '0')}`,
  created_at: START + ((index * index * 7_919) % 50) * DAY_MS + ((index * 7_919_731) % DAY_MS),
  request_id: `req_${index}`,
  key_id: `key_${index % 7}`,
  group_id: index % 3 === 0 ? null : `group_${index % 5}`,
  source: 'live',
  operation: 'chat',
  requested_model: 'any',
  model: `model-${index % 4}`,
  provider: `provider-${index % 2}`,
  upstream_model: 'any',
  is_stream: false,
  status: index % 11 === 0 ? 'failed' : 'succeeded',
  http_status: 200,
  error_code: null,
  attempts: 1,
  prompt_tokens: index,
  completion_tokens: 1,
  total_tokens: index + 1,
  cached_tokens: 0,
  cache_write_tokens: 0,
  cache_write_1h_tokens: 0,
  reasoning_tokens: 0,
  is_estimated: false,
  // Groups with as many records have the same cost.
  cost_nanos: index % 13 === 0 ? null : ((index % 3) + 1) * 1_001,
  first_byte_ms: null,
  duration_ms: 1,
  end_user: index % 2 === 0 ? null : `user ${index % 90}`,
  metadata: index % 5 === 0 ? null : JSON.stringify({ team: `team-${index % 3}`, 'cost-centre': index % 2 }),
}));

async function insert(url: string): Promise<void> {
  if (isPostgresRun) {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    await client.query('INSERT INTO usage_record SELECT * FROM json_populate_recordset(NULL::usage_record, $1)', [
      JSON.stringify(ROWS),
    ]);
    await client.end();
    return;
  }
  const database = new (loadSqlite())(url.slice('sqlite:'.length));
  const columns = Object.keys(ROWS[0] ?? {});
  const statement = database.prepare(
    `INSERT INTO usage_record (${columns.join(', ')}) VALUES (${columns.map((column) => `@${column}`).join(', ')})`,
  );
  database.transaction(() => {
    for (const row of ROWS) statement.run({ ...row, is_stream: 0, is_estimated: 0 });
  })();
  database.close();
}

const GROUPS = {
  none: () => null,
  key: (row: Row) => row['key_id'],
  group: (row: Row) => row['group_id'],
  model: (row: Row) => row['model'],
  provider: (row: Row) => row['provider'],
  user: (row: Row) => row['end_user'],
};
const INTERVALS = { hour: HOUR_MS, day: DAY_MS, none: Infinity };

/** The sums of rows, by bucket and group. */
function expected(rows: readonly Row[], interval: keyof typeof INTERVALS, group: keyof typeof GROUPS): object {
  const sums: Record<string, { requests: number; tokens: number; nanos: number; unpriced: number }> = {};
  for (const row of rows) {
    const bucket = interval === 'none' ? START : row.created_at - (row.created_at % INTERVALS[interval]);
    const sum = (sums[`${bucket / 1000} ${GROUPS[group](row)}`] ??= { requests: 0, tokens: 0, nanos: 0, unpriced: 0 });
    sum.requests += 1;
    sum.tokens += row.total_tokens;
    sum.nanos += Number(row['cost_nanos'] ?? 0);
    if (row['cost_nanos'] === null) sum.unpriced += 1;
  }
  return sums;
}

const iso = (milliseconds: number): string => `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;

describe('reports over many records', () => {
  let gateway: RunningGateway;

  beforeAll(async () => {
    gateway = await startGateway();
    await insert(gateway.databaseUrl);
  });
  afterAll(async () => {
    await gateway.stop();
  });

  const pages = <Item>(path: string, limit = 100): Promise<Item[]> =>
    gateway.admin.pages(`/v1/admin/${path}&limit=${limit}&start=${START / 1000}&end=${END / 1000}`);

  it.each(
    (['day', 'hour', 'none'] as const).flatMap((interval) =>
      (Object.keys(GROUPS) as (keyof typeof GROUPS)[]).flatMap((group) => [
        [interval, group, 'group'] as const,
        [interval, group, 'cost'] as const,
      ]),
    ),
  )('sums by %s and %s, ordered by %s, are whole over all pages', async (interval, group, order) => {
    // By hour there is nearly a row for each record; one key will do.
    const filter = interval === 'hour' ? '&key_id=key_3' : '';
    const rows = interval === 'hour' ? ROWS.filter((row) => row['key_id'] === 'key_3') : ROWS;
    // Fewer rows a page than there are groups in any part of the time.
    const limit = interval === 'none' ? 9 : 100;
    const sums = await pages<UsageRowDto>(
      `usage?interval=${interval}&group_by=${group}&order_by=${order}${filter}`,
      limit,
    );
    const found = Object.fromEntries(
      sums.map((sum) => [
        `${sum.bucket} ${sum.group}`,
        {
          requests: sum.requests,
          tokens: sum.total_tokens,
          nanos: Math.round(sum.cost_usd * 1e9),
          unpriced: sum.unpriced_requests,
        },
      ]),
    );
    expect(found).toEqual(expected(rows, interval, group));
    expect(sums).toHaveLength(Object.keys(found).length);
    // The latest first, then the highest cost.
    const costOf = (sum: UsageRowDto): number => (order === 'cost' ? sum.cost_usd : 0);
    const sorted = sums.toSorted((one, other) => other.bucket - one.bucket || costOf(other) - costOf(one));
    expect(sums).toEqual(sorted);
  });

  it.each(['group', 'cost'])('groups rows by several dimensions, ordered by %s', async (order) => {
    const path = `usage?interval=none&group_by=model,metadata.team,provider&order_by=${order}`;
    const sums = await pages<UsageRowDto>(path, 5);
    expect(sums).toHaveLength(new Set(sums.map(({ groups }) => JSON.stringify(groups))).size);
    const found = Object.fromEntries(
      sums.map(({ groups, requests }) => [
        [groups['model'], groups['metadata.team'], groups['provider']].join('|'),
        requests,
      ]),
    );
    const wanted: Record<string, number> = {};
    for (const row of ROWS) {
      const team = row['metadata'] === null ? null : (JSON.parse(String(row['metadata'])) as { team: string }).team;
      const id = [row['model'], team, row['provider']].join('|');
      wanted[id] = (wanted[id] ?? 0) + 1;
    }
    expect(found).toEqual(wanted);
    expect(sums.every(({ group, groups, date }) => group === groups['model'] && date === iso(START))).toBe(true);
  });

  it('has groups of the same cost on both sides of the end of a page, each once', async () => {
    const sums = await pages<UsageRowDto>('usage?interval=none&group_by=user,key&order_by=cost', 1);
    const costs = sums.map(({ cost_usd: cost }) => cost);
    expect(new Set(costs).size).toBeLessThan(costs.length / 2);
    expect(new Set(sums.map(({ groups }) => JSON.stringify(groups))).size).toBe(
      new Set(ROWS.map((row) => `${String(row['end_user'])} ${String(row['key_id'])}`)).size,
    );
  });

  (isPostgresRun ? it.skip : it)('refuses to order more groups by cost than fit into memory', async () => {
    const many = 100_001;
    const from = START - 40 * DAY_MS;
    const columns = Object.keys(ROWS[0] ?? {}).map((column) => {
      if (column === 'id') return `'use_many' || n`;
      return column === 'end_user' ? `'one of many ' || n` : column === 'created_at' ? String(from) : column;
    });
    const numbers = `WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${many})`;
    const select = `SELECT ${columns.join(', ')} FROM numbers, (SELECT * FROM usage_record WHERE id = '${ROWS[0]?.id ?? ''}')`;
    const database = new (loadSqlite())(gateway.databaseUrl.slice('sqlite:'.length), { timeout: 10_000 });
    database.exec(`INSERT INTO usage_record (${Object.keys(ROWS[0] ?? {}).join(', ')}) ${numbers} ${select}`);
    const report = (query: string): Promise<GatewayResponse<{ error: object; data: object[] }>> =>
      gateway.admin.get(`/v1/admin/usage?group_by=user&start=${from / 1000}&end=${from / 1000 + 60}&limit=5&${query}`);
    const refused = await report('interval=none&order_by=cost');
    expect([refused.status, refused.body.error]).toEqual([400, expect.objectContaining({ param: 'order_by' })]);
    // Each time has its own rows, which are read as they are without the order.
    for (const query of ['interval=none', 'interval=day&order_by=cost']) {
      expect((await report(query)).body.data).toHaveLength(5);
    }
    database.exec(`DELETE FROM usage_record WHERE created_at = ${from}`);
    database.close();
  });

  it('takes dates, and filters by a member of the metadata', async () => {
    const read = async (query: string): Promise<number> =>
      (await gateway.admin.usage(`interval=none&${query}`))[0]?.requests ?? 0;
    const from = START + 20 * DAY_MS;
    const meant = ROWS.filter(({ created_at: at }) => at >= from && at < END);
    expect(await read(`start=${iso(from).slice(0, 10)}&end=${iso(END)}`)).toBe(meant.length);
    expect(await read(`start=${iso(from)}&end=${END / 1000}&metadata=team:team-2`)).toBe(
      meant.filter(({ metadata }) => String(metadata).includes('team-2')).length,
    );
    for (const query of ['start=yesterday', 'group_by=key,colour', 'metadata=team']) {
      const { status, body } = await gateway.admin.get(`/v1/admin/usage?${query}`);
      expect([query, status, body.error?.param]).toEqual([query, 400, query.split('=')[0]]);
    }
  });

  it('names keys and groups', async () => {
    const { id, key } = await gateway.admin.createKey({ name: 'search service' });
    await gateway.client(key).chat();
    await until(async () => {
      const data = await gateway.admin.usage('group_by=key');
      return data.some(({ group, group_name: name }) => group === id && name === 'search service');
    });
  });

  it('gives all records as CSV', async () => {
    const response = await gateway.admin.get(`/v1/admin/usage/records?start=${START / 1000}&end=${END / 1000}`, {
      headers: { accept: 'text/csv' },
    });
    expect(response.header('content-type')).toBe('text/csv; charset=utf-8');
    const lines = response.text.trimEnd().split('\r\n');
    expect(lines).toHaveLength(ROWS.length + 1);
    expect(lines[0]).toMatch(/^id,created_at,date,request_id,key_id,key_name,/);
    expect(new Set(lines.slice(1).map((line) => line.split(',')[0]))).toEqual(new Set(ROWS.map(({ id }) => id)));
  });

  it.each([
    ['all', '', () => true],
    ['of a user', '&user=user%2037', (row: Row) => row['end_user'] === 'user 37'],
    [
      'of a key and a model',
      '&key_id=key_2&model=model-1',
      (row: Row) => row['key_id'] === 'key_2' && row['model'] === 'model-1',
    ],
    ['of an unknown user', '&user=unknown', () => false],
  ])('records (%s) come each once, the latest first', async (_name, filter, isMeant: (row: Row) => boolean) => {
    const found = await pages<UsageRecordDto>(`usage/records?${filter}`);
    const meant = ROWS.filter(isMeant).sort((a, b) => b.created_at - a.created_at || (a.id < b.id ? 1 : -1));
    expect(found.map(({ id }) => id)).toEqual(meant.map(({ id }) => id));
  });

  it('groups and filters records whose metadata has what no database keeps', async () => {
    const client = await gateway.newClient();
    const teams = ['nul\0\0', 'half\ud800', 'plain', 'C:\\udata'];
    for (const team of teams) expect((await client.chat({ metadata: { team } })).status).toBe(200);
    const query = `interval=none&key_id=${client.keyId}&group_by=metadata.team`;
    await until(async () => (await gateway.admin.usage(query)).length === teams.length);
    const groups = (await gateway.admin.usage(query)).map(({ group }) => group);
    expect(groups).toEqual(expect.arrayContaining(['plain', 'C:\\udata']));
    if (isPostgresRun) expect(groups).toEqual(expect.arrayContaining(['nul\ufffd\ufffd', 'half\ufffd']));
    const filter = `key_id=${client.keyId}&metadata=${encodeURIComponent('team:plain')}`;
    expect(await gateway.admin.usageRecords(filter)).toHaveLength(1);
  });
});
