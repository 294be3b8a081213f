import type { FindOptionsWhere, ObjectLiteral, SelectQueryBuilder } from 'typeorm';
import { invalidRequest } from '../errors/gateway-error.js';
import { timeOfId } from '../runtime/random-id.js';
import { type ListPlace, parsePlace, printPlace } from './list-place.js';
import { timeSlices, type TimeSpan } from './time-slices.js';

/** A page of rows. */
export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly has_more: boolean;
  /** The cursor of the next page; null on the last page. */
  readonly next: string | null;
}

/** The position and the size of a page. */
export interface PageRequest<Row> {
  readonly limit: number;
  /** The `next` of the page before, or the id of any row of the table; of one that was deleted where ids say when it was made. */
  readonly after: string | undefined;
  /** Names the entries in the message for a wrong cursor. */
  readonly what: string;
  /** What the ids of the table begin with. */
  readonly idPrefix: string;
  /** The rows whose ids the client may name; absent for all. Unlike the conditions of the list, it does not change for a row. */
  readonly owner?: FindOptionsWhere<Row>;
  /**
   * The time that the list is of, where it is to be read in slices, because few of many rows may meet the conditions. The query then
   * has no condition of the time: with two bounds on one side SQLite may search by the wider one, and read all of it for each slice.
   */
  readonly inSlicesOf?: TimeSpan | undefined;
  /** Aborted when nothing waits for the page any more; ends the reading of slices. */
  readonly gone?: AbortSignal | undefined;
}

/**
 * One page of a list, newest first, by time and then by id. A cursor holds a place and not a row, so rows that are added, deleted
 * or changed meanwhile move nothing, and the row at the end of the page before need not exist any more.
 *
 * @param query what the list is of, with its conditions
 * @param time property of the entity, epoch milliseconds
 * @throws GatewayError 400 when `after` is neither a cursor of the list nor the id of a row; the reason of `gone`
 */
export async function newestFirst<Row extends ObjectLiteral & { id: string }>(
  query: SelectQueryBuilder<Row>,
  time: keyof Row & string,
  request: PageRequest<Row>,
): Promise<Page<Row>> {
  const { alias } = query;
  const { limit } = request;
  const place = await placeOf(query, time, request);
  query.orderBy(`${alias}.${time}`, 'DESC').addOrderBy(`${alias}.id`, 'DESC');
  const found =
    request.inSlicesOf === undefined
      ? await behind(query, time, place)
          .limit(limit + 1)
          .getMany()
      : await inSlices(query, time, place, request);
  const rows = found.slice(0, limit);
  const hasMore = found.length > limit;
  const last = rows.at(-1);
  return {
    rows,
    has_more: hasMore,
    next: hasMore && last !== undefined ? printPlace({ time: last[time], id: last.id }) : null,
  };
}

async function placeOf<Row extends ObjectLiteral & { id: string }>(
  query: SelectQueryBuilder<Row>,
  time: keyof Row & string,
  { after, what, idPrefix, owner }: PageRequest<Row>,
): Promise<ListPlace | undefined> {
  if (after === undefined) return undefined;
  const place = parsePlace(after);
  if (place?.id.startsWith(idPrefix) === true) return place;
  if (place === undefined) {
    const where = { ...owner, id: after } as FindOptionsWhere<Row>;
    const row = await query.dataSource.manager.findOneBy<Row>(query.expressionMap.mainAlias?.target ?? '', where);
    if (row !== null) return { time: row[time], id: row.id };
    const timeOfDeleted = after.startsWith(idPrefix) ? timeOfId(after) : undefined;
    if (timeOfDeleted !== undefined) return { time: timeOfDeleted, id: after };
  }
  throw invalidRequest(
    `'after' is no cursor of this list and no ${what}'s id. Send the \`next\` of the page before.`,
    'after',
  );
}

/** Leaves out the rows before a place, and that of the place itself. */
function behind<Row extends ObjectLiteral>(
  query: SelectQueryBuilder<Row>,
  time: string,
  place: ListPlace | undefined,
): SelectQueryBuilder<Row> {
  if (place === undefined) return query;
  const { alias } = query;
  // The first part is redundant, but lets PostgreSQL use the index.
  return query.andWhere(
    `${alias}.${time} <= :time AND (${alias}.${time} < :time OR (${alias}.${time} = :time AND ${alias}.id < :id))`,
    place,
  );
}

async function inSlices<Row extends ObjectLiteral & { id: string }>(
  query: SelectQueryBuilder<Row>,
  time: string,
  place: ListPlace | undefined,
  { limit, inSlicesOf = { start: 0, end: 0 }, gone }: PageRequest<Row>,
): Promise<Row[]> {
  const { start, end } = inSlicesOf;
  const rows: Row[] = [];
  for await (const slice of timeSlices({ start, end: Math.min(end, (place?.time ?? Infinity) + 1) }, gone)) {
    const name = `${query.alias}.${time}`;
    const found = query
      .clone()
      .andWhere(`${name} >= :from AND ${name} < :until`, { from: slice.start, until: slice.end });
    // Only the latest slice has rows of the place's time.
    if (place !== undefined && place.time < slice.end) behind(found, time, place);
    rows.push(...(await found.limit(limit + 1 - rows.length).getMany()));
    if (rows.length > limit) break;
  }
  return rows;
}
