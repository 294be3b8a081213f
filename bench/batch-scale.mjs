/**
 * `npm run bench:batch`: what batches cost with a large backlog, on PostgreSQL with Redis, or on SQLite. Options by environment:
 * TASKS (200000), JOBS (20), PROCESSES (4), SMALL_JOBS (3000), DATABASE_URL (else PostgreSQL is started for it; `sqlite` for an
 * SQLite file), PROFILE (a folder for processor profiles), ONLY (parts by name, with commas: backlog, large, small, throttled).
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measureBacklog } from './batch/measure-backlog.mjs';
import { measureLarge } from './batch/measure-large.mjs';
import { measureSmall, measureThrottled } from './batch/measure-fairness.mjs';
import { seed } from './batch/seed.mjs';
import { ADMIN_KEY, loadAverage, openDatabase, startGateway, startRedis } from './batch/servers.mjs';

const JOBS = Number(process.env.JOBS ?? 20);
const TASKS_PER_JOB = Math.floor(Number(process.env.TASKS ?? 200_000) / JOBS);
const PROCESSES = Number(process.env.PROCESSES ?? 4);
const SMALL_JOBS = Number(process.env.SMALL_JOBS ?? 3_000);
const KEYS = 50;
const only = process.env.ONLY?.split(',');
const isWanted = (part) => only === undefined || only.includes(part);
const isSqlite = process.env.DATABASE_URL === 'sqlite';

const folder = mkdtempSync(join(tmpdir(), 'gateway-batch-bench-'));
writeFileSync(
  join(folder, 'gateway.yaml'),
  'sandbox: true\nmodels:\n  - { id: throttled, deployments: [{ provider: sandbox, model: lorem }], limits: { rpm: 1 } }\n',
);
const servers = [];
let database;
try {
  database = await openDatabase({
    kind: isSqlite ? 'sqlite' : 'postgres',
    folder,
    url: isSqlite ? undefined : process.env.DATABASE_URL,
  });
  const redis = isSqlite ? undefined : await startRedis(folder);
  if (redis !== undefined) servers.push(redis);
  const options = { folder, database, redisUrl: redis?.url, profile: process.env.PROFILE };
  // An API process migrates and makes the keys.
  const api = await startGateway({ ...options, role: 'api', processes: 1 });
  servers.push(api);
  const created = [];
  for (let index = 0; index < KEYS; index += 1) {
    const response = await fetch(`${api.url}/v1/admin/keys`, {
      method: 'POST',
      headers: { 'x-api-key': ADMIN_KEY, 'content-type': 'application/json' },
      body: JSON.stringify({ name: `bench ${index}` }),
    });
    created.push(/** @type {{ id: string, key: string }} */ (await response.json()));
  }
  const keys = created.map(({ id }) => id);

  console.log(
    `${isSqlite ? 'SQLite' : 'PostgreSQL and Redis'}, Node ${process.version}, load average ${loadAverage()}`,
  );
  await seed(database, {
    prefix: 'large_',
    jobs: isWanted('large') || isWanted('backlog') ? JOBS : 0,
    tasks: TASKS_PER_JOB,
    model: 'sandbox/echo',
    keys: keys.slice(0, 4),
  });
  if (isWanted('backlog')) await measureBacklog({ api, key: created[0].key, waiting: JOBS * TASKS_PER_JOB });
  const statements = isSqlite ? join(folder, 'statements') : undefined;
  const worker = await startGateway({ ...options, role: 'worker', processes: PROCESSES, statements });
  servers.push(worker);
  if (isWanted('large')) {
    await measureLarge({ worker, api, database, redis, total: JOBS * TASKS_PER_JOB, jobs: JOBS, processes: PROCESSES });
  }
  if (isWanted('small')) await measureSmall({ database, keys, jobs: SMALL_JOBS });
  if (isWanted('throttled')) await measureThrottled({ database, keys });
  await worker.stop();
  if (isSqlite) {
    const { statementsOf, tableOf } = await import('./batch/statements.mjs');
    console.log(tableOf(await statementsOf(database, statements), JOBS * TASKS_PER_JOB));
  }
} finally {
  for (const server of servers.reverse()) await server.stop();
  await database?.close();
  rmSync(folder, { recursive: true, force: true });
}
