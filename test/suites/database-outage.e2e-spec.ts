import { BatchHistory } from '../fixtures/batch-history.js';
import { startFakeUpstream } from '../upstreams/fake-upstream-client.js';
import type { GatewayResponse } from '../clients/gateway-response.js';
import { openAiAt } from '../fixtures/gateway-config.js';
import { startGateway } from '../fixtures/gateway.js';
import { createDatabase, dropDatabase, isPostgresRun } from '../fixtures/postgres-databases.js';
import { lostTasks } from '../fixtures/query-database.js';
import { until } from '../fixtures/until.js';
import { Wire } from '../fixtures/wire.js';

(isPostgresRun ? describe : describe.skip)('PostgreSQL goes away for five seconds under load', () => {
  it('chat goes on with cached keys, the rest is a 503, batches lose nothing, and all recovers', async () => {
    const upstream = await startFakeUpstream();
    const databaseUrl = await createDatabase();
    const wire = new Wire(new URL(databaseUrl));
    const gateway = await startGateway({
      config: { providers: { fake: openAiAt(upstream) }, batch: { concurrency: 8 } },
      env: { DATABASE_URL: await wire.open() },
    });
    const key = await gateway.apiKey();
    const client = gateway.client(key);
    const chat = async (): Promise<number> => (await client.chat({ model: 'fake/echo' })).status;
    const list = (): Promise<GatewayResponse> => client.get('/v1/batch');
    expect(await chat()).toBe(200);
    const history = new BatchHistory(key, () => gateway.url);
    const prompts = Array.from({ length: 200 }, (_, index) => `task ${index}`);
    await history.submit('fake/echo?delay=100', prompts);
    await until(async () => (await upstream.requests()).length > 20);

    wire.cut();
    const cutAt = performance.now();
    const statuses: number[] = [];
    while (performance.now() - cutAt < 5_000) {
      statuses.push(await chat());
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    expect(new Set(statuses)).toEqual(new Set([200]));
    const refused = await list();
    expect([refused.status, refused.header('retry-after')]).toEqual([503, '1']);
    expect(refused.body).toMatchObject({ error: { code: 'database_unavailable' } });
    expect((await gateway.client('').get('/health/ready')).status).toBe(503);
    expect((await gateway.client('').get('/health/live')).status).toBe(200);

    await wire.open();
    const outageMs = performance.now() - cutAt;
    const backAt = performance.now();
    await until(async () => (await list()).status === 200);
    const recoveredIn = performance.now() - backAt;
    console.log(`recovered ${Math.round(recoveredIn)} ms after PostgreSQL was back`);
    // Attempts to connect are not put off by more than a few times what the outage took.
    expect(recoveredIn).toBeLessThan(10 * outageMs);
    await until(() => history.allDone());
    const liveCalls = statuses.length + 1;
    const calls = prompts.length + liveCalls + (await lostTasks(databaseUrl));
    expect(await history.faults(upstream, calls)).toEqual([]);
    expect((await gateway.stop()).code).toBe(0);
    wire.cut();
    await upstream.stop();
    await dropDatabase(databaseUrl);
  });

  it('stores a result once whose commit was not confirmed, and its usage record', async () => {
    const upstream = await startFakeUpstream();
    const databaseUrl = await createDatabase();
    const wire = new Wire(new URL(databaseUrl));
    const gateway = await startGateway({
      config: { providers: { fake: openAiAt(upstream) } },
      env: { DATABASE_URL: await wire.open() },
    });
    const key = await gateway.apiKey();
    const history = new BatchHistory(key, () => gateway.url);
    const prompts = Array.from({ length: 60 }, (_, index) => `task ${index}`);
    wire.loseCommitOf('UPDATE batch_claim AS c SET tasks');
    await history.submit('fake/echo?delay=30', prompts);
    await until(() => history.allDone());
    expect(await history.faults(upstream, prompts.length)).toEqual([]);
    await until(async () => (await gateway.admin.usageRecords()).length === prompts.length);
    await gateway.stop();
    wire.cut();
    await upstream.stop();
    await dropDatabase(databaseUrl);
  });

  it('runs what a claim took whose answer was lost, without waiting for its leases', async () => {
    const upstream = await startFakeUpstream();
    const databaseUrl = await createDatabase();
    const wire = new Wire(new URL(databaseUrl));
    const gateway = await startGateway({
      // Leases that last longer than the test, so that their end cannot be what frees the tasks.
      config: { providers: { fake: openAiAt(upstream) }, batch: { lease: '10m' } },
      env: { DATABASE_URL: await wire.open() },
    });
    const key = await gateway.apiKey();
    const history = new BatchHistory(key, () => gateway.url);
    const prompts = Array.from({ length: 20 }, (_, index) => `task ${index}`);
    wire.loseResponseTo('INSERT INTO batch_claim');
    await history.submit('fake/echo', prompts);
    await until(() => history.allDone());
    expect(gateway.logs()).toContain('the response to a claim was lost');
    expect(await history.faults(upstream, prompts.length)).toEqual([]);
    await gateway.stop();
    wire.cut();
    await upstream.stop();
    await dropDatabase(databaseUrl);
  });
});
