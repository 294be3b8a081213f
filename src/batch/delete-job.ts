import type { Database } from '../database/database.js';
import { runSql } from '../database/sql.js';
import type { Lanes } from './lanes.js';
import { removeOutput } from './output/output-store.js';

/** Tasks deleted by one statement. */
const ROWS_PER_STATEMENT = 2_000;

/** Deletes a job that is invisible and does not run any more, with its tasks, in chunks. It is safe to repeat. */
export async function deleteJob(database: Database, lanes: Lanes, id: string): Promise<void> {
  await deleteTasks(database, lanes, id);
  await database.transaction(async (manager) => {
    // Files of results are read from the tasks.
    const claims = 'DELETE FROM batch_claim WHERE id IN (SELECT id FROM batch_part WHERE job_id = $1)';
    await runSql(manager, database.dialect, claims, [id]);
    // A part that the provider still works on is cancelled by its row.
    await runSql(manager, database.dialect, `DELETE FROM batch_part WHERE job_id = $1 AND state = 'ended'`, [id]);
    await removeOutput(manager, database, id);
    const dependent = ['stored_file WHERE batch_id', 'file_batch WHERE job_id'];
    const own = [
      'batch_job WHERE id',
      'batch_rate WHERE job_id',
      'batch_share WHERE job_id',
      'batch_enqueued WHERE job_id',
    ];
    for (const statement of [...dependent, ...own]) {
      await runSql(manager, database.dialect, `DELETE FROM ${statement} = $1`, [id]);
    }
  });
}

/** Deletes the tasks of a job and its lanes. */
export async function deleteTasks(database: Database, lanes: Lanes, id: string): Promise<void> {
  await database.transaction((manager) => lanes.remove(manager, id));
  for (;;) {
    const { affected } = await database.transaction((manager) =>
      runSql(
        manager,
        database.dialect,
        `WITH picked AS MATERIALIZED (SELECT task_index FROM batch_task WHERE job_id = $1 ORDER BY task_index LIMIT ${ROWS_PER_STATEMENT})
         DELETE FROM batch_task WHERE job_id = $1 AND task_index <= (SELECT MAX(task_index) FROM picked)`,
        [id],
      ),
    );
    if (affected < ROWS_PER_STATEMENT) return;
    await new Promise(setImmediate);
  }
}
