/**
 * Loaded into gateway processes by the benchmark of batches: measures each statement of SQLite's driver, and writes the sums to
 * the folder STATEMENT_TIMES when the process ends.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SqliteDatabase } from './sqlite-library.mjs';

const folder = process.env.STATEMENT_TIMES;
const times = new Map();
const prepare = SqliteDatabase.prototype.prepare;
const names = new WeakMap();

const database = new SqliteDatabase(':memory:');
const prototype = Object.getPrototypeOf(database.prepare('SELECT 1'));
database.close();

SqliteDatabase.prototype.prepare = /** @type {any} */ (
  function (text) {
    const statement = prepare.call(this, text);
    names.set(statement, text.replace(/\s+/g, ' ').trim());
    return statement;
  }
);
for (const method of ['run', 'all', 'get']) {
  const original = prototype[method];
  prototype[method] = function (...parameters) {
    const started = performance.now();
    try {
      return original.apply(this, parameters);
    } finally {
      const duration = performance.now() - started;
      const name = names.get(this) ?? '?';
      const entry = times.get(name) ?? { calls: 0, total: 0, max: 0 };
      entry.calls += 1;
      entry.total += duration;
      if (duration > entry.max) entry.max = duration;
      times.set(name, entry);
    }
  };
}
process.on('exit', () => {
  if (folder === undefined || times.size === 0) return;
  const rows = [...times].map(([statement, entry]) => ({ statement, ...entry }));
  writeFileSync(join(folder, `${process.pid}.json`), JSON.stringify(rows));
});
