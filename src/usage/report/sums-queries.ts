import type { Repository, SelectQueryBuilder } from 'typeorm';
import type { TimeSpan } from '../../database/time-slices.js';
import type { UsageRecord } from '../records/usage-record.entity.js';
import { type Dimension, dimensionsOf } from './dimensions.js';
import { bucketOf, filteredRecords, lengthOf, type OwnedBy } from './record-filter.js';
import { behindPlace, type SumsPlace } from './sums-place.js';
import type { UsageFilterDto, UsageQueryDto } from './usage-query.dto.js';
import { GROUPS } from './usage-rows.js';

/** The cost of a row as a number of JavaScript has it, so that a cursor compares as it was printed. */
const COST = 'CAST(COALESCE(SUM(record.costNanos), 0) AS DOUBLE PRECISION)';

/** The queries of the sums of records. */
export class SumsQueries {
  constructor(
    private readonly records: Repository<UsageRecord>,
    private readonly isSqlite: boolean,
  ) {}

  /** The sums from a place on. @param from where the only bucket begins when there are no intervals */
  sumsBehind(
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

  /**
   * @param from where the only bucket begins when there are no intervals
   * @param among the values of the first dimension that are read; all where it is undefined
   */
  sumsOf(
    query: UsageQueryDto & OwnedBy,
    span: TimeSpan,
    from: number,
    among?: readonly (string | null)[],
  ): SelectQueryBuilder<UsageRecord> {
    const { interval = 'day' } = query;
    const bucket = bucketOf(query);
    const [first] = this.dimensions(query);
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
    if (among !== undefined && first !== undefined) {
      const orNull = among.includes(null) ? ` OR ${first.expression} IS NULL` : '';
      sums.andWhere(`(${first.expression} IN (:...among)${orNull})`, {
        among: among.filter((value) => value !== null),
      });
    }
    if (interval !== 'none') sums.addGroupBy(bucket).addOrderBy(bucket, 'DESC');
    if (query.order_by === 'cost') sums.addOrderBy(COST, 'DESC');
    this.dimensions(query).forEach(({ expression }, index) => {
      const group = this.groupOf(expression);
      sums.addSelect(group, GROUPS[index]).addGroupBy(group).addOrderBy(group, 'ASC', 'NULLS FIRST');
    });
    return sums;
  }

  /** The cost of each group over all of a time, in no order. */
  costsOf(query: UsageQueryDto & OwnedBy, span: TimeSpan): SelectQueryBuilder<UsageRecord> {
    const costs = this.filtered(query, span).select('SUM(record.costNanos)', 'nanos');
    this.dimensions(query).forEach(({ expression }, index) => {
      const group = this.groupOf(expression);
      costs.addSelect(group, GROUPS[index]).addGroupBy(group);
    });
    return costs;
  }

  filtered(filter: UsageFilterDto & OwnedBy, span: TimeSpan | undefined): SelectQueryBuilder<UsageRecord> {
    return filteredRecords(this.records, filter, span, this.isSqlite);
  }

  dimensions({ group_by: groupBy = 'none' }: UsageQueryDto): readonly Dimension[] {
    return dimensionsOf(groupBy, this.isSqlite);
  }

  /** The plus keeps SQLite from reading an index in the order of the groups, record by record over all the time, for each slice. */
  private groupOf(expression: string): string {
    return this.isSqlite ? `+ ${expression}` : expression;
  }
}

/** The part of the time in which there are rows from a place on. */
export function untilPlace(
  { interval = 'day' }: UsageQueryDto,
  span: TimeSpan,
  place: SumsPlace | undefined,
): TimeSpan {
  if (place === undefined || interval === 'none') return span;
  return { start: span.start, end: Math.min(span.end, place.bucket + lengthOf(interval)) };
}
