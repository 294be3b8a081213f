import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { loadSqlite } from '../../src/database/sqlite-library.js';
import type { RequestLogEntryDto, RequestLogListDto } from '../../src/request-log/request-log.dto.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { createDatabase, dropDatabase, isPostgresRun } from '../fixtures/postgres-databases.js';
import { until } from '../fixtures/until.js';
import { Wire } from '../fixtures/wire.js';

const GATEWAY_REQUEST_LOG_KEY = randomBytes(32).toString('hex');

const loggedKey = (gateway: RunningGateway): Promise<string> => gateway.apiKey({ request_log: { days: 1 } });

async function chat(gateway: RunningGateway, key: string, system = 'Say it.'): Promise<string> {
  const messages = [
    { role: 'system', content: system },
    { role: 'user', content: 'it' },
  ];
  const response = await gateway.client(key).chat({ messages });
  expect([response.status, response.text]).toEqual([200, expect.stringContaining('"it"')]);
  return response.header('x-request-id');
}

/** Nothing where the database is away. */
async function entries(gateway: RunningGateway): Promise<RequestLogEntryDto[]> {
  const { status, body } = await gateway.admin.get<RequestLogListDto>('/v1/admin/request-log?limit=100');
  return status === 200 ? body.data : [];
}

async function metric(gateway: RunningGateway, name: string): Promise<number> {
  return (await gateway.admin.metrics()).get(name)?.samples[0]?.value ?? 0;
}

/** Runs a statement beside the gateway. @returns its rows */
async function query(url: string, sql: string): Promise<unknown[]> {
  if (isPostgresRun) {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query<object>(sql);
    await client.end();
    return rows;
  }
  const database = new (loadSqlite())(url.slice('sqlite:'.length));
  const statement = database.prepare(sql);
  const rows = statement.reader ? statement.all() : [statement.run()];
  database.close();
  return rows;
}

it('deletes what has expired, however much it is, and shows none of it before', async () => {
  const gateway = await startGateway({ env: { GATEWAY_REQUEST_LOG_KEY } });
  const key = await loggedKey(gateway);
  const kept = await chat(gateway, key);
  const expired = await chat(gateway, key);
  await until(async () => (await entries(gateway)).length === 2);
  const { id } = (await entries(gateway)).find((entry) => entry.request_id === expired) ?? { id: '' };
  const { databaseUrl, dataDirectory } = gateway;
  await query(databaseUrl, `UPDATE request_log SET expires_at = ${Date.now()} WHERE id = '${id}'`);
  await query(
    databaseUrl,
    `WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 2500)
     INSERT INTO request_log (id, request_id, key_id, model, status, created_at, expires_at, encryption_key, content)
     SELECT 'rlog_old' || n, request_id, key_id, model, status, created_at, n, encryption_key, content
     FROM request_log CROSS JOIN numbers WHERE id = '${id}'`,
  );
  expect((await entries(gateway)).map((entry) => entry.request_id)).toEqual([kept]);
  expect((await gateway.admin.get(`/v1/admin/request-log/${id}`)).status).toBe(404);
  const count = async (): Promise<number> => (await query(databaseUrl, 'SELECT id FROM request_log')).length;
  expect(await count()).toBe(2_502);
  // A process looks once a minute, and when it starts.
  const second = await startGateway({
    dataDirectory,
    joins: gateway,
    env: { GATEWAY_REQUEST_LOG_KEY },
  });
  await until(async () => (await count()) === 1);
  expect((await entries(second)).map((entry) => entry.request_id)).toEqual([kept]);
  await second.stop();
  await gateway.stop();
});

(isPostgresRun ? describe : describe.skip)('while the database is away', () => {
  let databaseUrl: string;
  let wire: Wire;
  let gateway: RunningGateway;
  let key: string;

  beforeEach(async () => {
    databaseUrl = await createDatabase({ isMigrated: true });
    wire = new Wire(new URL(databaseUrl));
    // All that the last test sends would need more than this heap.
    const NODE_OPTIONS = '--max-old-space-size=230';
    gateway = await startGateway({ env: { DATABASE_URL: await wire.open(), GATEWAY_REQUEST_LOG_KEY, NODE_OPTIONS } });
    key = await loggedKey(gateway);
  });
  afterEach(async () => {
    await gateway.stop();
    wire.cut();
    await dropDatabase(databaseUrl);
  });

  it('entries wait, and each is stored once', async () => {
    const ids = [await chat(gateway, key)];
    await until(async () => (await entries(gateway)).length === 1);
    wire.cut();
    for (let call = 0; call < 60; call += 1) ids.push(await chat(gateway, key));
    await until(() => gateway.logs().includes('entries of the request log wait for the database'));
    await wire.open();
    await until(async () => (await entries(gateway)).length === ids.length);
    // Those of one millisecond come in no order.
    expect((await entries(gateway)).map((entry) => entry.request_id).sort()).toEqual(ids.sort());
    expect(await metric(gateway, 'gateway_request_log_dropped_total')).toBe(0);
  });

  it('an entry whose commit was not confirmed is stored once, and blocks no others', async () => {
    wire.loseCommitOf('INTO "request_log"');
    const first = await chat(gateway, key);
    await until(() => gateway.logs().includes('entries of the request log wait for the database'));
    const second = await chat(gateway, key);
    await until(async () => (await entries(gateway)).length >= 2);
    expect((await entries(gateway)).map((entry) => entry.request_id)).toEqual([second, first]);
  });

  it('what does not fit into the buffer is counted, memory stays bounded, and chat goes on', async () => {
    await chat(gateway, key);
    await until(async () => (await entries(gateway)).length === 1);
    wire.cut();
    const size = 1_900_000;
    const fit = Math.floor(64_000_000 / size);
    const large = 'words '.repeat(size).slice(0, size);
    const ask = async (count: number): Promise<void> => {
      for (let call = 0; call < count; call += 1) await chat(gateway, key, large);
    };
    // Few, because a key that cannot be read again is known for a minute.
    await ask(fit + 3);
    expect(await metric(gateway, 'gateway_request_log_dropped_total')).toBe(3);
    expect(gateway.logs()).toContain('the buffer of entries of the request log is full');
    await ask(5);
    expect(await metric(gateway, 'gateway_request_log_dropped_total')).toBe(8);
    await wire.open();
    await until(async () => (await entries(gateway)).length === 1 + fit);
    expect((await gateway.admin.get(`/v1/admin/request-log/${(await entries(gateway))[0]?.id}`)).status).toBe(200);
  });
});
