import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BatchDto } from '../../src/batch/batch.dto.js';
import type { GatewayClient } from '../clients/gateway-client.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { model, openAiAt, price } from '../fixtures/gateway-config.js';
import { createDatabase, dropDatabase, isPostgresRun } from '../fixtures/postgres-databases.js';
import { changeDatabase, queryDatabase } from '../fixtures/query-database.js';
import { until } from '../fixtures/until.js';
import { LINE_USAGE, SHORT_SECONDS, startBatchProvider, type BatchProvider } from '../upstreams/batch-provider.js';

/** Dollars of one call at the list price: the provider's tokens at 2 and 8 dollars a million. */
const LIST_COST = (LINE_USAGE.prompt_tokens * 2 + LINE_USAGE.completion_tokens * 8) / 1e6;
const PRICE = { price: price(2, 8) };
const FLEX = { tier_prices: { flex: { factor: 0.25 } } };

const prompts = (count: number, name = 'line'): string[] =>
  Array.from({ length: count }, (_, index) => `${name} ${index}`);

describe(`batches by providers' own batch APIs (${isPostgresRun ? 'PostgreSQL' : 'SQLite'})`, () => {
  let provider: BatchProvider;
  let folder: string;
  let databaseUrl: string;
  let client: GatewayClient;
  let gateway: RunningGateway;

  const start = (adminKey?: string): Promise<RunningGateway> =>
    startGateway({
      dataDirectory: folder,
      config: {
        providers: {
          files: openAiAt(provider, { batches: 'native' }),
          messages: { type: 'anthropic', base_url: `${provider.url}/v1`, api_key: 'test-key' },
          plain: openAiAt(provider),
        },
        models: [
          model('files', 'files/m', PRICE),
          model('messages', 'messages/m', PRICE),
          model('flexible', 'files/f', { ...PRICE, ...FLEX }),
          model('default', 'files/m', { ...PRICE, batch_pricing: 'cheapest' }),
          model('plain', 'plain/m', PRICE),
        ],
        batch: { lease: '2s', native: { gather: '200ms', poll_interval: '200ms', max_lines: 40 } },
      },
      env: { DATABASE_URL: databaseUrl, ...(adminKey !== undefined && { GATEWAY_ADMIN_KEY: adminKey }) },
    });
  /** Kills the gateway, and starts another one in its place. */
  async function replace(whileKilled: () => Promise<void>): Promise<void> {
    const { adminKey } = gateway;
    await gateway.stop('SIGKILL');
    await whileKilled();
    gateway = await start(adminKey);
  }

  beforeAll(async () => {
    provider = await startBatchProvider();
    folder = mkdtempSync(join(tmpdir(), 'gateway-native-'));
    databaseUrl = isPostgresRun ? await createDatabase() : `sqlite:${join(folder, 'gateway.sqlite')}`;
    gateway = await start();
  });
  beforeEach(async () => {
    provider.reset();
    client = await gateway.newClient();
  });
  afterAll(async () => {
    await gateway.stop();
    await provider.stop();
    if (isPostgresRun) await dropDatabase(databaseUrl);
    rmSync(folder, { recursive: true, force: true });
  });

  /** Each prompt has the result that belongs to it. */
  async function expectResults(job: BatchDto, texts: readonly string[]): Promise<void> {
    expect(job).toMatchObject({ status: 'completed', completed_count: texts.length, failed_count: 0 });
    const results = await client.batchResults(job.job_id);
    const contents = results.map(({ response }) => {
      const body = response?.body as { choices: { message: { content: string } }[] };
      return body.choices[0]?.message.content;
    });
    expect(contents).toEqual(texts.map((text) => `echo ${text}`));
  }
  const unended = (): Promise<object[]> =>
    queryDatabase(databaseUrl, `SELECT id FROM batch_part WHERE state <> 'ended'`);
  async function partsEnded(): Promise<void> {
    await until(async () => (await unended()).length === 0);
  }

  it.each(['files', 'messages'])('have every line once, at half price, from %s', async (name) => {
    provider.behavior = { takesMs: 500 };
    const texts = prompts(90);
    const id = await client.submitBatch(name, texts, { pricing: 'native' });
    const job = await client.endedBatch(id);
    await expectResults(job, texts);
    expect(job.pricing).toBe('native');
    expect(job.list_cost).toBeCloseTo(90 * LIST_COST, 9);
    expect(job.cost).toBeCloseTo(45 * LIST_COST, 9);
    expect(job.saved).toBeCloseTo(45 * LIST_COST, 9);
    // 40 lines a part at most.
    expect(provider.batches.map(({ lines }) => lines.length).sort()).toEqual([10, 40, 40]);
    expect([...provider.billed].sort()).toEqual([...texts].sort());
    expect(provider.live).toEqual([]);
    await partsEnded();
    const all = await gateway.admin.usageRecords(`key_id=${client.keyId}`);
    expect(all).toHaveLength(90);
    for (const record of all) {
      expect(record).toMatchObject({ service_tier: 'batch', cached_tokens: LINE_USAGE.cached_tokens, source: 'batch' });
    }
  });

  it('are created once where the provider fails after it has created them, and again where it fails before', async () => {
    for (const behavior of [{ failsAfterCreation: 1 }, { failsBeforeCreation: 3 }]) {
      provider.behavior = behavior;
      const before = provider.batches.length;
      const texts = prompts(20, JSON.stringify(behavior));
      await expectResults(
        await client.endedBatch(await client.submitBatch('files', texts, { pricing: 'native' })),
        texts,
      );
      expect(provider.batches.length - before).toBe(1);
      expect(provider.live).toEqual([]);
    }
    expect(new Set(provider.billed).size).toBe(provider.billed.length);
  });

  it('let lines that were lost, garbled or refused go on to the next tier, each on its own', async () => {
    for (const name of ['files', 'messages']) {
      provider.behavior = { loses: (index) => index === 1, garbles: (index) => index === 3 };
      provider.live.length = 0;
      const texts = prompts(8, name);
      const job = await client.endedBatch(await client.submitBatch(name, texts, { pricing: 'cheapest' }));
      await expectResults(job, texts);
      // Lines are in the order in which the tasks were claimed.
      const { lines = [] } = provider.batches.at(-1) ?? {};
      expect(provider.live.map(({ text }) => text).sort()).toEqual([lines[1]?.text, lines[3]?.text].sort());
      expect(job.cost).toBeCloseTo((6 / 2 + 2) * LIST_COST, 9);
    }
    provider.behavior = { fails: (index) => (index === 0 ? 400 : index === 1 ? 429 : undefined) };
    const job = await client.endedBatch(await client.submitBatch('files', prompts(4, 'bad'), { pricing: 'native' }));
    expect(job).toMatchObject({ status: 'completed', completed_count: 3, failed_count: 1 });
    provider.behavior = { refuses: 400 };
    const texts = prompts(3, 'refused');
    await expectResults(
      await client.endedBatch(await client.submitBatch('files', texts, { pricing: 'native' })),
      texts,
    );
  });

  it('that expire with half of their lines have all results before the deadline, at the price of each tier', async () => {
    provider.behavior = { takesMs: 300, expiresAfter: 10 };
    const texts = prompts(20);
    const job = await client.endedBatch(
      await client.submitBatch('files', texts, { pricing: 'cheapest', expires_in: 600 }),
    );
    await expectResults(job, texts);
    expect(job.completed_at!).toBeLessThan(job.expires_at);
    expect(provider.billed).toHaveLength(10);
    expect(provider.live).toHaveLength(10);
    expect(job.cost).toBeCloseTo((10 / 2 + 10) * LIST_COST, 9);
    expect(job.saved).toBeCloseTo(5 * LIST_COST, 9);
  });

  it('that are late are cancelled in time; what they made are results, and the rest runs before the deadline', async () => {
    provider.behavior = { takesMs: 3_600_000 };
    const fields = { pricing: 'cheapest', expires_in: SHORT_SECONDS };
    const names = ['files', 'messages'];
    const ids = await Promise.all(names.map((name) => client.submitBatch(name, prompts(10, name), fields)));
    for (const [index, name] of names.entries()) {
      const job = await client.endedBatch(ids[index]!);
      await expectResults(job, prompts(10, name));
      // The provider has made every second line by then.
      expect(provider.live.filter(({ text }) => text.startsWith(name))).toHaveLength(5);
      expect(job.cost).toBeCloseTo((5 / 2 + 5) * LIST_COST, 9);
    }
  });

  it('are cancelled with their job; what they made by then are results, and are billed', async () => {
    provider.behavior = { takesMs: 3_600_000 };
    const id = await client.submitBatch('files', prompts(10), { pricing: 'native' });
    await until(() => Promise.resolve(provider.batches.length === 1));
    await client.send('POST', `/v1/batch/${id}/cancel`);
    const job = await client.endedBatch(id);
    expect(job).toMatchObject({ status: 'cancelled', completed_count: 5, cancelled_count: 5 });
    expect(job.cost).toBeCloseTo((5 / 2) * LIST_COST, 9);
    expect(provider.live).toEqual([]);
    await partsEnded();
  });

  it('go to the flex tier where there is one, again and again until it has room', async () => {
    provider.flexRefusals = 3;
    const texts = prompts(4, 'flex');
    const job = await client.endedBatch(
      await client.submitBatch('flexible', texts, { pricing: 'flex', expires_in: 900 }),
    );
    await expectResults(job, texts);
    expect(provider.live.map(({ tier }) => tier)).toEqual(Array.from({ length: 4 }, () => 'flex'));
    expect(job.cost).toBeCloseTo(4 * 0.25 * LIST_COST, 9);
    provider.flexRefusals = 1_000_000;
    const late = prompts(2, 'full');
    const other = await client.endedBatch(
      await client.submitBatch('flexible', late, { pricing: 'flex', expires_in: SHORT_SECONDS }),
    );
    await expectResults(other, late);
    expect(other.cost).toBeCloseTo(2 * LIST_COST, 9);
  });

  it('are not used by jobs that do not ask for them, and are the default of a model that says so', async () => {
    const plain = await client.endedBatch(await client.submitBatch('files', prompts(2), {}));
    expect(plain).toMatchObject({ pricing: 'live', saved: 0 });
    expect(provider.batches).toHaveLength(0);
    const byModel = await client.endedBatch(await client.submitBatch('default', prompts(2), {}));
    expect(byModel.pricing).toBe('cheapest');
    expect(provider.batches).toHaveLength(1);
    for (const pricing of ['native', 'flex', 'free']) {
      const body = { model: 'plain', tasks: ['x'], pricing };
      const response = await client.send<{ error: { param: string } }>('POST', '/v1/batch/generate', body);
      expect(response.status).toBe(400);
      expect(response.body.error.param).toBe('pricing');
    }
  });

  it('reserve the budget of their key before they are created, and settle it by their results', async () => {
    const limited = await gateway.newClient({ budget: { usd: 0.002, period: 'total' } });
    const texts = prompts(3, 'b');
    const job = await limited.endedBatch(
      await limited.submitBatch('files', texts, { pricing: 'native', max_tokens: 10 }),
    );
    expect(job.completed_count).toBe(3);
    expect(job.cost).toBeCloseTo(1.5 * LIST_COST, 9);
  });

  it('reserve what their lines may cost of max_cost_usd before they are created, also through a crash, and never pass it', async () => {
    // The provider works until the test ends it.
    const behavior = { takesMs: Infinity };
    provider.behavior = behavior;
    const padding = 'x'.repeat(400);
    const texts = Array.from({ length: 24 }, (_, index) => `cost ${index} ${padding}`);
    const fields = { model: 'files', tasks: texts, max_tokens: 10 };
    const { worst_cost_usd: worst } = await client.make<{ worst_cost_usd: number }>('/v1/batch/estimate', fields);
    const most = (worst / 24) * 2.5;
    const id = await client.submitBatch('files', texts, { max_tokens: 10, pricing: 'native', max_cost_usd: most });
    await until(() => provider.batches.length > 0);
    expect(provider.batches[0]?.lines.length).toBeLessThanOrEqual(2);
    const reserved = (): Promise<{ worker: string; reserved_nanos: number | string }[]> =>
      queryDatabase(databaseUrl, `SELECT worker, reserved_nanos FROM batch_share WHERE worker LIKE 'part_%'`);
    await replace(async () => {
      const [share] = await reserved();
      expect(Number(share?.reserved_nanos)).toBeGreaterThan(0);
      expect(Number(share?.reserved_nanos)).toBeLessThanOrEqual(most * 1e9);
    });
    behavior.takesMs = 100;
    const later = gateway.client(client.key);
    const job = await later.endedBatch(id);
    expect(job.completed_count + job.failed_count).toBe(24);
    expect(job.completed_count).toBeGreaterThan(2);
    expect(job.failed_count).toBeGreaterThan(0);
    expect(job.cost).toBeLessThanOrEqual(most);
    expect(job).toMatchObject({ control: { cost_refused_count: job.failed_count } });
    expect(job.control?.spent_usd).toBeCloseTo(job.cost, 9);
    expect(provider.billed).toHaveLength(job.completed_count);
    expect(new Set(provider.billed).size).toBe(job.completed_count);
    for (const { lines } of provider.batches) expect(lines.length).toBeLessThanOrEqual(2);
    await partsEnded();
    expect(await reserved()).toEqual([]);
  });

  it('are not created while their job is paused or its window is closed', async () => {
    const texts = prompts(5, 'held');
    const id = await client.submitBatch('files', texts, { pricing: 'native', windows: ['00:00-24:00'] });
    await client.make(`/v1/batch/${id}/pause`);
    const before = provider.batches.length;
    // The tasks are in the lane of a part, or will be when the job is resumed.
    const hour = (offset: number): string => new Date(Date.now() + offset * 3_600_000).toISOString().slice(11, 16);
    const closed = JSON.stringify({ windows: [`${hour(2)}-${hour(3)}`] });
    await changeDatabase(databaseUrl, `UPDATE batch_job SET options = '${closed}' WHERE id = '${id}'`);
    expect(provider.batches.length).toBe(before);
    await client.make(`/v1/batch/${id}/resume`);
    await until(async () => {
      const rows = await queryDatabase<{ state: string }>(
        databaseUrl,
        `SELECT state FROM batch_lane WHERE job_id = '${id}'`,
      );
      return rows.length > 0 && rows.every(({ state }) => state === 'delayed');
    });
    expect((await client.read<BatchDto>(`/v1/batch/${id}`)).control).toMatchObject({ waiting_for: 'window' });
    expect(provider.batches.length).toBe(before);
    await changeDatabase(databaseUrl, `UPDATE batch_job SET options = NULL, held_until = NULL WHERE id = '${id}'`);
    await changeDatabase(databaseUrl, `UPDATE batch_lane SET ready_at = 0 WHERE job_id = '${id}'`);
    await expectResults(await client.endedBatch(id), texts);
    expect(provider.billed).toHaveLength(5);
    expect(provider.live).toEqual([]);
  });

  it('are not created where their job was paused while they were prepared', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    let uploads = 0;
    provider.behavior = {
      holds: (request) => (request === 'POST /v1/files' && (uploads += 1) === 1 ? held : undefined),
    };
    const texts = prompts(5, 'paused');
    const id = await client.submitBatch('files', texts, { pricing: 'native' });
    await until(() => uploads === 1);
    await client.make(`/v1/batch/${id}/pause`);
    release();
    // What was uploaded is deleted again.
    await until(() => provider.files.size === 0 || provider.batches.length > 0);
    expect(provider.batches).toEqual([]);
    await client.make(`/v1/batch/${id}/resume`);
    await expectResults(await client.endedBatch(id), texts);
    expect(provider.batches).toHaveLength(1);
    expect(provider.billed).toHaveLength(5);
  });

  it('have the budget of their key reserved again by the process that goes on after a crash, until they have ended', async () => {
    // The provider works until the test ends it.
    const behavior = { takesMs: Infinity };
    provider.behavior = behavior;
    const padding = 'y'.repeat(500);
    const texts = Array.from({ length: 4 }, (_, index) => `kept ${index} ${padding}`);
    const fields = { model: 'files', tasks: texts, max_tokens: 10 };
    const { worst_cost_usd: worst } = await client.make<{ worst_cost_usd: number }>('/v1/batch/estimate', fields);
    const limited = await gateway.newClient({ budget: { usd: worst * 1.1, period: 'total' } });
    const id = await limited.submitBatch('files', texts, { pricing: 'native', max_tokens: 10 });
    await until(() => provider.batches.length > 0);
    const partOf = async (): Promise<{ worker: string | null; poll_at: number | string; state: string } | undefined> =>
      (
        await queryDatabase<{ worker: string | null; poll_at: number | string; state: string }>(
          databaseUrl,
          `SELECT worker, poll_at, state FROM batch_part WHERE job_id = '${id}'`,
        )
      )[0];
    await until(async () => (await partOf())?.state === 'submitted');
    let polledAt: number | string | undefined;
    await replace(async () => {
      polledAt = (await partOf())?.poll_at;
    });
    await until(async () => {
      const part = await partOf();
      return part?.worker?.includes(`-${gateway.pid}-`) === true && part.poll_at !== polledAt;
    });
    const later = gateway.client(limited.key);
    const chat = (): Promise<{ status: number }> =>
      later.send('POST', '/v1/chat/completions', {
        model: 'plain',
        max_tokens: 10,
        messages: [{ role: 'user', content: padding }],
      });
    // Of the budget a tenth is free, and the request may cost a quarter.
    expect((await chat()).status).toBe(429);
    behavior.takesMs = 0;
    const job = await later.endedBatch(id);
    expect(job).toMatchObject({ status: 'completed', completed_count: 4 });
    await partsEnded();
    expect((await chat()).status).toBe(200);
  });
});
