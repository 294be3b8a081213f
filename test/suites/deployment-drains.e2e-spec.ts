import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigurationDto } from '../../src/admin/configuration/configuration.dto.js';
import type { DeploymentDto } from '../../src/routing/deployments/deployments.dto.js';
import type { GatewayClient } from '../clients/gateway-client.js';
import type { GatewayResponse } from '../clients/gateway-response.js';
import { model, openAiAt, type GatewayFile } from '../fixtures/gateway-config.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';
import { queryDatabase } from '../fixtures/query-database.js';
import { until } from '../fixtures/until.js';
import { startBatchProvider, type BatchProvider } from '../upstreams/batch-provider.js';
import { startFakeUpstream, type FakeUpstream } from '../upstreams/fake-upstream-client.js';

const PRIORITY = { strategy: 'priority' } as const;
const ONE_CALL = 'one/echo?gate';

describe(`drained deployments (${isPostgresRun ? 'PostgreSQL' : 'SQLite'})`, () => {
  let upstream: FakeUpstream;
  let batches: BatchProvider;
  let config: GatewayFile;
  const env = { GATEWAY_KEY_PEPPER: randomBytes(24).toString('hex') };
  let gateway: RunningGateway;
  let client: GatewayClient;

  beforeAll(async () => {
    [upstream, batches] = await Promise.all([startFakeUpstream(), startBatchProvider()]);
    const native = { batches: 'native' } as const;
    config = {
      providers: {
        first: openAiAt(upstream),
        second: openAiAt(upstream),
        one: openAiAt(upstream),
        keys: openAiAt(upstream, { api_keys: ['key-a', 'key-b'] }),
        files: openAiAt(batches, native),
        other: openAiAt(batches, native),
      },
      models: [
        model('pair', ['first/echo?gate', 'second/echo?gate'], PRIORITY),
        model('alone', 'first/alone'),
        model('saved', 'first/saved', { fallbacks: ['pair'] }),
        model('embed', 'first/embed'),
        model('full', { at: ONE_CALL, concurrency: 1 }, { queue: { size: 5, timeout: '10m' } }),
        model('several', 'keys/several', { affinity: 'none' }),
        model('native', ['files/m', 'other/m'], PRIORITY),
      ],
      batch: { lease: '2s', native: { gather: '200ms', poll_interval: '200ms' } },
    };
    gateway = await startGateway({ config, env });
    client = await gateway.newClient();
  });
  beforeEach(() => upstream.openGate());
  afterEach(async () => {
    for (const { id, drain } of await gateway.admin.deployments()) if (drain !== null) await enable(id);
  });
  afterAll(async () => {
    await gateway.stop();
    await Promise.all([upstream.stop(), batches.stop()]);
  });

  const drain = (deployment: string, fields: object = {}): Promise<DeploymentDto> =>
    gateway.admin.make('/v1/admin/deployments/drain', { deployment, ...fields });
  const enable = (deployment: string): Promise<DeploymentDto> =>
    gateway.admin.make('/v1/admin/deployments/enable', { deployment });
  const stateOf = async (id: string, admin = gateway.admin): Promise<DeploymentDto | undefined> =>
    (await admin.deployments()).find((each) => each.id === id);
  const ask = (id: string, by = client): Promise<GatewayResponse<object>> => by.chat({ model: id });
  const providerOf = async (id: string, by = client): Promise<string> => {
    const { status, header } = await ask(id, by);
    expect(status).toBe(200);
    return header('x-gateway-provider');
  };
  const withoutDeployment = async (): Promise<string[]> => {
    const { details } = await gateway.admin.read<{ details: { models: { without_deployment: string[] } } }>(
      '/health/ready',
    );
    return details.models.without_deployment;
  };

  it('get no new request, while a stream in flight ends as usual', async () => {
    await upstream.closeGate();
    const opened = client.openChat({ model: 'pair', messages: [{ role: 'user', content: 'still whole' }] });
    await until(async () => (await stateOf('first/echo?gate'))?.in_flight === 1);
    const before = Math.floor(Date.now() / 1_000) - 1;
    const drained = await drain('first/echo?gate', { reason: 'maintenance' });
    expect(drained).toMatchObject({
      id: 'first/echo?gate',
      models: ['pair'],
      in_flight: 1,
      drain: { actor: 'admin', reason: 'maintenance', expires_at: null, is_stale: false },
    });
    expect(drained.drain?.created_at).toBeGreaterThanOrEqual(before);
    const later = ask('pair');
    await until(async () => (await stateOf('second/echo?gate'))?.in_flight === 1);
    expect((await stateOf('first/echo?gate'))?.in_flight).toBe(1);
    await upstream.openGate();
    const stream = await opened;
    expect(stream.headers.get('x-gateway-provider')).toBe('first');
    const text = await stream.text();
    expect(text).toContain('still');
    expect(text).toContain('whole');
    expect(text).toContain('[DONE]');
    expect((await later).header('x-gateway-provider')).toBe('second');
    expect(await providerOf('pair')).toBe('second');
    expect(await providerOf('second/echo?gate')).toBe('second');
    const metric = (await gateway.admin.metrics()).get('gateway_deployment_drained')?.samples;
    const valueOf = (id: string): number | undefined => metric?.find((each) => each.labels['deployment'] === id)?.value;
    expect([valueOf('first/echo?gate'), valueOf('second/echo?gate')]).toEqual([1, 0]);
    expect(await enable('first/echo?gate')).toMatchObject({ id: 'first/echo?gate', drain: null });
    expect(await providerOf('pair')).toBe('first');
  });

  it('are refused with a clear error where a model has no other, by every operation and every name', async () => {
    for (const id of ['first/alone', 'first/embed', 'first/saved']) await drain(id);
    const refusals = [
      await ask('alone'),
      await client.chat({ model: 'alone', stream: true }),
      await ask('first/alone'),
      await ask('first/ALONE'),
      await client.post('/v1/embeddings', { model: 'embed', input: 'x' }),
      await client.post('/v1/responses', { model: 'alone', input: 'x' }),
    ];
    for (const { status, body } of refusals) {
      expect([status, body]).toMatchObject([503, { error: { code: 'upstream_unavailable' } }]);
      expect(JSON.stringify(body)).toMatch(/are drained: an administrator has taken them out of service/);
    }
    const message = { model: 'alone', max_tokens: 5, messages: [{ role: 'user', content: 'x' }] };
    const claude = await client.post('/v1/messages', message);
    expect(claude).toMatchObject({ status: 503, body: { type: 'error', error: { type: 'overloaded_error' } } });
    expect((await ask('saved')).header('x-gateway-model')).toBe('pair');
    expect((await withoutDeployment()).sort()).toEqual(['alone', 'embed', 'saved']);
    await enable('first/alone');
    expect(await providerOf('alone')).toBe('first');
    expect((await withoutDeployment()).sort()).toEqual(['embed', 'saved']);
    // A refusal by the gateway is no failure of the deployment.
    expect(await stateOf('first/alone')).toMatchObject({ breaker: 'closed', recent_failed: 0 });
  });

  it('leave no request in their queue', async () => {
    await upstream.closeGate();
    const running = ask('full');
    await until(async () => (await stateOf(ONE_CALL))?.in_flight === 1);
    const waiting = ask('full');
    await until(async () => (await stateOf(ONE_CALL))?.waiting === 1);
    await drain(ONE_CALL);
    expect(await waiting).toMatchObject({ status: 503, body: { error: { code: 'upstream_unavailable' } } });
    await upstream.openGate();
    expect((await running).status).toBe(200);
  });

  it('are drained by the key of a provider that has several', async () => {
    await drain('keys/several');
    const mark = (await upstream.requests()).length;
    for (let call = 0; call < 8; call += 1) await providerOf('several');
    const sent = (await upstream.requests()).slice(mark).map(({ headers }) => headers['authorization']);
    expect(new Set(sent)).toEqual(new Set(['Bearer key-b']));
    await drain('keys/several#2');
    expect((await ask('several')).status).toBe(503);
  });

  it('are those of every instance, and of one that starts later', async () => {
    const joins = gateway;
    let second = await startGateway({ config, env, joins });
    try {
      await drain('first/alone', { reason: 'everywhere' });
      const refuses = async (): Promise<boolean> => (await ask('alone', second.client(client.key))).status === 503;
      await until(refuses);
      expect((await stateOf('first/alone', second.admin))?.drain).toMatchObject({ reason: 'everywhere' });
      await second.stop();
      second = await startGateway({ config, env, joins });
      // From its first request on.
      expect((await ask('alone', second.client(client.key))).status).toBe(503);
      await second.admin.make('/v1/admin/deployments/enable', { deployment: 'first/alone' });
      expect(await providerOf('alone', second.client(client.key))).toBe('first');
      await until(async () => (await ask('alone')).status === 200);
    } finally {
      await second.stop();
    }
  });

  it('are used again by themselves at the end of their time', async () => {
    const { drain: ends } = await drain('first/alone', { expires_in: 1 });
    expect(ends?.expires_at).toBeGreaterThan(0);
    await until(async () => (await ask('alone')).status === 200);
    expect((await stateOf('first/alone'))?.drain).toBeNull();
    // A second one replaces the first.
    await drain('first/alone', { expires_in: 600 });
    expect((await drain('first/alone', { reason: 'longer' })).drain).toMatchObject({
      expires_at: null,
      reason: 'longer',
    });
  });

  it('stay drained where the file loses them and has them again', async () => {
    await drain('first/alone');
    const file = join(gateway.dataDirectory, 'gateway.yaml');
    const text = readFileSync(file, 'utf8');
    const hashOf = async (): Promise<string> =>
      (await gateway.admin.read<ConfigurationDto>('/v1/admin/configuration')).hash;
    const reload = async (next: string): Promise<void> => {
      const before = await hashOf();
      writeFileSync(file, next);
      process.kill(gateway.pid, 'SIGHUP');
      await until(async () => (await hashOf()) !== before);
    };
    await reload(text.replaceAll('first', 'renamed'));
    expect(await stateOf('first/alone')).toMatchObject({ models: [], drain: { is_stale: true } });
    expect(await providerOf('alone')).toBe('renamed');
    await reload(text);
    expect((await ask('alone')).status).toBe(503);
    expect((await stateOf('first/alone'))?.drain).toMatchObject({ is_stale: false });
    await reload(text.replaceAll('first', 'renamed'));
    expect(await enable('first/alone')).toMatchObject({ id: 'first/alone', drain: null });
    await reload(text);
    expect(await providerOf('alone')).toBe('first');
  });

  it('get no task of a batch; tasks wait where there is no other deployment', async () => {
    await drain('first/echo?gate');
    const elsewhere = await client.endedBatch(await client.submitBatch('pair', ['a', 'b', 'c']));
    expect(elsewhere).toMatchObject({ status: 'completed', completed_count: 3 });
    const used = await gateway.admin.usageRecords(`key_id=${client.keyId}`);
    const ofTasks = used.filter(({ source }) => source === 'batch');
    expect(ofTasks.length).toBeGreaterThan(0);
    expect(new Set(ofTasks.map(({ provider }) => provider))).toEqual(new Set(['second']));
    await drain('first/alone');
    const mark = (await upstream.requests()).length;
    const id = await client.submitBatch('alone', ['a', 'b']);
    expect((await ask('alone')).status).toBe(503);
    expect(await client.readBatch(id)).toMatchObject({ completed_count: 0, failed_count: 0 });
    expect((await upstream.requests()).length).toBe(mark);
    await enable('first/alone');
    expect(await client.endedBatch(id)).toMatchObject({ status: 'completed', completed_count: 2, failed_count: 0 });
  });

  it("get no new part of a provider's batch; tasks that wait for one go to another deployment", async () => {
    const partsAt = async (provider: string): Promise<number> => {
      const records = await gateway.admin.usageRecords(`key_id=${client.keyId}&service_tier=batch`);
      return records.filter((record) => record.provider === provider).length;
    };
    const submit = (): Promise<string> => client.submitBatch('native', ['x', 'y', 'z'], { pricing: 'native' });
    // A part that the provider has is followed to its end.
    batches.behavior = { takesMs: 1_500 };
    const followed = await submit();
    await until(() => batches.batches.length === 1);
    await drain('files/m');
    expect(await client.endedBatch(followed)).toMatchObject({ status: 'completed', completed_count: 3 });
    await until(async () => (await partsAt('files')) === 3);
    batches.behavior = {};
    const planned = await client.endedBatch(await submit());
    expect(planned).toMatchObject({ status: 'completed', completed_count: 3 });
    await until(async () => (await partsAt('other')) === 3);
    await enable('files/m');
    // It waits: its provider creates none.
    batches.behavior = { failsBeforeCreation: 1e9 };
    const waiting = await submit();
    await until(() => gateway.logs().includes('a part of a batch could not go on'));
    await drain('files/m');
    const parts = `SELECT id FROM batch_part WHERE state <> 'ended' AND deployment = 'files/m'`;
    await until(async () => (await queryDatabase(gateway.databaseUrl, parts)).length === 0);
    batches.behavior = {};
    expect(await client.endedBatch(waiting)).toMatchObject({ status: 'completed', completed_count: 3 });
    await until(async () => (await partsAt('other')) === 6);
    expect([await partsAt('files'), batches.live]).toEqual([3, []]);
  });

  it('are in the audit log, with who and why', async () => {
    const admin = await gateway.newClient({ scopes: ['admin'] });
    const body = { deployment: 'first/alone', reason: 'an incident', expires_in: 600 };
    await admin.make('/v1/admin/deployments/drain', body);
    await admin.make('/v1/admin/deployments/enable', { deployment: 'first/alone' });
    // Nothing changes, so that there is nothing to note.
    await admin.make('/v1/admin/deployments/enable', { deployment: 'first/alone' });
    const entries = await gateway.admin.audit(`actor=${admin.keyId}&action=deployment.*`);
    expect(entries.map(({ action, target_id: target }) => [action, target])).toEqual([
      ['deployment.enabled', 'first/alone'],
      ['deployment.drained', 'first/alone'],
    ]);
    expect(entries[0]?.before).toMatchObject({ reason: 'an incident' });
    expect(entries[1]?.changes).toMatchObject({ deployment: 'first/alone', reason: 'an incident' });
    const long = `first/${'m'.repeat(50)}`;
    await admin.make('/v1/admin/deployments/drain', { deployment: long });
    expect((await gateway.admin.audit(`target_id=${long}`))[0]?.changes).toMatchObject({ deployment: long });
    await enable(long);
  });

  it('are for administrators, and exist', async () => {
    const path = '/v1/admin/deployments/drain';
    expect((await client.post(path, { deployment: 'first/alone' })).status).toBe(403);
    for (const deployment of ['nowhere/m', 'alone', '']) {
      const { status } = await gateway.admin.post(path, { deployment });
      expect([deployment, status]).toEqual([deployment, deployment === '' ? 400 : 404]);
    }
    const unknown = await gateway.admin.post('/v1/admin/deployments/enable', { deployment: 'nowhere/m' });
    expect(unknown).toMatchObject({ status: 404, body: { error: { param: 'deployment' } } });
    expect((await gateway.admin.post(path, { deployment: 'first/alone', expires_in: 0 })).status).toBe(400);
    expect((await gateway.admin.post(path, { deployment: 'first/alone', why: 'x' })).status).toBe(400);
    expect((await stateOf('first/alone'))?.drain).toBeNull();
  });
});
