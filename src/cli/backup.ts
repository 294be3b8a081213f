import { chmodSync, copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { loadConfig } from '../config/load-config.js';
import { complain, say, UsageError, type Command } from './command.js';
import { connectConfigured } from './configured-database.js';

export const BACKUP: Command = {
  name: 'backup',
  summary: 'copies the SQLite database and the key pepper into a folder, while the gateway runs',
  usage: '--to <folder>',
  options: { to: { value: 'folder', meaning: 'an empty or a new folder' } },
  maxWords: 0,
  run: async ({ text }) => {
    const to = text('to');
    if (to === undefined) throw new UsageError('--to is missing: name a folder.');
    const { database, dataDirectory, auth } = loadConfig();
    if (database.kind === 'postgres' || database.path === ':memory:') {
      complain('llm-gateway backup is for a SQLite file. For PostgreSQL use pg_dump, see docs/backup.md.');
      return 1;
    }
    const folder = resolve(to);
    const copy = join(folder, 'gateway.sqlite');
    if (existsSync(copy)) throw new UsageError(`${copy} is there already. Name another folder.`);
    if (!existsSync(database.path)) throw new UsageError(`There is no database ${database.path}.`);
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const dataSource = await connectConfigured(database);
    try {
      const { backUpSqlite } = await import('../database/sqlite-backup.js');
      await backUpSqlite(dataSource, copy);
    } finally {
      await dataSource.destroy();
    }
    chmodSync(copy, 0o600);
    say(`database: ${copy}`);
    const pepper = join(dataDirectory, 'key-pepper');
    if (auth.pepper !== undefined) {
      say('pepper: GATEWAY_KEY_PEPPER is not part of this backup. Keep it where the other secrets are.');
    } else if (existsSync(pepper)) {
      copyFileSync(pepper, join(folder, 'key-pepper'));
      chmodSync(join(folder, 'key-pepper'), 0o600);
      say(`pepper: ${join(folder, 'key-pepper')}`);
    }
    return 0;
  },
};
