/**
 * `npm run bench:console`: how long the console's pages take over large data, in Chromium, with SQLite, and how far they move while
 * they load. The build serves 1,000,000 usage records of 90 days, 5,000 keys and a batch of 50,000 tasks.
 *
 * BENCH_ROWS (1,000,000), BENCH_KEYS (5,000), BENCH_TASKS (50,000), BENCH_RUNS (5).
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { freePort, startServer } from './process.mjs';

const ROWS = Number(process.env.BENCH_ROWS ?? 1_000_000);
const KEYS = Number(process.env.BENCH_KEYS ?? 5_000);
const TASKS = Number(process.env.BENCH_TASKS ?? 50_000);
const RUNS = Number(process.env.BENCH_RUNS ?? 5);
const DAY_MS = 86_400_000;
const TIMEOUT_MS = 120_000;

/** Of the build, which has no types of its own. @param {string} path */
const built = (path) => import(new URL(`../dist/${path}`, import.meta.url).href);

/** @param {string} path of the SQLite file */
async function fill(path) {
  const { openDatabase } = await built('src/database/open-database.js');
  const { SCHEMA } = await built('src/schema.js');
  const dataSource = await openDatabase({ kind: 'sqlite', path }, SCHEMA);
  const now = Date.now();
  /** @param {number} count */
  const numbers = (count) =>
    `(WITH RECURSIVE numbers(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM numbers WHERE n < ${count - 1}) SELECT n FROM numbers)`;
  const keyOf = "'key_' || substr('0000000000000000' || ";
  await dataSource.query(
    `INSERT INTO api_key (id, name, hash, hint, scopes, created_by, created_at, budget)
     SELECT ${keyOf}n, -16), 'client ' || n, lower(hex(randomblob(32))), '...' || n, '["inference"]', 'admin', ${now} - n * 60000,
       CASE WHEN n % 3 = 0 THEN '{"usd":100,"period":"month"}' END FROM ${numbers(KEYS)}`,
  );
  await dataSource.query(
    `INSERT INTO usage_record (id, created_at, request_id, key_id, group_id, source, requested_model, model, provider, upstream_model,
       is_stream, status, http_status, error_code, attempts, prompt_tokens, completion_tokens, total_tokens, cached_tokens,
       reasoning_tokens, is_estimated, cost_nanos, first_byte_ms, duration_ms, end_user, metadata)
     SELECT 'use_' || lower(hex(randomblob(12))), created_at, 'req_' || lower(hex(randomblob(12))), ${keyOf}key, -16), NULL, 'live',
       'model-' || model, 'model-' || model, 'provider-' || (model % 5), 'vendor/model-' || model, n % 2,
       CASE WHEN n % 50 = 0 THEN 'failed' ELSE 'succeeded' END, 200, NULL, 1, prompt, completion, prompt + completion, 0, 0,
       0, prompt * 3000 + completion * 15000, 300 + n % 500, 2000 + n % 3000, 'user-' || person, NULL
     FROM (SELECT n, ${now - 90 * DAY_MS} + n * ${90 * DAY_MS} / ${ROWS} AS created_at, abs(random()) % ${KEYS} AS key,
       abs(random()) % 12 AS model, abs(random()) % 3000 AS prompt, abs(random()) % 1000 AS completion,
       abs(random()) % 5000 AS person FROM ${numbers(ROWS)})`,
  );
  await dataSource.destroy();
}

/** The first cells of a table's rows, so that a change of the rows is seen, and not that of the time since a row. */
const TABLE = `[...document.querySelectorAll('main [role=table] [role=rowgroup]:last-child [role=row]')].map((row) => row.querySelector('[role=cell]').textContent).join('|')`;

/**
 * Milliseconds until the first paint and until a page has its data, and its Cumulative Layout Shift.
 *
 * @param {import('playwright-core').Page} page
 * @param {string} url
 * @param {string} shown an expression that is true once the data is there
 */
async function open(page, url, shown) {
  await page.goto('about:blank');
  await page.goto(url, { waitUntil: 'commit' });
  await page.waitForFunction(shown, undefined, { polling: 10, timeout: TIMEOUT_MS });
  const times = await page.evaluate(
    /** @returns {{ paint: number, data: number }} */
    () => ({
      paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? Number.NaN,
      data: performance.now(),
    }),
  );
  await page.waitForLoadState('networkidle');
  return { ...times, shift: Number(await page.evaluate('layoutShift')) };
}

/** Runs in each page before its scripts. */
const WATCH_SHIFTS = `
  window.layoutShift = 0;
  new PerformanceObserver((list) => {
    for (const { value } of list.getEntries()) window.layoutShift += value;
  }).observe({ type: 'layout-shift', buffered: true });`;

/**
 * Milliseconds from an action until a table has other rows.
 *
 * @param {import('playwright-core').Page} page
 * @param {() => Promise<unknown>} act
 */
async function change(page, act) {
  const before = JSON.stringify(await page.evaluate(TABLE));
  const began = performance.now();
  await act();
  await page.waitForFunction(`${TABLE} !== ${before} && ${TABLE} !== ''`, undefined, {
    polling: 10,
    timeout: TIMEOUT_MS,
  });
  return performance.now() - began;
}

/** @param {readonly number[]} values */
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
/** @param {string} name @param {readonly number[]} values */
const print = (name, values) =>
  console.log(
    `${name.padEnd(44)}${median(values).toFixed(0).padStart(8)}${Math.max(...values)
      .toFixed(0)
      .padStart(8)}`,
  );

const folder = mkdtempSync(join(tmpdir(), 'bench-console-'));
const database = join(folder, 'gateway.sqlite');
const began = performance.now();
await fill(database);
console.log(`${ROWS} records and ${KEYS} keys made in ${((performance.now() - began) / 1000).toFixed(0)} s`);

const adminKey = randomBytes(24).toString('base64url');
const port = await freePort();
const gateway = await startServer(process.execPath, [new URL('../dist/main.js', import.meta.url).pathname], {
  cwd: folder,
  env: {
    PORT: String(port),
    GATEWAY_DATA_DIR: folder,
    DATABASE_URL: `sqlite:${database}`,
    GATEWAY_ADMIN_KEY: adminKey,
    LOG_FORMAT: 'json',
  },
  output: join(folder, 'gateway.log'),
  isReady: (output) => (output.includes('listening') ? true : undefined),
});
const origin = `http://127.0.0.1:${port}`;
const headers = { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' };
const tasks = Array.from({ length: TASKS }, (_, index) => `task ${index}`);
const submitted = await fetch(`${origin}/v1/batch/generate`, {
  method: 'POST',
  headers,
  body: JSON.stringify({ model: 'sandbox/echo', tasks }),
});
const { job_id: job } = /** @type {{ job_id: string }} */ (await submitted.json());

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
});
// What is awaited is given as text, which the policy of the page would not run.
const page = await (await browser.newContext({ bypassCSP: true, viewport: { width: 1280, height: 900 } })).newPage();
page.setDefaultTimeout(TIMEOUT_MS);
await page.addInitScript(WATCH_SHIFTS);
await page.goto(`${origin}/console/`);
await page.getByLabel('Key').fill(adminKey);
await page.getByRole('button', { name: 'Sign in' }).click();
await page.locator('nav').waitFor();

/** Pages, and what is there once their data is. */
const PAGES = /** @type {const} */ ([
  ['overview, 24 hours', '/', `document.querySelectorAll('main canvas').length > 0`],
  ['requests, 90 days', '/requests?period=90d', `${TABLE} !== ''`],
  ['usage by key, 30 days', '/usage?by=key&period=30d', `${TABLE} !== ''`],
  ['keys', '/keys', `${TABLE} !== ''`],
  ['batches, while 50,000 tasks run', '/batches', `${TABLE} !== ''`],
]);
console.log(`\n${'milliseconds'.padEnd(44)}${'median'.padStart(8)}${'most'.padStart(8)}`);
for (const [name, path, shown] of [...PAGES].reverse()) {
  const paints = [];
  const data = [];
  const shifts = [];
  for (let run = 0; run < RUNS; run += 1) {
    const times = await open(page, `${origin}/console${path}`, shown);
    paints.push(times.paint);
    data.push(times.data);
    shifts.push(times.shift);
  }
  print(`${name}: first paint`, paints);
  print(`${name}: data`, data);
  console.log(
    `${`${name}: layout shift`.padEnd(52)}${Math.max(...shifts)
      .toFixed(4)
      .padStart(8)}`,
  );
}

/** @param {string} path @param {string} name @param {(run: number) => Promise<unknown>} act */
async function filter(path, name, act) {
  const times = [];
  for (let run = 0; run < RUNS; run += 1) {
    await open(page, `${origin}/console${path}`, `${TABLE} !== ''`);
    times.push(await change(page, () => act(run)));
  }
  print(name, times);
}
await filter('/keys', 'keys: filter by name', (run) => page.getByLabel('Filter by name').fill(`client 43${run}`));
await filter('/requests?period=90d', 'requests: failed ones of 90 days', () =>
  page.getByLabel('Status').selectOption('failed'),
);
await filter('/requests?period=90d', 'requests: of one user, 90 days', async (run) => {
  await page.getByLabel('End user').fill(`user-${2_000 + run}`);
  await page.getByLabel('End user').press('Enter');
});
await filter('/usage?by=key&period=30d', 'usage: by model in place of key, 30 days', () =>
  page.getByLabel('Group by').selectOption('model'),
);

let isDone = false;
while (!isDone) {
  const read = await fetch(`${origin}/v1/admin/batches/${job}`, { headers });
  isDone = /** @type {{ completed_at: number | null }} */ (await read.json()).completed_at !== null;
  if (!isDone) await new Promise((resolve) => setTimeout(resolve, 500));
}
const details = [];
for (let run = 0; run < RUNS; run += 1) {
  await open(page, `${origin}/console/batches`, `${TABLE} !== ''`);
  const clicked = performance.now();
  await page.getByRole('button', { name: `Open batch ${job}` }).click();
  await page.getByRole('button', { name: 'Download the results' }).waitFor();
  details.push(performance.now() - clicked);
}
print('batches: details of 50,000 tasks', details);
await browser.close();
await gateway.stop();
rmSync(folder, { recursive: true, force: true });
