/** What the benchmark of batches runs on: a database, Redis, gateway processes, and what the kernel says that they cost. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import pg from 'pg';
import { installedFrom } from '../../test/fixtures/debian-package.mjs';
import { startPostgres } from '../../test/fixtures/postgres-server.mjs';
import { freePort, startServer } from '../process.mjs';
import { SqliteDatabase } from './sqlite-library.mjs';

const ROOT = new URL('../..', import.meta.url).pathname;
const TICKS_PER_SECOND = 100;
export const ADMIN_KEY = 'Zk3v9-bench-8Qm-Zk3v9-bench-4Wd';

/**
 * The database of a run. PostgreSQL keeps its own defaults: what it has confirmed survives a crash.
 *
 * @param {{ kind: 'sqlite' | 'postgres', folder: string, url?: string }} options
 */
export async function openDatabase({ kind, folder, url: given }) {
  if (kind === 'sqlite') {
    const file = join(folder, 'bench.sqlite');
    return {
      url: `sqlite:${file}`,
      isSqlite: true,
      pid: undefined,
      query: async (text) => {
        const database = new SqliteDatabase(file, { timeout: 30_000 });
        try {
          const statement = database.prepare(text);
          return statement.reader ? statement.all() : (statement.run(), []);
        } finally {
          database.close();
        }
      },
      close: async () => undefined,
    };
  }
  const settings = ['shared_preload_libraries=pg_stat_statements', 'pg_stat_statements.track_planning=on'];
  const server = given === undefined ? await startPostgres({ settings }) : undefined;
  const url = given ?? server.url;
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
  return {
    url,
    isSqlite: false,
    pid: server?.pid,
    query: async (text) => (await client.query(text)).rows,
    close: async () => {
      await client.end();
      await server?.stop();
    },
  };
}

/** A Redis without persistence. */
export async function startRedis(folder) {
  const command = installedFrom('redis-server', 'Install Redis (apt-get install redis-server).', () => 'redis-server');
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
  const server = await startServer(command, args, {
    output: join(folder, 'redis.log'),
    isReady: (text) => (text.includes('Ready to accept connections') ? true : undefined),
  });
  return { ...server, url: `redis://127.0.0.1:${port}` };
}

/**
 * A gateway of a role. Its log goes to a file.
 *
 * @param {{ role: string, processes: number, folder: string, database: { url: string, isSqlite: boolean }, redisUrl?: string,
 *   profile?: string, statements?: string }} options `profile`: a folder for processor profiles; `statements`: one for the
 *   times of SQLite's statements
 */
export async function startGateway({ role, processes, folder, database, redisUrl, profile, statements }) {
  const flags = ['--max-semi-space-size=4'];
  if (profile !== undefined) flags.push('--cpu-prof', `--cpu-prof-dir=${profile}`);
  if (statements !== undefined) {
    mkdirSync(statements, { recursive: true });
    flags.push(`--import=${join(ROOT, 'bench/batch/time-statements.mjs')}`);
  }
  const server = await startServer(process.execPath, [...flags, join(ROOT, 'dist/main.js')], {
    cwd: folder,
    output: join(folder, `gateway-${role}.log`),
    env: {
      PORT: '0',
      LOG_FORMAT: 'json',
      GATEWAY_DATA_DIR: folder,
      DATABASE_URL: database.url,
      GATEWAY_ADMIN_KEY: ADMIN_KEY,
      GATEWAY_ROLE: role,
      ...(redisUrl !== undefined && { REDIS_URL: redisUrl }),
      ...(processes > 1 && { GATEWAY_PROCESSES: String(processes) }),
      ...(statements !== undefined && { STATEMENT_TIMES: statements }),
    },
    isReady: (text) => {
      const line = text.split('\n').find((each) => each.includes('"msg":"listening"') && each.endsWith('}'));
      return line === undefined ? undefined : JSON.parse(line).url;
    },
  });
  return { ...server, url: server.ready };
}

/** A process and all that it started, directly or not. */
export function familyOf(pid) {
  if (pid === undefined) return [];
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
    return [pid, ...children.flatMap((child) => familyOf(Number(child)))];
  } catch {
    return [];
  }
}

/** Seconds of processor time of processes and of those that they have outlived. */
export function cpuSecondsOf(pids) {
  let ticks = 0;
  for (const pid of pids) {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
      ticks += fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
    } catch {
      // It has ended: its parent counts it.
    }
  }
  return ticks / TICKS_PER_SECOND;
}

/** Resident memory of a process in MB. */
export function residentMegabytesOf(pid) {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024;
  } catch {
    return 0;
  }
}

export function loadAverage() {
  return Number(readFileSync('/proc/loadavg', 'utf8').split(' ')[0]);
}
