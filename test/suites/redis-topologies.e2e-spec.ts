import { keyIdOf } from '../clients/gateway-client.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';
import { startRedisCluster, startWatchedRedis, withClient } from '../fixtures/redis-topologies.js';
import { until } from '../fixtures/until.js';

/** Longer than any failover and reconnection; the tests go on as soon as they have seen it. */
const TIMEOUT_MS = 30_000;

const chat = async (gateway: RunningGateway, key: string): Promise<number> => (await gateway.client(key).chat()).status;

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
        // A gateway listens before it is connected to Redis, and counts by itself until then.
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
});
