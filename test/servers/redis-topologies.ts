import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { freePort } from './debian-package.mjs';
import { redisBinary } from './redis-server.js';
import { until } from './until.js';
import { noteProcess } from './started-processes.mjs';

/** Slots of a Redis cluster. */
const SLOTS = 16_384;
const STARTUP_PATIENCE_MS = 20_000;

interface Node {
  readonly port: number;
  readonly child: ChildProcess;
}

/** Servers that are started together and end together. */
class Servers {
  private readonly folder = mkdtempSync(join(tmpdir(), 'gateway-redis-nodes-'));
  private readonly nodes: Node[] = [];

  async start(args: readonly string[], config?: string): Promise<Node> {
    const port = await freePort();
    const folder = join(this.folder, String(port));
    mkdirSync(folder);
    const file = join(folder, 'redis.conf');
    writeFileSync(file, `${config ?? ''}\n`);
    const options = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, ...args];
    const child = spawn(redisBinary(), [file, ...options], { stdio: 'ignore' });
    noteProcess(child);
    const node = { port, child };
    this.nodes.push(node);
    await until(() => withClient(port, (client) => client.ping()).then(Boolean, () => false), STARTUP_PATIENCE_MS);
    return node;
  }

  async stop(): Promise<void> {
    for (const { child } of this.nodes) await kill(child);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGKILL');
  await exited;
}

/** Runs commands on one node, without following it anywhere. */
export async function withClient<Result>(port: number, use: (client: Redis) => Promise<Result>): Promise<Result> {
  const client = new Redis(port, '127.0.0.1', {
    lazyConnect: true,
    retryStrategy: () => null,
    maxRetriesPerRequest: 0,
  });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return await use(client);
  } finally {
    client.disconnect();
  }
}

const VOLATILE = ['--save', '', '--appendonly', 'no'];

export interface WatchedRedis {
  readonly url: string;
  /** Port of the server that takes writes now. */
  masterPort(): Promise<number>;
  killMaster(): Promise<void>;
  stop(): Promise<void>;
}

/** A server, its replica, and one Sentinel that replaces the one by the other half a second after it died. */
export async function startWatchedRedis(): Promise<WatchedRedis> {
  const servers = new Servers();
  const master = await servers.start(VOLATILE);
  await servers.start([...VOLATILE, '--replicaof', '127.0.0.1', String(master.port)]);
  const sentinel = await servers.start(
    ['--sentinel'],
    [
      `sentinel monitor main 127.0.0.1 ${master.port} 1`,
      'sentinel down-after-milliseconds main 500',
      'sentinel failover-timeout main 3000',
    ].join('\n'),
  );
  const ask = <Result>(...words: [string, ...string[]]): Promise<Result> =>
    withClient(sentinel.port, (client) => client.call(...words) as Promise<Result>);
  await until(async () => (await ask<unknown[]>('SENTINEL', 'replicas', 'main')).length === 1, STARTUP_PATIENCE_MS);
  return {
    url: `redis-sentinel://127.0.0.1:1,127.0.0.1:${sentinel.port}/main`,
    masterPort: async () => Number((await ask<string[]>('SENTINEL', 'get-master-addr-by-name', 'main'))[1]),
    killMaster: () => kill(master.child),
    stop: () => servers.stop(),
  };
}

export interface RedisCluster {
  readonly url: string;
  readonly ports: readonly number[];
  /** Names of all keys, by the node that has them. */
  keys(): Promise<readonly (readonly string[])[]>;
  stop(): Promise<void>;
}

/** Three nodes that share the slots, without replicas. */
export async function startRedisCluster(): Promise<RedisCluster> {
  const servers = new Servers();
  const args = [...VOLATILE, '--cluster-enabled', 'yes', '--cluster-node-timeout', '5000'];
  const nodes: Node[] = [];
  for (let index = 0; index < 3; index += 1) nodes.push(await servers.start(args));
  const ports = nodes.map(({ port }) => port);
  const share = Math.ceil(SLOTS / ports.length);
  for (const [index, port] of ports.entries()) {
    await withClient(port, async (client) => {
      const first = index * share;
      await client.call('CLUSTER', 'ADDSLOTSRANGE', first, Math.min(SLOTS, first + share) - 1);
      for (const other of ports) if (other !== port) await client.call('CLUSTER', 'MEET', '127.0.0.1', other);
    });
  }
  for (const port of ports) {
    await until(
      () =>
        withClient(port, async (client) =>
          /cluster_state:ok[^]*cluster_known_nodes:3/.test(await client.cluster('INFO')),
        ),
      STARTUP_PATIENCE_MS,
    );
  }
  return {
    url: `redis-cluster://${ports.map((port) => `127.0.0.1:${port}`).join(',')}`,
    ports,
    keys: () => Promise.all(ports.map((port) => withClient(port, (client) => client.keys('*')))),
    stop: () => servers.stop(),
  };
}
