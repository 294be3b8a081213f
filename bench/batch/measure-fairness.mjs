/** Many small jobs of many keys, and a model that nothing gets through to beside one that is free. */
import { setTimeout as sleep } from 'node:timers/promises';
import { endedOf, seed } from './seed.mjs';
import { loadAverage } from './servers.mjs';

const THROTTLED_JOBS = 250;
const TASKS_OF_SMALL = 5;

export async function measureSmall({ database, keys, jobs }) {
  await seed(database, { prefix: 'small_', jobs, tasks: TASKS_OF_SMALL, model: 'sandbox/echo', keys });
  const started = performance.now();
  const firstAt = new Map();
  for (let count = 0; count < jobs * TASKS_OF_SMALL;) {
    await sleep(20);
    const rows = await database.query(
      `SELECT key_id, SUM(completed_count + failed_count) AS n FROM batch_job WHERE id LIKE 'small_%' GROUP BY key_id`,
    );
    count = 0;
    for (const { key_id: key, n } of rows) {
      count += Number(n);
      if (Number(n) > 0 && !firstAt.has(key)) firstAt.set(key, performance.now() - started);
    }
  }
  const times = [...firstAt.values()].sort((a, b) => a - b);
  console.log(
    `\n${jobs} jobs of ${TASKS_OF_SMALL} tasks from ${keys.length} keys: first result of a key after ${times[0].toFixed(0)} to ${times.at(-1).toFixed(0)} ms, all done after ${((performance.now() - started) / 1_000).toFixed(1)} s; load average ${loadAverage()}`,
  );
}

export async function measureThrottled({ database, keys }) {
  await seed(database, {
    prefix: 'throttled_',
    jobs: THROTTLED_JOBS,
    tasks: 20,
    model: 'throttled',
    keys: keys.slice(0, 10),
  });
  await sleep(3_000);
  const started = performance.now();
  await seed(database, { prefix: 'healthy_', jobs: 1, tasks: 1, model: 'sandbox/echo', keys: keys.slice(20, 21) });
  for (let count = 0; count < 1;) {
    await sleep(10);
    count = (await endedOf(database, 'healthy_')).completed;
  }
  console.log(
    `${THROTTLED_JOBS} jobs on a throttled model: the task of a job on another model was done after ${(performance.now() - started).toFixed(0)} ms; load average ${loadAverage()}`,
  );
}
