import type { Database } from '../../database/database.js';

/** Fewer tasks are read quickly however the statements are planned. */
const MIN_TASKS = 1_000;
/** Longest wait for a vacuum of the table by hand, in milliseconds; autovacuum gives way after one second. */
const LOCK_TIMEOUT_MS = 3_000;

/**
 * Lets PostgreSQL count the tasks where one job has more than it knows of. A table that was empty when it was last analysed counts as
 * empty while it fills, and each statement about a few tasks then reads all of them, until autovacuum has been there a minute later.
 *
 * @param taskCount of the job whose tasks have been stored
 */
export async function refreshTaskStatistics(database: Database, taskCount: number): Promise<void> {
  if (database.isSqlite || taskCount < MIN_TASKS) return;
  try {
    await database.transaction(async (manager) => {
      const { rows } = await database.run<{ known: number }>(
        manager,
        `SELECT reltuples AS known FROM pg_class WHERE oid = CAST('batch_task' AS regclass)`,
      );
      if (Number(rows[0]?.known) >= taskCount) return;
      await database.run(manager, `SET LOCAL lock_timeout = ${LOCK_TIMEOUT_MS}`);
      await database.run(manager, 'ANALYZE batch_task (job_id, task_index, same_as, status)');
    });
  } catch {
    // The job is as good without.
  }
}
