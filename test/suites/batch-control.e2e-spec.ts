import type { BatchEstimateDto } from '../../src/batch/control/estimate.dto.js';
import type { BatchDto, BatchSummaryDto } from '../../src/batch/batch.dto.js';
import type { GatewayClient } from '../clients/gateway-client.js';
import type { GatewayResponse } from '../clients/gateway-response.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { model, openAiAt, price } from '../fixtures/gateway-config.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';
import { until } from '../fixtures/until.js';
import { startFakeUpstream, type FakeUpstream, type RecordedRequest } from '../upstreams/fake-upstream-client.js';

const HOUR_MS = 3_600_000;
const promptsOf = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${name} ${index}`);
const clock = (moment: number): string => new Date(moment).toISOString().slice(11, 16);
/** An hour of the day that begins in two hours. */
const closedWindow = (): string => `${clock(Date.now() + 2 * HOUR_MS)}-${clock(Date.now() + 3 * HOUR_MS)}`;

describe(`bounds of a batch (${isPostgresRun ? 'PostgreSQL' : 'SQLite'})`, () => {
  let upstream: FakeUpstream;
  let gateway: RunningGateway;
  let other: RunningGateway;
  let client: GatewayClient;

  beforeAll(async () => {
    upstream = await startFakeUpstream();
    const env = { GATEWAY_KEY_PEPPER: 'Qm3v9-bounds-8Zk-Qm3v9-bounds-4Wd' };
    const config = {
      sandbox: true,
      providers: { fake: openAiAt(upstream) },
      models: [
        model('paid', 'fake/echo?delay=30', { price: price(1_000, 1_000) }),
        model('unstable', 'fake/status-500', { price: price(1_000, 1_000) }),
      ],
      batch: { concurrency: 16, max_attempts: 2 },
    };
    gateway = await startGateway({ config, env });
    // Both claim from the same lanes.
    other = await startGateway({ config, env, joins: gateway });
    client = await gateway.newClient();
  });
  afterAll(async () => {
    await other.stop('SIGKILL');
    await gateway.stop('SIGKILL');
    await upstream.stop();
  });

  const callsOf = async (name: string): Promise<RecordedRequest[]> =>
    (await upstream.requests()).filter(({ body }) => JSON.stringify(body).includes(`"${name} `));
  const counts = (id: string): Promise<BatchSummaryDto> => client.read(`/v1/batch/${id}?results=false`);

  it('a job without options looks as it always did', async () => {
    const id = await client.submitBatch('sandbox/echo', ['plain']);
    const job = await client.endedBatch(id);
    expect(job.status).toBe('completed');
    expect(Object.keys(job)).not.toContain('control');
  });

  it('all processes together run no more tasks of a job at once than its concurrency, and use it', async () => {
    const id = await client.submitBatch('fake/echo?delay=120', promptsOf('abreast', 24), { concurrency: 3 });
    const free = await client.submitBatch('fake/echo?delay=120', promptsOf('free', 24));
    const job = await client.endedBatch(id);
    expect(job).toMatchObject({ status: 'completed', completed_count: 24, control: { concurrency: 3 } });
    await client.endedBatch(free);
    const mostOf = (calls: readonly RecordedRequest[]): number =>
      Math.max(
        ...calls.map(
          ({ startedAt }) =>
            calls.filter((each) => each.startedAt <= startedAt && (each.closedAt ?? Infinity) > startedAt).length,
        ),
      );
    expect(mostOf(await callsOf('abreast'))).toBe(3);
    expect(mostOf(await callsOf('free'))).toBeGreaterThan(3);
  });

  it('a rate spreads the starts over the minute', async () => {
    const fields = { rate: { requests_per_minute: 120 } };
    const id = await client.submitBatch('fake/echo', promptsOf('spread', 10), fields);
    expect(await client.endedBatch(id)).toMatchObject({ completed_count: 10, control: fields });
    const starts = (await callsOf('spread')).map(({ startedAt }) => startedAt);
    expect(starts).toHaveLength(10);
    // Two a second: the last pair comes four seconds after the first, less what one of them may be late.
    expect(Math.max(...starts) - Math.min(...starts)).toBeGreaterThan(2_000);
  });

  it('a rate of tokens counts prompt and longest response', async () => {
    const fields = { rate: { tokens_per_minute: 6_000 }, max_tokens: 98 };
    const id = await client.submitBatch('fake/echo', promptsOf('tokens', 5), fields);
    await client.endedBatch(id);
    const starts = (await callsOf('tokens')).map(({ startedAt }) => startedAt);
    expect(starts).toHaveLength(5);
    expect(Math.max(...starts) - Math.min(...starts)).toBeGreaterThan(1_000);
  });

  it('not_before lets nothing start earlier, and a closed window nothing at all', async () => {
    const start = Math.ceil(Date.now() / 1_000) + 2;
    const later = await client.submitBatch('fake/echo', promptsOf('later', 6), { not_before: start });
    const window = closedWindow();
    const never = await client.submitBatch('fake/echo', promptsOf('closed', 6), { windows: [`${window} UTC`] });
    const waiting = (await counts(never)).control;
    expect(waiting).toMatchObject({ windows: [`${window} UTC`], waiting_for: 'window', paused_by: null });
    expect(waiting?.waiting_until).toBeGreaterThan(Date.now() / 1_000 + 3_600);
    expect((await counts(later)).status).toBe('queued');
    await client.endedBatch(later);
    const starts = (await callsOf('later')).map(({ startedAt }) => startedAt);
    expect(starts).toHaveLength(6);
    expect(Math.min(...starts)).toBeGreaterThanOrEqual(start * 1_000);
    expect(await callsOf('closed')).toEqual([]);
    expect(await counts(never)).toMatchObject({ status: 'queued', started_at: null });
    await client.make(`/v1/batch/${never}/cancel`);
    expect(await client.endedBatch(never)).toMatchObject({ status: 'cancelled', cancelled_count: 6 });
  });

  it('max_cost_usd is never passed, and what it does not cover ends with a code of its own', async () => {
    // A tenth of a cent a token: a task may cost 10 tokens of response and one for each byte of its prompt.
    const id = await client.submitBatch('paid', promptsOf('paid', 60), { max_tokens: 10, max_cost_usd: 0.12 });
    const job = await client.endedBatch(id);
    const { control, completed_count: done, failed_count: failed } = job;
    expect(job.status).toBe('completed');
    expect(done).toBeGreaterThan(5);
    expect(done + failed).toBe(60);
    expect(control?.cost_refused_count).toBe(failed);
    expect(failed).toBeGreaterThan(0);
    expect(await callsOf('paid')).toHaveLength(done);
    const billed = (await client.batchResults(id)).reduce(
      (sum, { usage }) => sum + ((usage as { total_tokens?: number } | null)?.total_tokens ?? 0) * 0.001,
      0,
    );
    expect(billed).toBeLessThanOrEqual(0.12);
    expect(control?.spent_usd).toBeCloseTo(billed, 6);
    const refused = (await client.batchResults(id)).filter(({ status }) => status === 'failed');
    expect(new Set(refused.map(({ error }) => error?.code))).toEqual(new Set(['cost_limit_reached']));
    // It was used as far as the next task would have fitted.
    expect(billed).toBeGreaterThan(0.12 - 0.1);
  });

  it('calls that failed count with what they may have cost', async () => {
    const id = await client.submitBatch('unstable', promptsOf('unstable', 12), { max_tokens: 10, max_cost_usd: 1 });
    const job = await client.endedBatch(id);
    expect(job.failed_count).toBe(12);
    expect(job.control?.spent_usd).toBeLessThanOrEqual(1);
  });

  it('a key pauses and resumes its own job, but does not end the pause of an operator', async () => {
    const id = await client.submitBatch('fake/echo?delay=100', promptsOf('held', 40), { concurrency: 2 });
    await until(async () => (await counts(id)).completed_count > 0);
    const paused = await client.make<BatchSummaryDto>(`/v1/batch/${id}/pause`);
    expect(paused.control).toMatchObject({ paused_by: 'key', waiting_for: 'paused', waiting_until: null });
    expect(paused.paused_at).not.toBeNull();
    await gateway.admin.make(`/v1/admin/batches/${id}/pause`);
    expect((await counts(id)).control?.paused_by).toBe('operator');
    const refused = await client.post(`/v1/batch/${id}/resume`, {});
    expect(refused).toMatchObject({ status: 409, body: { error: { code: 'conflict', param: 'job_id' } } });
    await gateway.admin.make(`/v1/admin/batches/${id}/resume`);
    await client.make(`/v1/batch/${id}/pause`);
    expect((await client.make<BatchSummaryDto>(`/v1/batch/${id}/resume`)).paused_at).toBeNull();
    expect(await client.endedBatch(id)).toMatchObject({ status: 'completed', completed_count: 40 });
    expect((await client.post(`/v1/batch/${id}/pause`, {})).status).toBe(409);
    const stranger = await gateway.newClient();
    expect((await stranger.post(`/v1/batch/${id}/pause`, {})).status).toBe(404);
    expect((await stranger.post(`/v1/batch/${id}/resume`, {})).status).toBe(404);
  });

  it.each<[fields: object, param: string]>([
    [{ max_cost_usd: -1 }, 'max_cost_usd'],
    [{ max_cost_usd: '5' }, 'max_cost_usd'],
    [{ max_cost_usd: 5, model: 'fake/echo' }, 'max_cost_usd'],
    [{ rate: {} }, 'rate'],
    [{ rate: { requests_per_minute: 0 } }, 'rate.requests_per_minute'],
    [{ rate: { per_second: 1 } }, 'rate.per_second'],
    [{ concurrency: 1.5 }, 'concurrency'],
    [{ not_before: 1e12 }, 'not_before'],
    [{ not_before: Math.floor(Date.now() / 1_000) + 7_200, expires_in: 3_600 }, 'not_before'],
    [{ windows: [closedWindow()], expires_in: 600 }, 'windows'],
    [{ windows: [] }, 'windows'],
    [{ windows: '22:00-06:00' }, 'windows'],
    [{ windows: ['22:00-06:00 Europe/Nowhere'] }, 'windows'],
    [{ windows: ['22:00-06:00', 'at night'] }, 'windows'],
  ])('%j is refused at %s', async (fields, param) => {
    const response = await client.post('/v1/batch/generate', { model: 'sandbox/echo', tasks: ['x'], ...fields });
    expect(response).toMatchObject({ status: 400, body: { error: { param } } });
  });

  it('the options hold for message batches as well', async () => {
    const params = { model: 'sandbox/echo', max_tokens: 5, messages: [{ role: 'user', content: 'x' }] };
    const { id } = await client.make<{ id: string }>('/v1/messages/batches', {
      requests: [{ custom_id: 'a', params }],
      windows: [closedWindow()],
    });
    const job = await client.read<BatchDto>(`/v1/batch/${id}`);
    expect(job.control?.waiting_for).toBe('window');
    await client.make(`/v1/messages/batches/${id}/cancel`);
  });

  describe('estimates', () => {
    const tasks = ['one two', 'one two', { model: 'unstable', prompt: 'three' }];

    it.each([
      ['POST /v1/batch/estimate', '/v1/batch/estimate', {}],
      ['dry_run', '/v1/batch/generate', { dry_run: true }],
    ])('%s says tokens and cost by model, and stores nothing', async (_name, path, more) => {
      const own = await gateway.newClient();
      const body = { model: 'paid', tasks, max_tokens: 10, ...more };
      const { status, body: plain } = await own.post<BatchEstimateDto>(path, body);
      expect(status).toBe(200);
      const [paid, other] = plain.models;
      expect(plain).toMatchObject({ object: 'batch.estimate', task_count: 3, duplicate_count: 0, is_covered: null });
      expect(paid).toMatchObject({ model: 'paid', task_count: 2 });
      expect(other).toMatchObject({ model: 'unstable', task_count: 1 });
      expect(paid?.worst_cost_usd).toBeGreaterThan(paid?.likely_cost_usd ?? 0);
      expect(paid?.likely_cost_usd).toBeGreaterThanOrEqual(2 * 10 * 0.001);
      const limited = await own.make<BatchEstimateDto>(path, {
        ...body,
        dedupe: true,
        max_cost_usd: 0.001,
        rate: { requests_per_minute: 1 },
      });
      expect(limited).toMatchObject({ duplicate_count: 1, is_covered: false, seconds_at_rate: 120 });
      expect(limited.worst_cost_usd).toBeLessThan(plain.worst_cost_usd ?? 0);
      expect((await own.read<{ data: unknown[] }>('/v1/batch')).data).toEqual([]);
      expect((await own.post(path, { ...body, tasks: [7] })).status).toBe(400);
    });

    it('the worst case covers what the batch then costs', async () => {
      const body = { model: 'paid', tasks: promptsOf('estimated', 8), max_tokens: 10, max_cost_usd: 100 };
      const { worst_cost_usd: worst } = await client.make<BatchEstimateDto>('/v1/batch/estimate', body);
      const { job_id: id } = await client.make<{ job_id: string }>('/v1/batch/generate', body);
      const { control } = await client.endedBatch(id);
      expect(control?.spent_usd).toBeGreaterThan(0);
      expect(control?.spent_usd).toBeLessThanOrEqual(worst ?? 0);
    });
  });

  it('identical tasks run once and all have the result, also where they name their model or are cancelled', async () => {
    const own = await gateway.newClient();
    const prompts = ['same a', 'same b', 'same a', 'same a', 'same b', 'same c'];
    const ids = await Promise.all([
      own.submitBatch('fake/echo', prompts, { dedupe: true }),
      own.submitBatch(
        'sandbox/echo',
        prompts.map((prompt) => ({ model: 'fake/echo', prompt })),
        {
          dedupe: true,
          order: 'prefix',
        },
      ),
    ]);
    for (const id of ids) {
      expect(await own.endedBatch(id)).toMatchObject({ status: 'completed', completed_count: 6 });
      const results = await own.batchResults(id);
      expect(results.map(({ response }) => textOf(response))).toEqual(prompts);
      expect(results.map(({ attempts }) => attempts)).toEqual([1, 1, 0, 0, 0, 1]);
    }
    expect(await callsOf('same')).toHaveLength(6);
    const { data: records } = await gateway.admin.read<{ data: unknown[] }>(
      `/v1/admin/usage/records?key_id=${own.keyId}&limit=100`,
    );
    expect(records).toHaveLength(6);
    const ended = await own.submitBatch('fake/echo?delay=60000', ['x', 'x', 'y', 'y', 'y'], {
      dedupe: true,
      concurrency: 1,
    });
    await own.make(`/v1/batch/${ended}/cancel`);
    expect(await own.endedBatch(ended)).toMatchObject({ status: 'cancelled', cancelled_count: 5 });
    const failing = await own.submitBatch('fake/status-400', ['x', 'x', 'x'], { dedupe: true });
    expect(await own.endedBatch(failing)).toMatchObject({ status: 'completed', failed_count: 3 });
  });

  it('the order by prefix starts tasks that begin alike after each other, also where they are released', async () => {
    const letters = ['a', 'b', 'a', 'c', 'b', 'a', 'c', 'b', 'a', 'b'];
    const taskOf = (name: string) => (letter: string, index: number) => ({
      messages: [
        { role: 'system', content: letter.repeat(2_000) },
        { role: 'user', content: `${name} ${index}` },
      ],
    });
    // Of several processes each claims the next tasks, so that the order holds for those of one.
    const alone = await startGateway({
      config: {
        providers: { fake: openAiAt(upstream) },
        models: [model('ordered', 'fake/echo', { price: price(2, 8) })],
      },
    });
    try {
      const own = await alone.newClient();
      // Claims take two tasks of the first job, and eight of the others, most of which are released.
      for (const [name, options] of [
        ['order-one', { concurrency: 1 }],
        ['order-cost', { concurrency: 1, max_cost_usd: 100 }],
        ['order-rate', { concurrency: 1, rate: { tokens_per_minute: 1_000_000, requests_per_minute: 300 } }],
      ] as const) {
        const id = await own.submitBatch('ordered', letters.map(taskOf(name)), { order: 'prefix', ...options });
        expect(await own.endedBatch(id)).toMatchObject({ completed_count: 10, control: { order: 'prefix' } });
        const started = (await callsOf(name)).sort((a, b) => a.startedAt - b.startedAt);
        const contents = started.map(({ body }) =>
          (body?.['messages'] as { content: string }[]).map((each) => each.content),
        );
        expect(contents.map(([system, user]) => `${system?.[0]} ${user}`)).toEqual(
          ['a 0', 'a 2', 'a 5', 'a 8', 'b 1', 'b 4', 'b 7', 'b 9', 'c 3', 'c 6'].map((each) =>
            each.replace(' ', ` ${name} `),
          ),
        );
        expect((await own.batchResults(id)).map(({ index }) => index)).toEqual([...letters.keys()]);
      }
    } finally {
      await alone.stop('SIGKILL');
    }
  });

  it('failed or chosen tasks run again as a new job that refers to the old one', async () => {
    const tasks = [
      { custom_id: 'good', prompt: 'again good' },
      { custom_id: 'bad', model: 'fake/status-400', prompt: 'again bad' },
      { custom_id: 'other', prompt: 'again other', max_tokens: 7 },
    ];
    const old = await client.submitBatch('fake/echo', tasks, { batch_metadata: { run: 1 }, max_tokens: 3 });
    await client.endedBatch(old);
    const { job_id: failed } = await client.make<{ job_id: string }>(`/v1/batch/${old}/retry`);
    const job = await client.endedBatch(failed);
    expect(job).toMatchObject({
      task_count: 1,
      failed_count: 1,
      batch_metadata: { run: 1 },
      control: { retry_of: old },
    });
    expect((await client.batchResults(failed))[0]?.custom_id).toBe('bad');
    const { job_id: chosen } = await client.make<{ job_id: string }>(`/v1/batch/${old}/retry`, {
      custom_ids: ['other', 'good'],
      concurrency: 1,
    });
    expect(await client.endedBatch(chosen)).toMatchObject({ completed_count: 2, control: { concurrency: 1 } });
    expect((await client.batchResults(chosen)).map(({ custom_id: id }) => id)).toEqual(['good', 'other']);
    const calls = (await callsOf('again')).filter(({ body }) => JSON.stringify(body).includes('again other'));
    expect(calls.map(({ body }) => body?.['max_tokens'])).toEqual([7, 7]);
    for (const [path, body, status, param] of [
      [`${old}/retry`, { custom_ids: ['unknown'] }, 400, 'custom_ids'],
      [`${old}/retry`, { statuses: ['expired'] }, 400, 'statuses'],
      [`${old}/retry`, { statuses: ['queued'] }, 400, 'statuses'],
      [`${old}/retry`, { model: 'x' }, 400, 'model'],
      [`batch_000000000000000000000000/retry`, {}, 404, 'job_id'],
    ] as const) {
      expect(await client.post(`/v1/batch/${path}`, body)).toMatchObject({ status, body: { error: { param } } });
    }
    const stranger = await gateway.newClient();
    expect((await stranger.post(`/v1/batch/${old}/retry`, {})).status).toBe(404);
    const onlySandbox = await gateway.newClient({ allowed_models: ['sandbox/*'] });
    const theirs = await onlySandbox.submitBatch('sandbox/echo', ['x']);
    await onlySandbox.endedBatch(theirs);
    expect((await onlySandbox.post(`/v1/batch/${theirs}/retry`, { statuses: ['succeeded'] })).status).toBe(202);
  });

  it('a key and its group have allowances of enqueued tokens, which ended tasks release', async () => {
    const group = await gateway.admin.make<{ id: string }>('/v1/admin/groups', {
      name: 'batches',
      limits: { batch_tokens: 700 },
    });
    const one = await gateway.newClient({ limits: { batch_tokens: 400 }, group_id: group.id });
    const two = await gateway.newClient({ group_id: group.id });
    const submit = (who: GatewayClient, count: number, fields: object = {}): Promise<GatewayResponse> =>
      who.post('/v1/batch/generate', {
        model: 'fake/echo',
        max_tokens: 97,
        tasks: promptsOf('allowed', count),
        ...fields,
      });
    const waits = { windows: [closedWindow()] };
    const first = await submit(one, 3, waits);
    expect(first.status).toBe(202);
    const refused = await submit(one, 2);
    expect(refused).toMatchObject({
      status: 429,
      body: { error: { code: 'batch_tokens_exceeded', type: 'rate_limit_error', param: 'tasks' } },
    });
    expect(refused.text).toMatch(/This key may have 400 tokens of batches enqueued\. \d+ are free/);
    expect((await submit(two, 4)).text).toMatch(
      /The group of this key may have 700 tokens of batches enqueued\. \d+ are free/,
    );
    // Two that arrive together do not both get what is left for one.
    const statuses = (await Promise.all([submit(two, 2, waits), submit(two, 2, waits)])).map(({ status }) => status);
    expect(statuses.sort()).toEqual([202, 429]);
    await one.make(`/v1/batch/${(first.body as { job_id: string }).job_id}/cancel`);
    await until(async () => (await submit(one, 3)).status === 202);
    // Live requests have nothing to do with it.
    expect((await one.chat()).status).toBe(200);
    expect((await submit(client, 50, waits)).status).toBe(202);
  });

  it('a stream of results goes on after any of them', async () => {
    const id = await client.submitBatch('sandbox/echo', promptsOf('rest', 7));
    await client.endedBatch(id);
    const whole = (await client.get(`/v1/batch/${id}/results`)).text;
    const lines = whole.split('\n').slice(0, -1);
    for (const after of [0, 3, 5, 6, 100]) {
      const { text } = await client.get(`/v1/batch/${id}/results?after=${after}`);
      expect(text.split('\n').slice(0, -1)).toEqual(lines.slice(after + 1));
    }
    expect((await client.get(`/v1/batch/${id}/results?after=x`)).status).toBe(400);
  });
});

function textOf(response: unknown): unknown {
  return (response as { body: { choices: { message: { content: string } }[] } } | null)?.body.choices[0]?.message
    .content;
}
