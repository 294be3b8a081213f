import { loadConfig } from '../config/load-config.js';
import { readDatabaseUrl } from '../config/database-url.js';
import type { DatabaseConfig } from '../config/gateway-config.js';
import { say, UsageError, type Command } from './command.js';

export const MOVE: Command = {
  name: 'move',
  summary: 'copies a SQLite database to an empty PostgreSQL database, all of it or nothing',
  usage: '--to <postgres://...> [--from <sqlite:...>]',
  options: {
    to: { value: 'url', meaning: 'the PostgreSQL database, which must be empty' },
    from: { value: 'url', meaning: 'the SQLite database. Default: the one that is configured' },
  },
  maxWords: 0,
  run: async ({ text }) => {
    const to = text('to');
    if (to === undefined)
      throw new UsageError('--to is missing: name a database such as postgres://user:password@host/gateway.');
    const target = read('--to', to);
    if (target.kind !== 'postgres') throw new UsageError('--to must be a PostgreSQL database, postgres://...');
    const from = text('from');
    const source = from === undefined ? loadConfig().database : read('--from', from);
    if (source.kind !== 'sqlite' || source.path === ':memory:') {
      throw new UsageError('The database to move must be a SQLite file. Name it by --from sqlite:<path>.');
    }
    const { moveDatabase } = await import('../database/move-database.js');
    const { SCHEMA } = await import('../schema.js');
    const counts = await moveDatabase(source, target, SCHEMA);
    for (const [table, count] of counts) say(`${table}: ${count} rows`);
    say('Moved, and counted on both sides. Set DATABASE_URL to the new database, and keep the key pepper: the same');
    say('GATEWAY_KEY_PEPPER, or the same GATEWAY_DATA_DIR with the file key-pepper. The SQLite file is as it was.');
    return 0;
  },
};

function read(option: string, url: string): DatabaseConfig {
  const database = readDatabaseUrl(url, process.cwd());
  if (typeof database === 'string') throw new UsageError(`${option} ${database}.`);
  return database;
}
