import type { EntityManager, QueryRunner } from 'typeorm';

/** The result of a statement. */
export interface SqlResult<Row> {
  readonly rows: readonly Row[];
  readonly affected: number;
}

/**
 * The database's own clock in epoch milliseconds, as an SQL expression: the start of the statement, since PostgreSQL uses no
 * index for a comparison with a function that may change within it.
 */
export interface SqlDialect {
  readonly isSqlite: boolean;
  readonly now: string;
}

export const SQLITE: SqlDialect = { isSqlite: true, now: `CAST(unixepoch('subsec') * 1000 AS INTEGER)` };
export const POSTGRES: SqlDialect = {
  isSqlite: false,
  now: `CAST(EXTRACT(EPOCH FROM statement_timestamp()) * 1000 AS BIGINT)`,
};

/**
 * Runs one statement written with `$1`, `$2`, ... on either database. For statements that the query builder cannot express:
 * claims, bulk inserts, fenced updates.
 */
export async function runSql<Row = Record<string, unknown>>(
  manager: EntityManager,
  { isSqlite }: SqlDialect,
  statement: string,
  parameters: readonly unknown[] = [],
): Promise<SqlResult<Row>> {
  const runner: QueryRunner = manager.queryRunner ?? manager.dataSource.createQueryRunner();
  try {
    const [text, values] = isSqlite ? positional(statement, parameters) : [statement, [...parameters]];
    const result = await runner.query(text, values, true);
    return { rows: result.records as Row[], affected: result.affected ?? 0 };
  } finally {
    if (manager.queryRunner === undefined) await runner.release();
  }
}

/** SQLite's driver supports only `?`, once for each use. */
function positional(statement: string, parameters: readonly unknown[]): [string, unknown[]] {
  const values: unknown[] = [];
  const text = statement.replace(/\$(\d+)/g, (_match, number: string) => {
    values.push(parameters[Number(number) - 1]);
    return '?';
  });
  return [text, values];
}

/** A JSON array of objects as a table `r`. @param columns names with the types of PostgreSQL: `id text, count int` */
export function recordsOf({ isSqlite }: SqlDialect, parameter: string, columns: string): string {
  if (!isSqlite) return `json_to_recordset(CAST(${parameter} AS JSON)) AS r(${columns})`;
  const names = columns.split(',').map((column) => column.trim().split(' ')[0] ?? '');
  return `(SELECT ${names.map((name) => `value->>'${name}' AS ${name}`).join(', ')} FROM json_each(${parameter})) AS r`;
}
