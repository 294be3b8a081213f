/** What statements cost: pg_stat_statements on PostgreSQL, the driver's calls on SQLite. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const MAX_TEXT_CHARACTERS = 110;

/** @returns {Promise<{ statement: string, calls: number, total: number, max: number, rows?: number, wal?: number }[]>} times in milliseconds */
export async function statementsOf(database, folder) {
  if (database.isSqlite) return sumOf(folder);
  const rows = await database.query(
    `SELECT query, calls, total_exec_time + total_plan_time AS total, max_exec_time AS max, rows, wal_bytes
     FROM pg_stat_statements WHERE query NOT LIKE '%pg_stat%' ORDER BY 3 DESC LIMIT 40`,
  );
  return rows.map(({ query, calls, total, max, rows: count, wal_bytes: wal }) => ({
    statement: query.replace(/\s+/g, ' ').trim(),
    calls: Number(calls),
    total,
    max,
    rows: Number(count),
    wal: Number(wal),
  }));
}

function sumOf(folder) {
  const sums = new Map();
  for (const file of readdirSync(folder)) {
    for (const { statement, calls, total, max } of JSON.parse(readFileSync(join(folder, file), 'utf8'))) {
      const sum = sums.get(statement) ?? { statement, calls: 0, total: 0, max: 0 };
      sum.calls += calls;
      sum.total += total;
      sum.max = Math.max(sum.max, max);
      sums.set(statement, sum);
    }
  }
  return [...sums.values()].sort((a, b) => b.total - a.total);
}

/** A table of the statements that cost most. */
export function tableOf(statements, tasks, count = 16) {
  const lines = statements.slice(0, count).map(({ statement, calls, total, max, rows, wal }) => {
    const numbers = [
      String(calls).padStart(8),
      (total / calls).toFixed(2).padStart(8),
      max.toFixed(0).padStart(7),
      ((total * 1_000) / tasks).toFixed(1).padStart(8),
      ...(wal === undefined ? [] : [String(rows).padStart(9), (wal / tasks).toFixed(0).padStart(7)]),
    ];
    return `${numbers.join(' ')}  ${statement.slice(0, MAX_TEXT_CHARACTERS)}`;
  });
  const hasWal = statements[0]?.wal !== undefined;
  const head = `${'calls'.padStart(8)} ${'mean ms'.padStart(8)} ${'max ms'.padStart(7)} ${'us/task'.padStart(8)}${hasWal ? ` ${'rows'.padStart(9)} ${'WAL B/t'.padStart(7)}` : ''}  statement`;
  return [head, ...lines].join('\n');
}
