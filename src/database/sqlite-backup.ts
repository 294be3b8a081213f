import { rmSync } from 'node:fs';
import type BetterSqlite3 from 'better-sqlite3';
import type { DataSource } from 'typeorm';
import { BootError } from '../errors/boot-error.js';
import { keepStatements } from './keep-statements.js';

/**
 * Copies the database of a connection as it is at one moment, while others read and write it.
 *
 * @param copy a file that is not there yet
 * @throws BootError when the copy is not whole; then there is none
 */
export async function backUpSqlite(dataSource: DataSource, copy: string): Promise<void> {
  const { databaseConnection: connection } = dataSource.driver as unknown as {
    databaseConnection: BetterSqlite3.Database;
  };
  await connection.backup(copy);
  // Loaded only here: where there is no SQLite library, everything else works on PostgreSQL.
  const { default: Sqlite } = await import('better-sqlite3');
  const backup = new Sqlite(copy);
  try {
    keepStatements(backup);
    // The copy says that it has a log of its own, as its original does; it must be whole without one.
    backup.pragma('journal_mode = DELETE');
    const [row] = backup.pragma('integrity_check') as { integrity_check: string }[];
    if (row?.integrity_check === 'ok') return;
    rmSync(copy, { force: true });
    throw new BootError(`the copy of the database is damaged: ${row?.integrity_check ?? 'no answer'}`);
  } finally {
    backup.close();
  }
}
