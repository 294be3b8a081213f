import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import type { BatchJob } from '../src/batch/batch-job.entity.js';
import { BatchStore, type ClaimedTask, MAX_CLAIMS, type TaskOutcome } from '../src/batch/batch-store.js';
import { SubmissionStore } from '../src/batch/submission/submission-store.js';
import { loadConfig } from '../src/config/load-config.js';
import { Database } from '../src/database/database.js';
import { openDatabase } from '../src/database/open-database.js';
import { createDatabase, dropDatabase, isPostgresRun } from './servers/postgres-databases.js';

const DAY = 86_400_000;

describe(`the statements of batches (${isPostgresRun ? 'PostgreSQL' : 'SQLite'})`, () => {
  let folder: string;
  let url: string;
  let dataSource: DataSource;
  let store: BatchStore;
  let submissions: SubmissionStore;
  let number = 0;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gateway-store-'));
    url = isPostgresRun ? await createDatabase() : `sqlite:${join(folder, 'store.sqlite')}`;
    const config = { ...loadConfig({ env: { DATABASE_URL: url }, cwd: folder }) };
    dataSource = await openDatabase(config.database);
    const database = new Database(dataSource);
    store = new BatchStore(database, dataSource, config);
    submissions = new SubmissionStore(database, dataSource);
  });
  afterAll(async () => {
    await dataSource.destroy();
    if (isPostgresRun) await dropDatabase(url);
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    await dataSource.query('DELETE FROM batch_task');
    await dataSource.query('DELETE FROM batch_job');
  });

  function job(taskCount: number, fields: Partial<BatchJob> = {}): BatchJob {
    const now = Date.now();
    return {
      id: `batch_${String((number += 1)).padStart(24, '0')}`,
      keyId: 'key_1',
      model: 'sandbox/echo',
      defaults: { max_tokens: 5 },
      metadata: null,
      priority: 'normal',
      status: 'queued',
      taskCount,
      completedCount: 0,
      failedCount: 0,
      cancelledCount: 0,
      expiredCount: 0,
      error: null,
      submittedAt: now,
      startedAt: null,
      completedAt: null,
      expiresAt: now + DAY,
      idempotencyKey: null,
      requestHash: null,
      webhookUrl: null,
      webhookSecret: null,
      webhookAttempts: 0,
      webhookDueAt: null,
      ...fields,
    };
  }
  async function insert(taskCount: number, fields: Partial<BatchJob> = {}): Promise<string> {
    const made = job(taskCount, fields);
    const tasks = Array.from({ length: taskCount }, (_, index) => ({
      customId: `task-${index}`,
      request: JSON.stringify({ messages: [{ role: 'user', content: `№ ${index} \\ \u0000 "` }] }),
    }));
    expect(await submissions.insertJob(made, [tasks], DAY)).toBeUndefined();
    return made.id;
  }
  const outcome = (task: ClaimedTask, fields: Partial<TaskOutcome> = {}): TaskOutcome => ({
    jobId: task.jobId,
    taskIndex: task.taskIndex,
    fence: task.fence,
    status: 'succeeded',
    attempts: 1,
    delay: 0,
    response: JSON.stringify({ text: 'ü \u0000 \\' }),
    error: null,
    ...fields,
  });
  async function row(table: 'batch_job' | 'batch_task', id: string): Promise<Record<string, unknown>> {
    const column = table === 'batch_job' ? 'id' : 'job_id';
    const rows = await dataSource.query<Record<string, unknown>[]>(
      `SELECT * FROM ${table} WHERE ${column} = '${id}' ORDER BY 2`,
    );
    return rows[0] ?? {};
  }

  it('claims no more than was asked for, each task once, in task order', async () => {
    const id = await insert(100);
    const [first, second] = await Promise.all([
      store.claim(new Map([[id, 7]]), 'one'),
      store.claim(new Map([[id, 8]]), 'two'),
    ]);
    expect([first.length, second.length].sort()).toEqual([7, 8]);
    const indexes = [...first, ...second].map(({ taskIndex }) => taskIndex).sort((a, b) => a - b);
    expect(indexes).toEqual(Array.from({ length: 15 }, (_, index) => index));
    expect(first[0]?.request).toMatchObject({ messages: [{ content: `№ ${first[0]?.taskIndex} \\ \u0000 "` }] });
    expect(await row('batch_job', id)).toMatchObject({ status: 'in_progress' });
  });

  it('stores a result once, with its counter and the end of the job', async () => {
    const id = await insert(2);
    const [a, b] = await store.claim(new Map([[id, 2]]), 'one');
    expect(
      await store.storeOutcomes([outcome(a!), outcome(b!, { status: 'failed', response: null, error: '{}' })]),
    ).toBe(2);
    expect(await store.storeOutcomes([outcome(a!)])).toBe(0);
    const ended = await row('batch_job', id);
    expect(ended).toMatchObject({ status: 'completed', completed_count: 1, failed_count: 1 });
    expect(ended['completed_at']).not.toBeNull();
    const task = await row('batch_task', id);
    expect(task['response']).toBe(JSON.stringify({ text: 'ü \u0000 \\' }));
  });

  it('discards what comes after the lease was over and the task claimed again', async () => {
    const id = await insert(1);
    const [late] = await store.claim(new Map([[id, 1]]), 'frozen');
    await dataSource.query('UPDATE batch_task SET lease_until = 1');
    expect(await store.requeueExpiredLeases()).toBe(1);
    const [again] = await store.claim(new Map([[id, 1]]), 'other');
    expect(again?.fence).toBe((late?.fence ?? 0) + 1);
    expect((await store.renew([late!])).size).toBe(0);
    expect((await store.renew([again!])).size).toBe(1);
    expect(await store.storeOutcomes([outcome(late!, { response: '"late"' })])).toBe(0);
    expect(await store.storeOutcomes([outcome(again!, { response: '"mine"' })])).toBe(1);
    expect(await row('batch_task', id)).toMatchObject({ status: 'succeeded', response: '"mine"' });
  });

  it('puts a task back for later, and does not offer it before', async () => {
    const id = await insert(1);
    const [task] = await store.claim(new Map([[id, 1]]), 'one');
    await store.storeOutcomes([outcome(task!, { status: 'queued', delay: 60_000, response: null })]);
    expect(await store.runnableJobs(10)).toEqual([]);
    expect(await store.claim(new Map([[id, 1]]), 'one')).toEqual([]);
    await dataSource.query('UPDATE batch_task SET next_run_at = 0');
    expect(await store.runnableJobs(10)).toMatchObject([{ id, defaults: { max_tokens: 5 } }]);
  });

  it('ends what waits and leaves what runs at a cancel, and counts it all', async () => {
    const id = await insert(5_000);
    const [running] = await store.claim(new Map([[id, 1]]), 'one');
    expect(await store.beginCancel(id)).toBe(true);
    expect(await store.beginCancel(id)).toBe(false);
    await store.endTasks(id, 'cancelled', { running: 'leave', error: null });
    expect(await row('batch_job', id)).toMatchObject({ status: 'cancelling', cancelled_count: 4_999 });
    await store.storeOutcomes([outcome(running!)]);
    expect(await row('batch_job', id)).toMatchObject({
      status: 'cancelled',
      completed_count: 1,
      cancelled_count: 4_999,
    });
  });

  it('stops a task that ends its workers again and again', async () => {
    const id = await insert(1);
    await store.claim(new Map([[id, 1]]), 'one');
    await dataSource.query(`UPDATE batch_task SET fence = ${MAX_CLAIMS}, status = 'queued'`);
    expect(await store.failPoisonous('{"code":"worker_lost"}')).toBe(1);
    expect(await row('batch_job', id)).toMatchObject({ status: 'completed', failed_count: 1 });
  });

  it('deletes jobs past their retention, and what a submission that never ended left', async () => {
    const kept = await insert(3);
    const old = await insert(3);
    for (const id of [kept, old]) {
      const claimed = await store.claim(new Map([[id, 3]]), 'one');
      await store.storeOutcomes(claimed.map((task) => outcome(task)));
    }
    await dataSource.query(`UPDATE batch_job SET completed_at = completed_at - ${DAY} WHERE id = '${old}'`);
    const abandoned = await insert(3);
    await dataSource.query(`UPDATE batch_job SET status = 'staging', submitted_at = 1 WHERE id = '${abandoned}'`);
    expect(await store.deleteFinished(DAY / 2)).toBe(1);
    await store.deleteAbandoned();
    const jobs = await dataSource.query<{ id: string }[]>('SELECT id FROM batch_job');
    const tasks = await dataSource.query<{ job_id: string }[]>('SELECT DISTINCT job_id FROM batch_task');
    expect(jobs).toEqual([{ id: kept }]);
    expect(tasks).toEqual([{ job_id: kept }]);
  });

  it('gives an idempotency key back after its window', async () => {
    const first = await insert(1, { idempotencyKey: 'order-1' });
    const tasks = [{ customId: 'task-0', request: '{}' }];
    const again = await submissions.insertJob(job(1, { idempotencyKey: 'order-1' }), [tasks], DAY);
    expect(again?.id).toBe(first);
    const other = await submissions.insertJob(job(1, { idempotencyKey: 'order-1', keyId: 'key_2' }), [tasks], DAY);
    expect(other).toBeUndefined();
    await dataSource.query(`UPDATE batch_job SET submitted_at = submitted_at - ${DAY} WHERE id = '${first}'`);
    expect(await submissions.insertJob(job(1, { idempotencyKey: 'order-1' }), [tasks], DAY)).toBeUndefined();
  });

  it('tells how much waits and for how long', async () => {
    const id = await insert(10, { submittedAt: Date.now() - 60_000 });
    await store.claim(new Map([[id, 4]]), 'one');
    const { queued, running, oldestWaiting } = await store.depth();
    expect([queued, running]).toEqual([6, 4]);
    expect(oldestWaiting).toBeGreaterThanOrEqual(60_000);
  });
});
