import { BatchHistory } from '../fixtures/batch-history.js';
import { startFakeUpstream, type FakeUpstream } from '../upstreams/fake-upstream-client.js';
import type { AdminBatchDto, AdminBatchListDto } from '../../src/batch/admin-batches.dto.js';
import type { Method } from '../clients/gateway-client.js';
import type { GatewayResponse } from '../clients/gateway-response.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { openAiAt } from '../fixtures/gateway-config.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';
import { until } from '../fixtures/until.js';

describe(`batches of all keys, for operators (${isPostgresRun ? 'PostgreSQL' : 'SQLite'})`, () => {
  let upstream: FakeUpstream;
  let gateway: RunningGateway;
  let clientKey: string;
  let client: BatchHistory;

  beforeAll(async () => {
    upstream = await startFakeUpstream();
    gateway = await startGateway({
      config: { sandbox: true, providers: { fake: openAiAt(upstream) }, batch: { concurrency: 4 } },
    });
    clientKey = await gateway.apiKey({ name: 'client' });
    client = new BatchHistory(clientKey, () => gateway.url);
  });
  afterAll(async () => {
    await gateway.stop('SIGKILL');
    await upstream.stop();
  });

  const send = <Body = AdminBatchDto>(
    method: Method,
    path: string,
    body?: object,
    key = gateway.adminKey,
  ): Promise<GatewayResponse<Body>> => gateway.client(key).send(method, `/v1/admin/batches${path}`, body);
  const list = (query: string): Promise<AdminBatchListDto> => gateway.admin.read(`/v1/admin/batches?${query}`);
  async function submit(history: BatchHistory, model: string, prompts: readonly string[]): Promise<string> {
    const id = await history.submit(model, prompts);
    if (id === undefined) throw new Error('the batch was refused');
    return id;
  }
  const callsOf = async (text: string): Promise<number> =>
    (await upstream.requests()).filter(({ body }) => JSON.stringify(body).includes(text)).length;

  it('a paused batch begins nothing, lets others pass, and ends with each result once after it is resumed', async () => {
    const prompts = Array.from({ length: 40 }, (_, index) => `paused-${index}`);
    const id = await submit(client, 'fake/echo?delay=150', prompts);
    await until(async () => (await client.counts(id)).completed_count > 2);
    const paused = await send('POST', `/${id}/pause`, {});
    expect(paused).toMatchObject({
      status: 200,
      body: { status: 'in_progress', paused_at: expect.any(Number) as number },
    });
    await until(async () => (await list('limit=1')).running_tasks === 0);
    const calls = await callsOf('paused-');
    expect(calls).toBeLessThan(prompts.length);
    // Another key's batch has begun and ended meanwhile, so the workers were looking for work.
    const other = new BatchHistory(await gateway.apiKey(), () => gateway.url);
    await submit(other, 'fake/echo', ['others']);
    await until(() => other.allDone());
    expect(await callsOf('paused-')).toBe(calls);
    expect(await client.counts(id)).toMatchObject({ status: 'in_progress', paused_at: paused.body.paused_at });
    expect((await list('paused=true')).data.map(({ job_id: each }) => each)).toEqual([id]);

    expect((await send('POST', `/${id}/pause`, {})).body.paused_at).toBe(paused.body.paused_at);
    expect((await send('POST', `/${id}/resume`, {})).body.paused_at).toBeNull();
    await until(() => client.allDone());
    expect(await client.faults(upstream, prompts.length + 1)).toEqual([]);
    for (const [method, path, body] of [
      ['POST', '/pause', {}],
      ['POST', '/resume', {}],
      ['PATCH', '', { priority: 'low' }],
    ] as const) {
      expect([path, (await send(method, `/${id}${path}`, body)).status]).toEqual([path, 409]);
    }
  });

  it('an administrator reads, finds and cancels the batches of any key', async () => {
    const done = await submit(client, 'sandbox/echo', ['a result of another key']);
    await until(() => client.allDone());
    const waiting = await submit(client, 'fake/echo?delay=60000', ['w1', 'w2', 'w3', 'w4', 'w5', 'w6']);
    const mine = await send('GET', `/${done}`);
    expect(mine.body).toMatchObject({ job_id: done, status: 'completed', paused_at: null });
    expect(JSON.stringify(mine.body)).not.toContain('a result of another key');
    const results = await send('GET', `/${done}/results`);
    expect(results.text).toContain('a result of another key');

    const keyId = mine.body.key_id;
    const idsOf = async (query: string): Promise<string[]> => (await list(query)).data.map(({ job_id: each }) => each);
    expect(await idsOf(`key_id=${keyId}&status=completed&model=sandbox/echo`)).toEqual([done]);
    expect(await idsOf('key_id=key_0000000000000000')).toEqual([]);
    expect(await idsOf(`model=${encodeURIComponent('fake/echo?delay=60000')}`)).toEqual([waiting]);
    const first = await list(`key_id=${keyId}&limit=1`);
    expect(first).toMatchObject({ data: [{ job_id: waiting }], has_more: true });
    expect((await idsOf(`key_id=${keyId}&limit=1&after=${first.next}`))[0]).toBe(done);

    expect((await send('PATCH', `/${waiting}`, { priority: 'high' })).body.priority).toBe('high');
    expect((await send('POST', `/${waiting}/cancel`, {})).status).toBe(200);
    await until(async () => (await send('GET', `/${waiting}`)).body.status === 'cancelled');
    expect((await send('GET', `/${waiting}`)).body.cancelled_count).toBe(6);
  });

  it('bad calls name what is wrong, and keys without the scope may do none of it', async () => {
    const id = await submit(client, 'sandbox/echo', ['x']);
    const unknown = 'batch_000000000000000000000000';
    const steps = [
      ['GET', ''],
      ['GET', '/results'],
      ['POST', '/cancel'],
      ['POST', '/pause'],
      ['POST', '/resume'],
      ['PATCH', ''],
    ] as const;
    for (const [method, step] of steps) {
      const body = method === 'PATCH' ? { priority: 'low' } : method === 'POST' ? {} : undefined;
      const statuses = [
        (await send(method, `/${unknown}${step}`, body)).status,
        (await send(method, `/${id}${step}`, body, clientKey)).status,
      ];
      expect([method, step, ...statuses]).toEqual([method, step, 404, 403]);
    }
    for (const [path, param] of [
      ['?status=done', 'status'],
      ['?paused=yes', 'paused'],
      ['?after=nothing', 'after'],
    ]) {
      expect(await send('GET', path ?? '')).toMatchObject({ status: 400, body: { error: { param } } });
    }
    const wrong = await send('PATCH', `/${id}`, { priority: 'urgent' });
    expect(wrong).toMatchObject({ status: 400, body: { error: { param: 'priority' } } });
    expect(await send('PATCH', `/${id}`, {})).toMatchObject({ status: 400 });
  });
});
