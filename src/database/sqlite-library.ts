import { createRequire } from 'node:module';
import type BetterSqlite3 from 'better-sqlite3';

/** First version of Node.js with `better-sqlite3-13`; a call into its binary ends an older process. */
const NODE_API_MAJOR = 22;
/** better-sqlite3 13: binaries of Node-API for each platform are in its npm archive, so nothing is compiled or downloaded. */
const SINCE_NODE_22 = 'better-sqlite3-13';
/** better-sqlite3 12: compiled for one version of Node.js. It serves Node.js 20, and platforms that 13 has no binary for. */
const FOR_NODE_20 = 'better-sqlite3';

const require = createRequire(import.meta.url);

/** Packages of SQLite that this version of Node.js can load, the preferred one first. */
export function sqlitePackages(nodeVersion: string): readonly string[] {
  return Number(nodeVersion.split('.')[0]) >= NODE_API_MAJOR ? [SINCE_NODE_22, FOR_NODE_20] : [FOR_NODE_20];
}

/**
 * The SQLite library for this process. It is loaded when it is asked for: where there is none, everything else works on
 * PostgreSQL.
 *
 * @throws Error of Node.js, with its `code`, when no package is installed or none has a binary for this machine
 */
export function loadSqlite(): typeof BetterSqlite3 {
  const found = findSqlite();
  // Says what is wrong with the one that serves every version.
  return found ?? usable(FOR_NODE_20);
}

/** As {@link loadSqlite}, but `undefined` where there is none; TypeORM then says what is wrong. */
export function findSqlite(): typeof BetterSqlite3 | undefined {
  for (const name of sqlitePackages(process.versions.node)) {
    try {
      return usable(name);
    } catch {
      // The next one is tried.
    }
  }
  return undefined;
}

/** The constructor of a package whose binary loads: a package loads it with its first database. */
function usable(name: string): typeof BetterSqlite3 {
  const Sqlite = require(name) as typeof BetterSqlite3;
  new Sqlite(':memory:').close();
  return Sqlite;
}
