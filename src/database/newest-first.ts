import type { ObjectLiteral, SelectQueryBuilder } from 'typeorm';
import { invalidRequest } from '../errors/gateway-error.js';
import { timeSlices, type TimeSpan } from './time-slices.js';

/** A page of rows. */
export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly has_more: boolean;
  /** The cursor of the next page; null on the last page. */
  readonly next: string | null;
}

/** The position and the size of a page. */
export interface PageRequest {
  readonly limit: number;
  readonly after: string | undefined;
  /** Names the entries in the message for a wrong cursor. */
  readonly what: string;
  /** The time that the list is of, where it is to be read in slices, because few of many rows may meet the conditions. */
  readonly inSlicesOf?: TimeSpan | undefined;
}

/**
 * One page of a list, newest first, by time and then by id, so that entries that are added meanwhile move nothing.
 *
 * @param query what the list is of, with its conditions
 * @param time property of the entity, epoch milliseconds
 * @throws GatewayError 400 when `after` is no id of the list
 */
export async function newestFirst<Row extends ObjectLiteral & { id: string }>(
  query: SelectQueryBuilder<Row>,
  time: keyof Row & string,
  { limit, after, what, inSlicesOf }: PageRequest,
): Promise<Page<Row>> {
  const { alias } = query;
  let span = inSlicesOf;
  if (after !== undefined) {
    const cursor = await query.clone().andWhere(`${alias}.id = :after`, { after }).getOne();
    if (cursor === null) {
      throw invalidRequest(`'after' is no ${what}'s id. Send the \`next\` of the page before.`, 'after');
    }
    // The first part is redundant, but lets PostgreSQL use the index.
    query.andWhere(
      `${alias}.${time} <= :time AND (${alias}.${time} < :time OR (${alias}.${time} = :time AND ${alias}.id < :id))`,
      { time: cursor[time], id: cursor.id },
    );
    if (inSlicesOf !== undefined) span = { start: inSlicesOf.start, end: (cursor[time] as number) + 1 };
  }
  query.orderBy(`${alias}.${time}`, 'DESC').addOrderBy(`${alias}.id`, 'DESC');
  const found =
    span === undefined ? await query.limit(limit + 1).getMany() : await inSlices(query, time, span, limit + 1);
  const rows = found.slice(0, limit);
  const hasMore = found.length > limit;
  return { rows, has_more: hasMore, next: hasMore ? (rows.at(-1)?.id ?? null) : null };
}

async function inSlices<Row extends ObjectLiteral>(
  query: SelectQueryBuilder<Row>,
  time: string,
  span: TimeSpan,
  most: number,
): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const { start, end } of timeSlices(span)) {
    const slice = query.clone().andWhere(`${query.alias}.${time} >= :from AND ${query.alias}.${time} < :until`, {
      from: start,
      until: end,
    });
    rows.push(...(await slice.limit(most - rows.length).getMany()));
    if (rows.length >= most) break;
  }
  return rows;
}
