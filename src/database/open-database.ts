import { DataSource } from 'typeorm';
import type { DatabaseConfig } from '../config/gateway-config.js';
import { BootError } from '../errors/boot-error.js';
import { dataSourceOptions, type Schema } from './data-source-options.js';
import { createPrivateFile } from './private-files.js';
import { assertUpToDate, migrate, schemaState } from './migrate.js';

/** Options of opening the database. */
export interface OpenOptions {
  /** Whether to run pending migrations; if not, a database that has some is refused. Default true. */
  readonly migrates?: boolean;
}

/**
 * Connects and brings the schema up to date. Several processes may start at once: one migrates, the others wait.
 *
 * @throws BootError that says in one line what to fix
 */
export async function openDatabase(
  database: DatabaseConfig,
  schema: Schema,
  { migrates = true }: OpenOptions = {},
): Promise<DataSource> {
  const dataSource = await connectDatabase(database, schema);
  try {
    if (migrates) await migrate(dataSource);
    else assertUpToDate(await schemaState(dataSource));
    return dataSource;
  } catch (error) {
    await dataSource.destroy();
    if (error instanceof BootError) throw error;
    throw new BootError(faultOf(error, database), { cause: error });
  }
}

/** Connects, with any schema. @throws BootError that says in one line what to fix */
export async function connectDatabase(database: DatabaseConfig, schema: Schema): Promise<DataSource> {
  let dataSource: DataSource | undefined;
  try {
    if (database.kind === 'sqlite' && database.path !== ':memory:') createPrivateFile(database.path);
    dataSource = new DataSource(dataSourceOptions(database, schema));
    return await dataSource.initialize();
  } catch (error) {
    if (dataSource?.isInitialized === true) await dataSource.destroy();
    throw new BootError(faultOf(error, database), { cause: error });
  }
}

/** One line that an operator can act on, without the password. */
export function faultOf(error: unknown, database: DatabaseConfig): string {
  const { code, message } = codeOf(error);
  if (database.kind === 'sqlite') {
    if (isLibraryMissing(code, message)) return LIBRARY_MISSING;
    switch (code) {
      case 'EACCES':
      case 'EROFS':
      case 'EPERM':
      case 'ENOTDIR':
      case 'EEXIST':
      case 'SQLITE_CANTOPEN':
      case 'SQLITE_READONLY':
      case 'SQLITE_READONLY_DIRECTORY':
        return `the database ${database.path} cannot be written (${code}). Make its folder writable for this user, or set DATABASE_URL.`;
      case 'SQLITE_NOTADB':
      case 'SQLITE_CORRUPT':
        return `${database.path} is not an SQLite database, or a damaged one (${code}). Restore it from a backup, or set DATABASE_URL.`;
      case 'SQLITE_FULL':
      case 'ENOSPC':
        return `there is no space left for the database ${database.path}. Free some disk space.`;
      default:
        return `the database ${database.path} could not be opened: ${message}`;
    }
  }
  const { host, pathname, username } = new URL(database.url);
  const address = `${host}${pathname}`;
  switch (code) {
    case 'ECONNREFUSED':
      return `PostgreSQL at ${address} refuses connections. Start it, or fix DATABASE_URL.`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the host of DATABASE_URL (${host}) cannot be resolved.`;
    case '28P01':
    case '28000':
      return `PostgreSQL at ${address} refuses the user '${username}' or its password. Fix DATABASE_URL.`;
    case '3D000':
      return `PostgreSQL at ${host} has no database '${pathname.slice(1)}'. Create it, or fix DATABASE_URL.`;
    case '42501':
      return `the user '${username}' may not create tables in ${address}. Grant it CREATE on the schema.`;
    default:
      return `PostgreSQL at ${address} could not be used: ${message}`;
  }
}

const LIBRARY_MISSING = `SQLite has no program library for this machine (${process.platform} ${process.arch}, Node.js ${process.versions.node}), or one for another version of Node.js. Use Node.js 22 or later on Linux, macOS or Windows (x64 or arm64) and run npm install: that version's library is in its package. Elsewhere run npm rebuild better-sqlite3 (npm install better-sqlite3 where it is not there at all), which downloads a ready one or else compiles it (for that apt-get install python3 make g++, or xcode-select --install); or use PostgreSQL: DATABASE_URL=postgres://...`;

function isLibraryMissing(code: string | undefined, message: string): boolean {
  return (
    code === 'ERR_DLOPEN_FAILED' ||
    message.startsWith('Could not locate the bindings file') ||
    /^SQLite package has not been found|Cannot find (?:module|package) 'better-sqlite3'/.test(message)
  );
}

function codeOf(error: unknown): { code: string | undefined; message: string } {
  if (!(error instanceof Error)) return { code: undefined, message: 'unknown error' };
  const inner = 'driverError' in error && error.driverError instanceof Error ? error.driverError : error;
  const first = inner instanceof AggregateError && inner.errors[0] instanceof Error ? inner.errors[0] : inner;
  const code = 'code' in first && typeof first.code === 'string' ? first.code : undefined;
  return { code, message: first.message.split('\n')[0] ?? '' };
}
