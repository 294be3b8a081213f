import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { atTheSameTime } from '../fixtures/at-the-same-time.js';
import { BatchHistory } from '../fixtures/batch-history.js';
import { startFakeUpstream, type FakeUpstream } from '../upstreams/fake-upstream-client.js';
import type { AuditEntryDto } from '../../src/audit/audit.dto.js';
import { keyIdOf } from '../clients/gateway-client.js';
import { countStatuses, type GatewayResponse } from '../clients/gateway-response.js';
import { model, openAiAt, price } from '../fixtures/gateway-config.js';
import { startExpectingFailure, startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { parseMetrics } from '../clients/parse-metrics.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';
import { childrenOf, logLines } from '../fixtures/processes.js';
import { startRedis, type RedisServer } from '../fixtures/redis-server.js';
import { whileRedisHolds } from '../fixtures/shared-redis.js';
import { until } from '../fixtures/until.js';

const COUNT = 3;

(isPostgresRun ? describe.skip : describe)('GATEWAY_PROCESSES', () => {
  it('refuses what it does not understand, and a database that processes cannot share', async () => {
    const wrong = await startExpectingFailure({ env: { GATEWAY_PROCESSES: 'many' } });
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toMatch(/GATEWAY_PROCESSES: must be auto or a whole number from 1 to 64/);
    const memory = await startExpectingFailure({ env: { GATEWAY_PROCESSES: '2', DATABASE_URL: 'sqlite::memory:' } });
    expect([memory.code, memory.stderr]).toEqual([1, expect.stringMatching(/GATEWAY_PROCESSES: .*Set DATABASE_URL/)]);
  });

  it('ends as one process would when the first one cannot start, and says so once', async () => {
    const env = { GATEWAY_PROCESSES: '3', DATABASE_URL: 'sqlite:/dev/null/gateway.sqlite' };
    const failed = await startExpectingFailure({ env });
    expect(failed.code).toBe(1);
    expect(failed.stderr.match(/cannot start/g)).toHaveLength(1);
    expect(failed.stdout).not.toContain('listening');
  });

  it('of 1 is one process', async () => {
    const gateway = await startGateway({ env: { GATEWAY_PROCESSES: '1' } });
    expect(childrenOf(gateway.pid)).toEqual([]);
    expect((await gateway.stop()).code).toBe(0);
  });
});

describe.each([isPostgresRun])(`${COUNT} processes as one (Redis: %p)`, (hasRedis) => {
  let upstream: FakeUpstream;
  let redis: RedisServer | undefined;
  let gateway: RunningGateway;

  beforeAll(async () => {
    upstream = await startFakeUpstream();
    redis = hasRedis ? await startRedis() : undefined;
    gateway = await startGateway({
      config: {
        providers: { local: openAiAt(upstream) },
        models: [
          model('free', 'local/echo'),
          model('held', 'local/echo?gate'),
          model('paid', 'local/echo', { price: price(10, 100) }),
          model('limited', 'local/status?code=429&retry-after=600'),
          model('counted', 'local/echo'),
          model('drained', 'local/words'),
        ],
      },
      env: { GATEWAY_PROCESSES: String(COUNT), ...(redis !== undefined && { REDIS_URL: redis.url }) },
    });
  });
  afterAll(async () => {
    await gateway.stop();
    await upstream.stop();
    await redis?.stop();
  });

  const chat = (
    key: string,
    fields: object,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<GatewayResponse<object>> => gateway.client(key).chat({ max_tokens: 10, ...fields }, { headers });
  /** Over so many connections at once that every process is among those that respond. */
  const everywhere = (path: string): Promise<GatewayResponse[]> =>
    Promise.all(Array.from({ length: 12 }, () => gateway.admin.get(path, { headers: { connection: 'close' } })));

  it('have a deployment drained together, and in use together', async () => {
    const client = await gateway.newClient();
    /** Statuses over so many connections at once that every process is among those that respond. */
    const statuses = async (): Promise<Set<number>> => {
      const calls = Array.from({ length: 4 * COUNT }, () =>
        client.chat({ model: 'drained', max_tokens: 10 }, { headers: { connection: 'close' } }),
      );
      return new Set((await Promise.all(calls)).map(({ status }) => status));
    };
    /** Of all, several times in a row: a busy machine may keep one of the processes waiting. */
    const staysAt = (status: number) => async (): Promise<boolean> => {
      for (let round = 0; round < 5; round += 1) {
        const found = await statuses();
        if (found.size !== 1 || !found.has(status)) return false;
      }
      return true;
    };
    await until(staysAt(200));
    for (const [step, status] of [
      ['drain', 503],
      ['enable', 200],
    ] as const) {
      await gateway.admin.make(`/v1/admin/deployments/${step}`, { deployment: 'local/words' });
      await until(staysAt(status));
    }
  });

  it('all serve', async () => {
    expect(childrenOf(gateway.pid)).toHaveLength(COUNT);
    const key = await gateway.apiKey();
    const ids = new Set<unknown>();
    const served = (): number[] => {
      const lines = logLines(gateway).filter(({ request_id: id }) => ids.has(id));
      return childrenOf(gateway.pid).map((pid) => lines.filter((line) => line['pid'] === pid).length);
    };
    // The system gives each connection to a process that waits for one; in time it gives some to each.
    await until(async () => {
      const calls = Array.from({ length: 3 }, () => {
        const id = randomUUID();
        ids.add(id);
        return chat(key, { model: 'free' }, { 'x-request-id': id, connection: 'close' });
      });
      expect(countStatuses(await Promise.all(calls))).toEqual({ 200: 3 });
      return Math.min(...served()) >= 5;
    });
  });

  it('take a change of the file over together, with one entry of the audit log, and so at SIGHUP', async () => {
    const reloads = (): Promise<AuditEntryDto[]> => gateway.admin.audit('action=configuration.reloaded');
    const path = join(gateway.dataDirectory, 'gateway.yaml');
    writeFileSync(path, `${readFileSync(path, 'utf8')}# changed\n`);
    await until(() => gateway.logs().split('"msg":"configuration reloaded"').length - 1 === COUNT);
    await until(async () => (await reloads()).length > 0);
    process.kill(gateway.pid, 'SIGHUP');
    await until(() => gateway.logs().includes('all processes have been replaced'));
    await until(async () => (await reloads()).length > 1);
    expect((await reloads()).map(({ changes }) => changes['reason'])).toEqual(['SIGHUP', 'file']);
  });

  it('let exactly 50 of 200 concurrent requests through at 50 rpm', async () => {
    const responses = await whileRedisHolds([gateway], async () => {
      const key = await gateway.apiKey({ limits: { rpm: 50 } });
      const calls = Array.from({ length: 200 }, (_, index) => chat(key, { model: 'free', stream: index % 3 === 0 }));
      return Promise.all(calls);
    });
    expect(countStatuses(responses)).toEqual({ 200: 50, 429: 150 });
    const left = responses
      .filter(({ status }) => status === 200)
      .map(({ header }) => header('x-ratelimit-remaining-requests'));
    expect(new Set(left).size).toBe(50);
  });

  it('count tokens at their worst and then as they were', async () => {
    const [key, responses] = await whileRedisHolds([gateway], async () => {
      const each = await gateway.apiKey({ limits: { tpm: 250 } });
      const send = (): Promise<GatewayResponse<object>>[] =>
        Array.from({ length: 12 }, () => chat(each, { model: 'held', max_tokens: 60 }));
      return [each, await atTheSameTime(upstream, send)];
    });
    expect(countStatuses(responses)).toEqual({ 200: 3, 429: 9 });
    // If the reservations had remained, this would not fit.
    await until(async () => (await chat(key, { model: 'free', max_tokens: 150 })).status === 200);
  });

  it('bound requests in flight', async () => {
    const key = await gateway.apiKey({ limits: { concurrency: 4 } });
    for (let round = 0; round < 2; round += 1) {
      const send = (): Promise<GatewayResponse<object>>[] =>
        Array.from({ length: 30 }, () => chat(key, { model: 'held' }));
      const responses = await whileRedisHolds([gateway], () => atTheSameTime(upstream, send));
      expect(countStatuses(responses)).toEqual({ 200: 4, 429: 26 });
    }
  });

  it('never overdraw a budget of $0.01', async () => {
    const key = await gateway.apiKey({ budget: { usd: 0.01, period: 'month' } });
    const id = keyIdOf(key);
    let passed = 0;
    for (let round = 0; round < 6; round += 1) {
      const calls = Array.from({ length: 12 }, () => chat(key, { model: 'paid', max_tokens: 3 }));
      passed += countStatuses(await Promise.all(calls))[200] ?? 0;
    }
    // 0.00033 each, so 30 fit.
    expect(passed * 0.00033).toBeLessThanOrEqual(0.01);
    expect(passed).toBeGreaterThan(20);
    await until(async () => {
      const [row] = await gateway.admin.usage(`interval=none&key_id=${id}`);
      return row?.requests === passed && Math.abs(row.cost_usd - passed * 0.00033) < 1e-9;
    });
  });

  it('refuse a revoked key the moment that its revocation is answered', async () => {
    const key = await gateway.apiKey();
    const id = keyIdOf(key);
    for (let round = 0; round < 2; round += 1) {
      const calls = Array.from({ length: 60 }, () => chat(key, { model: 'free' }));
      expect(countStatuses(await Promise.all(calls))).toEqual({ 200: 60 });
    }
    expect((await gateway.admin.revokeKey(id)).status).toBe(200);
    const calls = Array.from({ length: 60 }, () => chat(key, { model: 'free' }));
    expect(countStatuses(await Promise.all(calls))).toEqual({ 401: 60 });
  });

  /** The key that the provider asked to pause: a pause holds for one key until a second one is asked as well. */
  let pausedKey = '';
  it('share the pause that a provider asks for', async () => {
    const key = await gateway.apiKey();
    pausedKey = key;
    await upstream.reset();
    expect((await chat(key, { model: 'limited' })).status).toBe(429);
    const waits = async (): Promise<boolean[]> =>
      (await everywhere('/v1/admin/deployments')).map(({ text }) => {
        const { data } = JSON.parse(text) as { data: { id: string; retry_in_ms: number }[] };
        return data.some((each) => each.id.startsWith('local/status') && each.retry_in_ms > 60_000);
      });
    await until(async () => !(await waits()).includes(false));
    const calls = Array.from({ length: 60 }, () => chat(key, { model: 'limited' }));
    expect(countStatuses(await Promise.all(calls))).toEqual({ 429: 60 });
    expect(await upstream.requests()).toHaveLength(1);
  });

  it('report merged metrics from any process, and continue to count when one of them dies', async () => {
    const key = await gateway.apiKey();
    const calls = Array.from({ length: 90 }, () => chat(key, { model: 'counted' }));
    expect(countStatuses(await Promise.all(calls))).toEqual({ 200: 90 });
    const read = async (name: string, labels: Record<string, string> = {}): Promise<number[]> => {
      const responses = await everywhere('/metrics');
      return responses.map(({ text }) =>
        (parseMetrics(text).get(name)?.samples ?? [])
          .filter((sample) => sample.name === name || sample.name === `${name}_count`)
          .filter((sample) => Object.entries(labels).every(([label, value]) => sample.labels[label] === value))
          .reduce((sum, { value }) => sum + value, 0),
      );
    };
    const counted = { model: 'counted' };
    expect(new Set(await read('gateway_requests_total', counted))).toEqual(new Set([90]));
    expect(new Set(await read('gateway_request_duration_seconds', counted))).toEqual(new Set([90]));
    expect(new Set(await read('gateway_processes'))).toEqual(new Set([COUNT]));
    expect(new Set(await read('gateway_build_info'))).toEqual(new Set([1]));
    const [first] = childrenOf(gateway.pid);
    process.kill(first ?? 0, 'SIGKILL');
    // The first may still be refused on a connection that the dead process had.
    await until(async () => (await read('gateway_processes').catch(() => [0])).every((value) => value === COUNT));
    expect(new Set(await read('gateway_requests_total', counted))).toEqual(new Set([90]));
    expect(new Set(await read('gateway_process_restarts_total'))).toEqual(new Set([1]));
    // What the others had learnt is known to the one that was started later.
    await chat(pausedKey, { model: 'limited' });
    const further = Array.from({ length: 30 }, () => chat(pausedKey, { model: 'limited' }, { connection: 'close' }));
    await Promise.all(further);
    expect((await upstream.requests()).filter(({ model }) => model?.startsWith('status'))).toHaveLength(1);
  });

  it('write usage, keys and a batch of 500 tasks at once, each exactly once and without one error', async () => {
    await upstream.reset();
    const key = await gateway.apiKey();
    const id = keyIdOf(key);
    const history = new BatchHistory(gateway.adminKey, () => gateway.url);
    const prompts = Array.from({ length: 500 }, (_, index) => `task ${index}`);
    const submitted = await history.submit('local/echo?delay=20', prompts);
    expect(submitted).toBeDefined();
    const chats = Promise.all(Array.from({ length: 600 }, () => chat(key, { model: 'free' })));
    const keys = Promise.all(Array.from({ length: 60 }, () => gateway.apiKey()));
    expect(countStatuses(await chats)).toEqual({ 200: 600 });
    expect(new Set(await keys).size).toBe(60);
    await until(() => history.allDone());
    expect(await history.faults(upstream, 500 + 600)).toEqual([]);
    const calls = (await upstream.requests()).filter(({ model }) => model === 'echo?delay=20');
    expect(calls).toHaveLength(500);
    await until(async () => {
      return (await gateway.admin.usage(`interval=none&key_id=${id}`))[0]?.requests === 600;
    });
    const worked = childrenOf(gateway.pid).length;
    expect(worked).toBe(COUNT);
    expect(logLines(gateway).filter(({ level, signal }) => Number(level) >= 50 && signal !== 'SIGKILL')).toEqual([]);
  });
});
