import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { keyIdOf } from '../clients/gateway-client.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';
import { startRedis } from '../fixtures/redis-server.js';
import { startRedisCluster, startWatchedRedis, withClient } from '../fixtures/redis-topologies.js';
import { until } from '../fixtures/until.js';

/** Longer than any failover and reconnection; the tests go on as soon as they have seen it. */
const TIMEOUT_MS = 30_000;

const chat = async (gateway: RunningGateway, key: string): Promise<number> => (await gateway.client(key).chat()).status;

/** How long the slow server keeps its first clients waiting: longer than a gateway takes from there until it could listen. */
const SLOW_MS = 1_500;
const MAX_STARTS = 5;

/** A server through which another port is reached once the time has passed since its first connection; without a port never. */
async function startSlowServer(port?: number): Promise<{ url: string; stop: () => Promise<void> }> {
  const sockets = new Set<Socket>();
  let opened: Promise<void> | undefined;
  const server: Server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    opened ??= delay(SLOW_MS);
    if (port === undefined) return;
    void opened.then(() => {
      const target = connect(port, '127.0.0.1').on('error', () => socket.destroy());
      sockets.add(target);
      socket.pipe(target).pipe(socket);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await once(server.close(), 'close');
    },
  };
}

// Redis comes with PostgreSQL, as operators have it; once is enough.
(isPostgresRun ? describe : describe.skip)('Redis', () => {
  it(
    'that Sentinels watch is found by them, and again after a failover',
    async () => {
      const redis = await startWatchedRedis();
      const gateway = await startGateway({ env: { REDIS_URL: redis.url } });
      try {
        const key = await gateway.apiKey({ limits: { rpm: 10_000, concurrency: 50 } });
        const counted = async (): Promise<boolean> => {
          expect(await chat(gateway, key)).toBe(200);
          const port = await redis.masterPort();
          return withClient(port, async (client) => (await client.keys('*key_*')).length > 0).catch(() => false);
        };
        await until(counted, TIMEOUT_MS);
        const before = await redis.masterPort();
        await redis.killMaster();
        await until(async () => (await redis.masterPort()) !== before, TIMEOUT_MS);
        await withClient(await redis.masterPort(), (client) => client.flushall()).catch(() => undefined);
        await until(counted, TIMEOUT_MS);
      } finally {
        await gateway.stop();
        await redis.stop();
      }
    },
    4 * TIMEOUT_MS,
  );

  it(
    'may be a cluster: limits, changes of keys and batches are shared over its nodes',
    async () => {
      const cluster = await startRedisCluster();
      const first = await startGateway({ env: { REDIS_URL: cluster.url, GATEWAY_ROLE: 'api' } });
      const env = { REDIS_URL: cluster.url, GATEWAY_DATA_DIR: first.dataDirectory };
      const second = await startGateway({ env, joins: first });
      try {
        // On a busy machine a start may stop waiting for Redis.
        for (const gateway of [first, second]) {
          await until(async () => /^gateway_redis_up 1$/m.test((await gateway.admin.get('/metrics')).text), TIMEOUT_MS);
        }
        const limited = await first.apiKey({ limits: { rpm: 1, tpm: 100_000, concurrency: 5 } });
        // Accounts of several keys are on several nodes.
        const others = await Promise.all(
          Array.from({ length: 8 }, () => first.apiKey({ limits: { rpm: 1_000, concurrency: 50 } })),
        );
        for (const key of others) expect(await chat(first, key)).toBe(200);
        await until(async () => (await cluster.keys()).filter((keys) => keys.length > 0).length > 1, TIMEOUT_MS);
        expect(await chat(first, limited)).toBe(200);
        expect(await chat(second, limited)).toBe(429);
        const revoked = others[0] ?? '';
        expect(await chat(second, revoked)).toBe(200);
        expect((await first.admin.revokeKey(keyIdOf(revoked))).status).toBe(200);
        await until(async () => (await chat(second, revoked)) === 401, TIMEOUT_MS);
        const client = first.client(others[1] ?? '');
        const job = await client.submitBatch('sandbox/echo', ['a', 'b']);
        await until(async () => (await client.readBatch(job)).status === 'completed', TIMEOUT_MS);
        for (const gateway of [first, second]) {
          expect((await gateway.admin.get('/metrics')).text).toMatch(/^gateway_redis_up 1$/m);
          expect(gateway.logs()).not.toMatch(/CROSSSLOT|same slots|MOVED/);
        }
      } finally {
        await second.stop();
        await first.stop();
        await cluster.stop();
      }
    },
    4 * TIMEOUT_MS,
  );

  it('that is slow to accept is waited for, so that the very first request is counted in it', async () => {
    const redis = await startRedis();
    const port = Number(new URL(redis.url).port);
    /** @returns whether the first request after a start is counted in Redis */
    const isFirstCounted = async (): Promise<boolean> => {
      const slow = await startSlowServer(port);
      const gateway = await startGateway({ env: { REDIS_URL: slow.url } });
      try {
        const key = await gateway.apiKey({ limits: { rpm: 10 } });
        expect(await chat(gateway, key)).toBe(200);
        const windows = await withClient(port, (client) => client.keys('gateway:rate:*'));
        expect(windows.filter((name) => !name.includes(keyIdOf(key)))).toEqual([]);
        return windows.length > 0;
      } finally {
        await gateway.stop();
        await slow.stop();
      }
    };
    try {
      // A start waits for a bound alone, which a busy machine may use up; one that doesn't wait is never counted.
      let isCounted = false;
      for (let start = 0; start < MAX_STARTS && !isCounted; start += 1) isCounted = await isFirstCounted();
      expect(isCounted).toBe(true);
    } finally {
      await redis.stop();
    }
  });

  it('that accepts and never responds delays the start by a bound alone', async () => {
    const silent = await startSlowServer();
    const gateway = await startGateway({ env: { REDIS_URL: silent.url } });
    try {
      expect(await chat(gateway, await gateway.apiKey({ limits: { rpm: 10 } }))).toBe(200);
      expect((await gateway.admin.get('/metrics')).text).toMatch(/^gateway_redis_up 0$/m);
    } finally {
      await gateway.stop();
      await silent.stop();
    }
  });
});
