import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { Repository } from 'typeorm';
import { Database } from '../../database/database.js';
import { newestFirst, type PageRequest } from '../../database/newest-first.js';
import type { TimeSpan } from '../../database/time-slices.js';
import { DEFAULT_PAGE_ENTRIES } from '../../http/page-query.dto.js';
import { UsageRecord } from '../records/usage-record.entity.js';
import { OwnerNames } from './owner-names.js';
import { isoSeconds } from '../../http/query-time.js';
import { parseSumsPlace, placeBehind, printSumsPlace, type SumsPlace } from './sums-place.js';
import { spanOf, type OwnedBy } from './record-filter.js';
import { SlicedSums } from './sliced-sums.js';
import { SumsQueries } from './sums-queries.js';
import { placedRow, type SumRow, toRecordDto, toRow } from './usage-rows.js';
import type { UsageFilterDto, UsageQueryDto } from './usage-query.dto.js';
import type { UsageRecordListDto } from './usage-record.dto.js';
import type { UsageRowListDto } from './usage-row.dto.js';

/** Records per query of an export. */
const ROWS_PER_PAGE = 500;

/** Usage for administrators: sums, and the records themselves. */
@Injectable()
export class UsageReport {
  private readonly isSqlite: boolean;
  private readonly queries: SumsQueries;
  private readonly sliced: SlicedSums;

  constructor(
    @InjectRepository(UsageRecord) records: Repository<UsageRecord>,
    private readonly names: OwnerNames,
    { isSqlite }: Database,
  ) {
    this.isSqlite = isSqlite;
    this.queries = new SumsQueries(records, isSqlite);
    this.sliced = new SlicedSums(records, this.queries);
  }

  /** @param gone aborted when the client has left, which ends the reading */
  async sums(query: UsageQueryDto & OwnedBy, gone: AbortSignal): Promise<UsageRowListDto> {
    const { limit = DEFAULT_PAGE_ENTRIES, order_by: order = 'group' } = query;
    const dimensions = this.queries.dimensions(query);
    const span = spanOf(query);
    const place = placeIn(query, parseSumsPlace(query.after, dimensions.length, order === 'cost'), span);
    const skipped = place?.skip ?? 0;
    const rows = this.isSqlite
      ? (await this.sliced.firstRows({ query, span, place, most: skipped + limit + 1, gone })).slice(skipped)
      : await this.queries
          .sumsBehind(query, span, place)
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
  async *pages(query: UsageFilterDto, gone: AbortSignal): AsyncGenerator<readonly object[]> {
    const span = spanOf(query);
    for (let after = query.after ?? null, isFirst = true; isFirst || after !== null; isFirst = false) {
      const page = await this.page(query, { span, limit: ROWS_PER_PAGE, after: after ?? undefined, gone });
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

  list(query: UsageFilterDto & OwnedBy, gone: AbortSignal): Promise<UsageRecordListDto> {
    const { limit = DEFAULT_PAGE_ENTRIES, after } = query;
    return this.page(query, { span: spanOf(query), limit, after, gone });
  }

  private async page(
    query: UsageFilterDto & OwnedBy,
    { span, ...request }: Pick<PageRequest<UsageRecord>, 'limit' | 'after' | 'gone'> & { readonly span: TimeSpan },
  ): Promise<UsageRecordListDto> {
    const records = this.queries.filtered(query, this.isSqlite ? undefined : span);
    const { rows, ...page } = await newestFirst(records, 'createdAt', {
      ...request,
      what: 'usage record',
      idPrefix: 'use_',
      inSlicesOf: this.isSqlite ? span : undefined,
    });
    return { object: 'list', data: rows.map(toRecordDto), ...page };
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
