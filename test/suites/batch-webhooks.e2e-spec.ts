import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { DataSource } from 'typeorm';
import { JOB_WEBHOOKS } from '../../src/batch/webhook/webhook-sender.js';
import { BUDGET_ALERTS } from '../../src/limits/budget-alerts.service.js';
import {
  DeliveryQueue,
  deliveryStatements,
  type DeliveryStatements,
  type DueDelivery,
  OWNERS_PER_POLL,
} from '../../src/deliveries/delivery-queue.js';
import { loadConfig } from '../../src/config/load-config.js';
import { Database } from '../../src/database/database.js';
import { openDatabase } from '../../src/database/open-database.js';
import { SCHEMA } from '../../src/schema.js';
import { runSql } from '../../src/database/sql.js';
import { createDatabase, dropDatabase, isPostgresRun } from '../fixtures/postgres-databases.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { until } from '../fixtures/until.js';

const name = isPostgresRun ? 'PostgreSQL' : 'SQLite';

async function openDatabaseOf(gateway: RunningGateway): Promise<DataSource> {
  const { database } = loadConfig({ env: { DATABASE_URL: gateway.databaseUrl }, cwd: gateway.dataDirectory });
  return openDatabase(database, SCHEMA);
}

/** Finished jobs with a webhook, in one statement. */
async function insertJobs(
  dataSource: DataSource,
  { from, count, key, dueAt, url }: { from: number; count: number; key: string; dueAt: string; url: string },
): Promise<void> {
  await runSql(
    dataSource.manager,
    new Database(dataSource).dialect,
    `WITH RECURSIVE n(i) AS (SELECT CAST($1 AS INTEGER) UNION ALL SELECT i + 1 FROM n WHERE i < $2)
     INSERT INTO batch_job (id, key_id, model, defaults, priority, status, task_count, completed_count, submitted_at,
       completed_at, expires_at, webhook_url, webhook_secret, webhook_due_at)
     SELECT 'batch_' || i, ${key}, 'sandbox/echo', '{}', 'normal', 'completed', 1, 1, 0, 1000, 1, $3, 'whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=', ${dueAt}
     FROM n`,
    [from, from + count - 1, url],
  );
}

describe(`the deliveries of webhooks (${name})`, () => {
  let gateway: RunningGateway;
  let dataSource: DataSource;
  const sockets = new Set<Socket>();
  let connected = 0;
  /** Takes connections and never responds. */
  const dead = createServer((socket) => {
    connected += 1;
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
    socket.resume();
  });
  const received: string[] = [];
  const alive = createHttpServer((request, response) => {
    received.push(String(request.headers['webhook-id']));
    request.resume().on('end', () => response.writeHead(204).end());
  });

  const contents = new Map<string, { status: number; body: string | Buffer; headers?: Record<string, string> }>();
  const files = createHttpServer((request, response) => {
    const { status, body, headers } = contents.get(request.url ?? '') ?? { status: 404, body: '' };
    response.writeHead(status, headers).end(body);
  });

  beforeAll(async () => {
    await once(files.listen(0, '127.0.0.1'), 'listening');
    for (const server of [dead, alive]) await once(server.listen(0, '127.0.0.1'), 'listening');
    gateway = await startGateway({ config: { sandbox: true }, env: { GATEWAY_WEBHOOK_ALLOW_PRIVATE: 'true' } });
    dataSource = await openDatabaseOf(gateway);
  });
  afterAll(async () => {
    await dataSource.destroy();
    await gateway.stop('SIGKILL');
    for (const socket of sockets) socket.destroy();
    dead.close();
    files.close();
    alive.close();
  });

  const urlOf = (server: typeof dead): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;

  it('under whose address rules a batch reads its tasks from a URL', async () => {
    const client = await gateway.newClient();
    const at = (path: string): string => `http://127.0.0.1:${(files.address() as AddressInfo).port}${path}`;
    const lines =
      '\ufeff"one"\r\n\r\n{"custom_id":"b","prompt":"two"}\n{"custom_id":"c","messages":[{"role":"user","content":"three"}]}';
    contents.set('/tasks.jsonl', { status: 200, body: lines });
    contents.set('/tasks.jsonl.gz', { status: 200, body: gzipSync(lines) });
    for (const path of ['/tasks.jsonl', '/tasks.jsonl.gz']) {
      const { job_id: id } = await client.make<{ job_id: string }>('/v1/batch/generate', {
        input: { url: at(path) },
        model: 'sandbox/echo',
      });
      expect(await client.endedBatch(id)).toMatchObject({ completed_count: 3, task_count: 3 });
      expect((await client.batchResults(id)).map(({ custom_id: name }) => name)).toEqual(['task-0', 'b', 'c']);
    }
    contents.set('/moved', { status: 302, body: '', headers: { location: at('/tasks.jsonl') } });
    contents.set('/empty', { status: 200, body: '\n \n' });
    contents.set('/faulty', { status: 200, body: '"fine"\n{"messages":5}\n' });
    contents.set('/no-json', { status: 200, body: '"fine"\n{"a":\n' });
    contents.set('/no-gzip', { status: 200, body: Buffer.from([0x1f, 0x8b, 1, 2, 3]) });
    contents.set('/no-utf8', { status: 200, body: Buffer.from([0x22, 0xff, 0x22]) });
    contents.set('/many', { status: 200, body: '"x"\n'.repeat(50_001) });
    for (const [input, param, text] of [
      [{ url: at('/moved') }, 'input.url', '302'],
      [{ url: at('/nothing') }, 'input.url', '404'],
      [{ url: 'http://127.0.0.1:9/closed' }, 'input.url', 'could not be read'],
      [{ url: at('/empty') }, 'input.url', 'no tasks'],
      [{ url: at('/no-gzip') }, 'input.url', 'gzip'],
      [{ url: at('/no-utf8') }, 'input.url', 'UTF-8'],
      [{ url: at('/faulty') }, 'tasks[1].messages', 'messages'],
      [{ url: at('/many') }, 'tasks', '50000'],
      [{ url: 'ftp://example.com/x' }, 'input.url', 'url'],
      [{ url: 5 }, 'input.url', 'url'],
      [{}, 'input.url', 'url'],
      ['x', 'input', 'input'],
    ] as const) {
      const { status, body } = await client.post<{ error: { param: string | null; message: string } }>(
        '/v1/batch/generate',
        { model: 'sandbox/echo', input },
      );
      expect([input, status, body.error.param]).toEqual([input, 400, param]);
      expect(body.error.message).toContain(text);
    }
    const notJson = await client.post('/v1/batch/generate', { model: 'sandbox/echo', input: { url: at('/no-json') } });
    expect(notJson.status).toBe(400);
    const both = { model: 'sandbox/echo', tasks: ['x'], input: { url: at('/tasks.jsonl') } };
    expect(await client.post('/v1/batch/generate', both)).toMatchObject({
      status: 400,
      body: { error: { param: 'input' } },
    });
    expect(await client.post('/v1/batch/generate', { model: 'sandbox/echo' })).toMatchObject({
      status: 400,
      body: { error: { param: 'tasks' } },
    });
    const { data } = await client.read<{ data: unknown[] }>('/v1/batch');
    expect(data).toHaveLength(2);
  });

  it('of one key wait for no dead receiver of other keys, however many and however old', async () => {
    // The ids of these keys are before and after the one that waits behind them.
    await insertJobs(dataSource, {
      from: 0,
      count: 2_000,
      key: `'key_' || (i % 20)`,
      dueAt: 'i + 1',
      url: urlOf(dead),
    });
    await until(() => connected >= 20);
    const dueAt = Date.now();
    await insertJobs(dataSource, {
      from: 10_000,
      count: 12,
      key: `'key_15a'`,
      dueAt: String(dueAt),
      url: urlOf(alive),
    });
    await until(() => received.length === 12);
    expect(new Set(received)).toEqual(new Set(Array.from({ length: 12 }, (_, index) => `evt_batch_${10_000 + index}`)));
    // Most of the dead ones had not been tried by then, and none of their keys had more than its share.
    expect(connected).toBeLessThan(1_000);
    expect(sockets.size).toBeLessThanOrEqual(20 * 4);
    await until(async () => {
      const pending = await dataSource.query<unknown[]>(
        `SELECT id FROM batch_job WHERE key_id = 'key_15a' AND webhook_due_at IS NOT NULL`,
      );
      return pending.length === 0;
    });
  });
});

describe(`the queue of webhooks (${name})`, () => {
  let folder: string;
  let url: string;
  let dataSource: DataSource;
  let queue: DeliveryQueue<DueDelivery>;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gateway-webhooks-'));
    url = isPostgresRun ? await createDatabase({ isMigrated: true }) : `sqlite:${join(folder, 'queue.sqlite')}`;
    dataSource = await openDatabase(loadConfig({ env: { DATABASE_URL: url }, cwd: folder }).database, SCHEMA);
    queue = new DeliveryQueue(JOB_WEBHOOKS, new Database(dataSource), dataSource);
  });
  afterAll(async () => {
    await dataSource.destroy();
    if (isPostgresRun) await dropDatabase(url);
    rmSync(folder, { recursive: true, force: true });
  });

  it('steps from key to key, and gives each key its oldest', async () => {
    await insertJobs(dataSource, {
      from: 0,
      count: 900,
      key: `'key_' || (1000 + i % 300)`,
      dueAt: '1000 - i',
      url: 'x',
    });
    const first = await queue.ownersAfter('');
    expect(first).toHaveLength(OWNERS_PER_POLL);
    const second = await queue.ownersAfter(first.at(-1)?.ownerId ?? '');
    const keys = [...first, ...second];
    expect(new Set(keys.map(({ ownerId }) => ownerId)).size).toBe(300);
    expect(keys.every(({ isDue }) => isDue)).toBe(true);
    const claims = await Promise.all([1, 2].map(() => queue.claim(['key_1000', 'key_1299', 'none'], 2)));
    const ids = claims.flat().map(({ id }) => id);
    // Three of each key, each claimed once; the last of both by the second process.
    expect(ids.sort()).toEqual(['batch_0', 'batch_299', 'batch_300', 'batch_599', 'batch_600', 'batch_899']);
    expect((await queue.ownersAfter('key_1298')).map(({ isDue }) => isDue)).toEqual([false]);
  });

  it('is settled by the holder of a delivery alone', async () => {
    const [held] = await queue.claim(['key_1005'], 1);
    if (held === undefined) throw new Error('nothing was claimed');
    await queue.settle({ ...held, webhook_attempts: held.webhook_attempts - 1 }, null);
    const dueAt = async (): Promise<unknown> => {
      const rows = await dataSource.query<{ webhook_due_at: unknown }[]>(
        `SELECT webhook_due_at FROM batch_job WHERE id = '${held.id}'`,
      );
      return rows[0]?.webhook_due_at;
    };
    expect(Number(await dueAt())).toBeGreaterThan(Date.now());
    await queue.settle(held, null);
    expect(await dueAt()).toBeNull();
  });

  it('are selected through indexes, for any number of jobs', async () => {
    const { dialect } = new Database(dataSource);
    await insertJobs(dataSource, {
      from: 100_000,
      count: 20_000,
      key: `'other_' || (i % 500)`,
      dueAt: 'NULL',
      url: 'x',
    });
    if (isPostgresRun) await dataSource.query('ANALYZE batch_job');
    await runSql(
      dataSource.manager,
      dialect,
      `INSERT INTO budget_alert (id, created_at, owner, webhook_attempts)
       SELECT 'alert_' || id, 0, 'alerts', 0 FROM batch_job`,
    );
    if (isPostgresRun) await dataSource.query('ANALYZE budget_alert');
    const parameters: Record<keyof DeliveryStatements, unknown[]> = {
      anyDue: [],
      ownersAfter: [''],
      claim: ['["key_1","key_2"]', 2],
    };
    for (const table of [JOB_WEBHOOKS, BUDGET_ALERTS]) {
      for (const [statement, values] of Object.entries(parameters)) {
        const text = deliveryStatements(table)[statement as keyof DeliveryStatements](dialect);
        const explain = `${isPostgresRun ? 'EXPLAIN' : 'EXPLAIN QUERY PLAN'} ${text}`;
        const { rows } = await runSql<Record<string, string>>(dataSource.manager, dialect, explain, values);
        const plan = rows.map((row) => row['QUERY PLAN'] ?? row['detail'] ?? '').join('\n');
        expect(plan).toMatch(new RegExp(`IDX_${table.name}_webhook_(?:due_at|key_id|owner)`));
        // Of the small table a scan may be the cheaper way to the rows that were picked.
        if (table === BUDGET_ALERTS) continue;
        expect(plan).not.toMatch(
          new RegExp(isPostgresRun ? `Seq Scan on ${table.name}` : `SCAN (?:${table.name}|j)\\b(?! USING)`),
        );
      }
    }
  });
});
