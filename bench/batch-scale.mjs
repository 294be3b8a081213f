/**
 * `npm run bench:batch`: what batches cost with a large backlog. Options by environment: TASKS (200000), JOBS (20), PROCESSES (4),
 * DATABASE_URL (else PostgreSQL is started for it; `sqlite` for an SQLite file). Rows are put into the tables by SQL, as
 * submissions would leave them, since submitting a million tasks takes longer than running them.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import SqliteDatabase from 'better-sqlite3';
import pg from 'pg';
import { startPostgres } from '../test/fixtures/postgres-server.mjs';

const TASKS = Number(process.env.TASKS ?? 200_000);
const JOBS = Number(process.env.JOBS ?? 20);
const PROCESSES = Number(process.env.PROCESSES ?? 4);
const KEYS = 50;
const SMALL_JOBS = Number(process.env.SMALL_JOBS ?? 3_000);
const THROTTLED_JOBS = 250;
const isSqlite = process.env.DATABASE_URL === 'sqlite';
const ROOT = new URL('..', import.meta.url).pathname;
const ADMIN_KEY = 'Zk3v9-bench-8Qm-Zk3v9-bench-4Wd';

const folder = mkdtempSync(join(tmpdir(), 'gateway-batch-bench-'));
const server = isSqlite || process.env.DATABASE_URL !== undefined ? undefined : await startPostgres();
const url = isSqlite ? `sqlite:${join(folder, 'bench.sqlite')}` : (process.env.DATABASE_URL ?? server.url);
writeFileSync(
  join(folder, 'gateway.yaml'),
  'sandbox: true\nmodels:\n  - { id: throttled, deployments: [{ provider: sandbox, model: lorem }], limits: { rpm: 1 } }\n',
);
const children = new Set();

async function start(role, processes) {
  const child = spawn(process.execPath, ['--max-semi-space-size=4', join(ROOT, 'dist/main.js')], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      PORT: '0',
      LOG_FORMAT: 'json',
      GATEWAY_DATA_DIR: folder,
      DATABASE_URL: url,
      GATEWAY_ADMIN_KEY: ADMIN_KEY,
      GATEWAY_ROLE: role,
      ...(processes > 1 && { GATEWAY_PROCESSES: String(processes) }),
    },
  });
  children.add(child);
  const listening = await new Promise((resolve, reject) => {
    let text = '';
    child.once('exit', (code) => reject(new Error(`the gateway ended with ${code}: ${text}`)));
    child.stdout.on('data', (data) => {
      text = `${text}${data}`.slice(-10_000);
      const line = text.split('\n').find((each) => each.includes('"msg":"listening"') && each.endsWith('}'));
      if (line !== undefined) resolve(JSON.parse(line).url);
    });
  });
  return { child, url: listening };
}
async function stop({ child }) {
  children.delete(child);
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}

let client;
const sqlite = () => new SqliteDatabase(join(folder, 'bench.sqlite'), { timeout: 5_000 });
async function query(text) {
  if (!isSqlite) return (await client.query(text)).rows;
  const database = sqlite();
  try {
    const statement = database.prepare(text);
    return statement.reader ? statement.all() : (statement.run(), []);
  } finally {
    database.close();
  }
}
const series = (count) =>
  isSqlite
    ? `(WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${count - 1}) SELECT i FROM n) AS n`
    : `generate_series(0, ${count - 1}) AS n(i)`;

/** Jobs, tasks and lanes as submissions leave them. */
async function seed({ prefix, jobs, tasks, model, keys }) {
  const now = Date.now();
  const list = keys.map((_key, index) => `WHEN ${index} THEN '${keys[index]}'`).join(' ');
  await query(
    `INSERT INTO batch_job (id, key_id, model, defaults, priority, status, task_count, submitted_at, expires_at)
     SELECT '${prefix}' || i, CASE i % ${keys.length} ${list} END, '${model}', '{}', 'normal', 'queued', ${tasks}, ${now} + i,
       ${now + 86_400_000} FROM ${series(jobs)}`,
  );
  await query(
    `INSERT INTO batch_task (job_id, task_index, custom_id, request)
     SELECT j.id, n.i, 'task-' || n.i, '{"messages":[{"role":"user","content":"task ' || n.i || '"}]}'
     FROM batch_job j CROSS JOIN ${series(tasks)} WHERE j.id LIKE '${prefix}%'`,
  );
  await query(
    `INSERT INTO batch_lane (job_id, model, lane_group, priority, submitted_at, expires_at, next_index, end_index, state, served_at)
     SELECT id, model, key_id || ' ' || model, 1, submitted_at, expires_at, 0, task_count, 'ready', ${now}
     FROM batch_job WHERE id LIKE '${prefix}%'`,
  );
}
const done = async (prefix) =>
  Number(
    (await query(`SELECT SUM(completed_count + failed_count) AS n FROM batch_job WHERE id LIKE '${prefix}%'`))[0].n,
  );
const rssOf = () =>
  [...children]
    .flatMap(({ pid }) => [pid, ...childrenOf(pid)])
    .map((pid) => {
      try {
        return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
      } catch {
        return 0;
      }
    });
function childrenOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

try {
  // An API process migrates and makes the keys.
  const api = await start('api', 1);
  if (!isSqlite) {
    client = new pg.Client({ connectionString: url });
    await client.connect();
  }
  const keys = [];
  for (let index = 0; index < KEYS; index += 1) {
    const response = await fetch(`${api.url}/v1/admin/keys`, {
      method: 'POST',
      headers: { 'x-api-key': ADMIN_KEY, 'content-type': 'application/json' },
      body: JSON.stringify({ name: `bench ${index}` }),
    });
    keys.push((await response.json()).id);
  }

  await seed({
    prefix: 'large_',
    jobs: JOBS,
    tasks: Math.floor(TASKS / JOBS),
    model: 'sandbox/echo',
    keys: keys.slice(0, 4),
  });
  const total = JOBS * Math.floor(TASKS / JOBS);
  const started = performance.now();
  const workers = [await start('worker', PROCESSES)];
  const points = [];
  const peak = [];
  for (let count = 0; count < total;) {
    await sleep(1_000);
    count = await done('large_');
    points.push({ at: (performance.now() - started) / 1_000, count });
    peak.push(Math.max(...rssOf()));
  }
  const running = points.filter(({ count }) => count > 0);
  const rateBetween = (from, to) => {
    const inside = running.filter(({ count }) => count >= total * from && count <= total * to);
    const [first, last] = [inside[0], inside.at(-1)];
    return first === undefined || last === first ? NaN : (last.count - first.count) / (last.at - first.at);
  };
  console.log(
    `${total} tasks in ${JOBS} jobs, ${PROCESSES} worker processes on ${isSqlite ? 'SQLite' : 'PostgreSQL'}:`,
  );
  console.log(
    `tasks/s: first fifth ${rateBetween(0, 0.2).toFixed(0)}, middle ${rateBetween(0.4, 0.6).toFixed(0)}, last fifth ${rateBetween(0.8, 1).toFixed(0)}; in all ${rateBetween(0, 1).toFixed(0)}`,
  );
  console.log(
    `RSS of a process at most: ${Math.max(...peak).toFixed(0)} MB; at a quarter ${peak[Math.floor(peak.length / 4)]?.toFixed(0)} MB`,
  );
  if (!isSqlite) {
    const [stats] = await query(
      `SELECT n_tup_upd AS updated, n_tup_hot_upd AS hot, seq_scan FROM pg_stat_user_tables WHERE relname = 'batch_task'`,
    );
    console.log(`row versions of batch_task: ${stats.updated} updates, ${stats.hot} in place`);
  }
  for (const name of ['gateway_database_query_duration_seconds_sum', 'gateway_database_query_duration_seconds_count']) {
    const text = await (await fetch(`${workers[0].url}/metrics`, { headers: { 'x-api-key': ADMIN_KEY } })).text();
    console.log(text.split('\n').find((line) => line.startsWith(name)));
  }

  await seed({ prefix: 'small_', jobs: SMALL_JOBS, tasks: 5, model: 'sandbox/echo', keys });
  const smallStarted = performance.now();
  const firstDone = new Map();
  for (let count = 0; count < SMALL_JOBS * 5;) {
    await sleep(20);
    const rows = await query(
      `SELECT key_id, SUM(completed_count) AS n FROM batch_job WHERE id LIKE 'small_%' GROUP BY key_id`,
    );
    count = 0;
    for (const { key_id: key, n } of rows) {
      count += Number(n);
      if (Number(n) > 0 && !firstDone.has(key)) firstDone.set(key, performance.now() - smallStarted);
    }
  }
  const times = [...firstDone.values()].sort((a, b) => a - b);
  console.log(
    `${SMALL_JOBS} jobs of 5 tasks from ${KEYS} keys: first result of a key after ${times[0].toFixed(0)} to ${times.at(-1).toFixed(0)} ms, all done after ${((performance.now() - smallStarted) / 1_000).toFixed(1)} s`,
  );

  await seed({ prefix: 'throttled_', jobs: THROTTLED_JOBS, tasks: 20, model: 'throttled', keys: keys.slice(0, 10) });
  await sleep(3_000);
  const healthyStarted = performance.now();
  await seed({ prefix: 'healthy_', jobs: 1, tasks: 1, model: 'sandbox/echo', keys: keys.slice(20, 21) });
  while ((await done('healthy_')) < 1) await sleep(10);
  console.log(
    `${THROTTLED_JOBS} jobs on a throttled model: a task of a healthy one was done after ${(performance.now() - healthyStarted).toFixed(0)} ms`,
  );
  for (const worker of [...workers, api]) await stop(worker);
} finally {
  for (const child of children) child.kill('SIGKILL');
  await client?.end();
  await server?.stop();
  rmSync(folder, { recursive: true, force: true });
}
