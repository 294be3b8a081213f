import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freezeBetweenWrites } from '../fixtures/freeze.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { model, openAiAt, price } from '../fixtures/gateway-config.js';
import { createDatabase, dropDatabase, isPostgresRun } from '../fixtures/postgres-databases.js';
import { queryDatabase } from '../fixtures/query-database.js';
import { until } from '../fixtures/until.js';
import { batchClouds, MIN_LINES } from '../upstreams/batch-apis/batch-clouds.js';
import { LINE_USAGE, startBatchProvider, type BatchProvider } from '../upstreams/batch-provider.js';

/** `npm run test:chaos` runs the figures as they are stated; `npm test` a shorter form of the same. */
const KILLS = process.env['CHAOS'] === 'long' ? 20 : 5;
/** Lines of the first job; each further one has one more, so that a message batch differs from others in its size. */
const FIRST_LINES = 20;
/** Longest time in milliseconds that a process runs before it is killed. */
const MAX_RUN_MS = 2_500;
const LIST_COST = (LINE_USAGE.prompt_tokens * 2 + LINE_USAGE.completion_tokens * 8) / 1e6;

describe(`parts of batches at providers through crashes (${isPostgresRun ? 'PostgreSQL' : 'SQLite'})`, () => {
  let provider: BatchProvider;
  let folder: string;
  let databaseUrl: string;
  let gateway: RunningGateway | undefined;
  const clouds = batchClouds();
  const names = ['files', 'messages', ...clouds.map(({ name }) => name)];

  beforeEach(async () => {
    provider = await startBatchProvider();
    folder = mkdtempSync(join(tmpdir(), 'gateway-native-chaos-'));
    databaseUrl = isPostgresRun ? await createDatabase() : `sqlite:${join(folder, 'gateway.sqlite')}`;
  });
  afterEach(async () => {
    await gateway?.stop('SIGKILL');
    await provider.stop();
    if (isPostgresRun) await dropDatabase(databaseUrl);
    rmSync(folder, { recursive: true, force: true });
  });

  async function start(): Promise<RunningGateway> {
    gateway = await startGateway({
      dataDirectory: folder,
      config: {
        providers: {
          files: openAiAt(provider, { batches: 'native' }),
          messages: { type: 'anthropic', base_url: `${provider.url}/v1`, api_key: 'test-key' },
          ...Object.fromEntries(clouds.map(({ name, entry }) => [name, entry(provider.url, folder)])),
        },
        models: [
          ...clouds.map(({ name, model: id }) => model(name, `${name}/${id}`, { price: price(2, 8) })),
          model('files', 'files/m', { price: price(2, 8) }),
          model('messages', 'messages/m', { price: price(2, 8) }),
        ],
        batch: { lease: '1s', native: { gather: '100ms', poll_interval: '200ms' } },
      },
      env: { DATABASE_URL: databaseUrl, GATEWAY_ADMIN_KEY: 'Zk3v9-native-8Qm-Zk3v9-native-4Wd' },
    });
    return gateway;
  }

  it(`${KILLS} processes are killed at random: each line is billed once, and no batch of the provider is left unread`, async () => {
    // Every third batch is created although the response says that it was not.
    provider.behavior = { takesMs: 1_500, failsAfterCreation: (creation) => creation % 3 === 1 };
    let running = await start();
    const key = await running.apiKey();
    const jobs = new Map<string, string[]>();
    for (let kill = 0; kill < KILLS; kill += 1) {
      const texts = Array.from({ length: FIRST_LINES + kill }, (_, index) => `job ${kill} line ${index}`);
      const name = names[kill % names.length] ?? 'files';
      jobs.set(await running.client(key).submitBatch(name, texts, { pricing: 'native' }), texts);
      await new Promise((resolve) => setTimeout(resolve, Math.random() * MAX_RUN_MS));
      await running.stop('SIGKILL');
      running = await start();
    }
    const client = running.client(key);
    let lines = 0;
    let cost = 0;
    for (const [id, texts] of jobs) {
      const job = await client.endedBatch(id);
      expect(job).toMatchObject({ status: 'completed', completed_count: texts.length });
      const results = await client.batchResults(id);
      const contents = results.map(({ response }) => JSON.stringify(response?.body));
      texts.forEach((text, index) => expect(contents[index]).toContain(`"echo ${text}"`));
      lines += texts.length;
      cost += job.cost;
    }
    const all = [...jobs.values()].flat();
    const { billed } = provider;
    // Where a kill cuts the lines of a job in two parts, one of them may be too small for the cloud that has a minimum. Its lines are
    // called for one by one, and a call that the next kill interrupts is repeated.
    const live = [...new Set(provider.live.map(({ text }) => text))];
    expect(provider.live.length - live.length).toBeLessThan(KILLS * MIN_LINES);
    expect([...billed, ...live].sort()).toEqual([...all].sort());
    const withMinimum = Array.from(jobs.values()).filter((_texts, kill) => names[kill % names.length] === 'converse');
    expect(withMinimum.flat()).toEqual(expect.arrayContaining(live));
    expect(live.length).toBeLessThan(MIN_LINES * withMinimum.length);
    expect(cost).toBeCloseTo((billed.length / 2 + live.length) * LIST_COST, 9);
    const unended = `SELECT id FROM batch_part WHERE state <> 'ended'`;
    await until(async () => (await queryDatabase(databaseUrl, unended)).length === 0);
    expect(await queryDatabase(databaseUrl, 'SELECT id FROM batch_claim')).toEqual([]);
    expect([...provider.read].sort()).toEqual(provider.batches.map(({ id }) => id).sort());
    const records = await running.admin.usageRecords(`key_id=${client.keyId}`);
    expect(records).toHaveLength(lines);
    console.log(
      `${KILLS} kills, ${jobs.size} jobs, ${lines} lines, ${provider.batches.length} batches, all billed once`,
    );
  });

  it('a process that was stopped past its lease before it creates a part creates none when it goes on', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    let uploads = 0;
    provider.behavior = {
      holds: (request) => (request === 'POST /v1/files' && (uploads += 1) === 1 ? held : undefined),
    };
    const stopped = await start();
    const key = await stopped.apiKey();
    const texts = Array.from({ length: 10 }, (_, index) => `line ${index}`);
    const id = await stopped.client(key).submitBatch('files', texts, { pricing: 'native' });
    await until(() => uploads === 1);
    await freezeBetweenWrites(stopped.pid, isPostgresRun ? undefined : join(folder, 'gateway.sqlite'));
    const other = await start();
    try {
      expect(await other.client(key).endedBatch(id)).toMatchObject({ status: 'completed', completed_count: 10 });
      release();
    } finally {
      process.kill(stopped.pid, 'SIGCONT');
    }
    // It deletes the file that it has uploaded in place of making a batch of it, or has seen that the part is lost before it knew of the file.
    const hasEnded = (): boolean => provider.files.size === 0 || stopped.logs().includes('could not go on');
    await until(() => hasEnded() || provider.batches.length > 1);
    expect(provider.batches).toHaveLength(1);
    await stopped.stop();
    expect([...provider.billed].sort()).toEqual([...texts].sort());
    expect(provider.live).toEqual([]);
    expect(await other.admin.usageRecords(`key_id=${other.client(key).keyId}`)).toHaveLength(10);
    expect(await queryDatabase(databaseUrl, 'SELECT id FROM batch_claim')).toEqual([]);
  });
});
