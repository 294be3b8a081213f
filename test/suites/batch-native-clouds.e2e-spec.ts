import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BatchDto } from '../../src/batch/batch.dto.js';
import type { GatewayClient } from '../clients/gateway-client.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { model, price } from '../fixtures/gateway-config.js';
import { createDatabase, dropDatabase, isPostgresRun } from '../fixtures/postgres-databases.js';
import { queryDatabase } from '../fixtures/query-database.js';
import { until } from '../fixtures/until.js';
import { batchClouds, MIN_LINES } from '../upstreams/batch-apis/batch-clouds.js';
import { LINE_USAGE, SHORT_SECONDS, startBatchProvider, type BatchProvider } from '../upstreams/batch-provider.js';

/** Dollars of one call at the list price: the provider's tokens at 2 and 8 dollars a million. */
const LIST_COST = (LINE_USAGE.prompt_tokens * 2 + LINE_USAGE.completion_tokens * 8) / 1e6;

/** Long enough for the tasks of a job to become one part on a machine whose cores are busy: what the provider does goes by the places of lines. */
const GATHER = '2s';

const prompts = (count: number, name: string): string[] =>
  Array.from({ length: count }, (_, index) => `${name} ${index}`);

describe(`batches by the batch APIs of clouds (${isPostgresRun ? 'PostgreSQL' : 'SQLite'})`, () => {
  let provider: BatchProvider;
  let folder: string;
  let databaseUrl: string;
  let client: GatewayClient;
  let gateway: RunningGateway | undefined;
  const clouds = batchClouds();

  async function start(): Promise<RunningGateway> {
    gateway = await startGateway({
      dataDirectory: folder,
      config: {
        providers: Object.fromEntries(clouds.map(({ name, entry }) => [name, entry(provider.url, folder)])),
        models: [
          ...clouds.map(({ name, model: upstreamModel }) =>
            model(name, `${name}/${upstreamModel}`, { price: price(2, 8) }),
          ),
          model('invoke', 'converse/us.anthropic.claude-sonnet-4-5-20250929-v1:0', { price: price(2, 8) }),
        ],
        batch: { lease: '3s', native: { gather: GATHER, poll_interval: '200ms', max_lines: 40 } },
      },
      env: { DATABASE_URL: databaseUrl, GATEWAY_ADMIN_KEY: 'Zk3v9-clouds-8Qm-Zk3v9-clouds-4Wd' },
    });
    return gateway;
  }

  beforeAll(async () => {
    provider = await startBatchProvider();
    folder = mkdtempSync(join(tmpdir(), 'gateway-clouds-'));
    databaseUrl = isPostgresRun ? await createDatabase() : `sqlite:${join(folder, 'gateway.sqlite')}`;
    await start();
  });
  beforeEach(async () => {
    provider.reset();
    client = await gateway!.newClient();
  });
  afterAll(async () => {
    await gateway?.stop('SIGKILL');
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
  const run = async (name: string, texts: readonly string[], fields = {}): Promise<BatchDto> =>
    client.endedBatch(await client.submitBatch(name, [...texts], { pricing: 'cheapest', ...fields }));
  async function partsEnded(): Promise<void> {
    const unended = `SELECT id FROM batch_part WHERE state <> 'ended'`;
    await until(async () => (await queryDatabase(databaseUrl, unended)).length === 0);
  }
  /** Runs a check for all clouds at the same time, each with a job of its own. */
  const eachCloud = (check: (name: string) => Promise<void>): Promise<unknown> =>
    Promise.all(clouds.map(({ name }) => check(name)));
  const liveOf = (name: string): string[] =>
    provider.live.map(({ text }) => text).filter((text) => text.startsWith(`${name} `));

  it('have every line once, at half price, with cached and reasoning tokens; their files are deleted', async () => {
    provider.behavior = { takesMs: 500 };
    await eachCloud(async (name) => {
      const texts = prompts(90, name);
      const job = await run(name, texts, { pricing: 'native' });
      await expectResults(job, texts);
      expect(job.list_cost).toBeCloseTo(90 * LIST_COST, 9);
      expect(job.cost).toBeCloseTo(45 * LIST_COST, 9);
    });
    for (const { lines } of provider.batches) expect(lines.length).toBeLessThanOrEqual(40);
    expect([...provider.billed].sort()).toEqual(clouds.flatMap(({ name }) => prompts(90, name)).sort());
    expect(provider.live).toEqual([]);
    await partsEnded();
    await until(() => Promise.resolve(provider.files.size === 0));
    const records = await gateway!.admin.usageRecords(`key_id=${client.keyId}`);
    expect(records).toHaveLength(90 * clouds.length);
    for (const record of records) {
      expect(record).toMatchObject({ service_tier: 'batch', cached_tokens: LINE_USAGE.cached_tokens });
    }
  });

  it('are created once where the provider fails after it has created them, and adopted after a crash', async () => {
    // The first batch of each cloud is created although the response says that it was not.
    provider.behavior = { failsAfterCreation: clouds.length, takesMs: 1_000 };
    const texts = clouds.map(({ name }) => prompts(20, name));
    const ids = await Promise.all(
      clouds.map(({ name }, index) => client.submitBatch(name, texts[index]!, { pricing: 'native' })),
    );
    await until(() => Promise.resolve(provider.batches.length === clouds.length));
    await gateway?.stop('SIGKILL');
    client = (await start()).client(client.key);
    for (const [index, id] of ids.entries()) await expectResults(await client.endedBatch(id), texts[index]!);
    expect(provider.batches).toHaveLength(clouds.length);
    expect(provider.live).toEqual([]);
    expect(provider.billed.sort()).toEqual(texts.flat().sort());
  });

  it('let lines that were lost, garbled or refused for a while go on to the next tier, each on its own', async () => {
    provider.behavior = {
      loses: (index) => index === 1,
      garbles: (index) => index === 3,
      fails: (index) => ({ 5: 429, 6: 400 })[index],
    };
    await eachCloud(async (name) => {
      const texts = prompts(20, name);
      const job = await run(name, texts);
      // A request that is refused for good is refused once.
      expect(job).toMatchObject({ status: 'completed', completed_count: 19, failed_count: 1 });
      const batch = provider.batches.find(({ lines }) => lines[0]?.text.startsWith(`${name} `));
      expect(liveOf(name).sort()).toEqual([1, 3, 5].map((index) => batch?.lines[index]?.text).sort());
      expect(job.cost).toBeCloseTo((16 / 2 + 3) * LIST_COST, 9);
    });
  });

  it('that expire, are cancelled with their job, or are refused leave no line without its end', async () => {
    provider.behavior = { takesMs: 300, expiresAfter: 10 };
    await eachCloud(async (name) => {
      const texts = prompts(20, name);
      const job = await run(name, texts);
      await expectResults(job, texts);
      expect(liveOf(name)).toHaveLength(10);
      expect(job.cost).toBeCloseTo((10 / 2 + 10) * LIST_COST, 9);
    });
    provider.behavior = { takesMs: 3_600_000 };
    const before = provider.batches.length;
    const ids = await Promise.all(
      clouds.map(({ name }) => client.submitBatch(name, prompts(20, name), { pricing: 'native' })),
    );
    await until(() => Promise.resolve(provider.batches.length === before + clouds.length));
    for (const id of ids) {
      await client.send('POST', `/v1/batch/${id}/cancel`);
      const job = await client.endedBatch(id);
      // The provider has made every second line by then.
      expect(job).toMatchObject({ status: 'cancelled', completed_count: 10, cancelled_count: 10 });
      expect(job.cost).toBeCloseTo((10 / 2) * LIST_COST, 9);
    }
    provider.behavior = { refuses: 400 };
    await eachCloud(async (name) => expectResults(await run(name, prompts(12, name)), prompts(12, name)));
    await partsEnded();
  });

  it('have as many lines as the provider asks for, and no requests that it cannot take in a batch', async () => {
    const few = prompts(MIN_LINES - 1, 'converse');
    await expectResults(await run('converse', few), few);
    const [part] = await queryDatabase<{ error: string }>(
      databaseUrl,
      `SELECT error FROM batch_part WHERE error IS NOT NULL ORDER BY created_at DESC LIMIT 1`,
    );
    expect(part?.error).toContain('fewer than 10 lines');
    expect(liveOf('converse').sort()).toEqual([...few].sort());
    provider.reset();
    // Requests of the Messages API are in the format of Claude, all others in that of Converse, which has no tools in batches.
    const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object', properties: {} } } }];
    const tasks = prompts(MIN_LINES + 2, 'converse').map((text, index) => ({
      messages: [{ role: 'user', content: text }],
      ...(index < 2 && { tools }),
    }));
    const job = await client.submitBatch('converse', tasks, { pricing: 'native' });
    expect(await client.endedBatch(job)).toMatchObject({ completed_count: MIN_LINES + 2, failed_count: 0 });
    expect(liveOf('converse').sort()).toEqual(['converse 0', 'converse 1']);
    expect(provider.batches.map(({ lines }) => lines.length)).toEqual([MIN_LINES]);
    provider.reset();
    const params = prompts(MIN_LINES, 'converse').map((text) => ({
      params: {
        max_tokens: 10,
        messages: [{ role: 'user', content: text }],
        tools: [{ name: 'f', input_schema: { type: 'object' } }],
      },
    }));
    const messages = await client.submitBatch('invoke', params, { pricing: 'native' });
    expect(await client.endedBatch(messages)).toMatchObject({ completed_count: MIN_LINES, failed_count: 0 });
    expect(provider.live).toEqual([]);
    expect(provider.batches).toHaveLength(1);
  });

  it('that the provider no longer has let their lines go on long before the deadline', async () => {
    provider.behavior = { takesMs: 3_600_000 };
    const ids = await Promise.all(
      clouds.map(({ name }) => client.submitBatch(name, prompts(12, name), { pricing: 'native' })),
    );
    await until(() => Promise.resolve(provider.batches.length === clouds.length));
    provider.loseBatches();
    for (const [index, { name }] of clouds.entries()) {
      await expectResults(await client.endedBatch(ids[index]!), prompts(12, name));
      expect(liveOf(name)).toHaveLength(12);
    }
    await partsEnded();
  });

  it('whose results cannot be read do not keep their lines past the deadline', async () => {
    provider.behavior = { hidesOutput: true };
    await eachCloud(async (name) => {
      const texts = prompts(12, name);
      const job = await run(name, texts, { expires_in: SHORT_SECONDS });
      // A line that was kept past the deadline has expired.
      await expectResults(job, texts);
      expect(liveOf(name)).toHaveLength(12);
    });
  });
});
