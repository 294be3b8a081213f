/** Columns that reports can group by. */
const COLUMNS = {
  key: 'record.keyId',
  group: 'record.groupId',
  operation: 'record.operation',
  model: 'record.model',
  provider: 'record.provider',
  user: 'record.endUser',
  session: 'record.sessionId',
  agent: 'record.agentId',
  wire_format: 'record.wireFormat',
  service_tier: 'record.serviceTier',
} as const;

/** Most dimensions of one report; each further one multiplies its rows. */
export const MAX_DIMENSIONS = 3;
const NAMES = [...Object.keys(COLUMNS), 'metadata\\.[A-Za-z0-9_-]{1,64}'].join('|');

/** `none`, or one to three of the dimensions, separated by commas. */
export const GROUP_BY_PATTERN = new RegExp(`^(none|(${NAMES})(,(${NAMES})){0,${MAX_DIMENSIONS - 1}})$`);
/** `name:value`, a member of the request's metadata. */
export const METADATA_PATTERN = /^[A-Za-z0-9_-]{1,64}:.{0,256}$/s;

/** PostgreSQL fails to read a member of JSON with escapes of NUL or of halves of surrogate pairs: they are read as U+FFFD. */
const READABLE = String.raw`regexp_replace(record.metadata, '(?<!\\)((\\\\)*)\\u(0000|d[89a-f][0-9a-f]{2})', '\1\\ufffd', 'g')`;

/** One dimension that a report groups by. */
export interface Dimension {
  /** As in `group_by`: `key`, `model`, `metadata.team`. */
  readonly name: string;
  /** Expression in the query of the records. */
  readonly expression: string;
}

/** The dimensions of `group_by`, without duplicates, in the given order. */
export function dimensionsOf(groupBy: string, isSqlite: boolean): readonly Dimension[] {
  if (groupBy === 'none') return [];
  return [...new Set(groupBy.split(','))].map((name) => ({ name, expression: expressionOf(name, isSqlite) }));
}

/** The value of a metadata member as text. `name` has only letters, digits, `_` and `-`: it is part of the statement. */
export function metadataMember(name: string, isSqlite: boolean): string {
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(name)) throw new TypeError(`no name of a member: ${name}`);
  if (isSqlite) return `CAST(json_extract(record.metadata, '$."${name}"') AS TEXT)`;
  const json = String.raw`CASE WHEN strpos(record.metadata, '\u') > 0 THEN ${READABLE} ELSE record.metadata END`;
  return `(CAST(${json} AS json) ->> '${name}')`;
}

function expressionOf(name: string, isSqlite: boolean): string {
  return Object.hasOwn(COLUMNS, name)
    ? COLUMNS[name as keyof typeof COLUMNS]
    : metadataMember(name.slice('metadata.'.length), isSqlite);
}
