import type { Database } from './database.js';
import { runSql } from './sql.js';

/** Rows per statement, so that none blocks the database for long. */
const ROWS_PER_STATEMENT = 1_000;

/** The rows to delete: table, condition and its parameters. */
export interface Deletion {
  /** Its name. It and the condition are the program's own text; values are passed as `parameters`. */
  readonly table: string;
  readonly condition: string;
  readonly parameters: readonly unknown[];
  /** Ends the work between two steps. */
  readonly signal?: AbortSignal;
}

/**
 * Deletes the rows of a table that meet a condition, a few in each transaction. Safe in any number of processes.
 *
 * @returns how many rows were deleted
 */
export async function deleteInSteps(
  database: Database,
  { table, condition, parameters, signal }: Deletion,
): Promise<number> {
  const statement = `DELETE FROM ${table} WHERE id IN (SELECT id FROM ${table} WHERE ${condition} LIMIT ${ROWS_PER_STATEMENT})`;
  let deleted = 0;
  while (signal?.aborted !== true) {
    const { affected } = await database.transaction((manager) =>
      runSql(manager, database.dialect, statement, parameters),
    );
    deleted += affected;
    if (affected < ROWS_PER_STATEMENT) break;
    await new Promise(setImmediate);
  }
  return deleted;
}
