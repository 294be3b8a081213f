import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { jobsOf } from '../../src/batch/admin-batches.service.js';
import { BatchJob } from '../../src/batch/batch-job.entity.js';
import { newestFirst } from '../../src/database/newest-first.js';
import { Lanes } from '../../src/batch/lanes.js';
import { ReadyLanes } from '../../src/batch/ready-lanes.js';
import { ClaimedTasks } from '../../src/batch/claimed-tasks.js';
import { TaskClaims } from '../../src/batch/task-claims.js';
import { TaskOutcomes } from '../../src/batch/task-outcomes.js';
import { loadConfig } from '../../src/config/load-config.js';
import { Database } from '../../src/database/database.js';
import { openDatabase } from '../../src/database/open-database.js';
import { SCHEMA } from '../../src/schema.js';
import { NoClusterPeers } from '../../src/cluster/cluster-peers.js';
import { MetricsRegistry } from '../../src/metrics/metrics-registry.js';
import { UsageRecorder } from '../../src/usage/records/usage-recorder.service.js';
import { until } from '../fixtures/until.js';
import { createDatabase, dropDatabase, isPostgresRun } from '../fixtures/postgres-databases.js';

const JOBS = 1_000;
const TASKS = 60;

describe(`the plans of hot statements over ${JOBS * TASKS} tasks (${isPostgresRun ? 'PostgreSQL' : 'SQLite'})`, () => {
  let folder: string;
  let url: string;
  let dataSource: DataSource;
  let lanes: Lanes;
  let readyLanes: ReadyLanes;
  let claimed: ClaimedTasks;
  let claims: TaskClaims;
  let outcomes: TaskOutcomes;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gateway-plans-'));
    url = isPostgresRun ? await createDatabase({ isMigrated: true }) : `sqlite:${join(folder, 'plans.sqlite')}`;
    const config = loadConfig({ env: { DATABASE_URL: url }, cwd: folder });
    dataSource = await openDatabase(config.database, SCHEMA);
    const database = new Database(dataSource);
    lanes = new Lanes(database, dataSource);
    readyLanes = new ReadyLanes(database, dataSource);
    claimed = new ClaimedTasks(database, dataSource);
    claims = new TaskClaims(database, dataSource, lanes, claimed, config);
    outcomes = new TaskOutcomes(
      database,
      lanes,
      new UsageRecorder(database, new MetricsRegistry(new NoClusterPeers())),
      config,
    );
    const series = (count: number): string =>
      isPostgresRun
        ? `generate_series(0, ${count - 1}) AS n(i)`
        : `(WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${count - 1}) SELECT i FROM n) AS n`;
    await dataSource.query(
      `INSERT INTO batch_job (id, key_id, model, defaults, priority, status, task_count, submitted_at, expires_at)
       SELECT 'batch_' || i, 'key_' || (i % 50), 'sandbox/echo', '{}', 'normal', 'in_progress', ${TASKS}, i, 9000000000000
       FROM ${series(JOBS)}`,
    );
    await dataSource.query(
      `INSERT INTO batch_task (job_id, task_index, custom_id, request)
       SELECT j.id, n.i, 'task', '{"messages":[{"role":"user","content":"${'x'.repeat(300)}"}]}'
       FROM batch_job j CROSS JOIN ${series(TASKS)}`,
    );
    await dataSource.query(
      `INSERT INTO batch_lane (job_id, model, lane_group, priority, submitted_at, expires_at, next_index, end_index, state,
         requeued, served_at)
       SELECT id, model, key_id || ' ' || model, 1, submitted_at, expires_at, 10, ${TASKS}, 'ready', 10, 0 FROM batch_job`,
    );
    await dataSource.query(
      `INSERT INTO batch_requeue (job_id, task_index, model, next_run_at)
       SELECT j.id, n.i, j.model, 0 FROM batch_job j CROSS JOIN ${series(10)}`,
    );
    await dataSource.query('ANALYZE');
  });
  afterAll(async () => {
    await dataSource.destroy();
    if (isPostgresRun) await dropDatabase(url);
    rmSync(folder, { recursive: true, force: true });
  });

  /** The plan as one text. SQLite's driver knows `?` alone, and its plan does not depend on values. */
  function plan(statement: string, parameters: unknown[]): Promise<string> {
    if (isPostgresRun) return planOf(statement, parameters);
    return planOf(
      statement.replace(/\$\d+/g, '?'),
      [...statement.matchAll(/\$(\d+)/g)].map(([, number]) => parameters[Number(number) - 1]),
    );
  }
  /** The same of a statement with the parameters of its database's driver. */
  async function planOf(statement: string, parameters: unknown[]): Promise<string> {
    if (!isPostgresRun) {
      const rows = await dataSource.query<{ detail: string }[]>(`EXPLAIN QUERY PLAN ${statement}`, parameters);
      return rows.map(({ detail }) => detail).join('\n');
    }
    const rows = await dataSource.query<{ 'QUERY PLAN': string }[]>(`EXPLAIN ${statement}`, parameters);
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  }
  const expectNoScan = (text: string, tables: readonly string[]): void => {
    for (const table of tables) {
      expect(text).not.toMatch(new RegExp(isPostgresRun ? `Seq Scan on ${table}\\b` : `SCAN ${table}\\b`));
    }
    expect(text).not.toMatch(/\bSCAN [lt]\b/);
  };
  const rows = (count: number): object[] =>
    Array.from({ length: count }, (_, index) => ({ job_id: `batch_${index}`, task_index: index % TASKS }));

  it('groups and lanes are found by the index of what is ready', async () => {
    const groups = await plan(readyLanes.groupsStatement(), ['', 256]);
    expectNoScan(groups, ['batch_lane', 'batch_task', 'batch_job']);
    expect(groups).toContain('IDX_batch_lane_ready');
    const names = JSON.stringify(Array.from({ length: 32 }, (_, index) => `key_${index} sandbox/echo`));
    const ready = await plan(readyLanes.readyStatement(), [names, 4]);
    expectNoScan(ready, ['batch_lane', 'batch_task', 'batch_job']);
    expect(ready).toContain('IDX_batch_lane_ready');
  });

  it('a claim over many jobs reads tasks by their primary key alone', async () => {
    if (isPostgresRun) {
      const wanted = rows(32).map((row) => ({ ...row, model: 'sandbox/echo', count: 2 }));
      const take = await plan(claims.takeStatement(), [JSON.stringify(wanted), 'claim_1', 'worker']);
      // Of the small tables a scan may be the cheaper plan, until they are large.
      expectNoScan(take, ['batch_task', 'batch_job']);
      expect(take).toMatch(/LockRows[^]*?Index Scan using [^]* on batch_lane/);
      expect(take).toContain('IDX_batch_requeue_lane');
    }
    const tasks = rows(64).map((row) => ({ ...row, lane: 'sandbox/echo', is_single: 0 }));
    const parameters = isPostgresRun
      ? [
          tasks.map((_row, index) => `batch_${index}`),
          tasks.map((_row, index) => index % TASKS),
          tasks.map(() => 'sandbox/echo'),
          tasks.map(() => 0),
        ]
      : [JSON.stringify(tasks)];
    const text = await plan(claimed.tasksStatement(), parameters);
    expectNoScan(text, ['batch_task']);
    expect(text).toMatch(isPostgresRun ? /Index Scan using .* on batch_task/ : /SEARCH t USING INDEX/);
  });

  it('results are stored by the primary key of their tasks', async () => {
    const ended = rows(500).map((row) => ({ ...row, status: 'succeeded', attempts: 1, response: '{}', error: null }));
    const text = await plan(outcomes.changeTasksStatement(), [JSON.stringify(ended), 'worker']);
    expectNoScan(text, ['batch_task']);
    expect(text).toMatch(isPostgresRun ? /Index Scan using .* on batch_task/ : /SEARCH t USING INDEX/);
  });

  it('a page of the batches of all keys is read by the time of submission, with any filter', async () => {
    const jobs = dataSource.getRepository(BatchJob);
    const pages: BatchJob[][] = [];
    let after: string | undefined;
    for (let page = 0; page < 3; page += 1) {
      const query = jobsOf(jobs, {});
      const read = query.getMany.bind(query);
      let statement: [string, unknown[]] | undefined;
      query.getMany = () => {
        statement = query.getQueryAndParameters() as [string, unknown[]];
        return read();
      };
      const { rows: found, next } = await newestFirst(query, 'submittedAt', {
        limit: 20,
        after,
        what: 'batch',
        idPrefix: 'batch_',
      });
      pages.push([...found]);
      after = next ?? undefined;
      const text = await planOf(statement?.[0] ?? '', statement?.[1] ?? []);
      expect(text).toContain('IDX_batch_job_submitted_at');
      expect(text).not.toMatch(/Seq Scan|\bSort\b|TEMP B-TREE/);
    }
    expect(new Set(pages.flat().map(({ id }) => id)).size).toBe(60);
    expect(pages[0]?.[0]?.id).toBe(`batch_${JOBS - 1}`);
  });

  if (isPostgresRun) {
    it('a task has one row version after its first, in place', async () => {
      const shares = Array.from({ length: 50 }, (_, index) => ({
        jobId: `batch_${index}`,
        model: 'sandbox/echo',
        count: 5,
      }));
      await dataSource.query('SELECT pg_stat_reset()');
      for (let round = 0; round < 8; round += 1) {
        const taken = await claims.claim(shares, 'worker', `claim_${round}`);
        const ended = taken.tasks.map(({ jobId, taskIndex, lane: model }) => ({
          ...{ claimId: taken.id, jobId, taskIndex, model, status: 'succeeded' as const, attempts: 1, delayMs: 0 },
          ...{ response: JSON.stringify({ status_code: 200, body: 'y'.repeat(60) }), error: null, usage: [] },
        }));
        const { stored } = await outcomes.store(ended, [{ id: taken.id, version: 0, lanes: [] }], 'worker');
        expect(stored.size).toBe(250);
      }
      let stats: { updated: string; hot: string } | undefined;
      await until(async () => {
        [stats] = await dataSource.query<{ updated: string; hot: string }[]>(
          `SELECT n_tup_upd AS updated, n_tup_hot_upd AS hot FROM pg_stat_user_tables WHERE relname = 'batch_task'`,
        );
        return Number(stats?.updated ?? 0) >= 2_000;
      });
      expect(Number(stats?.updated)).toBe(2_000);
      expect(Number(stats?.hot)).toBeGreaterThan(1_500);
    });
  }
});
