import { printExact } from '../../runtime/exact-integers.js';
import { Injectable, Logger } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Counter, Gauge } from 'prom-client';
import { readNanoDollars } from '../../runtime/nano-dollars.js';
import { readTokenCount } from '../../runtime/token-count.js';
import { steadyNow } from '../../runtime/steady-clock.js';
import { Database } from '../../database/database.js';
import { InsertRows } from '../../database/insert-rows.js';
import { WriteBehind } from '../../database/write-behind.js';
import { MetricsRegistry } from '../../metrics/metrics-registry.js';
import { bytesOf } from '../../operations/chat/prompt-bytes.js';
import type { UsageRecord } from './usage-record.entity.js';

/** Records per transaction. */
const RECORDS_PER_TRANSACTION = 1_000;
/** SQLite's driver blocks the event loop while it writes, so it yields to requests after this number of records. */
const RECORDS_PER_SQLITE_TRANSACTION = 100;
/** Characters of records that wait while the database is unreachable: about 100,000 records, fewer with much metadata. */
const MAX_QUEUED_CHARACTERS = 64_000_000;
/** Characters of a record without its metadata. */
const USUAL_CHARACTERS = 640;

const INSERT = new InsertRows<UsageRecord>('usage_record', [
  { name: 'id', type: 'text', of: ({ id }) => id },
  { name: 'created_at', type: 'bigint', of: ({ createdAt }) => createdAt },
  { name: 'request_id', type: 'text', of: ({ requestId }) => requestId },
  { name: 'key_id', type: 'text', of: ({ keyId }) => keyId },
  { name: 'group_id', type: 'text', of: ({ groupId }) => groupId },
  { name: 'operation', type: 'text', of: ({ operation }) => operation },
  { name: 'wire_format', type: 'text', of: ({ wireFormat }) => wireFormat },
  { name: 'source', type: 'text', of: ({ source }) => source },
  { name: 'requested_model', type: 'text', of: ({ requestedModel }) => requestedModel },
  { name: 'model', type: 'text', of: ({ model }) => model },
  { name: 'provider', type: 'text', of: ({ provider }) => provider },
  { name: 'upstream_model', type: 'text', of: ({ upstreamModel }) => upstreamModel },
  { name: 'is_stream', type: 'boolean', of: ({ isStream }) => isStream },
  { name: 'status', type: 'text', of: ({ status }) => status },
  { name: 'http_status', type: 'int', of: ({ httpStatus }) => httpStatus },
  { name: 'error_code', type: 'text', of: ({ errorCode }) => errorCode },
  { name: 'attempts', type: 'int', of: ({ attempts }) => attempts },
  { name: 'prompt_tokens', type: 'int', of: ({ promptTokens }) => promptTokens },
  { name: 'completion_tokens', type: 'int', of: ({ completionTokens }) => completionTokens },
  { name: 'total_tokens', type: 'int', of: ({ totalTokens }) => totalTokens },
  { name: 'cached_tokens', type: 'int', of: ({ cachedTokens }) => cachedTokens },
  { name: 'cache_write_tokens', type: 'int', of: ({ cacheWriteTokens }) => cacheWriteTokens },
  { name: 'cache_write_1h_tokens', type: 'int', of: ({ cacheWrite1hTokens }) => cacheWrite1hTokens },
  { name: 'reasoning_tokens', type: 'int', of: ({ reasoningTokens }) => reasoningTokens },
  { name: 'images', type: 'int', of: ({ images }) => images },
  { name: 'audio_seconds', type: 'double precision', of: ({ audioSeconds }) => audioSeconds },
  { name: 'characters', type: 'int', of: ({ characters }) => characters },
  { name: 'search_units', type: 'int', of: ({ searchUnits }) => searchUnits },
  { name: 'web_searches', type: 'int', of: ({ webSearches }) => webSearches },
  { name: 'service_tier', type: 'text', of: ({ serviceTier }) => serviceTier },
  { name: 'is_estimated', type: 'boolean', of: ({ isEstimated }) => isEstimated },
  { name: 'cost_nanos', type: 'bigint', of: ({ costNanos }) => costNanos },
  { name: 'cost_basis', type: 'text', of: ({ costBasis }) => costBasis },
  { name: 'first_byte_ms', type: 'int', of: ({ firstByteMs }) => firstByteMs },
  { name: 'duration_ms', type: 'int', of: ({ durationMs }) => durationMs },
  { name: 'end_user', type: 'text', of: ({ endUser }) => endUser },
  { name: 'session_id', type: 'text', of: ({ sessionId }) => sessionId },
  { name: 'agent_id', type: 'text', of: ({ agentId }) => agentId },
  {
    name: 'metadata',
    type: 'text',
    of: ({ metadata }) => (metadata === null ? null : printExact(metadata)),
  },
]);

/** Writes records in batches, off the path of requests. An id is written once, however often it is retried. */
@Injectable()
export class UsageRecorder {
  private readonly buffer: WriteBehind<UsageRecord>;
  private readonly handedOver = new Map<string, UsageRecord>();

  constructor(
    private readonly database: Database,
    metrics: MetricsRegistry,
  ) {
    const registers = [metrics.registry];
    const dropped = new Counter({
      name: 'gateway_usage_records_dropped_total',
      help: 'Usage records that were not kept, because the database was away for too long.',
      registers,
    });
    const quarantined = new Counter({
      name: 'gateway_usage_records_set_aside_total',
      help: 'Usage records that the database refused, and of which only key, tokens, cost and times were kept.',
      registers,
    });
    const buffer = new WriteBehind<UsageRecord>({
      what: 'usage records',
      logger: new Logger('Usage'),
      store: (records) => this.store(records),
      batch: database.isSqlite ? RECORDS_PER_SQLITE_TRANSACTION : RECORDS_PER_TRANSACTION,
      sizeOf: ({ metadata }) => USUAL_CHARACTERS + (metadata === null ? 0 : bytesOf(metadata)),
      mostWaiting: MAX_QUEUED_CHARACTERS,
      onDropped: (records) => dropped.inc(records),
      quarantine: (record) => {
        quarantined.inc();
        return withoutText(record);
      },
    });
    this.buffer = buffer;
    new Gauge({
      name: 'gateway_usage_records_waiting',
      help: 'Usage records of this process that are not in the database yet.',
      registers,
      collect() {
        this.set(buffer.length);
      },
    });
  }

  add(record: UsageRecord): void {
    this.buffer.add(record);
  }

  /**
   * Registers records that another component stores. Until `stored` is called, budgets count them beside those of the database.
   *
   * @returns the same records
   */
  handOver(records: readonly UsageRecord[]): readonly UsageRecord[] {
    for (const record of records) this.handedOver.set(record.id, record);
    return records;
  }

  /** Writes records that were handed over, inside a transaction of the caller. Records with an existing id are skipped. */
  async insert(manager: EntityManager, records: readonly UsageRecord[]): Promise<void> {
    if (records.length > 0) await INSERT.run(manager, this.database.dialect, records);
  }

  /** Must be called after the commit of a transaction that wrote handed-over records. */
  stored(records: readonly UsageRecord[]): void {
    for (const { id } of records) this.handedOver.delete(id);
  }

  /** Takes back handed-over records that could not be stored there: they are written like all others. */
  takeBack(records: readonly UsageRecord[]): void {
    this.stored(records);
    for (const record of records) this.add(record);
  }

  /** Handed-over records that are not known to be stored. */
  get unstored(): readonly UsageRecord[] {
    return [...this.handedOver.values()];
  }

  /** Resolves when everything that was added before is in the database, or has failed once. */
  flush(): Promise<void> {
    return this.buffer.flush();
  }

  /** Writes the queue a last time, and handed-over records that were never stored. */
  close(): Promise<void> {
    this.takeBack(this.unstored);
    return this.buffer.close();
  }

  private async store(records: readonly UsageRecord[]): Promise<void> {
    const { dialect } = this.database;
    await this.database.transaction((manager) => INSERT.run(manager, dialect, records));
    if (dialect.isSqlite) await new Promise(setImmediate);
  }
}

/** The fields that sums and budgets need, with every value made valid for its column; texts of clients and providers are left out. */
function withoutText(record: UsageRecord): UsageRecord {
  const { id, keyId, groupId, source, status, isStream, isEstimated, costBasis, createdAt } = record;
  const cost = record.costNanos === null ? null : readNanoDollars(record.costNanos);
  return {
    id: plain(id, 32),
    createdAt: Number.isSafeInteger(createdAt) ? createdAt : steadyNow(),
    requestId: plain(record.requestId, 128),
    keyId: plain(keyId, 32),
    groupId: groupId === null ? null : plain(groupId, 32),
    operation: plain(record.operation, 16),
    wireFormat: record.wireFormat === null ? null : plain(record.wireFormat, 32),
    source: source === 'batch' ? 'batch' : 'live',
    requestedModel: plain(record.requestedModel, 256),
    model: plain(record.model, 256),
    provider: record.provider === null ? null : plain(record.provider, 128),
    upstreamModel: null,
    isStream,
    status: plain(status, 16) as UsageRecord['status'],
    httpStatus: whole(record.httpStatus),
    errorCode: null,
    attempts: whole(record.attempts),
    promptTokens: whole(record.promptTokens),
    completionTokens: whole(record.completionTokens),
    totalTokens: whole(record.totalTokens),
    cachedTokens: whole(record.cachedTokens),
    cacheWriteTokens: whole(record.cacheWriteTokens),
    cacheWrite1hTokens: whole(record.cacheWrite1hTokens),
    reasoningTokens: whole(record.reasoningTokens),
    images: wholeOrNull(record.images),
    audioSeconds: Number.isFinite(record.audioSeconds) ? record.audioSeconds : null,
    characters: wholeOrNull(record.characters),
    searchUnits: wholeOrNull(record.searchUnits),
    webSearches: wholeOrNull(record.webSearches),
    serviceTier: null,
    isEstimated,
    costNanos: cost ?? null,
    costBasis: costBasis === null ? null : (plain(costBasis, 16) as UsageRecord['costBasis']),
    firstByteMs: record.firstByteMs === null ? null : whole(record.firstByteMs),
    durationMs: whole(record.durationMs),
    endUser: null,
    sessionId: null,
    agentId: null,
    metadata: null,
  };
}

function plain(text: unknown, length: number): string {
  return String(text)
    .replace(/[^\x20-\x7e]/g, '?')
    .slice(0, length);
}

function wholeOrNull(value: number | null): number | null {
  return value === null ? null : whole(value);
}

function whole(value: unknown): number {
  return readTokenCount(value) ?? 0;
}
