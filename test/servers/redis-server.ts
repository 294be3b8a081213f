import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort, installedFrom } from './debian-package.mjs';
import { until } from './until.js';
import { noteProcess } from './started-processes.mjs';

const FIX = 'Install Redis (apt-get install redis-server).';

export interface RedisServer {
  readonly url: string;
  readonly pid: number;
  flushAll(): Promise<void>;
  /** Kills the server, as a crash would. */
  kill(): Promise<void>;
  /** Starts it again on the same port, empty. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

function binary(): string | undefined {
  return (process.env['PATH'] ?? '')
    .split(':')
    .map((folder) => join(folder, 'redis-server'))
    .find((path) => existsSync(path));
}

/** Path of the server's program, installed where it is missing. */
export function redisBinary(): string {
  return installedFrom('redis-server', FIX, binary);
}

/** A Redis of its own, without persistence. */
export async function startRedis(): Promise<RedisServer> {
  const command = redisBinary();
  const folder = mkdtempSync(join(tmpdir(), 'gateway-redis-'));
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;

  const start = async (): Promise<void> => {
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
    child = spawn(command, args, { stdio: 'ignore' });
    noteProcess(child);
    await until(() => withClient((client) => client.ping()).then(Boolean, () => false));
  };
  const withClient = async <Result>(use: (client: Redis) => Promise<Result>): Promise<Result> => {
    const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return await use(client);
    } finally {
      client.disconnect();
    }
  };
  const kill = async (): Promise<void> => {
    if (child === undefined) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
    child = undefined;
  };
  await start();
  return {
    url,
    get pid() {
      return child?.pid ?? 0;
    },
    flushAll: async () => {
      await withClient((client) => client.flushall());
    },
    kill,
    restart: start,
    stop: async () => {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
