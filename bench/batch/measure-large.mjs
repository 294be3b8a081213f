/** A few large jobs: tasks a second from the first to the last, and what a task costs. */
import { setTimeout as sleep } from 'node:timers/promises';
import { endedOf } from './seed.mjs';
import { cpuSecondsOf, familyOf, loadAverage, residentMegabytesOf } from './servers.mjs';
import { statementsOf, tableOf } from './statements.mjs';

const POLL_MS = 1_000;

export async function measureLarge({ worker, api, database, redis, total, jobs, processes }) {
  const cpu = () => ({
    workers: cpuSecondsOf(familyOf(worker.pid)),
    database: cpuSecondsOf(familyOf(database.pid)),
    redis: cpuSecondsOf(familyOf(redis?.pid)),
    api: cpuSecondsOf(familyOf(api.pid)),
  });
  if (!database.isSqlite)
    await database.query("SELECT pg_stat_statements_reset(), pg_stat_reset(), pg_stat_reset_shared('wal')");
  const before = cpu();
  const started = performance.now();
  const points = [{ at: 0, count: 0 }];
  const memory = [];
  const loads = [];
  let other = 0;
  for (let count = 0; count + other < total;) {
    await sleep(POLL_MS);
    ({ completed: count, other } = await endedOf(database, 'large_'));
    points.push({ at: (performance.now() - started) / 1_000, count: count + other });
    memory.push(Math.max(...familyOf(worker.pid).map(residentMegabytesOf)));
    loads.push(loadAverage());
  }
  const after = cpu();
  const rateBetween = (from, to) => {
    const inside = points.filter(({ count }) => count >= total * from && count <= total * to);
    const [first, last] = [inside[0], inside.at(-1)];
    return first === undefined || last === first ? NaN : (last.count - first.count) / (last.at - first.at);
  };
  const perTask = (name) => (((after[name] - before[name]) * 1_000) / total).toFixed(3);
  const [from, middle, end, all] = [
    rateBetween(0.02, 0.2),
    rateBetween(0.4, 0.6),
    rateBetween(0.8, 1),
    rateBetween(0, 1),
  ];
  console.log(
    `\n${total} tasks in ${jobs} jobs, ${processes} worker processes; load average ${Math.min(...loads)} to ${Math.max(...loads)}`,
  );
  if (other > 0) console.log(`${other} tasks DID NOT SUCCEED`);
  console.log(
    `tasks/s: first fifth ${from.toFixed(0)}, middle ${middle.toFixed(0)}, last fifth ${end.toFixed(0)}; in all ${all.toFixed(0)}`,
  );
  console.log(
    `CPU milliseconds a task: workers ${perTask('workers')}, database ${perTask('database')}, Redis ${perTask('redis')}, API ${perTask('api')}`,
  );
  console.log(
    `tasks a CPU second: ${(total / Object.keys(after).reduce((sum, name) => sum + after[name] - before[name], 0)).toFixed(0)}`,
  );
  console.log(
    `RSS of the largest process: ${Math.max(...memory).toFixed(0)} MB; at a quarter ${memory[Math.floor(memory.length / 4)].toFixed(0)} MB, at the end ${memory.at(-1).toFixed(0)} MB`,
  );
  if (database.isSqlite) return;
  console.log(tableOf(await statementsOf(database), total));
  await printTables(database, total);
}

async function printTables(database, total) {
  const [{ wal_bytes: wal, wal_fpi: images }] = await database.query('SELECT wal_bytes, wal_fpi FROM pg_stat_wal');
  console.log(`WAL: ${(Number(wal) / total).toFixed(0)} bytes a task, ${images} full-page images`);
  const rows = await database.query(
    `SELECT relname, n_tup_ins AS inserted, n_tup_upd AS updated, n_tup_hot_upd AS hot, n_tup_del AS deleted, n_dead_tup AS dead,
       seq_scan, seq_tup_read, autovacuum_count AS vacuums, pg_size_pretty(pg_table_size(relid)) AS size, pg_size_pretty(pg_indexes_size(relid)) AS indexes
     FROM pg_stat_user_tables WHERE n_tup_ins + n_tup_upd + n_tup_del > 0 ORDER BY n_tup_ins + n_tup_upd DESC`,
  );
  for (const row of rows) {
    console.log(
      Object.entries(row)
        .map(([name, value]) => (name === 'relname' ? value : `${name} ${value}`))
        .join(', '),
    );
  }
}
