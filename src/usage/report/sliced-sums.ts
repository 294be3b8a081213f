import type { Repository } from 'typeorm';
import { timeSlices, type TimeSpan } from '../../database/time-slices.js';
import { type GatewayError, invalidRequest } from '../../errors/gateway-error.js';
import type { UsageRecord } from '../records/usage-record.entity.js';
import type { OwnedBy } from './record-filter.js';
import { isBehind, type SumsPlace } from './sums-place.js';
import { type SumsQueries, untilPlace } from './sums-queries.js';
import type { UsageQueryDto } from './usage-query.dto.js';
import { addedUp, compareRows, groupsKey, type PlacedSum, placedRow, type SumRow } from './usage-rows.js';

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

/** The rows of a list of sums that are wanted: the first `most` from a place on. */
export interface WantedSums {
  readonly query: UsageQueryDto & OwnedBy;
  readonly span: TimeSpan;
  readonly place: SumsPlace | undefined;
  readonly most: number;
  /** Aborted when nothing waits for the rows any more. */
  readonly gone: AbortSignal;
}

/** Sums on SQLite, which are read in slices of time, so that no statement blocks the event loop for long. */
export class SlicedSums {
  constructor(
    private readonly records: Repository<UsageRecord>,
    private readonly queries: SumsQueries,
  ) {}

  /** @throws the reason of `gone`; GatewayError 400 where there are too many groups to order them by cost */
  async firstRows(wanted: WantedSums): Promise<SumRow[]> {
    const keys = await this.keysOfPage(wanted);
    if (keys?.length === 0) return [];
    const sums = { ...wanted, query: { ...wanted.query, ...(keys !== undefined && { keys }) } };
    const { query, place, most } = sums;
    const isByCost = query.interval === 'none' && query.order_by === 'cost';
    // Behind a place there are surely more groups than a page has.
    const rows =
      isByCost && place !== undefined ? undefined : await this.merged(sums, { maxGroups: isByCost ? most : Infinity });
    return inOrder(rows ?? (await this.merged(sums, { among: await this.costliest(sums) })) ?? [], sums, this.queries);
  }

  /**
   * The sums over all of the time. Undefined where there are more than `maxGroups`.
   *
   * @param options `among`: values of the first dimension that are read; all where it is undefined
   */
  private async merged(
    wanted: WantedSums,
    { maxGroups = Infinity, among }: { readonly maxGroups?: number; readonly among?: readonly (string | null)[] },
  ): Promise<Iterable<SumRow> | undefined> {
    const { query, span, place, most, gone } = wanted;
    const hasIntervals = query.interval !== 'none';
    // What is among the first rows of all the time is among those of each slice in which it is; but not by cost, which adds up.
    const isCutBySlice = !hasIntervals && query.order_by !== 'cost';
    let merged = new Map<string, SumRow>();
    for await (const slice of timeSlices(untilPlace(query, span, place), gone)) {
      const sums = isCutBySlice
        ? this.queries.sumsBehind(query, slice, place, span.start).limit(most)
        : this.queries.sumsOf(query, slice, span.start, among);
      // One group too many is enough to know that there are too many.
      if (maxGroups !== Infinity) sums.limit(maxGroups + 1);
      for (const row of await sums.getRawMany<SumRow>()) {
        const id = groupsKey(row);
        const known = merged.get(id);
        merged.set(id, known === undefined ? row : addedUp(known, row));
      }
      if (isCutBySlice && merged.size > 2 * most) merged = firstOf(merged, most);
      if (merged.size > maxGroups) return undefined;
      if (!hasIntervals) continue;
      // Buckets that begin in this slice or later are complete.
      const whole = [...merged.values()].filter((row) => Number(row.bucket) >= slice.start);
      if (whole.length >= most && listed(whole, wanted, this.queries).length >= most) break;
    }
    return merged.values();
  }

  /** The values of the first dimension that the wanted rows have in a list by cost. The costs alone are read much faster than all sums. */
  private async costliest(wanted: WantedSums): Promise<(string | null)[]> {
    const { query, span, gone } = wanted;
    const costs = new Map<string, PlacedSum & { nanos: number }>();
    for await (const slice of timeSlices(span, gone)) {
      const rows = await this.queries
        .costsOf(query, slice)
        .limit(MAX_GROUPS_BY_COST + 1)
        .getRawMany<PlacedSum>();
      for (const row of rows) {
        const id = groupsKey(row);
        const known = costs.get(id);
        if (known === undefined) costs.set(id, { ...row, bucket: span.start, nanos: Number(row.nanos) });
        else known.nanos += Number(row.nanos);
      }
      if (costs.size > MAX_GROUPS_BY_COST) throw tooManyGroups();
    }
    return [...new Set(inOrder(costs.values(), wanted, this.queries).map(({ grp0 }) => grp0 ?? null))];
  }

  /**
   * The keys of a page of sums by key over all the time: with them the page reads their records alone, not those of all keys.
   * Undefined for other sums, and where a filter may leave keys without a row.
   */
  private async keysOfPage({ query, span, place, most }: WantedSums): Promise<readonly string[] | undefined> {
    if (query.interval !== 'none' || query.group_by !== 'key' || query.order_by === 'cost') return undefined;
    const isFiltered = Object.entries(query).some(([name, value]) => value !== undefined && !NO_FILTERS.has(name));
    const isOfOneRow = place === undefined || (place.skip === 0 && place.groups.length === 1);
    if (isFiltered || !isOfOneRow) return undefined;
    const found = await this.records.query<{ id: string }[]>(NEXT_KEYS, [
      place?.groups[0] ?? '',
      span.start,
      span.end,
      most,
    ]);
    return found.map(({ id }) => id);
  }
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

/** The rows from the place on. */
function listed<Row extends PlacedSum>(
  rows: readonly Row[],
  { query, place }: WantedSums,
  queries: SumsQueries,
): readonly Row[] {
  if (place === undefined) return rows;
  const dimensions = queries.dimensions(query);
  return rows.filter((row) => isBehind(placedRow(row, dimensions, query.order_by ?? 'group'), place));
}

/** The wanted rows in their order. */
function inOrder<Row extends PlacedSum>(rows: Iterable<Row>, wanted: WantedSums, queries: SumsQueries): Row[] {
  const { order_by: order = 'group' } = wanted.query;
  return listed([...rows], wanted, queries)
    .toSorted((one, other) => compareRows(one, other, order))
    .slice(0, wanted.most);
}
