import { BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import { Counter, Gauge } from 'prom-client';
import { Database } from '../../database/database.js';
import { runSql } from '../../database/sql.js';
import { describeError } from '../../errors/describe-error.js';
import { MetricsRegistry } from '../../telemetry/metrics-registry.js';
import type { UsageRecord } from './usage-record.entity.js';

/** Milliseconds that a record waits for others at most: what a SIGKILL can lose. */
const WAIT = 500;
/** Records of one statement. */
const BATCH = 1_000;
/** Records that wait while the database is away, about 50 MB; what comes then is counted and not kept. */
const MOST = 100_000;
/** Longest pause between two tries while the database is away, in milliseconds. */
const LONGEST_PAUSE = 5_000;
/** How long a shutdown waits for the database to take the last records. */
const LAST_CHANCE = 5_000;

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

/**
 * Writes records in batches, off the path of requests. While the database is away they wait in a bounded buffer. An id is
 * written once, so a batch whose outcome was not heard of can be tried again.
 */
@Injectable()
export class UsageRecorder implements BeforeApplicationShutdown {
  private readonly logger = new Logger('Usage');
  private readonly dropped: Counter;
  private waiting: UsageRecord[] = [];
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> | undefined;
  private failures = 0;
  private hasOverflowed = false;
  private isClosing = false;

  constructor(
    private readonly database: Database,
    metrics: MetricsRegistry,
  ) {
    const registers = [metrics.registry];
    this.dropped = new Counter({
      name: 'gateway_usage_records_dropped_total',
      help: 'Usage records that were not kept, because the database was away for too long.',
      registers,
    });
    const waiting = (): number => this.waiting.length;
    new Gauge({
      name: 'gateway_usage_records_waiting',
      help: 'Usage records of this process that are not in the database yet.',
      registers,
      collect() {
        this.set(waiting());
      },
    });
  }

  add(record: UsageRecord): void {
    if (this.waiting.length >= MOST) {
      this.dropped.inc();
      if (!this.hasOverflowed)
        this.logger.error({ msg: 'the buffer of usage records is full; new ones are lost', size: MOST });
      this.hasOverflowed = true;
      return;
    }
    this.waiting.push(record);
    if (this.waiting.length >= BATCH && this.failures === 0) this.write();
    else this.timer ??= setTimeout(() => this.write(), WAIT);
  }

  /** Resolves when everything that was added before is in the database, or has failed once. */
  async flush(): Promise<void> {
    await this.writing;
    this.write();
    await this.writing;
  }

  async beforeApplicationShutdown(): Promise<void> {
    this.isClosing = true;
    const deadline = performance.now() + LAST_CHANCE;
    while (this.waiting.length > 0 || this.writing !== undefined) {
      await this.flush();
      if (this.waiting.length === 0) break;
      if (performance.now() > deadline) {
        this.dropped.inc(this.waiting.length);
        this.logger.error({
          msg: 'usage records are lost: the database did not take them',
          records: this.waiting.length,
        });
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
    clearTimeout(this.timer);
  }

  private write(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.writing ??= this.writeAll().finally(() => {
      this.writing = undefined;
      if (this.waiting.length > 0 && !this.isClosing) this.timer ??= setTimeout(() => this.write(), this.pause());
    });
  }

  private async writeAll(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting.slice(0, BATCH);
      try {
        await this.store(batch);
      } catch (error) {
        this.failures += 1;
        if (this.failures === 1)
          this.logger.error({ msg: 'usage records wait for the database', error: describeError(error) });
        return;
      }
      this.waiting.splice(0, batch.length);
      if (this.failures > 0) this.logger.log({ msg: 'usage records are written again', waiting: this.waiting.length });
      this.failures = 0;
      this.hasOverflowed = false;
    }
  }

  private pause(): number {
    return this.failures === 0 ? WAIT : Math.min(LONGEST_PAUSE, WAIT * 2 ** this.failures);
  }

  private async store(records: readonly UsageRecord[]): Promise<void> {
    const rows = JSON.stringify(
      records.map((record) => Object.fromEntries(COLUMNS.map(([column, , of]) => [column, of(record)]))),
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
