import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSource, Logger } from 'typeorm';
import { AdminBatchesService } from '../../src/batch/admin-batches.service.js';
import { BatchJob } from '../../src/batch/batch-job.entity.js';
import { BatchStore } from '../../src/batch/batch-store.js';
import { BatchService } from '../../src/batch/batch.service.js';
import { LostClaims } from '../../src/batch/lost-claims.js';
import { Lanes } from '../../src/batch/lanes.js';
import { ReadyLanes } from '../../src/batch/ready-lanes.js';
import { ClaimedTasks } from '../../src/batch/claimed-tasks.js';
import { QueueDepth } from '../../src/batch/queue-depth.js';
import { TaskClaims } from '../../src/batch/task-claims.js';
import { type TaskOutcome, TaskOutcomes } from '../../src/batch/task-outcomes.js';
import { JOB_WEBHOOKS } from '../../src/batch/webhook/webhook-sender.js';
import { DeliveryQueue, type DueDelivery } from '../../src/deliveries/delivery-queue.js';
import { NoClusterPeers } from '../../src/cluster/cluster-peers.js';
import { loadConfig } from '../../src/config/load-config.js';
import { Database } from '../../src/database/database.js';
import { openDatabase } from '../../src/database/open-database.js';
import { MetricsRegistry } from '../../src/metrics/metrics-registry.js';
import { SCHEMA } from '../../src/schema.js';
import { UsageRecorder } from '../../src/usage/records/usage-recorder.service.js';
import { createDatabase, dropDatabase, isPostgresRun } from '../fixtures/postgres-databases.js';

const JOBS = 1_000;
const TASKS = 80;
/** Of each job, that wait again. */
const REQUEUED = 60;
const FINISHED_JOBS = 15_000;
const KEYS = 50;
const WORKER = 'worker';
/** These may be of any size. What waits in lanes and claims is small, and adding it up reads all of it. */
const LARGE_TABLES = ['batch_task', 'batch_job', 'batch_requeue', 'usage_record'];

interface Statement {
  readonly text: string;
  readonly parameters: readonly unknown[];
}

describe(`every statement of batches over ${JOBS * TASKS} tasks and ${FINISHED_JOBS} finished jobs (${isPostgresRun ? 'PostgreSQL' : 'SQLite'})`, () => {
  let folder: string;
  let url: string;
  let dataSource: DataSource;
  let lanes: Lanes;
  let readyLanes: ReadyLanes;
  let claims: TaskClaims;
  let outcomes: TaskOutcomes;
  let lostClaims: LostClaims;
  let store: BatchStore;
  let webhooks: DeliveryQueue<DueDelivery>;
  let service: BatchService;
  let admin: AdminBatchesService;
  const ran: Statement[] = [];

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gateway-statements-'));
    url = isPostgresRun ? await createDatabase({ isMigrated: true }) : `sqlite:${join(folder, 'statements.sqlite')}`;
    const config = loadConfig({ env: { DATABASE_URL: url }, cwd: folder });
    dataSource = await openDatabase(config.database, SCHEMA);
    const database = new Database(dataSource);
    lanes = new Lanes(database, dataSource);
    readyLanes = new ReadyLanes(database, dataSource);
    const claimed = new ClaimedTasks(database, dataSource);
    claims = new TaskClaims(database, dataSource, lanes, claimed, config);
    const recorder = new UsageRecorder(database, new MetricsRegistry(new NoClusterPeers()));
    outcomes = new TaskOutcomes(database, lanes, recorder, config);
    lostClaims = new LostClaims(database, lanes, claims);
    store = new BatchStore(database, dataSource, lanes);
    webhooks = new DeliveryQueue(JOB_WEBHOOKS, database, dataSource);
    // Lists ask the table of jobs, and what operators see the depth as well.
    const jobs = dataSource.getRepository(BatchJob);
    service = Reflect.construct(BatchService, [jobs]) as BatchService;
    admin = Reflect.construct(AdminBatchesService, [
      jobs,
      service,
      undefined,
      new QueueDepth(database, dataSource),
    ]) as AdminBatchesService;
    await seed();
    const noteStatement = (text: string, parameters?: unknown[]): void => {
      ran.push({ text, parameters: parameters ?? [] });
    };
    const nothing = (): void => undefined;
    const logger: Logger = {
      logQuery: noteStatement,
      logQueryError: nothing,
      logQuerySlow: nothing,
      logSchemaBuild: nothing,
      logMigration: nothing,
      log: nothing,
    };
    Object.assign(dataSource, { logger });
  });
  afterAll(async () => {
    await dataSource.destroy();
    if (isPostgresRun) await dropDatabase(url);
    rmSync(folder, { recursive: true, force: true });
  });

  async function seed(): Promise<void> {
    const series = (count: number): string =>
      isPostgresRun
        ? `generate_series(0, ${count - 1}) AS n(i)`
        : `(WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${count - 1}) SELECT i FROM n) AS n`;
    const later = '9000000000000';
    await dataSource.query(
      `INSERT INTO batch_job (id, key_id, model, defaults, priority, status, task_count, submitted_at, expires_at)
       SELECT 'batch_' || i, 'key_' || (i % ${KEYS}), 'sandbox/echo', '{}', 'normal', 'in_progress', ${TASKS}, 1000000 + i, ${later}
       FROM ${series(JOBS)}`,
    );
    await dataSource.query(
      `INSERT INTO batch_job (id, key_id, model, defaults, priority, status, task_count, completed_count, submitted_at,
         completed_at, expires_at, webhook_url, webhook_secret, webhook_due_at)
       SELECT 'old_' || i, 'key_' || (i % ${KEYS}), 'sandbox/echo', '{}', 'normal', 'completed', 1, 1, i, ${later} + i, ${later},
         'https://example.com/', 'secret', CASE WHEN i % 1000 = 0 THEN 0 END
       FROM ${series(FINISHED_JOBS)}`,
    );
    await dataSource.query(
      `INSERT INTO batch_task (job_id, task_index, custom_id, request)
       SELECT j.id, n.i, 'task', '{"messages":[{"role":"user","content":"${'x'.repeat(200)}"}]}'
       FROM batch_job j CROSS JOIN ${series(TASKS)} WHERE j.id LIKE 'batch_%'`,
    );
    await dataSource.query(
      `INSERT INTO batch_lane (job_id, model, lane_group, priority, submitted_at, expires_at, next_index, end_index, state,
         requeued, served_at)
       SELECT id, model, key_id || ' ' || model, 1, submitted_at, expires_at, ${REQUEUED}, ${TASKS}, 'ready', ${REQUEUED}, 0
       FROM batch_job WHERE id LIKE 'batch_%'`,
    );
    await dataSource.query(
      `INSERT INTO batch_requeue (job_id, task_index, model, next_run_at)
       SELECT j.id, n.i, j.model, 0 FROM batch_job j CROSS JOIN ${series(REQUEUED)} WHERE j.id LIKE 'batch_%'`,
    );
    await dataSource.query('ANALYZE');
  }

  async function plan({ text, parameters }: Statement): Promise<string> {
    if (!isPostgresRun) {
      const rows = await dataSource.query<{ detail: string }[]>(`EXPLAIN QUERY PLAN ${text}`, [...parameters]);
      return rows.map(({ detail }) => detail).join('\n');
    }
    const rows = await dataSource.query<{ 'QUERY PLAN': string }[]>(`EXPLAIN ${text}`, [...parameters]);
    return rows.map((row) => row['QUERY PLAN']).join('\n');
  }

  /** Runs an operation, and gives the plans of its statements in which a large table is read from one end to the other. */
  async function scansOf(operation: () => Promise<unknown>): Promise<string[]> {
    ran.length = 0;
    await operation();
    const statements = ran.filter(({ text }) => /^\s*(?:SELECT|WITH|INSERT|UPDATE|DELETE)\b/i.test(text));
    expect(statements.length).toBeGreaterThan(0);
    const scans: string[] = [];
    for (const statement of statements) {
      const text = await plan(statement);
      if (isScan(statement.text, text)) scans.push(`${statement.text}\n${text}`);
    }
    return scans;
  }

  /** SQLite names a table by its alias, and says SCAN of an index that is read whole as well. */
  function isScan(text: string, plan: string): boolean {
    return LARGE_TABLES.some((table) => {
      if (isPostgresRun) return new RegExp(`Seq Scan on ${table}\\b`).test(plan) || isIndexReadWhole(plan, table);
      const aliases = [...text.matchAll(new RegExp(`\\b${table}"?(?: AS)? "?(\\w+)`, 'gi'))].map(([, alias]) => alias);
      return [table, ...aliases].some((name) => new RegExp(`\\bSCAN ${name}\\b`).test(plan) && !isOrdered(text, plan));
    });
  }

  /**
   * An index scan that has no condition reads on until enough rows meet its filter. The index of failing jobs holds nothing else,
   * and in a list of jobs only those that are being submitted are left out.
   */
  function isIndexReadWhole(plan: string, table: string): boolean {
    const lines = plan.split('\n');
    return lines.some((line, index) => {
      if (!new RegExp(`Index (?:Only )?Scan .*on ${table}\\b`).test(line) || /IDX_batch_job_failing/.test(line))
        return false;
      return !/Index Cond/.test(lines.slice(index + 1, index + 3).join('\n')) && !/staging/.test(plan);
    });
  }

  /** A page of a list is read from the end of an index, and ends with the page. */
  function isOrdered(text: string, plan: string): boolean {
    return /ORDER BY .*DESC LIMIT/is.test(text) && /SCAN \w+ USING INDEX IDX_batch_job_submitted_at/.test(plan);
  }

  const shares = (first: number): { jobId: string; model: string; count: number }[] =>
    Array.from({ length: 8 }, (_, index) => ({ jobId: `batch_${first + index}`, model: 'sandbox/echo', count: 8 }));
  const outcomesOf = (taken: Awaited<ReturnType<TaskClaims['claim']>>, status: 'succeeded' | 'queued'): TaskOutcome[] =>
    taken.tasks.map(({ jobId, taskIndex, lane: model }) => ({
      ...{ claimId: taken.id, jobId, taskIndex, model, status, attempts: 1, delayMs: 0, usage: [] },
      ...{ response: status === 'succeeded' ? '{}' : null, error: null },
    }));

  it('looks for work, claims, extends leases and stores results', async () => {
    expect(
      await scansOf(async () => {
        await readyLanes.hasAny();
        await readyLanes.wakeDelayed();
        const groups = await readyLanes.groups('', 256);
        expect(groups.length).toBe(KEYS);
        await readyLanes.ready(groups.slice(0, 8), 16);
        const taken = await claims.claim(shares(0), WORKER, 'claim_1');
        expect(taken.tasks.length).toBe(64);
        expect((await claims.renew(WORKER)).size).toBe(1);
        await store.interrupted([...taken.jobs.keys()]);
        const change = { id: taken.id, version: 0, lanes: [] };
        const { stored } = await outcomes.store(outcomesOf(taken, 'succeeded'), [change], WORKER);
        expect(stored.size).toBe(64);
      }),
    ).toEqual([]);
  });

  it('gives tasks back that wait again, those of a lost claim, and those of an answer that was lost', async () => {
    expect(
      await scansOf(async () => {
        const waiting = await claims.claim(shares(20), WORKER, 'claim_2');
        await outcomes.store(outcomesOf(waiting, 'queued'), [{ id: 'claim_2', version: 0, lanes: [] }], WORKER);
        await claims.claim(shares(40), WORKER, 'claim_3');
        expect(await lostClaims.release('claim_3')).toBe(64);
        await claims.claim(shares(60), WORKER, 'claim_4');
        await dataSource.query(`UPDATE batch_claim SET lease_until = 0 WHERE id = 'claim_4'`);
        expect(await lostClaims.requeueExpired('{}')).toBe(64);
      }),
    ).toEqual([]);
  });

  it('removes a lane with the last task that is claimed of it, however its tasks waited and however many a claim takes', async () => {
    const left = async (jobId: string): Promise<{ next_index: number; requeued: number }[]> =>
      dataSource.query(`SELECT next_index, requeued FROM batch_lane WHERE job_id = '${jobId}'`);
    const counts = [1, 7, REQUEUED / 2, REQUEUED, TASKS, TASKS + 1];
    for (const [position, count] of counts.entries()) {
      for (const isRequeuedAlone of [false, true]) {
        const jobId = `batch_${300 + 2 * position + Number(isRequeuedAlone)}`;
        if (isRequeuedAlone)
          await dataSource.query(`UPDATE batch_lane SET next_index = end_index WHERE job_id = '${jobId}'`);
        const taken = new Set<number>();
        for (let claim = 0; (await left(jobId)).length > 0 && claim <= TASKS; claim += 1) {
          const share = { jobId, model: 'sandbox/echo', count };
          const { tasks } = await claims.claim([share], WORKER, `claim_${jobId}_${claim}`);
          for (const { taskIndex } of tasks) taken.add(taskIndex);
        }
        expect([jobId, count, taken.size]).toEqual([jobId, count, isRequeuedAlone ? REQUEUED : TASKS]);
        expect(await left(jobId)).toEqual([]);
        // Not by a claim that found nothing.
        const claimed = await dataSource.query<unknown[]>(
          `SELECT id FROM batch_claim WHERE id LIKE 'claim_${jobId}_%'`,
        );
        expect(claimed.length).toBe(Math.ceil(taken.size / count));
      }
    }
    await dataSource.query(`UPDATE batch_lane SET next_index = end_index, requeued = 0 WHERE job_id = 'batch_320'`);
    await lanes.removeEmpty();
    expect(await left('batch_320')).toEqual([]);
    expect((await left('batch_321')).length).toBe(1);
  });

  it('ends, cancels and deletes jobs', async () => {
    expect(
      await scansOf(async () => {
        await store.beginFailure('batch_100', 'no');
        expect((await store.jobsToEnd()).map(({ ending }) => ending)).toEqual(['failed']);
        await store.endTasks('batch_100', 'failed', { running: 'end', error: '{}' });
        await store.endTasks('batch_101', 'cancelled', { running: 'leave', error: null });
        await store.deleteAbandoned();
        await dataSource.query(`UPDATE batch_job SET completed_at = 0 WHERE id = 'old_1'`);
        expect(await store.deleteFinished(1_000)).toBe(1);
      }),
    ).toEqual([]);
  });

  it('recovers jobs that wait without a lane', async () => {
    expect(await scansOf(() => store.recoverStalled())).toEqual([]);
  });

  it('lists jobs for their key and for operators, and adds up what waits for them and for metrics', async () => {
    const principal = { keyId: 'key_1' } as Parameters<BatchService['list']>[0];
    expect(
      await scansOf(async () => {
        const { next } = await service.list(principal, { limit: 20 });
        await service.list(principal, { limit: 20, after: next! });
        const { data, queued_tasks: queued, next: after } = await admin.list({ limit: 20 });
        expect(data.length).toBe(20);
        expect(queued).toBeGreaterThan(0);
        await admin.list({ limit: 20, after: after! });
        await admin.list({ limit: 20, status: 'in_progress' });
        await admin.list({ limit: 20, key_id: 'key_2' });
      }),
    ).toEqual([]);
  });

  it('looks for webhooks that are due', async () => {
    expect(
      await scansOf(async () => {
        expect(await webhooks.isAnyDue()).toBe(true);
        const keys = await webhooks.ownersAfter('');
        expect(keys.length).toBeGreaterThan(0);
        const due = await webhooks.claim(
          keys.map(({ ownerId }) => ownerId),
          2,
        );
        expect(due.length).toBeGreaterThan(0);
        await webhooks.settle(due[0]!, 1_000);
      }),
    ).toEqual([]);
  });
});
