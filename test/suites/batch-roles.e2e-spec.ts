import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { openDatabase } from '../../src/database/open-database.js';
import { SCHEMA } from '../../src/schema.js';
import { BatchHistory } from '../fixtures/batch-history.js';
import { startFakeUpstream, type FakeUpstream } from '../upstreams/fake-upstream-client.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { openAiAt } from '../fixtures/gateway-config.js';
import { createDatabase, dropDatabase, isPostgresRun } from '../fixtures/postgres-databases.js';
import { lostTasks } from '../fixtures/query-database.js';
import { until } from '../fixtures/until.js';

const ADMIN_KEY = 'Zk3v9-roles-8Qm-Zk3v9-roles-4Wd';

describe(`processes that share batches (${isPostgresRun ? 'PostgreSQL' : 'SQLite'})`, () => {
  let upstream: FakeUpstream;
  let folder: string;
  let databaseUrl: string;
  let dataSource: DataSource;
  const running = new Set<RunningGateway>();

  beforeEach(async () => {
    upstream = await startFakeUpstream();
    folder = mkdtempSync(join(tmpdir(), 'gateway-roles-'));
    const path = join(folder, 'gateway.sqlite');
    databaseUrl = isPostgresRun ? await createDatabase({ isMigrated: true }) : `sqlite:${path}`;
    dataSource = await openDatabase(
      isPostgresRun ? { kind: 'postgres', url: databaseUrl } : { kind: 'sqlite', path },
      SCHEMA,
    );
  });
  afterEach(async () => {
    await Promise.all([...running].map((gateway) => gateway.stop('SIGKILL')));
    running.clear();
    await dataSource.destroy();
    await upstream.stop();
    if (isPostgresRun) await dropDatabase(databaseUrl);
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(role: 'api' | 'worker' | 'all', concurrency = 8): Promise<RunningGateway> {
    const gateway = await startGateway({
      dataDirectory: folder,
      config: { providers: { fake: openAiAt(upstream) }, batch: { concurrency, lease: '1s' } },
      env: { DATABASE_URL: databaseUrl, GATEWAY_ADMIN_KEY: ADMIN_KEY, GATEWAY_ROLE: role },
    });
    running.add(gateway);
    return gateway;
  }
  const count = async (table: string): Promise<number> => {
    const rows = await dataSource.query<{ count: string }[]>(`SELECT COUNT(*) AS count FROM ${table}`);
    return Number(rows[0]?.count);
  };

  it('an API process claims nothing, not even when a sweep finds work; a worker does', async () => {
    const api = await start('api');
    const history = new BatchHistory(ADMIN_KEY, () => api.url);
    const id = (await history.submit('fake/echo', ['a', 'b', 'c']))!;
    // Any process requeues the tasks of a worker that ended, and that wakes only the runner of a worker.
    await dataSource.query(
      `INSERT INTO batch_claim (id, worker, lease_until, tasks, task_count) VALUES ('claim_x', 'gone', 1, '[["${id}","fake/echo",0,1,[]]]', 1)`,
    );
    await dataSource.query('UPDATE batch_lane SET next_index = 1');
    await until(async () => (await count('batch_claim')) === 0 && (await count('batch_requeue')) === 1);
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect((await upstream.requests()).length).toBe(0);
    expect(await count('batch_claim')).toBe(0);
    await start('worker');
    await until(() => history.allDone());
    expect(await history.faults(upstream, 3 + (await lostTasks(databaseUrl)))).toEqual([]);
  });

  it('a clean stop leaves no task claimed, at any moment', async () => {
    const api = await start('api');
    const history = new BatchHistory(ADMIN_KEY, () => api.url);
    const prompts = Array.from({ length: 1_500 }, (_, index) => `task ${index}`);
    await history.submit('fake/echo', prompts);
    for (let stop = 0; stop < 3; stop += 1) {
      const worker = await start('worker', 32);
      await new Promise((resolve) => setTimeout(resolve, 30 + stop * 35));
      running.delete(worker);
      expect((await worker.stop('SIGTERM')).code).toBe(0);
      expect([stop, await count('batch_claim')]).toEqual([stop, 0]);
    }
    await start('worker', 32);
    await until(() => history.allDone());
    // Nothing was in flight at any stop, so no call was made twice but for what a busy machine lost.
    expect(await history.faults(upstream, prompts.length + (await lostTasks(databaseUrl)))).toEqual([]);
  });

  it('a result that the database refuses is quarantined, and its task fails; results stored with it are kept', async () => {
    const refuse = isPostgresRun
      ? `ALTER TABLE batch_task ADD CONSTRAINT refused CHECK (response NOT LIKE '%unstorable%')`
      : `CREATE TRIGGER refused BEFORE UPDATE ON batch_task WHEN NEW.response LIKE '%unstorable%'
         BEGIN SELECT RAISE(ABORT, 'refused'); END`;
    await dataSource.query(refuse);
    const all = await start('all', 32);
    const history = new BatchHistory(ADMIN_KEY, () => all.url);
    const prompts = Array.from({ length: 64 }, (_, index) =>
      index % 21 === 5 ? `unstorable ${index}` : `task ${index}`,
    );
    const id = (await history.submit('fake/echo?delay=50', prompts))!;
    await until(() => history.allDone());
    expect(await history.counts(id)).toMatchObject({ status: 'completed', completed_count: 61, failed_count: 3 });
    const results = await all.admin.batchResults(id);
    expect(results.filter(({ error }) => error?.code === 'result_not_storable')).toHaveLength(3);
    // What was consumed is recorded all the same.
    await until(async () => (await count('usage_record')) >= 64);
    expect(await count('usage_record')).toBeLessThanOrEqual(64 + (await lostTasks(databaseUrl)));
    expect(await count('batch_claim')).toBe(0);
  });
});
