import type { ObjectLiteral, SelectQueryBuilder } from 'typeorm';
import { invalidRequest } from '../errors/gateway-error.js';

export interface Page<Row> {
  readonly rows: readonly Row[];
  readonly has_more: boolean;
  /** The id to go on after; null on the last page. */
  readonly next: string | null;
}

/**
 * One page of a list, newest first, by time and then by id, so that entries that are added meanwhile move nothing.
 *
 * @param query what the list is of, with its conditions
 * @param time property of the entity, epoch milliseconds
 * @param what names the entries in the message for a wrong cursor
 * @throws GatewayError 400 when `after` is no id of the list
 */
export async function newestFirst<Row extends ObjectLiteral & { id: string }>(
  query: SelectQueryBuilder<Row>,
  time: keyof Row & string,
  { limit, after, what }: { limit: number; after: string | undefined; what: string },
): Promise<Page<Row>> {
  const { alias } = query;
  if (after !== undefined) {
    const cursor = await query.clone().andWhere(`${alias}.id = :after`, { after }).getOne();
    if (cursor === null) {
      throw invalidRequest(`'after' is no ${what}'s id. Send the \`next\` of the page before.`, 'after');
    }
    query.andWhere(`(${alias}.${time} < :time OR (${alias}.${time} = :time AND ${alias}.id < :id))`, {
      time: cursor[time],
      id: cursor.id,
    });
  }
  const found = await query
    .orderBy(`${alias}.${time}`, 'DESC')
    .addOrderBy(`${alias}.id`, 'DESC')
    .limit(limit + 1)
    .getMany();
  const rows = found.slice(0, limit);
  const hasMore = found.length > limit;
  return { rows, has_more: hasMore, next: hasMore ? (rows.at(-1)?.id ?? null) : null };
}
