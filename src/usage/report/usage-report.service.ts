import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository, type SelectQueryBuilder } from 'typeorm';
import { Database } from '../../database/database.js';
import { newestFirst } from '../../database/newest-first.js';
import { timeSlices, type TimeSpan } from '../../database/time-slices.js';
import { type GatewayError, invalidRequest } from '../../errors/gateway-error.js';
import { DEFAULT_PAGE_ENTRIES } from '../../http/page-query.dto.js';
import { UsageRecord } from '../records/usage-record.entity.js';
import { type Dimension, dimensionsOf } from './dimensions.js';
import { OwnerNames } from './owner-names.js';
import { isoSeconds } from '../../http/query-time.js';
import { behindPlace, isBehind, parseSumsPlace, placeBehind, printSumsPlace, type SumsPlace } from './sums-place.js';
import { bucketOf, filteredRecords, lengthOf, spanOf, type OwnedBy } from './record-filter.js';
import { addedUp, compareRows, GROUPS, placedRow, type SumRow, toRecordDto, toRow } from './usage-rows.js';
import type { UsageFilterDto, UsageQueryDto } from './usage-query.dto.js';
import type { UsageRecordListDto } from './usage-record.dto.js';
import type { UsageRowListDto } from './usage-row.dto.js';

/** The fields of a query that choose no records but by their time. */
const NO_FILTERS: ReadonlySet<string> = new Set(['interval', 'group_by', 'order_by', 'start', 'end', 'limit', 'after']);

/** The next keys behind one that have records in a time, by the index of keys alone. Parameters: key, start, end, number of keys. */
const NEXT_KEYS = `WITH RECURSIVE next(id) AS (
  SELECT MIN(key_id) FROM usage_record WHERE key_id > ?
  UNION ALL
  SELECT (SELECT MIN(key_id) FROM usage_record WHERE key_id > next.id) FROM next WHERE next.id IS NOT NULL
)
SELECT id FROM next
WHERE EXISTS (SELECT 1 FROM usage_record WHERE key_id = next.id AND created_at >= ? AND created_at < ?) LIMIT ?`;

/** Most groups of a report by cost without intervals on SQLite, where all are in memory: the last may have the highest cost. */
const MAX_GROUPS_BY_COST = 100_000;

/** The cost of a row as a number of JavaScript has it, so that a cursor compares as it was printed. */
const COST = 'CAST(COALESCE(SUM(record.costNanos), 0) AS DOUBLE PRECISION)';

/** Records per query of an export. */
const ROWS_PER_PAGE = 500;

/** Usage for administrators: sums, and the records themselves. */
@Injectable()
export class UsageReport {
  constructor(
    @InjectRepository(UsageRecord) private readonly records: Repository<UsageRecord>,
    private readonly names: OwnerNames,
    private readonly database: Database,
  ) {}

  async sums(query: UsageQueryDto & OwnedBy): Promise<UsageRowListDto> {
    const { limit = DEFAULT_PAGE_ENTRIES, order_by: order = 'group' } = query;
    const dimensions = this.dimensions(query);
    const span = spanOf(query);
    const place = placeIn(query, parseSumsPlace(query.after, dimensions.length, order === 'cost'), span);
    const skipped = place?.skip ?? 0;
    const rows = this.database.isSqlite
      ? (await this.sumsInSlices(query, span, place, skipped + limit + 1)).slice(skipped)
      : await this.sumsBehind(query, span, place)
          .offset(skipped)
          .limit(limit + 1)
          .getRawMany<SumRow>();
    const shown = rows.slice(0, limit);
    const found = shown.filter(({ records }) => Number(records) > 0);
    const names = await this.names.of(
      dimensions[0]?.name,
      found.map(({ grp0 }) => grp0 ?? null),
    );
    const next =
      rows.length > limit
        ? placeBehind(
            shown.map((row) => placedRow(row, dimensions, order)),
            place,
          )
        : undefined;
    return {
      object: 'list',
      data: found.map((row) => toRow(row, dimensions, names)),
      has_more: next !== undefined,
      next: next === undefined ? null : printSumsPlace(next),
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

  list(query: UsageFilterDto & OwnedBy): Promise<UsageRecordListDto> {
    return this.page(query, spanOf(query), query.limit ?? DEFAULT_PAGE_ENTRIES, query.after);
  }

  private async page(
    query: UsageFilterDto & OwnedBy,
    span: TimeSpan,
    limit: number,
    after: string | undefined,
  ): Promise<UsageRecordListDto> {
    const { rows, ...page } = await newestFirst(this.filtered(query, span), 'createdAt', {
      limit,
      after,
      what: 'usage record',
      idPrefix: 'use_',
      inSlicesOf: this.database.isSqlite ? span : undefined,
    });
    return { object: 'list', data: rows.map(toRecordDto), ...page };
  }

  /** The sums from a place on. @param from where the only bucket begins when there are no intervals */
  private sumsBehind(
    query: UsageQueryDto & OwnedBy,
    span: TimeSpan,
    place: SumsPlace | undefined,
    from = span.start,
  ): SelectQueryBuilder<UsageRecord> {
    const sums = this.sumsOf(query, untilPlace(query, span, place), from);
    if (place === undefined) return sums;
    const groups = this.dimensions(query).map(({ expression }) => expression);
    const { sql, parameters } = behindPlace({ bucket: bucketOf(query), nanos: COST, groups }, place);
    // The cost of a group is known once it is summed.
    return place.nanos === undefined ? sums.andWhere(sql, parameters) : sums.having(sql, parameters);
  }

  /** The first `most` rows of the sums from a place on. */
  private async sumsInSlices(
    wanted: UsageQueryDto & OwnedBy,
    span: TimeSpan,
    place: SumsPlace | undefined,
    most: number,
  ): Promise<SumRow[]> {
    const keys = await this.keysOfPage(wanted, span, place, most);
    if (keys?.length === 0) return [];
    const query = { ...wanted, ...(keys !== undefined && { keys }) };
    const dimensions = this.dimensions(query);
    const { order_by: order = 'group' } = query;
    const hasIntervals = query.interval !== 'none';
    // What is among the first rows of all the time is among those of each slice in which it is; but not by cost, which adds up.
    const isCutBySlice = !hasIntervals && order === 'group';
    const isBounded = !hasIntervals && order === 'cost';
    const isListed = (row: SumRow): boolean =>
      place === undefined || isBehind(placedRow(row, dimensions, order), place);
    let merged = new Map<string, SumRow>();
    for await (const slice of timeSlices(untilPlace(query, span, place))) {
      const sums = isCutBySlice
        ? this.sumsBehind(query, slice, place, span.start).limit(most)
        : this.sumsOf(query, slice, span.start);
      if (isBounded) sums.limit(MAX_GROUPS_BY_COST + 1);
      for (const row of await sums.getRawMany<SumRow>()) {
        const id = JSON.stringify([row.bucket, row.grp0, row.grp1, row.grp2]);
        const known = merged.get(id);
        merged.set(id, known === undefined ? row : addedUp(known, row));
      }
      if (isCutBySlice && merged.size > 2 * most) merged = firstOf(merged, most);
      if (isBounded && merged.size > MAX_GROUPS_BY_COST) throw tooManyGroups();
      if (!hasIntervals) continue;
      // Buckets that begin in this slice or later are complete.
      const isWhole = (row: SumRow): boolean => Number(row.bucket) >= slice.start && isListed(row);
      if (countOf(merged.values(), isWhole) >= most) break;
    }
    return [...merged.values()]
      .filter(isListed)
      .sort((one, other) => compareRows(one, other, order))
      .slice(0, most);
  }

  /**
   * The keys of a page of sums by key over all the time: with them the page reads their records alone, not those of all keys.
   * Undefined for other sums, and where a filter may leave keys without a row.
   */
  private async keysOfPage(
    query: UsageQueryDto & OwnedBy,
    { start, end }: TimeSpan,
    place: SumsPlace | undefined,
    most: number,
  ): Promise<readonly string[] | undefined> {
    if (query.interval !== 'none' || query.group_by !== 'key' || query.order_by === 'cost') return undefined;
    const isFiltered = Object.entries(query).some(([name, value]) => value !== undefined && !NO_FILTERS.has(name));
    const isOfOneRow = place === undefined || (place.skip === 0 && place.groups.length === 1);
    if (isFiltered || !isOfOneRow) return undefined;
    const found = await this.records.query<{ id: string }[]>(NEXT_KEYS, [place?.groups[0] ?? '', start, end, most]);
    return found.map(({ id }) => id);
  }

  /** @param from where the only bucket begins when there are no intervals */
  private sumsOf(query: UsageQueryDto & OwnedBy, span: TimeSpan, from: number): SelectQueryBuilder<UsageRecord> {
    const { interval = 'day' } = query;
    const bucket = bucketOf(query);
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
    if (query.order_by === 'cost') sums.addOrderBy(COST, 'DESC');
    this.dimensions(query).forEach(({ expression }, index) => {
      // The plus keeps SQLite from reading an index in the order of the groups, record by record over all the time, for each slice.
      const group = this.database.isSqlite ? `+ ${expression}` : expression;
      sums.addSelect(group, GROUPS[index]).addGroupBy(group).addOrderBy(group, 'ASC', 'NULLS FIRST');
    });
    return sums;
  }

  private filtered(filter: UsageFilterDto & OwnedBy, span: TimeSpan): SelectQueryBuilder<UsageRecord> {
    return filteredRecords(this.records, filter, span, this.database.isSqlite);
  }

  private dimensions({ group_by: groupBy = 'none' }: UsageQueryDto): readonly Dimension[] {
    return dimensionsOf(groupBy, this.database.isSqlite);
  }
}

/** The only bucket of a report without intervals begins with its time, which moves with the clock unless it is given. */
function placeIn(
  { interval }: UsageQueryDto,
  place: SumsPlace | undefined,
  { start }: TimeSpan,
): SumsPlace | undefined {
  return place === undefined || interval !== 'none' ? place : { ...place, bucket: start };
}

/** The part of the time in which there are rows from a place on. */
function untilPlace({ interval = 'day' }: UsageQueryDto, span: TimeSpan, place: SumsPlace | undefined): TimeSpan {
  if (place === undefined || interval === 'none') return span;
  return { start: span.start, end: Math.min(span.end, place.bucket + lengthOf(interval)) };
}

/** The first rows in their order. */
function firstOf(rows: ReadonlyMap<string, SumRow>, most: number): Map<string, SumRow> {
  return new Map([...rows].sort(([, one], [, other]) => compareRows(one, other, 'group')).slice(0, most));
}

function tooManyGroups(): GatewayError {
  return invalidRequest(
    `The report has more than ${MAX_GROUPS_BY_COST} groups. Choose a shorter time with 'start' and 'end', another 'group_by', or 'order_by=group'.`,
    'order_by',
  );
}

function countOf<Item>(items: Iterable<Item>, condition: (item: Item) => boolean): number {
  let count = 0;
  for (const item of items) if (condition(item)) count += 1;
  return count;
}
