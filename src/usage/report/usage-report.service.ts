import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository, type SelectQueryBuilder } from 'typeorm';
import { Database } from '../../database/database.js';
import { newestFirst } from '../../database/newest-first.js';
import { timeSlices, type TimeSpan } from '../../database/time-slices.js';
import { invalidRequest } from '../../errors/gateway-error.js';
import { DEFAULT_PAGE_ENTRIES } from '../../http/page-query.dto.js';
import { toUnixSeconds } from '../../http/unix-seconds.js';
import { UsageRecord } from '../records/usage-record.entity.js';
import { type Dimension, dimensionsOf, metadataMember } from './dimensions.js';
import { OwnerNames } from './owner-names.js';
import { isoSeconds } from '../../http/query-time.js';
import type {
  UsageFilterDto,
  UsageQueryDto,
  UsageRecordDto,
  UsageRecordListDto,
  UsageRowDto,
  UsageRowListDto,
} from './usage.dto.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const DEFAULT_SPAN_MS = 30 * DAY_MS;
/** Records per query of an export. */
const ROWS_PER_PAGE = 500;
const SUMS = [
  'records',
  'requests',
  'failed',
  'prompt',
  'completion',
  'total',
  'cached',
  'written',
  'images',
  'seconds',
  'characters',
  'searches',
  'web_searches',
  'nanos',
  'unpriced',
  'estimated',
] as const;

/** Aliases of the dimensions in a row. */
const GROUPS = ['grp0', 'grp1', 'grp2'] as const;

/** Sums are null where there is nothing to sum. */
type SumRow = Record<(typeof SUMS)[number], string | number | null> & { bucket: string | number } & Partial<
    Record<(typeof GROUPS)[number], string | null>
  >;

/** Usage for administrators: sums, and the records themselves. */
@Injectable()
export class UsageReport {
  constructor(
    @InjectRepository(UsageRecord) private readonly records: Repository<UsageRecord>,
    private readonly names: OwnerNames,
    private readonly database: Database,
  ) {}

  async sums(query: UsageQueryDto): Promise<UsageRowListDto> {
    const { limit = DEFAULT_PAGE_ENTRIES } = query;
    const skipped = offsetOf(query.after);
    const span = spanOf(query);
    const rows = this.database.isSqlite
      ? (await this.sumsInSlices(query, span, skipped + limit + 1)).slice(skipped)
      : await this.sumsOf(query, span, span.start)
          .offset(skipped)
          .limit(limit + 1)
          .getRawMany<SumRow>();
    const found = rows.slice(0, limit).filter(({ records }) => Number(records) > 0);
    const dimensions = this.dimensions(query);
    const names = await this.names.of(
      dimensions[0]?.name,
      found.map(({ grp0 }) => grp0 ?? null),
    );
    const hasMore = rows.length > limit;
    return {
      object: 'list',
      data: found.map((row) => toRow(row, dimensions, names)),
      has_more: hasMore,
      next: hasMore ? String(skipped + limit) : null,
    };
  }

  /** All records of the query, a page at a time, with the names of their keys, for an export. */
  async *pages(query: UsageFilterDto): AsyncGenerator<readonly object[]> {
    const span = spanOf(query);
    for (let after = query.after ?? null, isFirst = true; isFirst || after !== null; isFirst = false) {
      const page = await this.page(query, span, ROWS_PER_PAGE, after ?? undefined);
      const names = await this.names.of(
        'key',
        page.data.map(({ key_id: id }) => id),
      );
      yield page.data.map((row) => ({
        ...row,
        date: isoSeconds(row.created_at),
        key_name: names.get(row.key_id) ?? null,
      }));
      after = page.next;
    }
  }

  list(query: UsageFilterDto): Promise<UsageRecordListDto> {
    return this.page(query, spanOf(query), query.limit ?? DEFAULT_PAGE_ENTRIES, query.after);
  }

  private async page(
    query: UsageFilterDto,
    span: TimeSpan,
    limit: number,
    after: string | undefined,
  ): Promise<UsageRecordListDto> {
    const { rows, ...page } = await newestFirst(this.filtered(query, span), 'createdAt', {
      limit,
      after,
      what: 'usage record',
      inSlicesOf: this.database.isSqlite ? span : undefined,
    });
    return { object: 'list', data: rows.map(toRecordDto), ...page };
  }

  /** The first `most` rows of the sums. */
  private async sumsInSlices(query: UsageQueryDto, span: TimeSpan, most: number): Promise<SumRow[]> {
    const merged = new Map<string, SumRow>();
    for await (const slice of timeSlices(span)) {
      for (const row of await this.sumsOf(query, slice, span.start).getRawMany<SumRow>()) {
        const id = JSON.stringify([row.bucket, row.grp0, row.grp1, row.grp2]);
        const known = merged.get(id);
        merged.set(id, known === undefined ? row : addedUp(known, row));
      }
      // Buckets that begin in this slice or later are complete.
      const isWhole = ({ bucket }: SumRow): boolean => Number(bucket) >= slice.start;
      if (query.interval !== 'none' && countOf(merged.values(), isWhole) >= most) break;
    }
    return [...merged.values()].sort(inOrder).slice(0, most);
  }

  /** @param from where the only bucket begins when there are no intervals */
  private sumsOf(query: UsageQueryDto, span: TimeSpan, from: number): SelectQueryBuilder<UsageRecord> {
    const { interval = 'day' } = query;
    const length = interval === 'hour' ? HOUR_MS : DAY_MS;
    // Not a parameter: PostgreSQL must see that it is the same expression everywhere.
    const bucket = interval === 'none' ? 'CAST(:from AS BIGINT)' : `(record.createdAt - record.createdAt % ${length})`;
    const sums = this.filtered(query, span)
      .select(bucket, 'bucket')
      .setParameters({ from })
      .addSelect('COUNT(*)', 'records')
      .addSelect(`SUM(CASE WHEN record.status = 'retried' THEN 0 ELSE 1 END)`, 'requests')
      .addSelect(`SUM(CASE WHEN record.status = 'failed' THEN 1 ELSE 0 END)`, 'failed')
      .addSelect('SUM(record.promptTokens)', 'prompt')
      .addSelect('SUM(record.completionTokens)', 'completion')
      .addSelect('SUM(record.totalTokens)', 'total')
      .addSelect('SUM(record.cachedTokens)', 'cached')
      .addSelect('SUM(record.cacheWriteTokens)', 'written')
      .addSelect('SUM(record.images)', 'images')
      .addSelect('SUM(record.audioSeconds)', 'seconds')
      .addSelect('SUM(record.characters)', 'characters')
      .addSelect('SUM(record.searchUnits)', 'searches')
      .addSelect('SUM(record.webSearches)', 'web_searches')
      .addSelect('SUM(record.costNanos)', 'nanos')
      .addSelect('SUM(CASE WHEN record.costNanos IS NULL THEN 1 ELSE 0 END)', 'unpriced')
      .addSelect('SUM(CASE WHEN record.isEstimated THEN 1 ELSE 0 END)', 'estimated');
    if (interval !== 'none') sums.addGroupBy(bucket).addOrderBy(bucket, 'DESC');
    this.dimensions(query).forEach(({ expression }, index) => {
      sums.addSelect(expression, GROUPS[index]).addGroupBy(expression).addOrderBy(expression, 'ASC', 'NULLS FIRST');
    });
    return sums;
  }

  private dimensions({ group_by: groupBy = 'none' }: UsageQueryDto): readonly Dimension[] {
    return dimensionsOf(groupBy, this.database.isSqlite);
  }

  private filtered(filter: UsageFilterDto, { start, end }: TimeSpan): SelectQueryBuilder<UsageRecord> {
    const { key_id: keyId, group_id: groupId, operation, model, provider, user, metadata } = filter;
    const { session_id: sessionId, agent_id: agentId, wire_format: wireFormat, service_tier: serviceTier } = filter;
    const query = this.records
      .createQueryBuilder('record')
      .where('record.createdAt >= :start AND record.createdAt < :end', { start, end });
    if (keyId !== undefined) query.andWhere('record.keyId = :keyId', { keyId });
    if (groupId !== undefined) query.andWhere('record.groupId = :groupId', { groupId });
    if (operation !== undefined) query.andWhere('record.operation = :operation', { operation });
    if (model !== undefined) query.andWhere('record.model = :model', { model });
    if (provider !== undefined) query.andWhere('record.provider = :provider', { provider });
    if (user !== undefined) query.andWhere('record.endUser = :user', { user });
    if (sessionId !== undefined) query.andWhere('record.sessionId = :sessionId', { sessionId });
    if (agentId !== undefined) query.andWhere('record.agentId = :agentId', { agentId });
    if (wireFormat !== undefined) query.andWhere('record.wireFormat = :wireFormat', { wireFormat });
    if (serviceTier !== undefined) query.andWhere('record.serviceTier = :serviceTier', { serviceTier });
    if (metadata !== undefined) {
      const colon = metadata.indexOf(':');
      const member = metadataMember(metadata.slice(0, colon), this.database.isSqlite);
      query.andWhere(`${member} = :member`, { member: metadata.slice(colon + 1) });
    }
    return query;
  }
}

/** Epoch milliseconds. */
function spanOf({ start, end }: UsageFilterDto): TimeSpan {
  // Includes the current millisecond.
  const until = end === undefined ? Date.now() + 1 : end * 1_000;
  const from = start === undefined ? until - DEFAULT_SPAN_MS : start * 1_000;
  if (from >= until) throw invalidRequest("'start' must be before 'end'. Both are Unix seconds or dates.", 'start');
  return { start: from, end: until };
}

/** Rows are sums that change while they are read, so the page cursor is an offset. */
function offsetOf(after: string | undefined): number {
  if (after === undefined) return 0;
  if (/^\d{1,9}$/.test(after)) return Number(after);
  throw invalidRequest("'after' is no cursor of this list. Send the `next` of the page before.", 'after');
}

function addedUp(one: SumRow, other: SumRow): SumRow {
  const sums = SUMS.map((name) => [name, Number(one[name]) + Number(other[name])] as const);
  return { ...one, ...(Object.fromEntries(sums) as Record<(typeof SUMS)[number], number>) };
}

/** The order of the database: the latest first, then by the bytes of the dimensions, null before all others. */
function inOrder(one: SumRow, other: SumRow): number {
  if (one.bucket !== other.bucket) return Number(other.bucket) - Number(one.bucket);
  for (const alias of GROUPS) {
    const [first, second] = [one[alias] ?? null, other[alias] ?? null];
    if (first === second) continue;
    if (first === null || second === null) return Number(second === null) - Number(first === null);
    return first < second ? -1 : 1;
  }
  return 0;
}

function countOf<Item>(items: Iterable<Item>, condition: (item: Item) => boolean): number {
  let count = 0;
  for (const item of items) if (condition(item)) count += 1;
  return count;
}

function toRow(row: SumRow, dimensions: readonly Dimension[], names: ReadonlyMap<string, string>): UsageRowDto {
  const bucket = toUnixSeconds(Number(row.bucket));
  const group = row.grp0 ?? null;
  return {
    bucket,
    date: isoSeconds(bucket),
    group,
    group_name: group === null ? null : (names.get(group) ?? null),
    groups: Object.fromEntries(dimensions.map(({ name }, index) => [name, row[GROUPS[index] ?? 'grp0'] ?? null])),
    requests: Number(row.requests),
    failed_requests: Number(row.failed),
    prompt_tokens: Number(row.prompt),
    completion_tokens: Number(row.completion),
    total_tokens: Number(row.total),
    cached_tokens: Number(row.cached),
    cache_write_tokens: Number(row.written),
    images: Number(row.images),
    audio_seconds: Number(row.seconds),
    characters: Number(row.characters),
    search_units: Number(row.searches),
    web_searches: Number(row.web_searches),
    cost_usd: Number(row.nanos) / 1e9,
    unpriced_requests: Number(row.unpriced),
    estimated_requests: Number(row.estimated),
  };
}

function toRecordDto(record: UsageRecord): UsageRecordDto {
  return {
    id: record.id,
    object: 'usage_record',
    created_at: toUnixSeconds(record.createdAt),
    request_id: record.requestId,
    key_id: record.keyId,
    group_id: record.groupId,
    operation: record.operation,
    wire_format: record.wireFormat,
    source: record.source,
    requested_model: record.requestedModel,
    model: record.model,
    provider: record.provider,
    upstream_model: record.upstreamModel,
    stream: record.isStream,
    status: record.status,
    http_status: record.httpStatus,
    error_code: record.errorCode,
    attempts: record.attempts,
    prompt_tokens: record.promptTokens,
    completion_tokens: record.completionTokens,
    total_tokens: record.totalTokens,
    cached_tokens: record.cachedTokens,
    cache_write_tokens: record.cacheWriteTokens,
    cache_write_1h_tokens: record.cacheWrite1hTokens,
    reasoning_tokens: record.reasoningTokens,
    images: record.images,
    audio_seconds: record.audioSeconds,
    characters: record.characters,
    search_units: record.searchUnits,
    web_searches: record.webSearches,
    service_tier: record.serviceTier,
    estimated: record.isEstimated,
    cost_basis: record.costBasis ?? (record.isEstimated ? 'estimated' : 'reported'),
    cost_usd: record.costNanos === null ? null : record.costNanos / 1e9,
    first_byte_ms: record.firstByteMs,
    duration_ms: record.durationMs,
    user: record.endUser,
    session_id: record.sessionId,
    agent_id: record.agentId,
    metadata: record.metadata as Record<string, unknown> | null,
  };
}
