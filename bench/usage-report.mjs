/**
 * `npm run bench:usage`: how long reports over many usage records take, and how long they hold up the event loop, on the built
 * classes with SQLite and with a PostgreSQL server that this starts for itself. Numbers are in docs/usage.md.
 *
 * BENCH_ROWS (1,000,000), BENCH_KEYS (200), BENCH_DATABASE (sqlite, postgres; both when it is not set), BENCH_RUNS (3),
 * BENCH_ONLY (a part of the names of the reports to measure; all when it is not set).
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from '../test/fixtures/postgres-server.mjs';

/** Of the build, which has no types of its own. */
const built = (path) => import(new URL(`../dist/${path}`, import.meta.url).href);
const { Database } = await built('src/database/database.js');
const { openDatabase } = await built('src/database/open-database.js');
const { SCHEMA } = await built('src/schema.js');
const { UsageRecord } = await built('src/usage/records/usage-record.entity.js');
const { UsageReport } = await built('src/usage/report/usage-report.service.js');

const ROWS = Number(process.env.BENCH_ROWS ?? 1_000_000);
const KEYS = Number(process.env.BENCH_KEYS ?? 200);
const ONLY = process.env.BENCH_ONLY ?? '';
const RUNS = Number(process.env.BENCH_RUNS ?? 3);
const DAY_MS = 86_400_000;
const SPANS = [1, 7, 90];
const end = Math.ceil(Date.now() / DAY_MS) * DAY_MS;
const start = end - 90 * DAY_MS;

/** One row for each request, in the order of time, of all keys (some much busier than others), 12 models, 5,000 users. */
async function fill(dataSource, isSqlite) {
  const upTo = (count) => (isSqlite ? `(abs(random()) % ${count})` : `floor(random() * ${count})::int`);
  const uneven = (count) => `(${upTo(count)} * ${upTo(count)} / ${count})`;
  const id = isSqlite ? 'lower(hex(randomblob(12)))' : 'substr(md5(random()::text), 1, 24)';
  const numbers = isSqlite
    ? `(WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${ROWS - 1}) SELECT n FROM numbers)`
    : `generate_series(0, ${ROWS - 1}) AS numbers(n)`;
  const runner = dataSource.createQueryRunner();
  if (!isSqlite) await runner.query('SET statement_timeout = 0');
  await runner.query(
    `INSERT INTO usage_record (id, created_at, request_id, key_id, group_id, source, requested_model, model, provider, upstream_model,
       is_stream, status, http_status, error_code, attempts, prompt_tokens, completion_tokens, total_tokens, cached_tokens,
       reasoning_tokens, is_estimated, cost_nanos, first_byte_ms, duration_ms, end_user, metadata)
     SELECT 'use_' || ${id}, created_at, 'req_' || ${id}, 'key_00000000000000' || key, 'group_' || (key % 8), 'live', 'model-' || model,
       'model-' || model, 'provider-' || (model % 5), 'vendor/model-' || model, ${isSqlite ? 'n % 2' : 'n % 2 = 1'},
       CASE WHEN n % 50 = 0 THEN 'failed' ELSE 'succeeded' END, 200, NULL, 1, prompt, completion, prompt + completion, 0, 0,
       n % 40 = 0, CASE WHEN model = 11 THEN NULL ELSE prompt * 3000 + completion * 15000 END, 300, 2000,
       'user-' || person, '{"ticket":"T-' || n || '"}'
     FROM (SELECT n, ${start} + n * ${90 * DAY_MS} / ${ROWS} AS created_at, ${uneven(KEYS)} AS key, ${uneven(12)} AS model,
       ${upTo(3000)} AS prompt, ${upTo(1000)} AS completion, ${uneven(5000)} AS person FROM ${numbers}) AS made`.replaceAll(
      `n * ${90 * DAY_MS}`,
      isSqlite ? `n * ${90 * DAY_MS}` : `n::bigint * ${90 * DAY_MS}`,
    ),
  );
  // PostgreSQL does so by itself; SQLite has no statistics in the product either.
  if (!isSqlite) {
    await runner.query('VACUUM ANALYZE');
    await runner.query('RESET statement_timeout');
  }
  await runner.release();
}

/** Median time, and the longest that nothing else could run, in milliseconds. */
async function measure(work) {
  const times = [];
  let longest = 0;
  for (let run = 0; run < RUNS; run += 1) {
    let last = performance.now();
    let isOver = false;
    const look = () => {
      const now = performance.now();
      longest = Math.max(longest, now - last);
      last = now;
      if (!isOver) setImmediate(look);
    };
    setImmediate(look);
    const began = performance.now();
    await work();
    times.push(performance.now() - began);
    isOver = true;
    await new Promise(setImmediate);
  }
  times.sort((a, b) => a - b);
  return { median: times[Math.floor(times.length / 2)], longest };
}

/** Measures a report over each of the spans, and prints it. @param work of a number of days */
async function row(name, work) {
  if (!name.includes(ONLY)) return;
  const figures = [];
  for (const days of SPANS) figures.push(await measure(() => work(days)));
  print(name, figures);
}

function print(name, figures) {
  const cells = figures.map(({ median, longest }) => `${median.toFixed(0)} (${longest.toFixed(0)})`.padStart(14));
  console.log(`${name.padEnd(34)}${cells.join('')}`);
}

async function run(kind, config) {
  const dataSource = await openDatabase(config, SCHEMA);
  const isSqlite = kind === 'sqlite';
  const began = performance.now();
  await fill(dataSource, isSqlite);
  // There are no keys and groups that have names.
  const names = { of: () => Promise.resolve(new Map()) };
  const report = new UsageReport(dataSource.getRepository(UsageRecord), names, new Database(dataSource));
  console.log(`\n${kind}: ${ROWS} records of 90 days, made in ${((performance.now() - began) / 1000).toFixed(0)} s`);
  console.log('median ms (longest wait of the event loop), by the days that are asked for');
  console.log(`${''.padEnd(34)}${SPANS.map((days) => `${days} d`.padStart(14)).join('')}`);
  const spanOf = (days) => ({ start: (end - days * DAY_MS) / 1000, end: end / 1000 });
  for (const interval of ['day', 'hour', 'none']) {
    for (const group of ['none', 'key', 'group', 'model', 'provider', 'user']) {
      await row(`sums by ${interval} and ${group}`, (days) =>
        report.sums({ interval, group_by: group, limit: 100, ...spanOf(days) }),
      );
    }
  }
  await row('sums by none and key, 1,000 rows', (days) =>
    report.sums({ interval: 'none', group_by: 'key', limit: 1_000, ...spanOf(days) }),
  );
  await row('sums by none and key, all rows', async (days) => {
    for (let after; after !== null;) {
      ({ next: after } = await report.sums({
        interval: 'none',
        group_by: 'key',
        limit: 1_000,
        after,
        ...spanOf(days),
      }));
    }
  });
  const filters = {
    'sums by day of a busy key': { interval: 'day', key_id: 'key_000000000000000', limit: 100 },
    'sums by day of a quiet key': { interval: 'day', key_id: 'key_00000000000000190', limit: 100 },
  };
  for (const [name, query] of Object.entries(filters)) {
    await row(name, (days) => report.sums({ ...query, ...spanOf(days) }));
  }
  const lists = {
    'records, first page of 100': {},
    'records of a quiet key': { key_id: 'key_00000000000000190' },
    'records of a model': { model: 'model-3' },
    'records of a quiet user': { user: 'user-4990' },
    'records of an unknown user': { user: 'unknown' },
  };
  for (const [name, query] of Object.entries(lists)) {
    await row(name, (days) => report.list({ limit: 100, ...query, ...spanOf(days) }));
  }
  const middles = new Map();
  for (const days of SPANS) {
    const [{ id }] = await dataSource.query(
      `SELECT id FROM usage_record WHERE created_at <= ${end - (days * DAY_MS) / 2} ORDER BY created_at DESC LIMIT 1`,
    );
    middles.set(days, id);
  }
  await row('records, a page in the middle', (days) =>
    report.list({ limit: 100, after: middles.get(days), ...spanOf(days) }),
  );
  if (!isSqlite) await explain(dataSource, report, spanOf);
  await dataSource.destroy();
}

/** How PostgreSQL goes about some of them. */
async function explain(dataSource, report, spanOf) {
  const asked = [];
  Object.assign(dataSource, { logger: { logQuery: (query, parameters) => asked.push([query, parameters]) } });
  const of = async (name, work) => {
    asked.length = 0;
    await work();
    const [query, parameters] = asked.at(-1);
    console.log(`\nEXPLAIN ANALYZE of ${name}`);
    for (const row of await dataSource.query(`EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) ${query}`, parameters)) {
      console.log(`  ${row['QUERY PLAN']}`);
    }
  };
  await of('sums by day and model, 90 days', () => report.sums({ group_by: 'model', limit: 100, ...spanOf(90) }));
  await of('sums by hour and key, 1 day', () => report.sums({ interval: 'hour', group_by: 'key', ...spanOf(1) }));
  await of('records, first page', () => report.list({ limit: 100, ...spanOf(90) }));
  await of('records of a key', () => report.list({ limit: 100, key_id: 'key_00000000000000190', ...spanOf(90) }));
  await of('records of an unknown user', () => report.list({ limit: 100, user: 'unknown', ...spanOf(90) }));
}

if (process.env.BENCH_DATABASE !== 'postgres') {
  const folder = mkdtempSync(join(tmpdir(), 'usage-report-'));
  try {
    await run('sqlite', { kind: 'sqlite', path: join(folder, 'usage.sqlite') });
  } finally {
    rmSync(folder, { recursive: true });
  }
}
if (process.env.BENCH_DATABASE !== 'sqlite') {
  const server = await startPostgres();
  try {
    await run('postgres', { kind: 'postgres', url: server.url });
  } finally {
    await server.stop();
  }
}
