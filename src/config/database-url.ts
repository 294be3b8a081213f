import { dirname, resolve } from 'node:path';
import { parseUrl } from '../runtime/parse-url.js';

export type DatabaseConfig =
  /** `path` is absolute, or `:memory:`. */
  | { readonly kind: 'sqlite'; readonly path: string }
  | {
      readonly kind: 'postgres';
      readonly url: string;
      /** Connections of one process. Default 10. */
      readonly poolSize?: number;
    };

/** Why a database URL cannot be used; undefined when it can. */
export function databaseUrlFault(url: string): string | undefined {
  const database = readDatabaseUrl(url, '/');
  return typeof database === 'string' ? database : undefined;
}

/**
 * Where the database is. A relative SQLite path is taken from `cwd`.
 *
 * @returns the database, or what is wrong with the URL
 */
export function readDatabaseUrl(url: string, cwd: string): DatabaseConfig | string {
  if (url.startsWith('sqlite:')) {
    const path = url.slice('sqlite:'.length).replace(/^\/\/(?=\/)/, '');
    if (path === ':memory:') return { kind: 'sqlite', path };
    if (path === '' || path.startsWith('//')) {
      return 'must look like sqlite:./data/gateway.sqlite, sqlite:/absolute/path.sqlite or sqlite::memory:';
    }
    return { kind: 'sqlite', path: resolve(cwd, path) };
  }
  if (/^postgres(?:ql)?:\/\//.test(url)) {
    if (parseUrl(url) !== undefined) return { kind: 'postgres', url };
    return 'is not a valid URL. Percent-encode special characters of the password, such as @ as %40';
  }
  return 'must begin with sqlite: or postgres://';
}

/** The folder of the generated pepper: that of the embedded database, unless one is named. */
export function dataDirectoryOf(named: string | undefined, database: DatabaseConfig, cwd: string): string {
  if (named !== undefined) return resolve(cwd, named);
  if (database.kind === 'sqlite' && database.path !== ':memory:') return dirname(database.path);
  return resolve(cwd, 'data');
}
