import type BetterSqlite3 from 'better-sqlite3';
import type { EntityManager } from 'typeorm';
import { runSql, type SqlDialect } from './sql.js';
import { storableText } from './storable-text.js';

type Value = string | number | boolean | null;

/** A column of rows that are inserted in bulk. */
export interface InsertColumn<Row> {
  readonly name: string;
  /** PostgreSQL's name of the type. */
  readonly type: 'text' | 'int' | 'bigint' | 'double precision' | 'boolean';
  readonly of: (row: Row) => Value;
}

/** Inserts many rows at once, and leaves out those whose id is there already, so that it can be repeated. */
export class InsertRows<Row> {
  private readonly oneRow: string;
  private readonly fromJson: string;

  constructor(
    table: string,
    private readonly columns: readonly InsertColumn<Row>[],
  ) {
    const names = columns.map(({ name }) => name).join(', ');
    const typed = columns.map(({ name, type }) => `${name} ${type}`).join(', ');
    this.oneRow = `INSERT INTO ${table} (${names}) VALUES (${columns.map(() => '?').join(', ')}) ON CONFLICT (id) DO NOTHING`;
    this.fromJson = `INSERT INTO ${table} (${names}) SELECT ${names} FROM json_to_recordset($1) AS r(${typed}) ON CONFLICT (id) DO NOTHING`;
  }

  /** Must be called within a transaction. */
  async run(manager: EntityManager, dialect: SqlDialect, rows: readonly Row[]): Promise<void> {
    const { columns } = this;
    if (!dialect.isSqlite) {
      const records = rows.map((row) => Object.fromEntries(columns.map(({ name, of }) => [name, storable(of(row))])));
      await runSql(manager, dialect, this.fromJson, [JSON.stringify(records)]);
      return;
    }
    // A statement with a row's values takes a fifth of the time of one that reads the rows out of JSON.
    const { databaseConnection } = manager.dataSource.driver as unknown as {
      databaseConnection: BetterSqlite3.Database;
    };
    const statement = databaseConnection.prepare(this.oneRow);
    for (const row of rows) statement.run(columns.map(({ of }) => forSqlite(of(row))));
  }
}

function storable(value: Value): Value {
  return typeof value === 'string' ? storableText(value) : value;
}

function forSqlite(value: Value): string | number | null {
  return typeof value === 'boolean' ? Number(value) : (storable(value) as string | number | null);
}
