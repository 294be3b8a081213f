import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import type { BatchJob } from '../../src/batch/batch-job.entity.js';
import { BatchStore } from '../../src/batch/batch-store.js';
import { copyToDuplicates } from '../../src/batch/duplicates.js';
import { HeldClaim } from '../../src/batch/held-claim.js';
import { JobControl } from '../../src/batch/job-control.js';
import { LostClaims, MAX_LOST_CLAIMS } from '../../src/batch/lost-claims.js';
import { Lanes, laneGroup } from '../../src/batch/lanes.js';
import { QueueDepth } from '../../src/batch/queue-depth.js';
import { ReadyLanes } from '../../src/batch/ready-lanes.js';
import { SubmissionStore } from '../../src/batch/submission/submission-store.js';
import { ClaimedTasks } from '../../src/batch/claimed-tasks.js';
import { type Claim, newClaimId, TaskClaims } from '../../src/batch/task-claims.js';
import { type TaskOutcome, TaskOutcomes } from '../../src/batch/task-outcomes.js';
import { loadConfig } from '../../src/config/load-config.js';
import { Database } from '../../src/database/database.js';
import { openDatabase } from '../../src/database/open-database.js';
import { POSTGRES } from '../../src/database/sql.js';
import { SCHEMA } from '../../src/schema.js';
import { NoClusterPeers } from '../../src/cluster/cluster-peers.js';
import { MetricsRegistry } from '../../src/metrics/metrics-registry.js';
import { UsageRecorder } from '../../src/usage/records/usage-recorder.service.js';
import { createDatabase, dropDatabase, isPostgresRun } from '../fixtures/postgres-databases.js';
import { usageRecord } from '../fixtures/usage-record.js';

const DAY_MS = 86_400_000;

describe(`the statements of batches (${isPostgresRun ? 'PostgreSQL' : 'SQLite'})`, () => {
  let folder: string;
  let url: string;
  let dataSource: DataSource;
  let store: BatchStore;
  let control: JobControl;
  let lanes: Lanes;
  let readyLanes: ReadyLanes;
  let claims: TaskClaims;
  let outcomes: TaskOutcomes;
  let lostClaims: LostClaims;
  let submissions: SubmissionStore;
  let number = 0;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gateway-store-'));
    url = isPostgresRun ? await createDatabase({ isMigrated: true }) : `sqlite:${join(folder, 'store.sqlite')}`;
    const config = { ...loadConfig({ env: { DATABASE_URL: url }, cwd: folder }) };
    dataSource = await openDatabase(config.database, SCHEMA);
    const database = new Database(dataSource);
    lanes = new Lanes(database, dataSource);
    readyLanes = new ReadyLanes(database, dataSource);
    store = new BatchStore(database, dataSource, lanes);
    control = new JobControl(database, lanes);
    const claimed = new ClaimedTasks(database, dataSource);
    claims = new TaskClaims(database, dataSource, lanes, claimed, config);
    outcomes = new TaskOutcomes(
      database,
      lanes,
      new UsageRecorder(database, new MetricsRegistry(new NoClusterPeers())),
      config,
    );
    lostClaims = new LostClaims(database, lanes, claims);
    submissions = new SubmissionStore(database, dataSource, lanes);
  });
  afterAll(async () => {
    await dataSource.destroy();
    if (isPostgresRun) await dropDatabase(url);
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(async () => {
    for (const table of ['batch_task', 'batch_job', 'batch_lane', 'batch_requeue', 'batch_claim', 'batch_part']) {
      await dataSource.query(`DELETE FROM ${table}`);
    }
  });

  function job(taskCount: number, fields: Partial<BatchJob> = {}): BatchJob {
    const now = Date.now();
    return {
      id: `batch_${String((number += 1)).padStart(24, '0')}`,
      keyId: 'key_1',
      api: null,
      model: 'sandbox/echo',
      endpoint: null,
      defaults: { max_tokens: 5 },
      headers: null,
      metadata: null,
      output: null,
      pricing: null,
      costNanos: 0,
      listCostNanos: 0,
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
      cancelRequestedAt: null,
      pausedAt: null,
      pauseSource: null,
      options: null,
      heldUntil: null,
      holdReason: null,
      spentNanos: 0,
      costRefusedCount: 0,
      maxClaim: null,
      expiresAt: now + DAY_MS,
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
    expect(await submissions.insertJob(made, [tasks], DAY_MS)).toBeUndefined();
    return made.id;
  }
  const claim = (jobId: string, count: number, worker = 'one', model = 'sandbox/echo'): Promise<Claim> =>
    claims.claim([{ jobId, model, count }], worker, newClaimId());
  const outcomesOf = (taken: Claim, fields: Partial<TaskOutcome> = {}): TaskOutcome[] =>
    taken.tasks.map((task) => ({
      claimId: taken.id,
      jobId: task.jobId,
      taskIndex: task.taskIndex,
      model: task.lane,
      status: 'succeeded',
      attempts: 1,
      delayMs: 0,
      response: JSON.stringify({ text: 'ü \u0000 \\' }),
      error: null,
      usage: [],
      ...fields,
    }));
  /** Stores outcomes of a claim of which nothing was stored before. @returns how many were taken */
  async function end(taken: Claim, ended: readonly TaskOutcome[], version = 0, worker = 'one'): Promise<number> {
    const lanesLeft = new HeldClaim(taken.id, taken.tasks).without(ended);
    const { stored } = await outcomes.store(ended, [{ id: taken.id, version, lanes: lanesLeft }], worker);
    return stored.size;
  }
  async function count(table: string, condition = 'true'): Promise<number> {
    const rows = await dataSource.query<{ count: string }[]>(
      `SELECT COUNT(*) AS count FROM ${table} WHERE ${condition}`,
    );
    return Number(rows[0]?.count);
  }
  async function row(table: 'batch_job' | 'batch_task', id: string): Promise<Record<string, unknown>> {
    const column = table === 'batch_job' ? 'id' : 'job_id';
    const rows = await dataSource.query<Record<string, unknown>[]>(
      `SELECT * FROM ${table} WHERE ${column} = '${id}' ORDER BY 2`,
    );
    return rows[0] ?? {};
  }

  it('claims no more than was asked for, each task once, in task order', async () => {
    const id = await insert(100);
    const [first, second] = await Promise.all([claim(id, 7), claim(id, 8, 'two')]);
    expect([first.tasks.length, second.tasks.length].sort()).toEqual([7, 8]);
    const indexes = [...first.tasks, ...second.tasks].map(({ taskIndex }) => taskIndex).sort((a, b) => a - b);
    expect(indexes).toEqual(Array.from({ length: 15 }, (_, index) => index));
    const task = first.tasks[0];
    expect(task?.request).toMatchObject({ messages: [{ content: `№ ${task?.taskIndex} \\ \u0000 "` }] });
    expect(await row('batch_job', id)).toMatchObject({ status: 'in_progress' });
  });

  it('claims over many jobs at once, and leaves no lane where nothing waits', async () => {
    const ids = await Promise.all(Array.from({ length: 12 }, () => insert(5)));
    const shares = ids.map((jobId) => ({ jobId, model: 'sandbox/echo', count: 4 }));
    const taken = await claims.claim(shares, 'one', newClaimId());
    expect(taken.tasks).toHaveLength(48);
    const rest = await claims.claim(shares, 'two', newClaimId());
    expect(rest.tasks.map(({ taskIndex }) => taskIndex)).toEqual(ids.map(() => 4));
    expect(await count('batch_lane')).toBe(0);
    expect(await count('batch_claim')).toBe(2);
    expect((await claims.claim(shares, 'one', newClaimId())).hasTaken).toBe(false);
    expect(await end(taken, outcomesOf(taken))).toBe(48);
    expect(await count('batch_claim')).toBe(1);
  });

  it('assigns every task to exactly one of many workers, with any releases', async () => {
    const ids = [await insert(400), await insert(90), await insert(7)];
    const seen = new Map<string, number>();
    const work = async (worker: string): Promise<void> => {
      for (;;) {
        await readyLanes.wakeDelayed();
        const shares = ids.map((jobId) => ({ jobId, model: 'sandbox/echo', count: 9 }));
        const taken = await claims.claim(shares, worker, newClaimId());
        if (!taken.hasTaken) {
          if ((await count('batch_lane')) + (await count('batch_claim')) === 0) return;
          continue;
        }
        const ended = outcomesOf(taken).map((outcome) =>
          outcome.taskIndex % 4 === 0 && !seen.has(`${outcome.jobId}/${outcome.taskIndex}/back`)
            ? { ...outcome, status: 'queued' as const, delayMs: outcome.taskIndex % 8 === 0 ? 20 : 0 }
            : outcome,
        );
        for (const { jobId, taskIndex, status } of ended) {
          const name = `${jobId}/${taskIndex}${status === 'queued' ? '/back' : ''}`;
          seen.set(name, (seen.get(name) ?? 0) + 1);
        }
        expect(await end(taken, ended, 0, worker)).toBe(ended.length);
      }
    };
    await Promise.all(['one', 'two', 'three', 'four'].map(work));
    for (const id of ids) {
      const job = await row('batch_job', id);
      expect(job).toMatchObject({ status: 'completed', completed_count: job['task_count'] });
    }
    expect([...seen.values()].every((times) => times === 1)).toBe(true);
    expect([await count('batch_lane'), await count('batch_requeue'), await count('batch_claim')]).toEqual([0, 0, 0]);
  });

  it('stores a result once, with its counter and the end of the job', async () => {
    const id = await insert(2);
    const taken = await claim(id, 2);
    const [a, b] = outcomesOf(taken);
    expect(await end(taken, [a!])).toBe(1);
    expect(await end(taken, [a!], 0)).toBe(0);
    expect(await end(taken, [a!, { ...b!, status: 'failed', response: null, error: '{}' }], 1)).toBe(1);
    const ended = await row('batch_job', id);
    expect(ended).toMatchObject({ status: 'completed', completed_count: 1, failed_count: 1 });
    expect(ended['completed_at']).not.toBeNull();
    const task = await row('batch_task', id);
    expect(task['response']).toBe(JSON.stringify({ text: 'ü \u0000 \\' }));
    expect(await count('batch_claim')).toBe(0);
  });

  it('stores the usage records of a result in its transaction, and neither without the other', async () => {
    const id = await insert(2);
    const taken = await claim(id, 2);
    const ended = outcomesOf(taken).map((outcome, index) => ({
      ...outcome,
      usage: [usageRecord(`use_${number}_${index}`)],
    }));
    const broken = { ...usageRecord(`use_${number}_x`), keyId: null as unknown as string };
    await expect(end(taken, [ended[0]!, { ...ended[1]!, usage: [broken] }])).rejects.toBeDefined();
    expect(await count('usage_record', `id LIKE 'use_${number}_%'`)).toBe(0);
    expect(await count('batch_task', `status = 'succeeded'`)).toBe(0);
    expect(await end(taken, ended)).toBe(2);
    expect(await count('usage_record', `id LIKE 'use_${number}_%'`)).toBe(2);
  });

  it('discards what comes after the lease was over and the task claimed again', async () => {
    const id = await insert(1);
    const late = await claim(id, 1, 'frozen');
    await dataSource.query('UPDATE batch_claim SET lease_until = 1');
    expect(await lostClaims.requeueExpired('{}')).toBe(1);
    expect(await lostClaims.requeueExpired('{}')).toBe(0);
    const again = await claim(id, 1, 'other');
    expect(again.tasks).toHaveLength(1);
    expect([...(await claims.renew('frozen'))]).toEqual([]);
    expect([...(await claims.renew('other'))]).toEqual([again.id]);
    expect(await end(late, outcomesOf(late, { response: '"late"' }), 0, 'frozen')).toBe(0);
    // Nor may a process end tasks that another one holds, as where it has taken a part over.
    expect(await end(again, outcomesOf(again, { response: '"late"' }), 0, 'frozen')).toBe(0);
    expect(await end(again, outcomesOf(again, { response: '"mine"' }), 0, 'other')).toBe(1);
    expect(await row('batch_task', id)).toMatchObject({ status: 'succeeded', response: '"mine"' });
  });

  it('requeues the tasks of a claim whose response was lost, once', async () => {
    const id = await insert(5);
    const lost = await claim(id, 3);
    expect(await lostClaims.release(lost.id)).toBe(3);
    expect(await lostClaims.release(lost.id)).toBe(0);
    expect((await claim(id, 10)).tasks.map(({ taskIndex }) => taskIndex)).toEqual([0, 1, 2, 3, 4]);
  });

  it('puts a task back for later, and does not offer it before', async () => {
    const id = await insert(1);
    const taken = await claim(id, 1);
    await end(taken, outcomesOf(taken, { status: 'queued', delayMs: 60_000, response: null }));
    await readyLanes.wakeDelayed();
    expect(await readyLanes.groups('', 10)).toEqual([]);
    expect(await readyLanes.hasAny()).toBe(false);
    expect((await claim(id, 1)).hasTaken).toBe(false);
    await dataSource.query('UPDATE batch_requeue SET next_run_at = 1');
    await dataSource.query('UPDATE batch_lane SET ready_at = 1');
    await readyLanes.wakeDelayed();
    const group = laneGroup('key_1', 'sandbox/echo');
    expect(await readyLanes.groups('', 10)).toEqual([group]);
    expect(await readyLanes.ready([group], 5)).toMatchObject([
      { jobId: id, keyId: 'key_1', priority: 'normal', waiting: 1 },
    ]);
    const again = await claim(id, 1);
    expect(again).toMatchObject({ tasks: [{ attempts: 1 }] });
    expect(again.jobs.get(id)).toMatchObject({ defaults: { max_tokens: 5 } });
  });

  it.each([
    ['submitted', {}],
    ['submitted, of models that the tasks name', { model: 'own' }],
    ['prefix', { order: 'prefix' }],
  ] as const)('tasks start in their order (%s), whichever are released or lost', async (name, options) => {
    const letters = [...'abacbacbabccabca'];
    const lane = 'model' in options ? options.model : 'sandbox/echo';
    const made = job(letters.length, { options: 'order' in options ? { order: 'prefix' } : null });
    const tasks = letters.map((letter, index) => ({
      customId: `task-${index}`,
      request: JSON.stringify({
        ...('model' in options && { model: options.model }),
        messages: [{ role: 'user', content: letter }],
      }),
    }));
    expect(await submissions.insertJob(made, [tasks], DAY_MS)).toBeUndefined();
    const indexes = [...letters.keys()];
    const expected =
      name === 'prefix'
        ? ['a', 'b', 'c'].flatMap((letter) => indexes.filter((each) => letters[each] === letter))
        : indexes;
    const started: number[] = [];
    // How many tasks a claim takes, how many of them start, and what becomes of the rest.
    for (const [take, start, rest] of [
      [3, 1, 'back'],
      [4, 2, 'lost'],
      [2, 0, 'back'],
      [5, 2, 'reversed'],
      [3, 1, 'released'],
      [16, 16, 'back'],
    ] as const) {
      const taken = await claim(made.id, take, 'one', lane);
      started.push(...taken.tasks.slice(0, start).map(({ taskIndex }) => taskIndex));
      const done = outcomesOf(taken).map((outcome, index) =>
        index < start ? outcome : { ...outcome, status: 'queued' as const, attempts: 0, response: null },
      );
      const isBack = rest === 'back' || rest === 'reversed';
      const stored = rest === 'reversed' ? [...done].reverse() : isBack ? done : done.slice(0, start);
      const held = new HeldClaim(taken.id, taken.tasks);
      let version = 0;
      // One transaction each, so that those at the end of the claim come back first where they are reversed.
      for (const outcome of stored) {
        held.remove(outcome);
        await outcomes.store([outcome], [{ id: taken.id, version, lanes: held.without([]) }], 'one');
        version += 1;
      }
      if (rest === 'released') await lostClaims.release(taken.id);
      if (rest === 'lost') {
        await dataSource.query('UPDATE batch_claim SET lease_until = 0');
        await lostClaims.requeueExpired('{}');
      }
    }
    expect(started).toEqual(expected);
  });

  it('a retried task starts again before those behind it, as soon as its wait is over', async () => {
    const made = job(4, { options: { order: 'prefix' } });
    const tasks = ['x', 'y', 'x', 'y'].map((letter, index) => ({
      customId: `task-${index}`,
      request: JSON.stringify({ messages: [{ role: 'user', content: letter }] }),
    }));
    await submissions.insertJob(made, [tasks], DAY_MS);
    const first = await claim(made.id, 2);
    expect(first.tasks.map(({ taskIndex }) => taskIndex)).toEqual([0, 2]);
    const retried = outcomesOf(first, { status: 'queued', response: null, delayMs: 3_600_000 });
    await outcomes.store(retried, [{ id: first.id, version: 0, lanes: [] }], 'one');
    const second = await claim(made.id, 1);
    expect(second.tasks.map(({ taskIndex }) => taskIndex)).toEqual([1]);
    await dataSource.query(
      'UPDATE batch_requeue SET next_run_at = next_run_at - 3600000 WHERE next_run_at > 1000000000',
    );
    await readyLanes.wakeDelayed();
    expect((await claim(made.id, 2)).tasks.map(({ taskIndex }) => taskIndex)).toEqual([0, 2]);
    expect((await claim(made.id, 2)).tasks.map(({ taskIndex }) => taskIndex)).toEqual([3]);
  });

  it('keeps tasks that name a model of their own in a lane of that model', async () => {
    const made = job(6);
    const tasks = Array.from({ length: 6 }, (_, index) => ({
      customId: `task-${index}`,
      request: JSON.stringify({
        messages: [{ role: 'user', content: '"model":"x"' }],
        ...(index % 3 === 2 && { model: 'sandbox/other' }),
      }),
    }));
    expect(await submissions.insertJob(made, [tasks], DAY_MS)).toBeUndefined();
    expect(await readyLanes.groups('', 10)).toEqual([
      laneGroup('key_1', 'sandbox/echo'),
      laneGroup('key_1', 'sandbox/other'),
    ]);
    const own = await claim(made.id, 10, 'one', 'sandbox/other');
    expect(own.tasks.map(({ taskIndex }) => taskIndex)).toEqual([2, 5]);
    const rest = await claim(made.id, 10);
    expect(rest.tasks.map(({ taskIndex }) => taskIndex)).toEqual([0, 1, 3, 4]);
    await dataSource.query('UPDATE batch_claim SET lease_until = 1');
    expect(await lostClaims.requeueExpired('{}')).toBe(6);
    expect((await claim(made.id, 10, 'one', 'sandbox/other')).tasks).toHaveLength(2);
    expect((await claim(made.id, 10)).tasks).toHaveLength(4);
  });

  it('ends what waits and leaves what runs at a cancel, and counts it all', async () => {
    const id = await insert(5_000);
    const running = await claim(id, 1);
    const back = await claim(id, 2);
    await end(back, outcomesOf(back, { status: 'queued', delayMs: 60_000 }));
    expect(await control.beginCancel(id)).toBe(true);
    expect(await control.beginCancel(id)).toBe(false);
    expect((await claim(id, 1)).hasTaken).toBe(false);
    await store.endTasks(id, 'cancelled', { running: 'leave', error: null });
    expect(await row('batch_job', id)).toMatchObject({ status: 'cancelling', cancelled_count: 4_999 });
    await end(running, outcomesOf(running));
    expect(await row('batch_job', id)).toMatchObject({
      status: 'cancelled',
      completed_count: 1,
      cancelled_count: 4_999,
    });
    expect([await count('batch_lane'), await count('batch_requeue')]).toEqual([0, 0]);
  });

  it('cancels tasks that are requeued after the cancel', async () => {
    const id = await insert(3);
    const running = await claim(id, 2);
    await control.beginCancel(id);
    await store.endTasks(id, 'cancelled', { running: 'leave', error: null });
    await end(running, outcomesOf(running, { status: 'queued' }));
    expect((await claim(id, 1)).hasTaken).toBe(false);
    await store.endTasks(id, 'cancelled', { running: 'leave', error: null });
    expect(await row('batch_job', id)).toMatchObject({ status: 'cancelled', cancelled_count: 3 });
  });

  it('ends everything of a job that expired, what runs as well', async () => {
    const id = await insert(4_100);
    const running = await claim(id, 3);
    await store.endTasks(id, 'expired', { running: 'end', error: '{}' });
    expect(await row('batch_job', id)).toMatchObject({ status: 'expired', expired_count: 4_100 });
    expect(await end(running, outcomesOf(running))).toBe(0);
    expect([await count('batch_lane'), await count('batch_claim')]).toEqual([0, 0]);
  });

  if (isPostgresRun) {
    /** Scans of the table of tasks in which the first tasks of a job end, and none is the same as one of them. */
    const scansOfEnd = (jobId: string, count: number): Promise<{ seq: number; idx: number }> =>
      dataSource.transaction(async (manager) => {
        await manager.query(
          `UPDATE batch_task SET status = 'expired' WHERE job_id = '${jobId}' AND task_index < ${count}`,
        );
        // Of this transaction alone: those of others are counted a while after them.
        const scans = async (): Promise<{ seq: number; idx: number }> => {
          const rows = await manager.query<{ seq: string; idx: string }[]>(
            "SELECT seq_scan AS seq, idx_scan AS idx FROM pg_stat_xact_user_tables WHERE relname = 'batch_task'",
          );
          return { seq: Number(rows[0]?.seq), idx: Number(rows[0]?.idx) };
        };
        const before = await scans();
        const ended = Array.from({ length: count }, (_, taskIndex) => ({ jobId, taskIndex }));
        expect(await copyToDuplicates(manager, POSTGRES, ended)).toEqual([]);
        const after = await scans();
        return { seq: after.seq - before.seq, idx: after.idx - before.idx };
      });

    it('reads no whole table for each task, also with the statistics of other jobs', async () => {
      const count = 1_500;
      for (const duplicates of ['task_index > 0', 'task_index > 10', 'task_index % 2 = 1']) {
        for (const taskCount of [30, 3_000]) {
          const known = await insert(taskCount);
          await dataSource.query(`UPDATE batch_task SET same_as = 0 WHERE job_id = '${known}' AND ${duplicates}`);
          await dataSource.query('ANALYZE batch_task');
          const { seq, idx } = await scansOfEnd(await insert(2 * count), count);
          expect(seq).toBe(0);
          expect(idx).toBeGreaterThanOrEqual(count);
          expect(idx).toBeLessThan(5 * count);
          await dataSource.query('DELETE FROM batch_task');
        }
      }
    });

    it('finds tasks by their key also in a table that was empty when it was last analysed', async () => {
      // So many that reading them all would cost more than finding a hundred.
      const count = 40_000;
      await insert(count);
      await dataSource.query('DELETE FROM batch_task');
      await dataSource.query('VACUUM (TRUNCATE off, ANALYZE) batch_task');
      const id = await insert(count);
      const found = Array.from({ length: 100 }, (_, index) => ({ job_id: id, task_index: index, status: 'failed' }));
      const plan = await dataSource.query<{ 'QUERY PLAN': string }[]>(`EXPLAIN ${outcomes.changeTasksStatement()}`, [
        JSON.stringify(found),
        'one',
      ]);
      const text = plan.map((line) => line['QUERY PLAN']).join('\n');
      expect(text).toMatch(/Index Scan using \S+ on batch_task t .*\n\s+Index Cond: .*job_id.*task_index/);
    });

    it('copies results to no task in one pass, also where the statistics say that nothing is stored', async () => {
      const count = 3_000;
      const fill = (jobId: string): Promise<unknown> =>
        dataSource.query(
          `INSERT INTO batch_task (job_id, task_index, custom_id, request)
           SELECT '${jobId}', i, 'task', repeat('x', 300) FROM generate_series(0, ${2 * count - 1}) i`,
        );
      const [before, id] = [await insert(1), await insert(1)];
      await dataSource.query('DELETE FROM batch_task');
      await fill(before);
      await dataSource.query('DELETE FROM batch_task');
      await dataSource.query('VACUUM (TRUNCATE off, ANALYZE) batch_task');
      await fill(id);
      const { seq, idx } = await scansOfEnd(id, count);
      expect(seq).toBe(0);
      expect(idx).toBeLessThan(5 * count);
    });
  }

  it('claims nothing of a paused job, even if tasks are requeued meanwhile, and each task once after it is resumed', async () => {
    const made = job(12);
    const tasks = Array.from({ length: 12 }, (_, index) => ({
      customId: `task-${index}`,
      request: JSON.stringify({ messages: [], ...(index >= 9 && { model: 'sandbox/other' }) }),
    }));
    await submissions.insertJob(made, [tasks], DAY_MS);
    const { id } = made;
    const claimAll = (): Promise<Claim> =>
      claims.claim(
        ['sandbox/echo', 'sandbox/other'].map((model) => ({ jobId: id, model, count: 50 })),
        'one',
        newClaimId(),
      );
    const [finished, back, lost] = [await claim(id, 2), await claim(id, 2), await claim(id, 2)];
    const own = await claim(id, 3, 'one', 'sandbox/other');
    const notes: string[] = [];
    const note = (text: string) => (): Promise<void> => {
      notes.push(text);
      return Promise.resolve();
    };
    expect(await control.pause(id, 'operator', note('paused'))).toBe(true);
    expect(await control.pause(id, 'operator', note('paused again'))).toBe(false);
    expect((await claimAll()).hasTaken).toBe(false);
    // A lane that was claimed empty is opened again by requeued tasks, and stays closed to claims.
    await end(own, outcomesOf(own, { status: 'queued' }));
    await end(back, outcomesOf(back, { status: 'queued', delayMs: 60_000 }));
    await dataSource.query(`UPDATE batch_claim SET lease_until = 1 WHERE id = '${lost.id}'`);
    expect(await lostClaims.requeueExpired('{}')).toBe(2);
    await dataSource.query('UPDATE batch_requeue SET next_run_at = 1');
    await dataSource.query('UPDATE batch_lane SET ready_at = 1');
    await readyLanes.wakeDelayed();
    expect((await claimAll()).hasTaken).toBe(false);
    expect([await readyLanes.hasAny(), await count('batch_lane', `state = 'paused'`)]).toEqual([false, 2]);
    expect(await store.interrupted([id])).toEqual({ cancelled: [], paused: [id] });
    // What was in flight is stored as usual.
    expect(await end(finished, outcomesOf(finished))).toBe(2);
    expect(await control.resume(id, 'operator', note('resumed'))).toBe(true);
    expect(await control.resume(id, 'operator', note('resumed again'))).toBe(false);
    const rest = await claimAll();
    const indexes = [...finished.tasks, ...rest.tasks].map(({ taskIndex }) => taskIndex).sort((a, b) => a - b);
    expect(indexes).toEqual(Array.from({ length: 12 }, (_, index) => index));
    expect(await end(rest, outcomesOf(rest))).toBe(10);
    expect(await row('batch_job', id)).toMatchObject({ status: 'completed', completed_count: 12, paused_at: null });
    expect(await control.pause(id, 'operator', note('paused after the end'))).toBe(false);
    expect(notes).toEqual(['paused', 'resumed']);
  });

  it('a paused job expires, is cancelled and is recovered as any other', async () => {
    const nothing = (): Promise<void> => Promise.resolve();
    const [expiring, cancelled, laneless] = [await insert(30), await insert(30), await insert(30)];
    for (const id of [expiring, cancelled, laneless]) expect(await control.pause(id, 'operator', nothing)).toBe(true);
    await dataSource.query(`UPDATE batch_job SET expires_at = 1 WHERE id = '${expiring}'`);
    expect(await store.jobsToEnd()).toEqual([{ id: expiring, ending: 'expired' }]);
    await store.endTasks(expiring, 'expired', { running: 'end', error: '{}' });
    expect(await row('batch_job', expiring)).toMatchObject({ status: 'expired', expired_count: 30 });
    expect(await control.beginCancel(cancelled)).toBe(true);
    await store.endTasks(cancelled, 'cancelled', { running: 'leave', error: null });
    expect(await row('batch_job', cancelled)).toMatchObject({ status: 'cancelled', cancelled_count: 30 });
    await dataSource.query(`DELETE FROM batch_lane WHERE job_id = '${laneless}'`);
    expect(await store.recoverStalled()).toBe(1);
    expect((await claim(laneless, 30)).hasTaken).toBe(false);
    expect(await control.resume(laneless, 'operator', nothing)).toBe(true);
    expect((await claim(laneless, 30)).tasks).toHaveLength(30);
  });

  it('a new priority holds for the lanes that there are and for those that are opened later', async () => {
    const [old, young] = [await insert(3, { submittedAt: Date.now() - 5_000 }), await insert(3)];
    const group = laneGroup('key_1', 'sandbox/echo');
    const first = async (): Promise<string | undefined> => (await readyLanes.ready([group], 1))[0]?.jobId;
    expect(await first()).toBe(old);
    expect(await control.prioritise(young, 'high', () => Promise.resolve())).toBe(true);
    expect(await control.prioritise(young, 'high', () => Promise.resolve())).toBe(false);
    expect(await first()).toBe(young);
    const taken = await claim(young, 3);
    expect(await control.prioritise(young, 'low', () => Promise.resolve())).toBe(true);
    await end(taken, outcomesOf(taken, { status: 'queued' }));
    expect(await first()).toBe(old);
  });

  it('stops a task that ends its workers again and again, and not those claimed with it before that', async () => {
    const id = await insert(2);
    await dataSource.query(`UPDATE batch_task SET fence = ${MAX_LOST_CLAIMS - 1} WHERE task_index = 1`);
    await claim(id, 2);
    await dataSource.query('UPDATE batch_claim SET lease_until = 1');
    expect(await lostClaims.requeueExpired('{"code":"worker_lost"}')).toBe(2);
    expect(await row('batch_job', id)).toMatchObject({ status: 'in_progress', failed_count: 1 });
    expect((await claim(id, 2)).tasks.map(({ taskIndex }) => taskIndex)).toEqual([0]);
  });

  it('takes up jobs of version 0.1, with what ran there once its lease is over', async () => {
    const id = await insert(5);
    await dataSource.query('DELETE FROM batch_lane');
    await dataSource.query(`UPDATE batch_task SET status = 'succeeded' WHERE task_index = 0`);
    await dataSource.query(`UPDATE batch_task SET status = 'running', lease_until = 1 WHERE task_index = 1`);
    await dataSource.query(
      `UPDATE batch_task SET status = 'running', lease_until = ${Date.now() + DAY_MS} WHERE task_index = 2`,
    );
    await dataSource.query(`UPDATE batch_job SET status = 'in_progress', completed_count = 1 WHERE id = '${id}'`);
    expect(await store.recoverStalled()).toBe(1);
    expect(await store.recoverStalled()).toBe(0);
    const taken = await claim(id, 10);
    expect(taken.tasks.map(({ taskIndex }) => taskIndex)).toEqual([1, 3, 4]);
    // What is in a claim is not taken for stalled.
    expect(await store.recoverStalled()).toBe(0);
    expect(await end(taken, outcomesOf(taken))).toBe(3);
    await dataSource.query('UPDATE batch_task SET lease_until = 1');
    expect(await store.recoverStalled()).toBe(1);
    expect((await claim(id, 10)).tasks.map(({ taskIndex }) => taskIndex)).toEqual([2]);
  });

  it('offers groups in turn, and of a group the urgent and then the oldest', async () => {
    const now = Date.now();
    const old = await insert(1, { submittedAt: now - 2_000 });
    const urgent = await insert(1, { priority: 'high' });
    const young = await insert(1, { submittedAt: now - 1_000 });
    await insert(1, { keyId: 'key_2' });
    await insert(1, { keyId: 'key_3', expiresAt: now - 1 });
    const names = ['key_1', 'key_2', 'key_3'].map((key) => laneGroup(key, 'sandbox/echo'));
    expect(await readyLanes.groups('', 10)).toEqual(names);
    expect(await readyLanes.groups(names[0]!, 1)).toEqual([names[1]]);
    const ready = await readyLanes.ready(names, 2);
    expect(ready.filter(({ keyId }) => keyId === 'key_1').map(({ jobId }) => jobId)).toEqual([urgent, old]);
    expect(ready.map(({ jobId }) => jobId)).not.toContain(young);
    expect(ready.filter(({ keyId }) => keyId === 'key_3')).toEqual([]);
  });

  it('deletes jobs past their retention, and what a submission that never ended left', async () => {
    const kept = await insert(3);
    const old = await insert(3);
    for (const id of [kept, old]) {
      const taken = await claim(id, 3);
      await end(taken, outcomesOf(taken));
    }
    await dataSource.query(`UPDATE batch_job SET completed_at = completed_at - ${DAY_MS} WHERE id = '${old}'`);
    const abandoned = await insert(3);
    await dataSource.query(`UPDATE batch_job SET status = 'staging', submitted_at = 1 WHERE id = '${abandoned}'`);
    expect(await store.deleteFinished(DAY_MS / 2)).toBe(1);
    await store.deleteAbandoned();
    const jobs = await dataSource.query<{ id: string }[]>('SELECT id FROM batch_job');
    const tasks = await dataSource.query<{ job_id: string }[]>('SELECT DISTINCT job_id FROM batch_task');
    expect(jobs).toEqual([{ id: kept }]);
    expect(tasks).toEqual([{ job_id: kept }]);
    expect(await count('batch_lane')).toBe(0);
  });

  it('gives an idempotency key back after its window', async () => {
    const first = await insert(1, { idempotencyKey: 'order-1' });
    const tasks = [{ customId: 'task-0', request: '{}' }];
    const again = await submissions.insertJob(job(1, { idempotencyKey: 'order-1' }), [tasks], DAY_MS);
    expect(again?.id).toBe(first);
    const other = await submissions.insertJob(job(1, { idempotencyKey: 'order-1', keyId: 'key_2' }), [tasks], DAY_MS);
    expect(other).toBeUndefined();
    await dataSource.query(`UPDATE batch_job SET submitted_at = submitted_at - ${DAY_MS} WHERE id = '${first}'`);
    expect(await submissions.insertJob(job(1, { idempotencyKey: 'order-1' }), [tasks], DAY_MS)).toBeUndefined();
  });

  it('reports how much waits and for how long nothing of it was claimed', async () => {
    const id = await insert(10);
    await dataSource.query(`UPDATE batch_lane SET served_at = served_at - 60000`);
    const fresh = (): QueueDepth => new QueueDepth(new Database(dataSource), dataSource);
    expect((await fresh().read()).oldestWaiting).toBeGreaterThanOrEqual(60_000);
    await claim(id, 4);
    const { queued, running, oldestWaiting } = await fresh().read();
    expect([queued, running]).toEqual([6, 4]);
    expect(oldestWaiting).toBeLessThan(60_000);
  });
});
