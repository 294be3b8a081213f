import { createServer, type IncomingMessage, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import OpenAI from 'openai';
import { Webhook } from 'standardwebhooks';
import { startFakeUpstream, type FakeUpstream } from '../upstreams/fake-upstream-client.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';
import { startRedis, type RedisServer } from '../fixtures/redis-server.js';
import { until } from '../fixtures/until.js';

interface Result {
  index: number;
  custom_id: string;
  status: string;
  response: { status_code: number; request_id: string; body: OpenAI.ChatCompletion } | null;
  error: { message: string; code: string } | null;
  attempts: number;
  usage: { total_tokens: number } | null;
}

interface Job {
  job_id: string;
  status: string;
  submitted_at: number;
  started_at: number | null;
  completed_at: number | null;
  task_count: number;
  completed_count: number;
  failed_count: number;
  cancelled_count: number;
  expired_count: number;
  results: Result[];
  has_more: boolean;
  next: number | null;
  error: string | null;
  webhook_secret?: string;
}

interface Answer<Body> {
  status: number;
  body: Body & { error?: { message: string; param: string | null; code: string } };
}

describe(`batches (${isPostgresRun ? 'PostgreSQL and Redis' : 'SQLite, in the process'})`, () => {
  let upstream: FakeUpstream;
  let redis: RedisServer | undefined;
  let gateway: RunningGateway;
  let key: string;

  beforeAll(async () => {
    upstream = await startFakeUpstream();
    redis = isPostgresRun ? await startRedis() : undefined;
    gateway = await startGateway({
      config: `sandbox: true
providers:
  fake: { type: openai, base_url: "${upstream.url}/v1" }
batch: { concurrency: 8, max_tasks: 2000, max_body_size: 4MB, lease: 3s }
`,
      env: { GATEWAY_WEBHOOK_ALLOW_PRIVATE: 'true', ...(redis !== undefined && { REDIS_URL: redis.url }) },
    });
    key = await gateway.apiKey();
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
    const { body: expiring } = await submit({
      model: 'fake/stall?at=headers',
      tasks: ['never', 'never'],
      expires_in: 10,
    });
    slow.expiring = expiring.job_id;
    const made = await call<{ id: string; key: string }>(
      'POST',
      '/v1/admin/keys',
      { name: 'to be revoked' },
      { authorization: `Bearer ${gateway.adminKey}` },
    );
    const tasks = Array.from({ length: 200 }, () => 'slow');
    const { body: ofRevokedKey } = await call(
      'POST',
      '/v1/batch/generate',
      { model: 'fake/echo?delay=150', tasks },
      { authorization: `Bearer ${made.body.key}` },
    );
    slow.ofRevokedKey = ofRevokedKey.job_id;
    await call('DELETE', `/v1/admin/keys/${made.body.id}`, undefined, { authorization: `Bearer ${gateway.adminKey}` });
  }

  async function call<Body = Job>(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<Body>> {
    const response = await fetch(`${gateway.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Answer<Body>['body'] };
  }
  const submit = (body: unknown, headers?: Record<string, string>): Promise<Answer<Job>> =>
    call('POST', '/v1/batch/generate', body, headers);
  const read = async (id: string, query = ''): Promise<Job> => (await call('GET', `/v1/batch/${id}${query}`)).body;
  async function finished(id: string): Promise<Job> {
    let job = await read(id);
    await until(async () => (job = await read(id)).completed_at !== null);
    return job;
  }

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
    const job = await finished(submitted.body.job_id);
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
    const texts = job.results.map(({ response }) => response?.body.choices[0]?.message.content);
    expect(texts[0]).toBe('one two three');
    expect(texts[1]).toBe('a prompt');
    expect(texts[2]).toBe('flat');
    expect(texts[3]?.split(' ')).toHaveLength(2);
    expect(texts[4]).toBe('hi');
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
    await finished(body.job_id);
    const first = await read(body.job_id);
    expect(first.results).toHaveLength(100);
    expect(first).toMatchObject({ has_more: true, next: 99 });
    const last = await read(body.job_id, '?limit=1000&after=399');
    expect(last.results.map(({ index }) => index)).toEqual(Array.from({ length: 50 }, (_, index) => 400 + index));
    expect(last).toMatchObject({ has_more: false, next: null });
    expect(await read(body.job_id, '?results=false')).toMatchObject({ results: [], completed_count: 450 });
    const response = await fetch(`${gateway.url}/v1/batch/${body.job_id}/results`, { headers: { 'x-api-key': key } });
    expect(response.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8');
    const lines = (await response.text())
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Result);
    expect(lines.map(({ index }) => index)).toEqual(tasks.map((_, index) => index));
    expect(
      lines.every(({ response: answer }, index) => answer?.body.choices[0]?.message.content === tasks[index]),
    ).toBe(true);
  });

  it('follows a batch to its end by server-sent events', async () => {
    const tasks = Array.from({ length: 20 }, () => 'hi');
    const { body } = await submit({ model: 'fake/echo?delay=100', tasks });
    const response = await fetch(`${gateway.url}/v1/batch/${body.job_id}/events`, { headers: { 'x-api-key': key } });
    expect(response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8');
    const text = await response.text();
    expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
    const events = text
      .split('\n\n')
      .filter((frame) => frame.startsWith('data: {'))
      .map((frame) => JSON.parse(frame.slice(6)) as Job);
    expect(events.length).toBeGreaterThan(1);
    const counts = events.map(({ completed_count: count }) => count);
    expect(counts).toEqual([...counts].sort((a, b) => a - b));
    expect(events.at(-1)).toMatchObject({ status: 'completed', completed_count: 20 });
  });

  it('retries what may pass, and fails the rest at once with the provider’s error', async () => {
    await upstream.reset();
    await upstream.script([{ model: 'flaky', behaviour: 'status-503', times: 2 }]);
    const { body } = await submit({
      model: 'fake/flaky',
      tasks: ['comes back', { messages: [{ role: 'user', content: 'x' }], model: 'fake/status?code=400&body=context' }],
    });
    const job = await finished(body.job_id);
    expect(job).toMatchObject({ status: 'completed', completed_count: 1, failed_count: 1 });
    expect(job.results[0]).toMatchObject({ status: 'succeeded', attempts: 3 });
    expect(job.results[1]).toMatchObject({
      status: 'failed',
      attempts: 1,
      response: null,
      error: { code: 'context_length_exceeded' },
    });
  });

  it('names the first 20 faults by path, and stores nothing', async () => {
    const before = await call<{ data: Job[] }>('GET', '/v1/batch?limit=100');
    const tasks: unknown[] = Array.from({ length: 30 }, () => ({ messages: [] }));
    tasks[0] = 'good';
    const many = await submit({ model: 'sandbox/echo', tasks });
    expect(many.status).toBe(400);
    expect(many.body.error).toMatchObject({ param: 'tasks[1].messages', code: 'empty_array' });
    expect(many.body.error.message).toContain('20 or more faults');
    expect(many.body.error.message).toContain("'tasks[20].messages'");
    expect(many.body.error.message).not.toContain("'tasks[21]");
    const after = await call<{ data: Job[] }>('GET', '/v1/batch?limit=100');
    // Jobs of other tests go on meanwhile.
    const ids = (jobs: readonly Job[]): string[] => jobs.map(({ job_id }) => job_id);
    expect(ids(after.body.data)).toEqual(ids(before.body.data));
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
    [{ model: 'sandbox/echo', tasks: [{ url: '/v1/embeddings', body: {} }] }, 'tasks[0].url', 'invalid_value'],
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
    const answer = await submit(body);
    expect(answer.status).toBe(400);
    expect(answer.body.error).toMatchObject({ param, code });
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
    const response = await fetch(`${gateway.url}/v1/batch/generate`, {
      method: 'POST',
      headers: { 'x-api-key': key, 'content-type': 'application/json', 'content-encoding': 'gzip' },
      body: gzipSync('{"tasks":["zipped"],"model":"sandbox/echo"}'),
    });
    const job = (await response.json()) as Job;
    expect(response.status).toBe(202);
    expect((await finished(job.job_id)).results[0]?.response?.body.choices[0]?.message.content).toBe('zipped');
  });

  it('answers an Idempotency-Key with the same job, and another body with a 409', async () => {
    const body = { model: 'sandbox/echo', tasks: ['once'] };
    const headers = { 'idempotency-key': `order-${Date.now()}` };
    const answers = await Promise.all(Array.from({ length: 5 }, () => submit(body, headers)));
    expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 202, 202]);
    expect(new Set(answers.map(({ body: { job_id: id } }) => id)).size).toBe(1);
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
    const cancelled = await call('POST', `/v1/batch/${body.job_id}/cancel`);
    expect(cancelled.status).toBe(200);
    expect(['cancelling', 'cancelled']).toContain(cancelled.body.status);
    const job = await finished(body.job_id);
    const made = await calls();
    expect(job.status).toBe('cancelled');
    expect(job.completed_count + job.failed_count + job.cancelled_count + job.expired_count).toBe(400);
    expect(job.cancelled_count).toBeGreaterThan(0);
    // Of those cancelled, at most what was in flight had been called.
    expect(made).toBeLessThanOrEqual(400 - job.cancelled_count + 8);
    const again = await call('POST', `/v1/batch/${body.job_id}/cancel`);
    expect(again).toMatchObject({ status: 200, body: { status: 'cancelled' } });
    // Other work goes on, and none of it is the cancelled job's.
    await finished((await submit({ model: 'fake/echo', tasks: ['after', 'the', 'end'] })).body.job_id);
    expect(await calls()).toBe(made);
  });

  it('answers another key’s job exactly as an unknown one, on every route', async () => {
    const { body } = await submit({ model: 'sandbox/echo', tasks: ['mine'] });
    await finished(body.job_id);
    const stranger = await gateway.apiKey();
    const routes = [
      ['GET', ''],
      ['GET', '?results=false'],
      ['GET', '/results'],
      ['GET', '/events'],
      ['POST', '/cancel'],
      ['HEAD', ''],
    ] as const;
    for (const [method, suffix] of routes) {
      const answers = await Promise.all(
        [body.job_id, 'batch_000000000000000000000000'].map(async (id) => {
          const response = await fetch(`${gateway.url}/v1/batch/${id}${suffix}`, {
            method,
            headers: { authorization: `Bearer ${stranger}` },
          });
          return [response.status, (await response.text()).replaceAll(id, 'ID')];
        }),
      );
      expect(answers[0]).toEqual(answers[1]);
      expect(answers[0]?.[0]).toBe(404);
    }
    const list = await fetch(`${gateway.url}/v1/batch`, { headers: { authorization: `Bearer ${stranger}` } });
    expect(await list.json()).toMatchObject({ data: [] });
  });

  it('shows operators all batches, what waits, and metrics', async () => {
    const denied = await call('GET', '/v1/admin/batches');
    expect(denied.status).toBe(403);
    const admin = { authorization: `Bearer ${gateway.adminKey}` };
    const list = await call<{ data: { key_id: string; age_seconds: number }[]; queued_tasks: number }>(
      'GET',
      '/v1/admin/batches?limit=5',
      undefined,
      admin,
    );
    expect(list.status).toBe(200);
    expect(list.body.data).toHaveLength(5);
    expect(JSON.stringify(list.body)).not.toContain('"messages"');
    let text = '';
    await until(async () => {
      text = await (await fetch(`${gateway.url}/metrics`, { headers: admin })).text();
      return /gateway_batch_tasks\{state="queued"\} 0/.test(text);
    });
    expect(text).toMatch(/gateway_batch_tasks_total\{status="succeeded"\} [1-9]/);
    expect((await fetch(`${gateway.url}/metrics`, { headers: { 'x-api-key': key } })).status).toBe(403);
    expect((await fetch(`${gateway.url}/metrics`)).status).toBe(401);
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
      const client = new OpenAI({ apiKey: 'unused', webhookSecret: secret });
      expect((await client.webhooks.unwrap(text, strings)).type).toBe('batch.completed');
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
    const job = await finished(slow.expiring);
    expect(job).toMatchObject({ status: 'expired', expired_count: 2, completed_count: 0 });
    expect(job.results.map(({ status, error }) => [status, error?.code])).toEqual([
      ['expired', 'batch_expired'],
      ['expired', 'batch_expired'],
    ]);
  });

  it('fails a job whose key has been revoked', async () => {
    const seen = async (): Promise<Job | undefined> => {
      const list = await fetch(`${gateway.url}/v1/admin/batches?limit=100`, {
        headers: { 'x-api-key': gateway.adminKey },
      });
      return ((await list.json()) as { data: Job[] }).data.find(({ job_id: jobId }) => jobId === slow.ofRevokedKey);
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
      const response = await fetch(`${gateway.url}/v1/batch/generate`, {
        method: 'POST',
        headers: { 'x-api-key': gateway.adminKey, 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'sandbox/echo', tasks: ['x'], webhook: { url } }),
      });
      expect(response.status).toBe(400);
      expect(await response.json()).toMatchObject({ error: { param: 'webhook.url' } });
    }
    await gateway.stop();
  });
});
