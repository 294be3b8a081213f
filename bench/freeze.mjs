/** `npm run bench:freeze`: PostgreSQL, then Redis, frozen by SIGSTOP under a steady load; see docs/recovery.md. Linux only. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import { request } from 'undici';
import { startGatewayProcess } from '../scripts/gateway-process.mjs';
import { startPostgres } from '../test/fixtures/postgres-server.mjs';
import { percentile } from './load.mjs';
import { family, freePort } from './process.mjs';

const ADMIN_KEY = 'Zk3v9-freeze-8Qm-Zk3v9-freeze-4Wd';
const KEYS = 10;
/** Requests by keys that the gateway does not know yet, and requests of administrators: each so often. */
const OTHERS_EVERY_MS = 1_000;
const TIMEOUT_MS = 60_000;
const MODEL = 'sandbox/echo';
const KINDS = ['chat', 'new key', 'admin'];
const PHASES = ['before', 'frozen', 'after'];

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '30' },
    before: { type: 'string', default: '10' },
    after: { type: 'string', default: '15' },
  },
});
const [rate, seconds, before, after] = [values.rate, values.seconds, values.before, values.after].map(Number);

/** @typedef {{ phase: string, kind: string, at: number, took: number, status: number }} Sample */

/** @param {string} path */
async function startRedis(path) {
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', path];
  const child = spawn('redis-server', args, { stdio: 'ignore' });
  const url = `redis://127.0.0.1:${port}`;
  const client = new Redis(url);
  client.on('error', () => undefined);
  await client.ping();
  client.disconnect();
  return { url, pid: child.pid ?? 0, stop: () => child.kill('SIGKILL') };
}

/**
 * @param {number} pid
 * @returns {number[]} the processes of a server; the one that spawned it may be `runuser`
 */
function processesOf(pid) {
  const found = [pid];
  for (const parent of found) found.push(...family(parent).slice(1));
  return found;
}

/** @param {number} pid @param {'SIGSTOP' | 'SIGCONT'} name */
function signal(pid, name) {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended since the list was read.
  }
}

/**
 * @param {string} url
 * @param {{ method?: 'GET' | 'POST', key: string, body?: object }} options
 */
async function call(url, { method = 'POST', key, body }) {
  const started = performance.now();
  let status = 0;
  try {
    const response = await request(url, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      body: body === undefined ? null : JSON.stringify(body),
      headersTimeout: TIMEOUT_MS,
    });
    status = response.statusCode;
    await response.body.dump();
  } catch {
    status = 0;
  }
  return { status, took: performance.now() - started };
}

const CHAT = { model: MODEL, messages: [{ role: 'user', content: 'one two three' }], max_tokens: 20 };

/** The load of one run. Every sample says in which phase its request was sent. */
class Load {
  /** @type {Sample[]} */
  samples = [];
  phase = 'before';
  isOver = false;
  started = performance.now();

  /** @param {{ url: string, cached: string[], unknown: () => string | undefined }} gateway */
  constructor(gateway) {
    this.gateway = gateway;
  }

  /** @param {string} kind @param {() => Promise<{ status: number, took: number }>} send */
  async sample(kind, send) {
    const { phase } = this;
    const at = performance.now();
    const { status, took } = await send();
    this.samples.push({ phase, kind, at, took, status });
  }

  async chat() {
    const { url, cached } = this.gateway;
    const all = [];
    for (let sent = 0; !this.isOver; sent += 1) {
      const early = this.started + (sent * 1_000) / rate - performance.now();
      if (early > 1) await delay(early);
      const key = cached[sent % cached.length] ?? '';
      all.push(this.sample('chat', () => call(`${url}/v1/chat/completions`, { key, body: CHAT })));
    }
    await Promise.all(all);
  }

  async others() {
    const { url, unknown } = this.gateway;
    const all = [];
    while (!this.isOver) {
      const key = unknown();
      if (key !== undefined) {
        all.push(this.sample('new key', () => call(`${url}/v1/chat/completions`, { key, body: CHAT })));
      }
      all.push(this.sample('admin', () => call(`${url}/v1/admin/keys`, { method: 'GET', key: ADMIN_KEY })));
      await delay(OTHERS_EVERY_MS);
    }
    await Promise.all(all);
  }
}

/**
 * Freezes a server for a while under load.
 *
 * @param {string} name
 * @param {() => number[]} processes of it, which come and go
 * @param {ConstructorParameters<typeof Load>[0]} gateway
 */
async function freeze(name, processes, gateway) {
  const load = new Load(gateway);
  const running = [load.chat(), load.others()];
  await delay(before * 1_000);
  load.phase = 'frozen';
  const pids = processes();
  for (const pid of pids) signal(pid, 'SIGSTOP');
  try {
    await delay(seconds * 1_000);
  } finally {
    // Children first: a parent that finds them stopped stops itself again.
    for (const pid of [...pids].reverse()) signal(pid, 'SIGCONT');
  }
  load.phase = 'after';
  const continuedAt = performance.now();
  await delay(after * 1_000);
  load.isOver = true;
  await Promise.all(running);
  print(name, load.samples, continuedAt);
}

/** @param {string} name @param {Sample[]} samples @param {number} continuedAt */
function print(name, samples, continuedAt) {
  console.log(`\n${name} frozen for ${seconds} s at ${rate} requests/s`);
  console.log('requests          number   failed   p50 (ms)   p99 (ms)   max (ms)   statuses');
  for (const kind of KINDS) {
    for (const phase of PHASES) {
      const sent = samples.filter((each) => each.kind === kind && each.phase === phase);
      const took = sent.map((each) => each.took);
      /** @type {Record<number, number>} */
      const statuses = {};
      for (const { status } of sent) statuses[status] = (statuses[status] ?? 0) + 1;
      const times = [percentile(took, 0.5), percentile(took, 0.99), Math.max(0, ...took)];
      const cells = [sent.length, sent.length - (statuses[200] ?? 0), ...times.map((each) => each.toFixed(0))];
      const columns = cells.map((cell, at) => String(cell).padStart(at < 2 ? 9 : 11)).join('');
      console.log(`${`${kind}, ${phase}`.padEnd(15)}${columns}   ${JSON.stringify(statuses)}`);
    }
  }
  for (const kind of KINDS) {
    const late = samples
      .filter((each) => each.kind === kind && each.at + each.took > continuedAt && each.status !== 200)
      .map(({ at, took }) => (at + took - continuedAt) / 1_000);
    console.log(`${kind}: last failure ${Math.max(0, ...late).toFixed(1)} s after ${name} went on`);
  }
}

const folder = mkdtempSync(join(tmpdir(), 'freeze-'));
const postgres = await startPostgres();
const redis = await startRedis(folder);
writeFileSync(join(folder, 'gateway.yaml'), JSON.stringify({ sandbox: true }));
const { url, child } = await startGatewayProcess({
  application: process.cwd(),
  folder,
  adminKey: ADMIN_KEY,
  env: { GATEWAY_CONFIG: join(folder, 'gateway.yaml'), DATABASE_URL: postgres.url, REDIS_URL: redis.url },
});
try {
  const newKey = async () => {
    const response = await request(`${url}/v1/admin/keys`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        name: 'freeze',
        limits: { rpm: 1_000_000, tpm: 1_000_000_000, concurrency: 1_000 },
        budget: { usd: 1_000_000, period: 'total', allow_unpriced: true },
      }),
    });
    const { key } = /** @type {{ key: string }} */ (await response.body.json());
    return key;
  };
  const cached = [];
  for (let made = 0; made < KEYS; made += 1) cached.push(await newKey());
  for (const [name, pid] of /** @type {const} */ ([
    ['PostgreSQL', postgres.pid],
    ['Redis', redis.pid],
  ])) {
    const unknown = [];
    while (unknown.length < before + seconds + after + 5) unknown.push(await newKey());
    await freeze(name, () => (name === 'Redis' ? [pid] : processesOf(pid)), {
      url,
      cached,
      unknown: () => unknown.pop(),
    });
  }
} finally {
  child.kill('SIGTERM');
  await new Promise((resolve) => child.once('exit', resolve));
  redis.stop();
  await postgres.stop();
  rmSync(folder, { recursive: true, force: true });
}
