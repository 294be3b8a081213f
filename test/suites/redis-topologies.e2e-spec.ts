import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';
import { startRedisCluster, startWatchedRedis, withClient } from '../fixtures/redis-topologies.js';
import { until } from '../fixtures/until.js';

/** Longer than any failover and reconnection; the tests go on as soon as they have seen it. */
const TIMEOUT_MS = 30_000;

async function chat(gateway: RunningGateway, key: string): Promise<number> {
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'sandbox/echo', messages: [{ role: 'user', content: 'x' }] }),
  });
  await response.arrayBuffer();
  return response.status;
}

async function admin(gateway: RunningGateway, method: string, path: string, body?: object): Promise<void> {
  const response = await fetch(`${gateway.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${gateway.adminKey}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  await response.arrayBuffer();
  expect(response.status).toBeLessThan(300);
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
      const env = {
        REDIS_URL: cluster.url,
        DATABASE_URL: first.databaseUrl,
        GATEWAY_ADMIN_KEY: first.adminKey,
        GATEWAY_DATA_DIR: first.dataDirectory,
      };
      const second = await startGateway({ env });
      try {
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
        const list = await fetch(`${first.url}/v1/admin/keys`, {
          headers: { authorization: `Bearer ${first.adminKey}` },
        });
        const { data } = (await list.json()) as { data: { id: string; hint: string }[] };
        const id = data.find(({ id: each }) => revoked.includes(each.replace(/^key_/, '')))?.id ?? '';
        await admin(first, 'DELETE', `/v1/admin/keys/${id}`);
        await until(async () => (await chat(second, revoked)) === 401, TIMEOUT_MS);
        const submitted = await fetch(`${first.url}/v1/batch/generate`, {
          method: 'POST',
          headers: { authorization: `Bearer ${others[1] ?? ''}`, 'content-type': 'application/json' },
          body: JSON.stringify({ model: 'sandbox/echo', tasks: ['a', 'b'] }),
        });
        const { job_id: job } = (await submitted.json()) as { job_id: string };
        await until(async () => {
          const status = await fetch(`${first.url}/v1/batch/${job}`, {
            headers: { authorization: `Bearer ${others[1] ?? ''}` },
          });
          return ((await status.json()) as { status: string }).status === 'completed';
        }, TIMEOUT_MS);
        for (const gateway of [first, second]) {
          const metrics = await fetch(`${gateway.url}/metrics`, { headers: { 'x-api-key': first.adminKey } });
          expect(await metrics.text()).toMatch(/^gateway_redis_up 1$/m);
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
