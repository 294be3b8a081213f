import { Injectable, Logger } from '@nestjs/common';
import { Counter, Gauge } from 'prom-client';
import { Database } from '../../database/database.js';
import { runSql } from '../../database/sql.js';
import { storableText } from '../../database/storable-text.js';
import { WriteBehind } from '../../database/write-behind.js';
import { MetricsRegistry } from '../../telemetry/metrics-registry.js';
import type { UsageRecord } from './usage-record.entity.js';

/** Records of one statement. */
const BATCH = 1_000;
/** Characters of records that wait while the database is away: some 100,000 records, fewer with much metadata. */
const MOST_WAITING = 64_000_000;
/** Characters of a record without its metadata. */
const USUAL_SIZE = 640;

const COLUMNS: readonly (readonly [column: string, type: string, of: (record: UsageRecord) => unknown])[] = [
  ['id', 'text', ({ id }) => id],
  ['created_at', 'bigint', ({ createdAt }) => createdAt],
  ['request_id', 'text', ({ requestId }) => requestId],
  ['key_id', 'text', ({ keyId }) => keyId],
  ['group_id', 'text', ({ groupId }) => groupId],
  ['source', 'text', ({ source }) => source],
  ['requested_model', 'text', ({ requestedModel }) => requestedModel],
  ['model', 'text', ({ model }) => model],
  ['provider', 'text', ({ provider }) => provider],
  ['upstream_model', 'text', ({ upstreamModel }) => upstreamModel],
  ['is_stream', 'boolean', ({ isStream }) => isStream],
  ['status', 'text', ({ status }) => status],
  ['http_status', 'int', ({ httpStatus }) => httpStatus],
  ['error_code', 'text', ({ errorCode }) => errorCode],
  ['attempts', 'int', ({ attempts }) => attempts],
  ['prompt_tokens', 'int', ({ promptTokens }) => promptTokens],
  ['completion_tokens', 'int', ({ completionTokens }) => completionTokens],
  ['total_tokens', 'int', ({ totalTokens }) => totalTokens],
  ['cached_tokens', 'int', ({ cachedTokens }) => cachedTokens],
  ['reasoning_tokens', 'int', ({ reasoningTokens }) => reasoningTokens],
  ['is_estimated', 'boolean', ({ isEstimated }) => isEstimated],
  ['cost_nanos', 'bigint', ({ costNanos }) => costNanos],
  ['first_byte_ms', 'int', ({ firstByteMs }) => firstByteMs],
  ['duration_ms', 'int', ({ durationMs }) => durationMs],
  ['end_user', 'text', ({ endUser }) => endUser],
  ['metadata', 'text', ({ metadata }) => (metadata === null ? null : JSON.stringify(metadata))],
];
const NAMES = COLUMNS.map(([column]) => column).join(', ');
const TYPED = COLUMNS.map(([column, type]) => `${column} ${type}`).join(', ');
const FROM_JSON = COLUMNS.map(([column]) => `json_extract(value, '$.${column}')`).join(', ');

/** Writes records in batches, off the path of requests. An id is written once, however often it is tried. */
@Injectable()
export class UsageRecorder {
  private readonly buffer: WriteBehind<UsageRecord>;

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
    const buffer = new WriteBehind<UsageRecord>({
      what: 'usage records',
      logger: new Logger('Usage'),
      store: (records) => this.store(records),
      batch: BATCH,
      sizeOf: ({ metadata }) => USUAL_SIZE + (metadata === null ? 0 : JSON.stringify(metadata).length),
      mostWaiting: MOST_WAITING,
      onDropped: (records) => dropped.inc(records),
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

  /** Resolves when everything that was added before is in the database, or has failed once. */
  flush(): Promise<void> {
    return this.buffer.flush();
  }

  /** Writes what waits, for the last time. */
  close(): Promise<void> {
    return this.buffer.close();
  }

  private async store(records: readonly UsageRecord[]): Promise<void> {
    const rows = JSON.stringify(
      records.map((record) => Object.fromEntries(COLUMNS.map(([column, , of]) => [column, storable(of(record))]))),
    );
    const { dialect } = this.database;
    const source = dialect.isSqlite
      ? `SELECT ${FROM_JSON} FROM json_each($1) WHERE true`
      : `SELECT ${NAMES} FROM json_to_recordset($1) AS r(${TYPED})`;
    await this.database.transaction((manager) =>
      runSql(manager, dialect, `INSERT INTO usage_record (${NAMES}) ${source} ON CONFLICT (id) DO NOTHING`, [rows]),
    );
  }
}

function storable(value: unknown): unknown {
  return typeof value === 'string' ? storableText(value) : value;
}
