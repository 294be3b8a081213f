import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import OpenAI, { APIError, toFile } from 'openai';
import type { GatewayClient } from '../clients/gateway-client.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { model, openAiAt, price } from '../fixtures/gateway-config.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';
import { changeDatabase, queryDatabase } from '../fixtures/query-database.js';
import { until } from '../fixtures/until.js';
import { startFakeUpstream, type FakeUpstream, type RecordedRequest } from '../upstreams/fake-upstream-client.js';

type Batch = OpenAI.Batches.Batch & { top_error?: { code: string; message: string; count: number } | null };
type Endpoint = OpenAI.Batches.BatchCreateParams['endpoint'];

interface OutputLine {
  id: string;
  custom_id: string;
  response: { status_code: number; request_id: string; body: Record<string, unknown> } | null;
  error: { code: string; message: string } | null;
}

const CHAT = '/v1/chat/completions';
const ENDED = ['completed', 'failed', 'expired', 'cancelled'];

const chatLine = (id: string, fields: object = {}): object => ({
  custom_id: id,
  method: 'POST',
  url: CHAT,
  body: { model: 'sandbox/echo', messages: [{ role: 'user', content: `hello ${id}` }], ...fields },
});
const jsonl = (lines: readonly object[]): string => lines.map((line) => JSON.stringify(line)).join('\n');

describe(`batches of files (${isPostgresRun ? 'PostgreSQL' : 'SQLite'})`, () => {
  const directory = mkdtempSync(join(tmpdir(), 'gateway-file-batches-'));
  const config = {
    sandbox: true,
    batch: { lease: '1s', max_file_lines: 30_000 },
    models: [
      model('limited', 'sandbox/cut', { limits: { rpm: 1 } }),
      model('ordered', 'fake/echo', { price: price(2, 8) }),
    ],
  };
  let upstream: FakeUpstream;
  let gateway: RunningGateway;
  let killed: RunningGateway | undefined;
  let client: GatewayClient;
  let openai: OpenAI;

  const start = (joins?: RunningGateway): Promise<RunningGateway> =>
    startGateway({
      config: { ...config, providers: { fake: openAiAt(upstream) } },
      dataDirectory: directory,
      ...(joins !== undefined && { joins }),
    });
  beforeAll(async () => {
    upstream = await startFakeUpstream();
    gateway = await start();
    client = await gateway.newClient();
    openai = sdkOf(client);
  });
  afterAll(async () => {
    await gateway.stop();
    await killed?.stop();
    await upstream.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  function sdkOf({ key }: GatewayClient, { url }: RunningGateway = gateway): OpenAI {
    return new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 });
  }
  async function upload(content: string | Buffer, sdk = openai): Promise<string> {
    const file = await toFile(Buffer.from(content as string), 'requests.jsonl');
    return (await sdk.files.create({ file, purpose: 'batch' })).id;
  }
  async function create(content: string | Buffer, fields: object = {}, sdk = openai): Promise<Batch> {
    const id = await upload(content, sdk);
    const body = { input_file_id: id, endpoint: CHAT as Endpoint, completion_window: '24h' as const, ...fields };
    return sdk.batches.create(body);
  }
  async function ended(id: string, sdk = openai): Promise<Batch> {
    let batch: Batch = await sdk.batches.retrieve(id);
    await until(async () => {
      batch = await sdk.batches.retrieve(id);
      return ENDED.includes(batch.status);
    });
    return batch;
  }
  async function linesOf(id: string | null | undefined, sdk = openai): Promise<OutputLine[]> {
    if (id == null) return [];
    const text = await (await sdk.files.content(id)).text();
    if (text === '') return [];
    expect(text.endsWith('\n')).toBe(true);
    return text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as OutputLine);
  }

  it('live a whole life by the official client', async () => {
    const lines = [
      chatLine('a'),
      chatLine('b', { model: 'sandbox/lorem', max_tokens: 8 }),
      chatLine('fails', { model: 'fake/status-400' }),
    ];
    const created = await create(jsonl(lines), { metadata: { run: 'nightly' } });
    expect(created).toMatchObject({
      object: 'batch',
      endpoint: CHAT,
      status: 'validating',
      completion_window: '24h',
      metadata: { run: 'nightly' },
      request_counts: { total: 0, completed: 0, failed: 0 },
      errors: null,
      output_file_id: null,
    });
    expect(created.expires_at).toBe(created.created_at + 86_400);
    const batch = await ended(created.id);
    expect(batch).toMatchObject({
      status: 'completed',
      request_counts: { total: 3, completed: 2, failed: 1 },
      errors: null,
      cancelled_at: null,
    });
    expect(batch.completed_at).toBeGreaterThanOrEqual(batch.in_progress_at ?? Infinity);
    expect(batch.usage?.total_tokens).toBeGreaterThan(0);
    expect(batch.top_error).toMatchObject({ count: 1 });

    const output = await linesOf(batch.output_file_id);
    expect(output.map(({ custom_id: id }) => id)).toEqual(['a', 'b']);
    for (const { id, response, error } of output) {
      expect(id).toMatch(/^batch_req_\w+$/);
      expect(error).toBeNull();
      expect(response).toMatchObject({ status_code: 200, body: { object: 'chat.completion' } });
    }
    const tokens = output.reduce(
      (sum, { response }) => sum + (response?.body as { usage: { total_tokens: number } }).usage.total_tokens,
      0,
    );
    expect(batch.usage?.total_tokens).toBe(tokens);
    const [failed] = await linesOf(batch.error_file_id);
    expect(failed).toMatchObject({ custom_id: 'fails', response: { status_code: 400 }, error: null });
    expect(failed?.response?.body).toMatchObject({ error: { message: expect.any(String) as string } });

    for (const id of [batch.output_file_id, batch.error_file_id]) {
      const file = await openai.files.waitForProcessing(id ?? '');
      const response = await openai.files.content(file.id);
      expect(response.headers.get('content-length')).toBe(String(file.bytes));
      expect((await response.arrayBuffer()).byteLength).toBe(file.bytes);
      expect(file).toMatchObject({ purpose: 'batch_output', status: 'processed' });
      expect(file.filename).toMatch(/^batch_\w+_(output|error)\.jsonl$/);
    }
    const listed = (await openai.files.list({ purpose: 'batch_output' })).data.map(({ id }) => id);
    expect(listed.sort()).toEqual([batch.output_file_id, batch.error_file_id].sort());
    expect((await openai.batches.list()).data[0]).toEqual(batch);
    await openai.files.delete(batch.output_file_id ?? '');
    await expect(openai.files.content(batch.output_file_id ?? '')).rejects.toMatchObject({ status: 404 });
    expect((await linesOf(batch.error_file_id)).length).toBe(1);
    expect((await openai.batches.cancel(batch.id)).status).toBe('completed');
  });

  it('run lines of every endpoint', async () => {
    const bodies: [string, object][] = [
      ['/v1/responses', { model: 'sandbox/echo', input: 'hello' }],
      ['/v1/embeddings', { model: 'sandbox/embed', input: ['hello', 'world'] }],
      ['/v1/completions', { model: 'sandbox/echo', prompt: 'hello' }],
      ['/v1/moderations', { model: 'sandbox/moderate', input: 'hello' }],
    ];
    const models = new Set((await openai.models.list()).data.map(({ id }) => id));
    for (const [url, body] of bodies) {
      const { model: name } = body as { model: string };
      expect([...models]).toContain(name);
      const batch = await create(jsonl([{ custom_id: 'x', method: 'POST', url, body }]), { endpoint: url });
      const done = await ended(batch.id);
      expect([url, done.status, done.errors, done.request_counts]).toEqual([
        url,
        'completed',
        null,
        { total: 1, completed: 1, failed: 0 },
      ]);
      const [line] = await linesOf(done.output_file_id);
      expect(line?.response?.status_code).toBe(200);
    }
  });

  it('read JSONL as people make it', async () => {
    const texts = ['\u2028 \u2029', '\u0085', '"\\"', '\u{1f600}'];
    const lines = texts.map((content, index) =>
      JSON.stringify(chatLine(`${index}`, { messages: [{ role: 'user', content }] })),
    );
    const text = `\ufeff${lines.join('\r\n\r\n \t\r\n')}`;
    for (const content of [text, `${text}\n\n`, gzipSync(text)]) {
      const done = await ended((await create(content)).id);
      expect(done.request_counts).toEqual({ total: 4, completed: 4, failed: 0 });
      expect((await linesOf(done.output_file_id)).map(({ custom_id: id }) => id)).toEqual(['0', '1', '2', '3']);
    }
  });

  it('fail with the numbers of the lines at fault, and run none of them', async () => {
    const calls = (await upstream.requests()).length;
    const content = [
      JSON.stringify(chatLine('a', { model: 'fake/echo' })),
      '{"custom_id":',
      JSON.stringify(chatLine('a')),
      JSON.stringify(chatLine('c', { model: 'none/none' })),
      JSON.stringify({ ...chatLine('d'), url: '/v1/embeddings' }),
      JSON.stringify(chatLine('e', { messages: 'x' })),
    ].join('\n');
    const batch = await ended((await create(content)).id);
    expect(batch.status).toBe('failed');
    expect(batch.failed_at).toEqual(expect.any(Number));
    expect(batch.errors?.data?.map(({ line, code, param }) => [line, code, param])).toEqual([
      [2, 'invalid_json_line', null],
      [3, 'duplicate_custom_id', 'custom_id'],
      [4, 'model_not_found', 'body.model'],
      [5, 'unsupported_endpoint', 'url'],
      [6, 'invalid_type', 'body.messages'],
    ]);
    expect(batch.request_counts).toEqual({ total: 0, completed: 0, failed: 0 });
    expect(batch.output_file_id).toBeNull();
    expect((await upstream.requests()).length).toBe(calls);
    const rows = await queryDatabase(gateway.databaseUrl, `SELECT 1 FROM batch_task WHERE job_id = '${batch.id}'`);
    expect(rows).toEqual([]);
    for (const empty of [' \n\n', '\ufeff\n']) {
      expect((await ended((await create(empty)).id)).errors?.data?.[0]).toMatchObject({
        code: 'empty_file',
        line: null,
      });
    }
    const broken = await ended((await create(gzipSync(content).subarray(0, 40))).id);
    expect(broken.errors?.data?.[0]).toMatchObject({ code: 'invalid_gzip' });
  });

  it('whose lines all failed are completed, without an output file, and name their most frequent error', async () => {
    const lines = ['a', 'b', 'c'].map((id) =>
      chatLine(id, { model: id === 'c' ? 'fake/status-404' : 'fake/status-400' }),
    );
    const batch = await ended((await create(jsonl(lines))).id);
    expect(batch).toMatchObject({
      status: 'completed',
      output_file_id: null,
      request_counts: { total: 3, completed: 0, failed: 3 },
      top_error: { count: 2 },
    });
    expect(await linesOf(batch.error_file_id)).toHaveLength(3);
  });

  it('are read while they run, and cancelled: finished lines stay, others are batch_cancelled', async () => {
    const lines = Array.from({ length: 4 }, (_, index) => chatLine(`l${index}`, { model: 'limited' }));
    const { id } = await create(jsonl([chatLine('first'), ...lines]));
    let batch: Batch | undefined;
    await until(async () => {
      batch = await openai.batches.retrieve(id);
      return batch.status === 'in_progress' && (batch.request_counts?.completed ?? 0) >= 1;
    });
    expect((await linesOf(batch?.output_file_id))[0]?.custom_id).toBe('first');
    const file = await openai.files.retrieve(batch?.output_file_id ?? '');
    expect(file).toMatchObject({ status: 'uploaded', bytes: 0 });
    expect(['cancelling', 'cancelled']).toContain((await openai.batches.cancel(id)).status);
    const done = await ended(id);
    expect(done).toMatchObject({ status: 'cancelled', cancelling_at: expect.any(Number) as number });
    const output = await linesOf(done.output_file_id);
    const errors = await linesOf(done.error_file_id);
    expect(output.length + errors.length).toBe(5);
    expect(output.length).toBe(done.request_counts?.completed);
    expect(errors.length).toBeGreaterThan(0);
    for (const { response, error } of errors) {
      expect([response, error?.code]).toEqual([null, 'batch_cancelled']);
    }
  });

  it('that expire have their finished lines, and batch_expired for the others', async () => {
    const lines = Array.from({ length: 4 }, (_, index) => chatLine(`l${index}`, { model: 'limited' }));
    const { id } = await create(jsonl([chatLine('first'), ...lines]), { completion_window: '10s' });
    const done = await ended(id);
    expect(done).toMatchObject({ status: 'expired', expired_at: expect.any(Number) as number });
    const output = await linesOf(done.output_file_id);
    const errors = await linesOf(done.error_file_id);
    expect(output.length + errors.length).toBe(5);
    expect(output[0]?.custom_id).toBe('first');
    expect(new Set(errors.map(({ error }) => error?.code))).toEqual(new Set(['batch_expired']));
  });

  it('belong to their key', async () => {
    const { id, input_file_id: input } = await create(jsonl([chatLine('a')]));
    const { output_file_id: output } = await ended(id);
    const other = sdkOf(await gateway.newClient());
    for (const attempt of [
      other.batches.retrieve(id),
      other.batches.cancel(id),
      other.files.content(output ?? ''),
      other.files.delete(output ?? ''),
      other.batches.create({ input_file_id: input, endpoint: CHAT, completion_window: '24h' }),
    ]) {
      await expect(attempt).rejects.toMatchObject({ status: 404 });
    }
    expect((await other.batches.list()).data).toEqual([]);
  });

  it('are listed in pages, newest first, and created once with an Idempotency-Key', async () => {
    const own = sdkOf(await gateway.newClient());
    const file = await upload(jsonl([chatLine('a')]), own);
    const body = { input_file_id: file, endpoint: CHAT as Endpoint, completion_window: '24h' as const };
    const headers = { 'idempotency-key': 'once' };
    const made = await Promise.all([1, 2, 3].map(() => own.batches.create(body, { headers })));
    expect(new Set(made.map(({ id }) => id)).size).toBe(1);
    await expect(own.batches.create({ ...body, metadata: { a: 'b' } }, { headers })).rejects.toMatchObject({
      status: 409,
    });
    for (let count = 0; count < 4; count += 1) await own.batches.create(body);
    const ids: string[] = [];
    for await (const { id } of own.batches.list({ limit: 2 })) ids.push(id);
    expect(ids).toHaveLength(5);
    expect(ids.at(-1)).toBe(made[0]?.id);
    expect(new Set(ids).size).toBe(5);
    // A batch that was deleted after its retention keeps its place in both lists.
    const deleted = ids[2] ?? '';
    for (const table of ['file_batch WHERE job_id', 'batch_job WHERE id']) {
      await changeDatabase(gateway.databaseUrl, `DELETE FROM ${table} = '${deleted}'`);
    }
    expect((await own.batches.list({ after: deleted })).data.map(({ id }) => id)).toEqual(ids.slice(3));
    await expect(own.batches.list({ after: 'batch_x' })).rejects.toMatchObject({ status: 400 });
    const all = await own.get<{ data: { job_id: string }[] }>(`/batch?after=${deleted}`);
    expect((all as { data: { job_id: string }[] }).data.map(({ job_id: id }) => id)).toEqual(ids.slice(3));
  });

  describe('have the options of jobs as additional fields', () => {
    const contentOf = ({ body }: RecordedRequest): string =>
      (body?.['messages'] as { content: string }[] | undefined)?.map(({ content }) => content[0]).join('') ?? '';
    const lineOf = (id: string, letter: string, model = 'ordered'): object =>
      chatLine(id, { model, messages: [{ role: 'user', content: `${letter.repeat(300)} options` }], max_tokens: 97 });
    const callsOf = async (): Promise<readonly string[]> =>
      (await upstream.requests())
        .filter(({ body }) => JSON.stringify(body).includes(' options'))
        .sort((a, b) => a.startedAt - b.startedAt)
        .map(contentOf);
    interface Control {
      control: Record<string, unknown>;
    }
    const controlOf = async (id: string): Promise<Record<string, unknown>> =>
      (await client.read<Control>(`/v1/batch/${id}?results=false`)).control;

    it('order, dedupe, concurrency and max_cost_usd', async () => {
      const letters = [...'abacbba'];
      const lines = letters.map((letter, index) => lineOf(`l${index}`, letter));
      const before = (await callsOf()).length;
      const fields = { order: 'prefix', concurrency: 1, max_cost_usd: 50, pricing: 'live' };
      const batch = await ended((await create(jsonl(lines), fields)).id);
      expect(batch.request_counts).toEqual({ total: 7, completed: 7, failed: 0 });
      expect((await controlOf(batch.id))['order']).toBe('prefix');
      const calls = (await callsOf()).slice(before);
      expect([...calls].sort()).toEqual([...letters].sort());
      expect(calls.join('')).toBe('aaabbbc');
      expect((await linesOf(batch.output_file_id)).map(({ custom_id: id }) => id)).toEqual(
        letters.map((_, index) => `l${index}`),
      );
      const same = await ended((await create(jsonl(lines), { dedupe: true, rate: { requests_per_minute: 6_000 } })).id);
      expect(same.request_counts).toEqual({ total: 7, completed: 7, failed: 0 });
      expect((await callsOf()).length).toBe(before + 7 + 3);
      expect(await linesOf(same.output_file_id)).toHaveLength(7);
    });

    it('not_before and windows', async () => {
      const batch = await create(jsonl([lineOf('w', 'w')]), { not_before: Math.floor(Date.now() / 1_000) + 3_600 });
      await until(async () => (await openai.batches.retrieve(batch.id)).status === 'in_progress');
      expect(await controlOf(batch.id)).toMatchObject({ waiting_for: 'not_before' });
      expect((await callsOf()).includes('w')).toBe(false);
      await openai.batches.cancel(batch.id);
      expect((await ended(batch.id)).status).toBe('cancelled');
    });

    it('and are refused where they are wrong, or by the models that the lines name', async () => {
      const file = await upload(jsonl([lineOf('x', 'x')]));
      const valid = { input_file_id: file, endpoint: CHAT, completion_window: '1h' };
      for (const [change, param] of [
        [{ rate: {} }, 'rate'],
        [{ rate: { requests_per_minute: 0 } }, 'rate.requests_per_minute'],
        [{ windows: ['at night'] }, 'windows'],
        [{ order: 'random' }, 'order'],
        [{ dedupe: 'yes' }, 'dedupe'],
        [{ not_before: Math.floor(Date.now() / 1_000) + 7_200 }, 'not_before'],
      ] as const) {
        const { status, body } = await client.post<{ error: { param: string } }>('/v1/batches', {
          ...valid,
          ...change,
        });
        expect([change, status, body.error.param]).toEqual([change, 400, param]);
      }
      const unpriced = await ended(
        (await create(jsonl([lineOf('x', 'x'), lineOf('y', 'y', 'fake/echo?delay=1')]), { max_cost_usd: 1 })).id,
      );
      expect(unpriced.status).toBe('failed');
      expect(unpriced.errors?.data).toMatchObject([{ code: 'model_unpriced', line: null, param: 'max_cost_usd' }]);
    });

    it('and count against the allowance of enqueued tokens, beyond which they fail with token_limit_exceeded', async () => {
      const limited = await gateway.newClient({ limits: { batch_tokens: 450 } });
      const own = sdkOf(limited);
      const later = { not_before: Math.floor(Date.now() / 1_000) + 3_600 };
      // About 180 tokens each.
      const two = jsonl([lineOf('p', 'p'), lineOf('q', 'q')]);
      const first = await create(two, later, own);
      await until(async () => (await own.batches.retrieve(first.id)).status === 'in_progress');
      const second = await ended((await create(two, {}, own)).id, own);
      expect(second.status).toBe('failed');
      expect(second.errors?.data).toMatchObject([{ code: 'token_limit_exceeded', line: null, param: null }]);
      expect(second.errors?.data?.[0]?.message).toMatch(/450 tokens of batches enqueued. \d+ are free/);
      const sql = `SELECT COUNT(*) AS tasks FROM batch_task WHERE job_id = '${second.id}'`;
      expect(Number((await queryDatabase<{ tasks: number | string }>(gateway.databaseUrl, sql))[0]?.tasks)).toBe(0);
      await own.batches.cancel(first.id);
      await ended(first.id, own);
      // Identical lines count once.
      const third = await ended(
        (await create(jsonl([1, 2, 3, 4].map((id) => lineOf(`s${id}`, 's'))), { dedupe: true }, own)).id,
        own,
      );
      expect(third.status).toBe('completed');
    });
  });

  it('are refused with the field at fault', async () => {
    const file = await upload(jsonl([chatLine('a')]));
    const notes = await openai.files.create({ file: await toFile(Buffer.from('x'), 'x'), purpose: 'user_data' });
    const valid = { input_file_id: file, endpoint: CHAT, completion_window: '24h' };
    const tooMany = Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`k${index}`, 'v']));
    for (const [change, status, param] of [
      [{ input_file_id: undefined }, 400, 'input_file_id'],
      [{ input_file_id: 'file-none' }, 404, 'input_file_id'],
      [{ input_file_id: notes.id }, 400, 'input_file_id'],
      [{ endpoint: '/v1/nothing' }, 400, 'endpoint'],
      [{ endpoint: 'chat/completions' }, 400, 'endpoint'],
      [{ pricing: 'free' }, 400, 'pricing'],
      [{ completion_window: '24' }, 400, 'completion_window'],
      [{ completion_window: '9s' }, 400, 'completion_window'],
      [{ completion_window: '31d' }, 400, 'completion_window'],
      [{ completion_window: 24 }, 400, 'completion_window'],
      [{ metadata: { a: 1 } }, 400, 'metadata'],
      [{ metadata: tooMany }, 400, 'metadata'],
      [{ output_expires_after: { anchor: 'created_at', seconds: 1 } }, 400, 'output_expires_after.seconds'],
      [{ priority: 'x' }, 400, 'priority'],
    ] as const) {
      const { status: got, body } = await client.post<{ error: { param: string | null } }>('/v1/batches', {
        ...valid,
        ...change,
      });
      expect([change, got, body.error.param]).toEqual([change, status, param]);
    }
    const kept = await ended(
      (
        await create(jsonl([chatLine('a')]), {
          output_expires_after: { anchor: 'created_at', seconds: 3_600 },
        })
      ).id,
    );
    const output = await openai.files.retrieve(kept.output_file_id ?? '');
    expect(output.expires_at).toBe(output.created_at + 3_600);
    expect(await openai.batches.retrieve('batch_none').catch((error: unknown) => (error as APIError).status)).toBe(404);
  });

  it('whose file is being read while the process is killed go on behind the last stored line', async () => {
    const lines = Array.from({ length: 25_000 }, (_, index) => chatLine(`l${index}`));
    const file = await upload(jsonl(lines));
    const tasksOf = async (id: string): Promise<number> => {
      const sql = `SELECT COUNT(*) AS tasks FROM batch_task WHERE job_id = '${id}'`;
      const [row] = await queryDatabase<{ tasks: number | string }>(gateway.databaseUrl, sql);
      return Number(row?.tasks);
    };
    const { id } = await openai.batches.create({ input_file_id: file, endpoint: CHAT, completion_window: '24h' });
    await until(async () => (await tasksOf(id)) > 500);
    // Its database is removed with its stop, at the end.
    killed = gateway;
    process.kill(killed.pid, 'SIGKILL');
    const stored = await tasksOf(id);
    expect(stored).toBeLessThan(lines.length);
    gateway = await start(killed);
    openai = sdkOf(client);
    await until(async () => (await openai.batches.retrieve(id)).status !== 'validating');
    expect((await openai.batches.retrieve(id)).request_counts?.total).toBe(lines.length);
    const [row] = await queryDatabase<{ ids: number | string }>(
      gateway.databaseUrl,
      `SELECT COUNT(DISTINCT custom_id) AS ids FROM batch_task WHERE job_id = '${id}'`,
    );
    expect([Number(row?.ids), await tasksOf(id)]).toEqual([lines.length, lines.length]);
    // A cancelled import leaves no tasks either.
    await openai.batches.cancel(id);
    const next = await openai.batches.create({ input_file_id: file, endpoint: CHAT, completion_window: '24h' });
    await until(async () => (await tasksOf(next.id)) > 0);
    const cancelled = await openai.batches.cancel(next.id);
    if (cancelled.status === 'cancelled') await until(async () => (await tasksOf(next.id)) === 0);
  });
});
