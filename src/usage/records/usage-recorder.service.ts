import { BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import { Counter, Gauge } from 'prom-client';
import { Database } from '../../database/database.js';
import { InsertRows } from '../../database/insert-rows.js';
import { describeError } from '../../errors/describe-error.js';
import { MetricsRegistry } from '../../telemetry/metrics-registry.js';
import type { UsageRecord } from './usage-record.entity.js';

/** Milliseconds that a record waits for others at most: what a SIGKILL can lose. */
const WAIT = 500;
/** Records of one transaction. */
const BATCH = 1_000;
/** The driver of SQLite holds the event loop up while it writes, so requests get their turn after so many. */
const BATCH_OF_SQLITE = 100;
/** Records that wait while the database is away, about 50 MB; what comes then is counted and not kept. */
const MOST = 100_000;
/** Longest pause between two tries while the database is away, in milliseconds. */
const LONGEST_PAUSE = 5_000;
/** How long a shutdown waits for the database to take the last records. */
const LAST_CHANCE = 5_000;

const INSERT = new InsertRows<UsageRecord>('usage_record', [
  { name: 'id', type: 'text', of: ({ id }) => id },
  { name: 'created_at', type: 'bigint', of: ({ createdAt }) => createdAt },
  { name: 'request_id', type: 'text', of: ({ requestId }) => requestId },
  { name: 'key_id', type: 'text', of: ({ keyId }) => keyId },
  { name: 'group_id', type: 'text', of: ({ groupId }) => groupId },
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
  { name: 'reasoning_tokens', type: 'int', of: ({ reasoningTokens }) => reasoningTokens },
  { name: 'is_estimated', type: 'boolean', of: ({ isEstimated }) => isEstimated },
  { name: 'cost_nanos', type: 'bigint', of: ({ costNanos }) => costNanos },
  { name: 'first_byte_ms', type: 'int', of: ({ firstByteMs }) => firstByteMs },
  { name: 'duration_ms', type: 'int', of: ({ durationMs }) => durationMs },
  { name: 'end_user', type: 'text', of: ({ endUser }) => endUser },
  { name: 'metadata', type: 'text', of: ({ metadata }) => (metadata === null ? null : JSON.stringify(metadata)) },
]);

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
  private readonly batch: number;

  constructor(
    private readonly database: Database,
    metrics: MetricsRegistry,
  ) {
    this.batch = database.isSqlite ? BATCH_OF_SQLITE : BATCH;
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
    if (this.waiting.length >= this.batch && this.failures === 0) this.write();
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
      const batch = this.waiting.slice(0, this.batch);
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
    const { dialect } = this.database;
    await this.database.transaction((manager) => INSERT.run(manager, dialect, records));
    if (dialect.isSqlite) await new Promise(setImmediate);
  }
}
