import type BetterSqlite3 from 'better-sqlite3';
import type { DataSource, EntityManager } from 'typeorm';
import type { DatabaseConfig } from '../config/gateway-config.js';
import { BootError } from '../errors/boot-error.js';
import type { Schema } from './data-source-options.js';
import { openDatabase } from './open-database.js';
import { beginImmediate } from './sqlite-transaction.js';

/** Rows, or bytes of text, of one statement. */
const CHUNK_ROWS = 1_000;
const CHUNK_BYTES = 4 * 1024 * 1024;
/** Longest wait for a gateway that still writes to the SQLite file. */
const LOCK_TIMEOUT_MS = 10_000;

interface Column {
  readonly name: string;
  /** PostgreSQL's name of the type, for casts from text. */
  readonly type: string;
}

interface Table {
  readonly name: string;
  readonly columns: readonly Column[];
}

/** The value as SQLite stores it. */
type Cell = bigint | number | string | Buffer | null;

/**
 * Copies every table of a SQLite database to an empty PostgreSQL database, in one transaction there. Both are brought up to
 * this version first. Nothing can be written to the source meanwhile.
 *
 * @returns rows of each table, as counted on both sides
 * @throws BootError when the target has rows, or when the counts differ; nothing has been copied then
 */
export async function moveDatabase(
  source: DatabaseConfig & { readonly kind: 'sqlite' },
  target: DatabaseConfig & { readonly kind: 'postgres' },
  schema: Schema,
): Promise<ReadonlyMap<string, number>> {
  const from = await openDatabase(source, schema);
  try {
    const to = await openDatabase(target, schema);
    try {
      const lock = await beginImmediate(from.createQueryRunner(), LOCK_TIMEOUT_MS);
      try {
        return await to.transaction(async (manager) => {
          await manager.query('SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0');
          return copyAll(from, manager);
        });
      } finally {
        await lock.rollback();
      }
    } finally {
      await to.destroy();
    }
  } finally {
    await from.destroy();
  }
}

async function copyAll(from: DataSource, manager: EntityManager): Promise<ReadonlyMap<string, number>> {
  const tables = await tablesOf(manager);
  await assertSameTables(from, tables);
  await manager.query(`LOCK TABLE ${tables.map(({ name }) => quoted(name)).join(', ')} IN EXCLUSIVE MODE`);
  for (const { name } of tables) {
    const count = await countIn(manager, name);
    if (count === 0) continue;
    throw new BootError(`the database to move to is not empty: ${name} has ${count} rows. Give it an empty database.`);
  }
  const counts = new Map<string, number>();
  for (const table of tables) {
    await copyTable(from, manager, table);
    const [expected, found] = [await countIn(from.manager, table.name), await countIn(manager, table.name)];
    if (expected !== found) {
      throw new BootError(`${table.name} has ${expected} rows, of which ${found} arrived. Nothing was moved.`);
    }
    counts.set(table.name, found);
  }
  return counts;
}

/** The tables of this version, those that others refer to first. */
async function tablesOf(manager: EntityManager): Promise<Table[]> {
  const columns = await manager.query<
    { table: string; name: string; type: string }[]
  >(`SELECT c.relname AS "table", a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type
     FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
     WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace AND c.relname <> 'migration'
       AND a.attgenerated = ''
     ORDER BY c.relname, a.attnum`);
  const references = await manager.query<
    { from: string; to: string }[]
  >(`SELECT conrelid::regclass::text AS "from", confrelid::regclass::text AS "to" FROM pg_constraint
     WHERE contype = 'f' AND connamespace = current_schema()::regnamespace AND conrelid <> confrelid`);
  const tables = new Map<string, Column[]>();
  for (const { table, name, type } of columns) {
    const known = tables.get(table);
    if (known === undefined) tables.set(table, [{ name, type }]);
    else known.push({ name, type });
  }
  const ordered = new Set<string>();
  const visit = (name: string): void => {
    if (ordered.has(name)) return;
    for (const { from, to } of references) if (from === name) visit(to);
    ordered.add(name);
  };
  for (const name of tables.keys()) visit(name);
  return [...ordered].map((name) => ({ name, columns: tables.get(name) ?? [] }));
}

async function assertSameTables(from: DataSource, tables: readonly Table[]): Promise<void> {
  for (const { name, columns } of tables) {
    const found = await from.query<{ name: string }[]>(`SELECT name FROM pragma_table_info('${name}')`);
    const names = new Set(found.map((column) => column.name));
    const missing = columns.find((column) => !names.has(column.name));
    if (missing !== undefined || names.size !== columns.length) {
      throw new BootError(
        `the databases differ in the table ${name}${missing === undefined ? '' : ` (${missing.name})`}.`,
      );
    }
  }
}

async function copyTable(from: DataSource, manager: EntityManager, { name, columns }: Table): Promise<void> {
  const { databaseConnection } = from.driver as unknown as { databaseConnection: BetterSqlite3.Database };
  const names = columns.map((column) => quoted(column.name)).join(', ');
  // All of them as text, which no driver rounds or converts; PostgreSQL reads its own types out of it.
  const insert = `INSERT INTO ${quoted(name)} (${names})
    SELECT ${columns.map(({ type }, index) => `c${index}::${type}`).join(', ')}
    FROM unnest(${columns.map((_, index) => `$${index + 1}::text[]`).join(', ')})
      AS t (${columns.map((_, index) => `c${index}`).join(', ')})`;
  let lists: (string | null)[][] = columns.map(() => []);
  let [rows, bytes] = [0, 0];
  const flush = async (): Promise<void> => {
    if (rows > 0) await manager.query(insert, lists);
    lists = columns.map(() => []);
    [rows, bytes] = [0, 0];
  };
  const select = databaseConnection
    .prepare(`SELECT ${names} FROM ${quoted(name)}`)
    .raw(true)
    .safeIntegers(true);
  for (const row of select.iterate() as IterableIterator<Cell[]>) {
    for (const [index, cell] of row.entries()) {
      const text = textOf(cell);
      lists[index]?.push(text);
      bytes += text?.length ?? 0;
    }
    rows += 1;
    if (rows >= CHUNK_ROWS || bytes >= CHUNK_BYTES) await flush();
  }
  await flush();
}

function textOf(cell: Cell): string | null {
  if (cell === null) return null;
  return Buffer.isBuffer(cell) ? `\\x${cell.toString('hex')}` : String(cell);
}

async function countIn(manager: EntityManager, table: string): Promise<number> {
  const [row] = await manager.query<{ count: number | string }[]>(`SELECT COUNT(*) AS count FROM ${quoted(table)}`);
  return Number(row?.count ?? 0);
}

function quoted(name: string): string {
  return `"${name}"`;
}
