import { rmSync } from 'node:fs';
import type BetterSqlite3 from 'better-sqlite3';
import type { DataSource } from 'typeorm';
import { BootError } from '../errors/boot-error.js';
import { keepStatements } from './keep-statements.js';
import { loadSqlite } from './sqlite-library.js';

/**
 * Copies a consistent state of the database of a connection while others read and write it.
 *
 * @param copy a file that does not exist yet
 * @throws BootError when the copy is not complete; it is deleted then
 */
export async function backUpSqlite(dataSource: DataSource, copy: string): Promise<void> {
  const { databaseConnection: connection } = dataSource.driver as unknown as {
    databaseConnection: BetterSqlite3.Database;
  };
  await connection.backup(copy);
  const Sqlite = loadSqlite();
  const backup = new Sqlite(copy);
  try {
    keepStatements(backup);
    // The copy inherits the WAL mode of the original; it must be complete without a log.
    backup.pragma('journal_mode = DELETE');
    const [row] = backup.pragma('integrity_check') as { integrity_check: string }[];
    if (row?.integrity_check === 'ok') return;
    rmSync(copy, { force: true });
    throw new BootError(`the copy of the database is damaged: ${row?.integrity_check ?? 'no result'}`);
  } finally {
    backup.close();
  }
}
