import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import { openDatabase } from '../../src/database/open-database.js';
import { SCHEMA } from '../../src/schema.js';
import { BatchHistory } from '../fixtures/batch-history.js';
import { disrupt, seededRandom, type Disruption } from '../fixtures/disruptions.js';
import { freezeBetweenWrites } from '../fixtures/freeze.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { createDatabase, dropDatabase, isPostgresRun } from '../fixtures/postgres-databases.js';
import { startRedis, type RedisServer } from '../fixtures/redis-server.js';
import { until } from '../fixtures/until.js';
import { startFakeUpstream, type FakeUpstream } from '../upstreams/fake-upstream-client.js';

/** `npm run test:chaos` runs it with many tasks and random moments; `npm test` a short form. */
const isLong = process.env['CHAOS'] === 'long';
const SEED = Number(process.env['CHAOS_SEED'] ?? (isLong ? Date.now() % 1_000_000 : 1));
const TASKS = Number(process.env['CHAOS_TASKS'] ?? (isLong ? 20_000 : 400));
const JOBS = isLong ? 40 : 8;
/** Milliseconds of an upstream call. */
const DELAY_MS = isLong ? 60 : 400;
const CONCURRENCY = 8;
/** Of a worker: its own, and a quarter for keys of which nothing runs. */
const SLOTS = CONCURRENCY + CONCURRENCY / 4;
const LEASE_MS = 2_000;
const ADMIN_KEY = 'Zk3v9-mixed-8Qm-Zk3v9-mixed-4Wd';
/** Billionths of a US dollar for a token. */
const PRICES = { prompt: 1_000, completion: 2_000 };
/** Only ends what would never end. */
const TIMEOUT_MS = isLong ? 1_200_000 : 400_000;

interface StoredTask {
  job_id: string;
  task_index: number;
  status: string;
  response: string | null;
}
interface StoredUsage {
  id: string;
  request_id: string;
  status: string;
  total_tokens: number;
  cost_nanos: string | number | null;
}

/** A process of a role that is replaced when it ends. */
class Place {
  gateway: RunningGateway | undefined;
  isFrozen = false;

  constructor(
    readonly role: 'api' | 'worker',
    private readonly launch: (role: 'api' | 'worker') => Promise<RunningGateway>,
  ) {}

  get current(): RunningGateway {
    if (this.gateway === undefined) throw new Error(`the ${this.role} is not running`);
    return this.gateway;
  }

  async start(): Promise<void> {
    this.gateway = await this.launch(this.role);
  }

  /** @returns the pid of the process that ended */
  async replace(signal: NodeJS.Signals): Promise<number> {
    const old = this.current;
    this.gateway = undefined;
    const { code } = await old.stop(signal);
    if (signal === 'SIGTERM' && code !== 0) throw new Error(`a clean stop ended with ${code}:\n${old.logs()}`);
    return old.pid;
  }

  async freeze(milliseconds: number, file: string | undefined): Promise<void> {
    const { pid } = this.current;
    this.isFrozen = true;
    await freezeBetweenWrites(pid, file);
    await pause(milliseconds);
    process.kill(pid, 'SIGCONT');
    this.isFrozen = false;
  }
}

describe(`${TASKS} batch tasks while everything is disrupted (${isPostgresRun ? 'PostgreSQL and Redis' : 'SQLite'})`, () => {
  let upstream: FakeUpstream;
  let redis: RedisServer | undefined;
  let folder: string;
  let databaseUrl: string;
  let file: string | undefined;
  let dataSource: DataSource;
  let apis: Place[];
  let workers: Place[];

  beforeAll(async () => {
    upstream = await startFakeUpstream();
    redis = isPostgresRun ? await startRedis() : undefined;
    folder = mkdtempSync(join(tmpdir(), 'gateway-mixed-'));
    const path = join(folder, 'gateway.sqlite');
    file = isPostgresRun ? undefined : path;
    databaseUrl = isPostgresRun ? await createDatabase({ isMigrated: true }) : `sqlite:${path}`;
    dataSource = await openDatabase(
      isPostgresRun ? { kind: 'postgres', url: databaseUrl } : { kind: 'sqlite', path },
      SCHEMA,
    );
    const launch = (role: 'api' | 'worker'): Promise<RunningGateway> =>
      startGateway({
        dataDirectory: folder,
        config: `providers:
  fake: { type: openai, base_url: "${upstream.url}/v1" }
models:
  - id: paid
    deployments: [{ provider: fake, model: "echo?delay=${DELAY_MS}" }]
    price: { input_per_million: 1, output_per_million: 2 }
batch: { concurrency: ${CONCURRENCY}, lease: ${LEASE_MS}ms }
`,
        env: {
          DATABASE_URL: databaseUrl,
          GATEWAY_ADMIN_KEY: ADMIN_KEY,
          GATEWAY_ROLE: role,
          ...(redis !== undefined && { REDIS_URL: redis.url }),
        },
      });
    apis = [new Place('api', launch), new Place('api', launch)];
    workers = [new Place('worker', launch), new Place('worker', launch)];
    await Promise.all([...apis, ...workers].map((place) => place.start()));
  }, TIMEOUT_MS);
  afterAll(async () => {
    await Promise.all([...apis, ...workers].flatMap(({ gateway }) => gateway?.stop('SIGKILL') ?? []));
    await dataSource.destroy();
    await redis?.stop();
    await upstream.stop();
    if (isPostgresRun) await dropDatabase(databaseUrl);
    rmSync(folder, { recursive: true, force: true });
  });

  const count = async (which: string): Promise<number> => {
    const rows = await dataSource.query<{ count: string }[]>(`SELECT COUNT(*) AS count FROM ${which}`);
    return Number(rows[0]?.count);
  };
  const oneOf = (places: readonly Place[], random: () => number): Place =>
    places[Math.floor(random() * places.length)] ?? places[0]!;

  /** What happens to processes of a role. Between its steps the other one may be disrupted by nothing else. */
  function processDisruptions(places: readonly Place[], leftClaimed: string[]): Disruption[] {
    const kill: Disruption = {
      name: 'SIGKILL',
      run: async (random) => {
        const place = oneOf(places, random);
        await place.replace('SIGKILL');
        await place.start();
      },
    };
    const stop: Disruption = {
      name: 'SIGTERM',
      run: async (random) => {
        const place = oneOf(places, random);
        const pid = await place.replace('SIGTERM');
        const claimed = await count(`batch_claim WHERE worker LIKE '%-${pid}-%'`);
        if (claimed > 0) leftClaimed.push(`${pid} left ${claimed} claims`);
        await place.start();
      },
    };
    const longFreeze: Disruption = {
      name: 'SIGSTOP past the lease',
      run: (random) => oneOf(places, random).freeze(LEASE_MS * (1.5 + random()), file),
    };
    const shortFreeze: Disruption = {
      name: 'SIGSTOP within the lease',
      run: (random) => oneOf(places, random).freeze(LEASE_MS * 0.3 * random(), file),
    };
    if (isLong) return [kill, stop, longFreeze, shortFreeze];
    // Each start of a process takes a second of the suite.
    return places === workers ? [kill, stop, longFreeze] : [kill, shortFreeze];
  }

  function redisDisruptions(server: RedisServer): Disruption[] {
    return [
      { name: 'FLUSHALL', run: () => server.flushAll() },
      {
        name: 'Redis lost',
        run: async (random) => {
          await server.kill();
          await pause(300 + random() * 1_500);
          await server.restart();
        },
      },
    ];
  }

  async function storedTasks(): Promise<StoredTask[]> {
    return dataSource.query<StoredTask[]>('SELECT job_id, task_index, status, response FROM batch_task');
  }

  /** Faults between the stored results and the usage records: each result has its one record, and tokens and costs agree. */
  async function usageFaults(tasks: readonly StoredTask[]): Promise<string[]> {
    const records = await dataSource.query<StoredUsage[]>(
      'SELECT id, request_id, status, total_tokens, cost_nanos FROM usage_record',
    );
    const byRequest = new Map<string, StoredUsage[]>();
    for (const record of records) {
      byRequest.set(record.request_id, [...(byRequest.get(record.request_id) ?? []), record]);
    }
    const faults: string[] = [];
    let [costOfResults, costOfRecords] = [0, 0];
    for (const { job_id: id, task_index: index, response } of tasks) {
      if (response === null) continue;
      const { request_id: requestId, body } = JSON.parse(response) as {
        request_id: string;
        body: { usage: { prompt_tokens: number; completion_tokens: number; total_tokens: number } };
      };
      const found = byRequest.get(requestId) ?? [];
      const [record] = found;
      if (record === undefined || found.length !== 1) {
        faults.push(`${id}/${index} has ${found.length} usage records`);
        continue;
      }
      if (record.status !== 'succeeded' || record.total_tokens !== body.usage.total_tokens) {
        faults.push(`${id}/${index} is recorded as ${record.status} with ${record.total_tokens} tokens`);
      }
      costOfResults += body.usage.prompt_tokens * PRICES.prompt + body.usage.completion_tokens * PRICES.completion;
      costOfRecords += Number(record.cost_nanos);
    }
    if (costOfResults !== costOfRecords) faults.push(`results cost ${costOfResults}, their records ${costOfRecords}`);
    if (costOfResults === 0) faults.push('nothing cost anything');
    return faults;
  }

  it(
    'each task has one result and each result its usage record; nothing is left running, and calls are repeated by kills alone',
    async () => {
      console.log(`seed ${SEED} (CHAOS_SEED repeats the schedule)`);
      const reachable = (): string =>
        ([...apis].find(({ gateway, isFrozen }) => gateway !== undefined && !isFrozen) ?? apis[0])?.gateway?.url ??
        'http://127.0.0.1:9';
      const history = new BatchHistory(ADMIN_KEY, reachable);
      const started = performance.now();
      let submitted = 0;
      let hasSubmitted = false;
      const submitAll = async (): Promise<void> => {
        const random = seededRandom(SEED + 1);
        for (let job = 0; job < JOBS; job += 1) {
          const prompts = Array.from({ length: TASKS / JOBS }, (_, index) => `job ${job} task ${index}`);
          submitted += prompts.length;
          await history.submit('paid', prompts);
          await pause(random() * (isLong ? 3_000 : 400));
        }
        hasSubmitted = true;
      };
      const isDone = async (): Promise<boolean> =>
        hasSubmitted && (await count(`batch_job WHERE status IN ('queued', 'in_progress', 'cancelling')`)) === 0;
      let isOver = false;
      const leftClaimed: string[] = [];
      const options = { goesOn: () => isLong && !isOver, longestPauseMs: isLong ? 3_000 : 300 };
      const hasResults = async (): Promise<boolean> => (await count('batch_job WHERE completed_count > 0')) > 0;
      const disruptWorkers = async (): Promise<Record<string, number>> => {
        await until(hasResults, TIMEOUT_MS);
        return disrupt(processDisruptions(workers, leftClaimed), { ...options, random: seededRandom(SEED + 2) });
      };
      const disrupted = Promise.all([
        disruptWorkers(),
        disrupt(processDisruptions(apis, leftClaimed), { ...options, random: seededRandom(SEED + 3) }),
        redis === undefined ? {} : disrupt(redisDisruptions(redis), { ...options, random: seededRandom(SEED + 4) }),
      ]);
      disrupted.catch(() => undefined);
      await submitAll();
      await Promise.race([until(isDone, TIMEOUT_MS), disrupted.then(() => until(isDone, TIMEOUT_MS))]);
      isOver = true;
      const [ofWorkers, ofApis, ofRedis] = await disrupted;
      // Aborted submissions: either all of a job is there, or the sweeper removes what was staged of it.
      await until(isDone, TIMEOUT_MS);
      const seconds = (performance.now() - started) / 1_000;

      expect(leftClaimed).toEqual([]);
      for (const table of ['batch_claim', 'batch_lane', 'batch_requeue']) {
        expect([table, await count(table)]).toEqual([table, 0]);
      }
      const jobs = await dataSource.query<{ id: string; task_count: number; completed_count: number }[]>(
        `SELECT id, task_count, completed_count FROM batch_job WHERE status <> 'staging'`,
      );
      expect(jobs.filter((job) => job.task_count !== job.completed_count)).toEqual([]);
      const ids = new Set(jobs.map(({ id }) => id));
      const tasks = (await storedTasks()).filter(({ job_id: id }) => ids.has(id));
      expect(tasks.filter(({ status }) => status !== 'succeeded')).toEqual([]);
      expect(tasks.length).toBe(jobs.reduce((sum, job) => sum + job.task_count, 0));
      expect(await usageFaults(tasks)).toEqual([]);

      const kills = ofWorkers['SIGKILL'] ?? 0;
      const freezes = ofWorkers['SIGSTOP past the lease'] ?? 0;
      // Of a short run, a single kill may meet results that have come and are not stored yet.
      const bound = submitted + (kills + freezes + 2) * SLOTS;
      expect(await history.faults(upstream, bound)).toEqual([]);
      const calls = (await upstream.requests()).length;
      console.log(
        `${tasks.length} tasks of ${jobs.length} jobs in ${seconds.toFixed(0)} s; workers ${JSON.stringify(ofWorkers)}, API ${JSON.stringify(ofApis)}, Redis ${JSON.stringify(ofRedis)}; ${calls - tasks.length} calls repeated by ${kills + freezes} kills and freezes of ${SLOTS} slots`,
      );
      for (const place of [...workers, ...apis]) await place.replace('SIGTERM');
      expect(await count('batch_claim')).toBe(0);
    },
    TIMEOUT_MS,
  );
});
