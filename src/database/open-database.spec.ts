import { faultOf } from './open-database.js';

const SQLITE = { kind: 'sqlite', path: '/srv/gateway.sqlite' } as const;

it.each([
  [Object.assign(new Error('Could not locate the bindings file. Tried:\n → /a/b.node'), {})],
  [
    Object.assign(new Error('The module was compiled against a different Node.js version'), {
      code: 'ERR_DLOPEN_FAILED',
    }),
  ],
  [new Error('SQLite package has not been found installed. Please run "npm install better-sqlite3".')],
  [Object.assign(new Error("Cannot find package 'better-sqlite3' imported from /a"), { code: 'ERR_MODULE_NOT_FOUND' })],
])('says what to install where SQLite cannot be loaded: %s', (error) => {
  expect(faultOf(error, SQLITE)).toMatch(/npm rebuild better-sqlite3.*DATABASE_URL=postgres:/);
});

it('says nothing of the library where the database itself is at fault', () => {
  expect(faultOf(Object.assign(new Error('x'), { code: 'SQLITE_NOTADB' }), SQLITE)).toMatch(
    /is not an SQLite database/,
  );
});
