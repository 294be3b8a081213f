/** Of the build, which the benchmarks run; types are checked without one. */
const BUILT = new URL('../../dist/src/database/sqlite-library.js', import.meta.url).href;

/** @type {{ loadSqlite(): typeof import('better-sqlite3') }} */
const library = await import(BUILT);

/** The SQLite library that the gateway processes use. */
export const SqliteDatabase = library.loadSqlite();
