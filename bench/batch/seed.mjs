/** Rows as submissions leave them, put into the tables by SQL: a million tasks take longer to submit than to run. */

const DAY_MS = 86_400_000;
/** Tasks of one statement, so that none runs into a time limit. */
const TASKS_PER_STATEMENT = 100_000;

/**
 * `tasks`: of each job.
 *
 * @param {{ isSqlite: boolean, query: (text: string) => Promise<any> }} database
 * @param {{ prefix: string, jobs: number, tasks: number, model: string, keys: readonly string[] }} options
 */
export async function seed(database, { prefix, jobs, tasks, model, keys }) {
  const now = Date.now();
  const series = (count) =>
    database.isSqlite
      ? `(WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ${count - 1}) SELECT i FROM n) AS n`
      : `generate_series(0, ${count - 1}) AS n(i)`;
  const list = keys.map((key, index) => `WHEN ${index} THEN '${key}'`).join(' ');
  await database.query(
    `INSERT INTO batch_job (id, key_id, model, defaults, priority, status, task_count, submitted_at, expires_at)
     SELECT '${prefix}' || i, CASE i % ${keys.length} ${list} END, '${model}', '{}', 'normal', 'queued', ${tasks}, ${now} + i,
       ${now + DAY_MS} FROM ${series(jobs)}`,
  );
  const jobsPerStatement = Math.max(1, Math.floor(TASKS_PER_STATEMENT / tasks));
  for (let first = 0; first < jobs; first += jobsPerStatement) {
    await database.query(
      `INSERT INTO batch_task (job_id, task_index, custom_id, request)
       SELECT j.id, n.i, 'task-' || n.i, '{"messages":[{"role":"user","content":"task ' || n.i || '"}]}'
       FROM batch_job j CROSS JOIN ${series(tasks)} WHERE j.id LIKE '${prefix}%' AND j.submitted_at >= ${now + first}
         AND j.submitted_at < ${now + first + jobsPerStatement}`,
    );
  }
  // A sweep of the API process may have opened some already.
  await database.query(
    `INSERT INTO batch_lane (job_id, model, lane_group, priority, submitted_at, expires_at, next_index, end_index, state, served_at)
     SELECT id, model, key_id || ' ' || model, 1, submitted_at, expires_at, 0, task_count, 'ready', ${now}
     FROM batch_job WHERE id LIKE '${prefix}%' ON CONFLICT DO NOTHING`,
  );
}

/** Tasks that have ended of the jobs with a prefix. */
export async function endedOf(database, prefix) {
  const [row] = await database.query(
    `SELECT SUM(completed_count) AS completed, SUM(failed_count + cancelled_count + expired_count) AS other
     FROM batch_job WHERE id LIKE '${prefix}%'`,
  );
  return { completed: Number(row.completed), other: Number(row.other) };
}
