import { createServer, type IncomingMessage, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import OpenAI from 'openai';
import { Webhook } from 'standardwebhooks';
import { startFakeUpstream, type FakeUpstream } from '../upstreams/fake-upstream-client.js';
import type { AdminBatchDto, AdminBatchListDto } from '../../src/batch/admin-batches.dto.js';
import type { BatchDto, BatchListDto, BatchSubmittedDto } from '../../src/batch/batch.dto.js';
import type { GatewayClient } from '../clients/gateway-client.js';
import type { GatewayResponse } from '../clients/gateway-response.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { openAiAt } from '../fixtures/gateway-config.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';
import { startRedis, type RedisServer } from '../fixtures/redis-server.js';
import { until } from '../fixtures/until.js';

type Submitted = GatewayResponse<BatchSubmittedDto>;

describe(`batches (${isPostgresRun ? 'PostgreSQL and Redis' : 'SQLite, in the process'})`, () => {
  let upstream: FakeUpstream;
  let redis: RedisServer | undefined;
  let gateway: RunningGateway;
  let client: GatewayClient;

  beforeAll(async () => {
    upstream = await startFakeUpstream();
    redis = isPostgresRun ? await startRedis() : undefined;
    gateway = await startGateway({
      config: {
        sandbox: true,
        providers: { fake: openAiAt(upstream) },
        batch: { concurrency: 8, max_tasks: 2_000, max_body_size: '4MB', lease: '3s' },
      },
      env: { GATEWAY_WEBHOOK_ALLOW_PRIVATE: 'true', ...(redis !== undefined && { REDIS_URL: redis.url }) },
    });
    client = await gateway.newClient();
    await beginSlowJobs();
  });
  afterAll(async () => {
    await gateway.stop();
    await redis?.stop();
    await upstream.stop();
  });

  /** Jobs whose end takes many seconds by the product's own intervals: submitted before the tests, looked at by the last of them. */
  const slow = { expiring: '', ofRevokedKey: '' };
  async function beginSlowJobs(): Promise<void> {
    slow.expiring = await client.submitBatch('fake/stall?at=headers', ['never', 'never'], { expires_in: 10 });
    const revoked = await gateway.newClient();
    const tasks = Array.from({ length: 200 }, () => 'slow');
    slow.ofRevokedKey = await revoked.submitBatch('fake/echo?delay=150', tasks);
    await gateway.admin.revokeKey(revoked.keyId);
  }

  const submit = (body: object | string, headers: Record<string, string> = {}): Promise<Submitted> =>
    client.post('/v1/batch/generate', body, { headers });
  const read = (id: string, query = ''): Promise<BatchDto> => client.read(`/v1/batch/${id}${query}`);

  it('runs a batch of every shape of task, with the reference’s fields', async () => {
    const submitted = await submit({
      model: 'sandbox/echo',
      max_tokens: 3,
      tasks: [
        'one two three four',
        { prompt: 'a prompt', custom_id: 'mine' },
        { messages: [{ role: 'user', content: 'flat' }], max_tokens: 1 },
        {
          custom_id: 'line',
          method: 'POST',
          url: '/v1/chat/completions',
          body: { model: 'sandbox/lorem', messages: [{ role: 'user', content: 'x' }], max_tokens: 2 },
        },
        {
          custom_id: 'claude',
          params: { system: 'Be brief.', max_tokens: 10, messages: [{ role: 'user', content: 'hi' }] },
        },
      ],
      batch_metadata: { run: 7 },
    });
    expect(submitted.status).toBe(202);
    expect(Object.keys(submitted.body).sort()).toEqual(['job_id', 'status', 'submitted_at', 'task_count']);
    expect(submitted.body).toMatchObject({ status: 'queued', task_count: 5 });
    const job = await client.endedBatch(submitted.body.job_id);
    expect(job).toMatchObject({
      job_id: submitted.body.job_id,
      status: 'completed',
      submitted_at: submitted.body.submitted_at,
      task_count: 5,
      completed_count: 5,
      failed_count: 0,
      error: null,
      batch_metadata: { run: 7 },
      has_more: false,
    });
    expect(Number.isInteger(job.started_at) && Number.isInteger(job.completed_at)).toBe(true);
    expect(job.results.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4]);
    expect(job.results.map(({ custom_id: id }) => id)).toEqual(['task-0', 'mine', 'task-2', 'line', 'claude']);
    const texts = job.results.slice(0, 4).map(({ response }) => response?.body.choices[0]?.message.content);
    expect(job.results[4]).toMatchObject({
      response: { body: { type: 'message', role: 'assistant', content: [{ type: 'text', text: 'hi' }] } },
      usage: { input_tokens: expect.any(Number) as number },
    });
    expect(texts[0]).toBe('one two three');
    expect(texts[1]).toBe('a prompt');
    expect(texts[2]).toBe('flat');
    expect(texts[3]?.split(' ')).toHaveLength(2);
    expect(job.results[0]).toMatchObject({
      status: 'succeeded',
      error: null,
      attempts: 1,
      response: { status_code: 200, request_id: expect.stringMatching(/^req_/) as string },
      usage: { total_tokens: expect.any(Number) as number },
    });
  });

  it('pages results, leaves them out, and streams all as NDJSON in task order', async () => {
    const tasks = Array.from({ length: 450 }, (_, index) => `number ${index}`);
    const { body } = await submit({ model: 'sandbox/echo', tasks });
    await client.endedBatch(body.job_id);
    const first = await read(body.job_id);
    expect(first.results).toHaveLength(100);
    expect(first).toMatchObject({ has_more: true, next: 99 });
    const last = await read(body.job_id, '?limit=1000&after=399');
    expect(last.results.map(({ index }) => index)).toEqual(Array.from({ length: 50 }, (_, index) => 400 + index));
    expect(last).toMatchObject({ has_more: false, next: null });
    expect(await read(body.job_id, '?results=false')).toMatchObject({ results: [], completed_count: 450 });
    const response = await client.get(`/v1/batch/${body.job_id}/results`);
    expect(response.header('content-type')).toBe('application/x-ndjson; charset=utf-8');
    const lines = await client.batchResults(body.job_id);
    expect(lines.map(({ index }) => index)).toEqual(tasks.map((_, index) => index));
    expect(lines.every(({ response }, index) => response?.body.choices[0]?.message.content === tasks[index])).toBe(
      true,
    );
  });

  it('follows a batch to its end by server-sent events', async () => {
    const tasks = Array.from({ length: 20 }, () => 'hi');
    const { body } = await submit({ model: 'fake/echo?delay=100', tasks });
    const response = await client.get(`/v1/batch/${body.job_id}/events`);
    expect(response.header('content-type')).toBe('text/event-stream; charset=utf-8');
    expect(response.text.endsWith('data: [DONE]\n\n')).toBe(true);
    const events = response.events<BatchDto>();
    expect(events.length).toBeGreaterThan(1);
    const counts = events.map(({ completed_count: count }) => count);
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    expect(events.at(-1)).toMatchObject({ status: 'completed', completed_count: 20 });
  });

  it('retries what may pass, and fails the rest at once with the provider’s error', async () => {
    await upstream.reset();
    // Each attempt of the task calls its only deployment twice; a third failure would open the breaker.
    await upstream.script([{ model: 'flaky', behaviour: 'status-503', times: 2 }]);
    const { body } = await submit({
      model: 'fake/flaky',
      tasks: ['comes back', { messages: [{ role: 'user', content: 'x' }], model: 'fake/status?code=400&body=context' }],
    });
    const job = await client.endedBatch(body.job_id);
    expect(job).toMatchObject({ status: 'completed', completed_count: 1, failed_count: 1 });
    expect(job.results[0]).toMatchObject({ status: 'succeeded', attempts: 2 });
    expect(job.results[1]).toMatchObject({
      status: 'failed',
      attempts: 1,
      response: null,
      error: { code: 'context_length_exceeded' },
    });
  });

  it('names the first 20 faults by path, and stores nothing', async () => {
    const before = await client.read<BatchListDto>('/v1/batch?limit=100');
    const tasks: unknown[] = Array.from({ length: 30 }, () => ({ messages: [] }));
    tasks[0] = 'good';
    const many = await submit({ model: 'sandbox/echo', tasks });
    expect(many.status).toBe(400);
    expect(many.body.error).toMatchObject({ param: 'tasks[1].messages', code: 'empty_array' });
    expect(many.body.error?.message).toContain('20 or more faults');
    expect(many.body.error?.message).toContain("'tasks[20].messages'");
    expect(many.body.error?.message).not.toContain("'tasks[21]");
    const after = await client.read<BatchListDto>('/v1/batch?limit=100');
    // Jobs of other tests go on meanwhile.
    const ids = (jobs: BatchListDto['data']): string[] => jobs.map(({ job_id }) => job_id);
    expect(ids(after.data)).toEqual(ids(before.data));
  });

  it.each([
    [{ model: 'sandbox/echo' }, 'tasks', 'missing_required_parameter'],
    [{ model: 'sandbox/echo', tasks: [] }, 'tasks', 'missing_required_parameter'],
    [{ model: 'sandbox/echo', tasks: 'x' }, 'tasks', 'invalid_type'],
    [{ tasks: ['x'] }, 'model', 'missing_required_parameter'],
    [{ model: 7, tasks: ['x'] }, 'model', 'invalid_type'],
    [{ model: 'sandbox/echo', tasks: ['x', 7] }, 'tasks[1]', 'invalid_type'],
    [{ model: 'sandbox/echo', tasks: [''] }, 'tasks[0]', 'invalid_value'],
    [{ model: 'sandbox/echo', tasks: [{ prompt: 'x', temperature: 3 }] }, 'tasks[0].temperature', 'invalid_value'],
    [{ model: 'sandbox/echo', tasks: [{ prompt: 'x', stream: true }] }, 'tasks[0].stream', 'invalid_value'],
    [
      { model: 'sandbox/echo', tasks: [{ body: { messages: [{}] } }] },
      'tasks[0].body.messages[0].role',
      'missing_required_parameter',
    ],
    [{ model: 'sandbox/echo', tasks: [{ url: '/v1/images/generations', body: {} }] }, 'tasks[0].url', 'invalid_value'],
    [
      {
        model: 'sandbox/echo',
        tasks: [
          { prompt: 'x', custom_id: 'a' },
          { prompt: 'y', custom_id: 'a' },
        ],
      },
      'tasks[1].custom_id',
      'duplicate_custom_id',
    ],
    [{ model: 'sandbox/echo', tasks: [{ prompt: 'x', custom_id: 'a\u0000' }] }, 'tasks[0].custom_id', 'invalid_value'],
    [{ model: 'sandbox/echo', tasks: ['x'], max_tokens: -1 }, 'max_tokens', 'invalid_value'],
    [{ model: 'sandbox/echo', tasks: ['x'], expires_in: 1 }, 'expires_in', 'invalid_value'],
    [{ model: 'sandbox/echo', tasks: ['x'], priority: 'urgent' }, 'priority', 'invalid_value'],
    [{ model: 'sandbox/echo', tasks: ['x'], batch_metadata: [] }, 'batch_metadata', 'invalid_type'],
    [{ model: 'sandbox/echo', tasks: ['x'], webhook: { url: 'ftp://x' } }, 'webhook.url', 'invalid_value'],
    [{ model: 'sandbox/echo', tasks: ['x'], taks: 1 }, 'taks', 'unknown_parameter'],
    [{ model: 'sandbox/echo', tasks: Array.from({ length: 2001 }, () => 'x') }, 'tasks', 'array_above_max_length'],
  ])('refuses %j', async (body, param, code) => {
    const response = await submit(body);
    expect(response.status).toBe(400);
    expect(response.body.error).toMatchObject({ param, code });
  });

  it('answers what is no JSON, too large, or of another type', async () => {
    for (const text of ['', '{', '[]', '{"tasks":["x"],}', '{"model":"sandbox/echo","tasks":["x"]} x']) {
      expect(await submit(text)).toMatchObject({ status: 400 });
    }
    expect(await submit({ model: 'no-such', tasks: ['x'] })).toMatchObject({
      status: 404,
      body: { error: { code: 'model_not_found', param: 'model' } },
    });
    expect(await submit({ model: 'sandbox/echo', tasks: [{ prompt: 'x', model: 'no-such' }] })).toMatchObject({
      status: 404,
      body: { error: { param: 'tasks[0].model' } },
    });
    const large = JSON.stringify({ model: 'sandbox/echo', tasks: ['x'.repeat(5 * 1024 * 1024)] });
    const tooLarge = await submit(large).catch(() => undefined);
    expect(tooLarge?.status ?? 413).toBe(413);
    expect(await submit('{}', { 'content-type': 'text/plain' })).toMatchObject({ status: 415 });
  });

  it('takes a compressed body, whose fields come in any order', async () => {
    const bytes = gzipSync('{"tasks":["zipped"],"model":"sandbox/echo"}');
    const { status, body: job } = await submit(bytes, { 'content-encoding': 'gzip' });
    expect(status).toBe(202);
    expect((await client.endedBatch(job.job_id)).results[0]?.response?.body.choices[0]?.message.content).toBe('zipped');
  });

  it('answers an Idempotency-Key with the same job, and another body with a 409', async () => {
    const body = { model: 'sandbox/echo', tasks: ['once'] };
    const headers = { 'idempotency-key': `order-${Date.now()}` };
    const responses = await Promise.all(Array.from({ length: 5 }, () => submit(body, headers)));
    expect(responses.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202]);
    expect(new Set(responses.map(({ body: { job_id: id } }) => id)).size).toBe(1);
    expect(await submit({ ...body, max_tokens: 5 }, headers)).toMatchObject({
      status: 409,
      body: { error: { code: 'conflict' } },
    });
    expect(await submit(body, { 'idempotency-key': 'with space' })).toMatchObject({ status: 400 });
  });

  it('cancels a running batch: no new call after its end, and the counts add up', async () => {
    // Takes 20 seconds if it is not cancelled.
    const model = 'fake/echo?delay=400';
    const calls = async (): Promise<number> =>
      (await upstream.requests()).filter((request) => `fake/${request.model}` === model).length;
    const { body } = await submit({ model, tasks: Array.from({ length: 400 }, () => 'slow') });
    await until(async () => (await read(body.job_id, '?results=false')).completed_count > 0);
    const cancelled = await client.post<BatchDto>(`/v1/batch/${body.job_id}/cancel`);
    expect(cancelled.status).toBe(200);
    expect(['cancelling', 'cancelled']).toContain(cancelled.body.status);
    const job = await client.endedBatch(body.job_id);
    const made = await calls();
    expect(job.status).toBe('cancelled');
    expect(job.completed_count + job.failed_count + job.cancelled_count + job.expired_count).toBe(400);
    expect(job.cancelled_count).toBeGreaterThan(0);
    // Of those cancelled, at most what was in flight had been called.
    expect(made).toBeLessThanOrEqual(400 - job.cancelled_count + 8);
    const again = await client.post<BatchDto>(`/v1/batch/${body.job_id}/cancel`);
    expect(again).toMatchObject({ status: 200, body: { status: 'cancelled' } });
    // Other work goes on, and none of it is the cancelled job's.
    await client.endedBatch((await submit({ model: 'fake/echo', tasks: ['after', 'the', 'end'] })).body.job_id);
    expect(await calls()).toBe(made);
  });

  it('answers another key’s job exactly as an unknown one, on every route', async () => {
    const { body } = await submit({ model: 'sandbox/echo', tasks: ['mine'] });
    await client.endedBatch(body.job_id);
    const stranger = await gateway.newClient();
    const routes = [
      ['GET', ''],
      ['GET', '?results=false'],
      ['GET', '/results'],
      ['GET', '/events'],
      ['POST', '/cancel'],
      ['HEAD', ''],
    ] as const;
    for (const [method, suffix] of routes) {
      const responses = await Promise.all(
        [body.job_id, 'batch_000000000000000000000000'].map(async (id) => {
          const { status, text } = await stranger.send(method, `/v1/batch/${id}${suffix}`);
          return [status, text.replaceAll(id, 'ID')];
        }),
      );
      expect(responses[0]).toEqual(responses[1]);
      expect(responses[0]?.[0]).toBe(404);
    }
    expect(await stranger.read('/v1/batch')).toMatchObject({ data: [] });
  });

  it('shows operators all batches, what waits, and metrics', async () => {
    const denied = await client.get('/v1/admin/batches');
    expect(denied.status).toBe(403);
    const list = await gateway.admin.read<AdminBatchListDto>('/v1/admin/batches?limit=5');
    expect(list.data).toHaveLength(5);
    expect(JSON.stringify(list)).not.toContain('"messages"');
    let text = '';
    await until(async () => {
      ({ text } = await gateway.admin.get('/metrics'));
      return /gateway_batch_tasks\{state="queued"\} 0/.test(text);
    });
    expect(text).toMatch(/gateway_batch_tasks_total\{status="succeeded"\} [1-9]/);
    expect((await client.get('/metrics')).status).toBe(403);
    expect((await gateway.client('').get('/metrics')).status).toBe(401);
  });

  describe('webhooks', () => {
    let receiver: Server;
    let url: string;
    const received: { headers: IncomingMessage['headers']; body: string }[] = [];
    let statuses: number[] = [];

    beforeAll(async () => {
      receiver = createServer((request, response) => {
        let body = '';
        request.setEncoding('utf8').on('data', (text: string) => (body += text));
        request.on('end', () => {
          received.push({ headers: request.headers, body });
          response.writeHead(statuses.shift() ?? 204).end();
        });
      }).listen(0, '127.0.0.1');
      await once(receiver, 'listening');
      url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
    });
    afterAll(() => {
      receiver.close();
    });
    beforeEach(() => {
      received.length = 0;
    });

    it('notify of the end, signed so that standardwebhooks and the openai client verify them', async () => {
      const { body } = await submit({ model: 'sandbox/echo', tasks: ['x'], webhook: { url } });
      const secret = body.webhook_secret ?? '';
      expect(secret).toMatch(/^whsec_/);
      await until(() => received.length === 1);
      const { headers, body: text } = received[0]!;
      const strings = headers as Record<string, string>;
      expect(new Webhook(secret).verify(text, strings)).toEqual({
        id: `evt_${body.job_id}`,
        object: 'event',
        type: 'batch.completed',
        created_at: expect.any(Number) as number,
        data: { id: body.job_id },
      });
      const openai = new OpenAI({ apiKey: 'unused', webhookSecret: secret });
      expect((await openai.webhooks.unwrap(text, strings)).type).toBe('batch.completed');
      expect(strings['webhook-id']).toBe(`evt_${body.job_id}`);
    });

    it('are tried again with the same id until they are taken, and stop at 410', async () => {
      statuses = [500, 204];
      const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
      const first = await submit({ model: 'sandbox/echo', tasks: ['x'], webhook: { url, secret } });
      expect(first.body).not.toHaveProperty('webhook_secret');
      await until(() => received.length === 2);
      expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
      statuses = [410];
      await submit({ model: 'sandbox/echo', tasks: ['x'], webhook: { url } });
      await until(() => received.length === 3);
    });
  });

  it('expires what is not finished in time', async () => {
    const job = await client.endedBatch(slow.expiring);
    expect(job).toMatchObject({ status: 'expired', expired_count: 2, completed_count: 0 });
    expect(job.results.map(({ status, error }) => [status, error?.code])).toEqual([
      ['expired', 'batch_expired'],
      ['expired', 'batch_expired'],
    ]);
  });

  it('fails a job whose key has been revoked', async () => {
    const seen = async (): Promise<AdminBatchDto | undefined> => {
      const { data } = await gateway.admin.read<AdminBatchListDto>('/v1/admin/batches?limit=100');
      return data.find(({ job_id: id }) => id === slow.ofRevokedKey);
    };
    await until(async () => (await seen())?.status === 'failed');
    const job = await seen();
    expect(job?.error).toMatch(/revoked/);
    expect((job?.completed_count ?? 0) + (job?.failed_count ?? 0)).toBe(200);
  });
});

describe('webhooks to private addresses', () => {
  it('are refused unless the operator allows them', async () => {
    const gateway = await startGateway();
    for (const url of ['http://127.0.0.1/x', 'http://169.254.169.254/latest', 'http://2130706433/', 'http://[::1]/']) {
      const body = { model: 'sandbox/echo', tasks: ['x'], webhook: { url } };
      expect(await gateway.admin.post('/v1/batch/generate', body)).toMatchObject({
        status: 400,
        body: { error: { param: 'webhook.url' } },
      });
    }
    await gateway.stop();
  });
});
