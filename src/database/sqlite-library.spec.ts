import { createRequire } from 'node:module';
import { findSqlite, loadSqlite, sqlitePackages } from './sqlite-library.js';

it.each([
  ['20.19.0', ['better-sqlite3']],
  ['21.7.3', ['better-sqlite3']],
  ['22.0.0', ['better-sqlite3-13', 'better-sqlite3']],
  ['26.1.0', ['better-sqlite3-13', 'better-sqlite3']],
])('takes on Node.js %s the first that loads of %j', (version, packages) => {
  expect(sqlitePackages(version)).toEqual(packages);
});

it('loads the preferred package of this version of Node.js', () => {
  const [preferred = ''] = sqlitePackages(process.versions.node);
  expect(loadSqlite()).toBe(createRequire(import.meta.url)(preferred));
  expect(findSqlite()).toBe(loadSqlite());
});
