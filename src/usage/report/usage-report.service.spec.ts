import { AbstractLogger, DataSource, type LogMessage } from 'typeorm';
import { Database } from '../../database/database.js';
import { loadSqlite } from '../../database/sqlite-library.js';
import { UsageRecord } from '../records/usage-record.entity.js';
import { LatencyReport } from './latency-report.service.js';
import type { OwnerNames } from './owner-names.js';
import { UsageReport } from './usage-report.service.js';

const DAYS = 90;
const DAY_MS = 86_400_000;
const RECORDS = 1_800;
const KEYS = 300;

/** What the driver offers. */
interface SqliteConnection {
  function(name: string, options: { varargs: boolean }, implementation: () => unknown): void;
}

const RECORD = {
  requestId: 'req_1',
  source: 'live',
  requestedModel: 'a',
  model: 'a',
  isStream: false,
  status: 'succeeded',
  httpStatus: 200,
  attempts: 1,
  promptTokens: 1,
  completionTokens: 1,
  totalTokens: 2,
  cachedTokens: 0,
  reasoningTokens: 0,
  isEstimated: false,
  durationMs: 1,
} as const;
const gone = new AbortController().signal;
const time = { start: 0, end: DAYS * 86_400 };
/** A condition that SQLite has to compute for each record that it reads. */
const metadata = 'team:search';

/** Passes on each statement. */
class Statements extends AbstractLogger {
  constructor(private readonly take: (text: string) => void) {
    super(['query']);
  }

  protected writeLog(_level: string, messages: LogMessage | string | number | (LogMessage | string | number)[]): void {
    for (const message of [messages].flat()) this.take(String(typeof message === 'object' ? message.message : message));
  }
}

describe('reports on SQLite, whose driver blocks', () => {
  let source: DataSource;
  let usage: UsageReport;
  let latencies: LatencyReport;
  let reads = 0;
  let found: string | null = null;
  let statements: string[] = [];

  beforeAll(async () => {
    source = new DataSource({
      type: 'better-sqlite3',
      driver: loadSqlite(),
      database: ':memory:',
      entities: [UsageRecord],
      synchronize: true,
      logging: ['query'],
      logger: new Statements((text) => statements.push(text)),
    });
    await source.initialize();
    const database = new Database(source);
    const records = source.getRepository(UsageRecord);
    const names = { of: () => Promise.resolve(new Map<string, string>()) } as unknown as OwnerNames;
    usage = new UsageReport(records, names, database);
    latencies = new LatencyReport(records, database);
    const rows = Array.from({ length: RECORDS }, (_, index) => ({
      id: `use_${index}`,
      createdAt: Math.floor((index * DAYS * DAY_MS) / RECORDS),
      keyId: `key_${(index * 7) % KEYS}`,
      costNanos: (index * 7) % KEYS,
      ...RECORD,
      metadata: { team: 'search' },
    }));
    await records.save(records.create(rows), { chunk: 500 });
    const { databaseConnection } = source.driver as unknown as { databaseConnection: SqliteConnection };
    databaseConnection.function('json_extract', { varargs: true }, () => {
      reads += 1;
      return found;
    });
  });
  beforeEach(() => {
    reads = 0;
    found = null;
    statements = [];
  });
  afterAll(() => source.destroy());

  it.each(['the first page', 'a page in the middle'])('lists records with each read once: %s', async (page) => {
    const after = page === 'the first page' ? undefined : 'use_900';
    const { data } = await usage.list({ ...time, metadata, ...(after !== undefined && { after }) }, gone);
    expect(data).toEqual([]);
    expect(reads).toBe(after === undefined ? RECORDS : 900);
  });

  it('bounds the time once on each side in each statement: SQLite may search by the wider of two', async () => {
    const query = { ...time, metadata };
    const reports = [
      () => usage.list(query, gone),
      () => usage.list({ ...query, after: 'use_900' }, gone),
      () => usage.sums(query, gone),
      () => usage.sums({ ...query, interval: 'none', group_by: 'key' }, gone),
      () => usage.sums({ ...query, interval: 'none', group_by: 'key', order_by: 'cost' }, gone),
      () => latencies.rows(query, gone),
    ];
    for (const report of reports) {
      statements = [];
      await report();
      // The first one of a page begins behind the end of the page before.
      const slices = statements.filter((text) => text.includes('"created_at" >= ')).slice(1);
      expect(slices.length).toBeGreaterThan(3);
      for (const text of slices) {
        expect(text.match(/"created_at" >=? /g)).toHaveLength(1);
        expect(text.match(/"created_at" <=? /g)).toHaveLength(1);
      }
    }
  });

  it.each(['none', 'day', 'hour'] as const)('sums records with each read once: by %s', async (interval) => {
    await usage.sums({ ...time, metadata, interval }, gone);
    expect(reads).toBe(RECORDS);
  });

  it('counts latencies with each record read once', async () => {
    await latencies.rows({ ...time, metadata }, gone);
    expect(reads).toBeLessThanOrEqual(RECORDS);
  });

  it('reads each record twice where there are more groups than a page has, and costs set their order', async () => {
    found = 'search';
    const query = { ...time, metadata, interval: 'none', group_by: 'key', order_by: 'cost', limit: 10 } as const;
    const { data, next } = await usage.sums(query, gone);
    const costs = data.map(({ group, requests, cost_usd: cost }) => [group, requests, Math.round(cost * 1e9)]);
    const each = RECORDS / KEYS;
    expect(costs).toEqual(Array.from({ length: 10 }, (_, index) => [`key_${299 - index}`, each, (299 - index) * each]));
    expect(reads).toBeLessThan(2.2 * RECORDS);
    const second = await usage.sums({ ...query, after: next ?? '' }, gone);
    expect(second.data.map(({ group }) => group)[0]).toBe('key_289');
  });

  it('stops when the client has left', async () => {
    const left = AbortSignal.abort(new Error('the client has left'));
    const query = { ...time, metadata };
    await expect(usage.list(query, left)).rejects.toThrow('the client has left');
    await expect(usage.sums(query, left)).rejects.toThrow('the client has left');
    await expect(latencies.rows(query, left)).rejects.toThrow('the client has left');
    expect(reads).toBeLessThan(RECORDS / 100);
  });
});
