import { invalidRequest } from '../../errors/gateway-error.js';

/** Longest part of a group's value that a cursor holds, in characters: a cursor is part of a URL. */
const MAX_VALUE_CHARACTERS = 200;
const SURROGATE = /[\ud800-\udfff]/;

/**
 * What sets the place of a row: the latest bucket comes first, then, in a list by cost, the highest cost, then the values of its
 * groups, null before all others.
 */
export interface PlacedRow {
  /** Epoch milliseconds. */
  readonly bucket: number;
  /** Cost in billionths of a US dollar; undefined in a list that is not ordered by cost. */
  readonly nanos?: number | undefined;
  readonly groups: readonly (string | null)[];
}

/**
 * A place in a list of sums. It is that of a row; where a value of the row is too long for a cursor, it is that of all rows which
 * begin in the same way, and `skip` of them have been listed.
 */
export interface SumsPlace extends PlacedRow {
  readonly skip: number;
}

/** A condition of SQL with its parameters. */
export interface PlaceCondition {
  readonly sql: string;
  readonly parameters: Readonly<Record<string, string | number>>;
}

/** The place behind the last row of a page. @param from the place behind which the page begins; undefined for the first page */
export function placeBehind(rows: readonly PlacedRow[], from: SumsPlace | undefined): SumsPlace | undefined {
  const last = rows.at(-1);
  if (last === undefined) return undefined;
  const place = cut(last);
  if (!isCut(last)) return { ...place, skip: 0 };
  const skip = rows.filter((row) => isSame(cut(row), place)).length;
  return { ...place, skip: skip + (from !== undefined && from.skip > 0 && isSame(from, place) ? from.skip : 0) };
}

/** The place as text for a URL. */
export function printSumsPlace({ bucket, groups, skip, nanos }: SumsPlace): string {
  return Buffer.from(JSON.stringify([bucket, groups, skip, ...(nanos === undefined ? [] : [nanos])])).toString(
    'base64url',
  );
}

/**
 * @param dimensions how many the list has
 * @param isByCost whether the list is ordered by cost
 * @throws GatewayError 400 for a text that is no cursor of such a list
 */
export function parseSumsPlace(
  cursor: string | undefined,
  dimensions: number,
  isByCost: boolean,
): SumsPlace | undefined {
  if (cursor === undefined) return undefined;
  const place = read(cursor);
  if (
    place === undefined ||
    (place.nanos !== undefined) !== isByCost ||
    place.groups.length > dimensions ||
    (place.groups.length < dimensions && place.skip === 0)
  ) {
    throw invalidRequest(
      "'after' is no cursor of this list. Send the `next` of the page before, with the same `group_by` and `order_by`.",
      'after',
    );
  }
  return place;
}

/** Whether a row is behind a place, or among the rows that the place is of. */
export function isBehind(row: PlacedRow, place: SumsPlace): boolean {
  if (row.bucket !== place.bucket) return row.bucket < place.bucket;
  if (place.nanos !== undefined && row.nanos !== undefined && row.nanos !== place.nanos) return row.nanos < place.nanos;
  for (const [index, value] of place.groups.entries()) {
    const own = row.groups[index] ?? null;
    const isLast = place.skip > 0 && index === place.groups.length - 1;
    if (own !== value) return value === null || (own !== null && compareBytes(own, value) > 0);
    if (isLast) return true;
  }
  return false;
}

/** Compares two texts by their bytes in UTF-8, as the databases do. JavaScript has characters beyond U+FFFF before those from U+E000 on. */
export function compareBytes(one: string, other: string): number {
  if (SURROGATE.test(one) || SURROGATE.test(other)) return Buffer.compare(Buffer.from(one), Buffer.from(other));
  if (one === other) return 0;
  return one < other ? -1 : 1;
}

/** The expressions of SQL that a place compares. */
export interface PlaceExpressions {
  readonly bucket: string;
  readonly nanos: string;
  readonly groups: readonly string[];
}

/** `isBehind` in SQL. */
export function behindPlace({ bucket, nanos, groups }: PlaceExpressions, place: SumsPlace): PlaceCondition {
  const parameters: Record<string, string | number> = { placeBucket: place.bucket };
  let inBucket = place.skip > 0 ? '1 = 1' : '1 = 0';
  for (let index = place.groups.length - 1; index >= 0; index -= 1) {
    const value = place.groups[index] ?? null;
    const group = groups[index] ?? '';
    const name = `placeGroup${index}`;
    if (value !== null) parameters[name] = value;
    inBucket =
      value === null
        ? `(${group} IS NOT NULL OR (${group} IS NULL AND ${inBucket}))`
        : `(${group} > :${name} OR (${group} = :${name} AND ${inBucket}))`;
  }
  if (place.nanos !== undefined) {
    parameters['placeNanos'] = place.nanos;
    inBucket = `(${nanos} < :placeNanos OR (${nanos} = :placeNanos AND ${inBucket}))`;
  }
  return { sql: `(${bucket} < :placeBucket OR (${bucket} = :placeBucket AND ${inBucket}))`, parameters };
}

/** The part of a row's place that a cursor holds: up to the first value that is too long. */
function cut({ bucket, nanos, groups }: PlacedRow): PlacedRow {
  const end = groups.findIndex(isLong);
  if (end === -1) return { bucket, nanos, groups };
  return { bucket, nanos, groups: [...groups.slice(0, end), beginning(groups[end] ?? '')] };
}

function isCut({ groups }: PlacedRow): boolean {
  return groups.some(isLong);
}

function isLong(value: string | null): boolean {
  return value !== null && value.length > MAX_VALUE_CHARACTERS;
}

function beginning(value: string): string {
  // A cut must not divide a surrogate pair.
  return value.slice(0, MAX_VALUE_CHARACTERS).replace(/[\ud800-\udbff]$/, '');
}

function isSame(one: PlacedRow, other: PlacedRow): boolean {
  return (
    one.bucket === other.bucket &&
    one.nanos === other.nanos &&
    one.groups.length === other.groups.length &&
    one.groups.every((value, index) => value === other.groups[index])
  );
}

function read(cursor: string): SumsPlace | undefined {
  try {
    const [bucket, groups, skip, nanos] = JSON.parse(Buffer.from(cursor, 'base64url').toString()) as unknown[];
    const isPlace =
      Number.isSafeInteger(bucket) &&
      Number.isSafeInteger(skip) &&
      (skip as number) >= 0 &&
      (nanos === undefined || (Number.isFinite(nanos) && (nanos as number) >= 0)) &&
      Array.isArray(groups) &&
      groups.every((value) => value === null || typeof value === 'string');
    if (!isPlace) return undefined;
    return {
      bucket: bucket as number,
      nanos: nanos as number | undefined,
      groups: groups as (string | null)[],
      skip: skip as number,
    };
  } catch {
    return undefined;
  }
}
