import { loadConfig } from '../config/load-config.js';
import { say, UsageError, type Command } from './command.js';
import { connectConfigured } from './configured-database.js';

export const MIGRATE: Command = {
  name: 'migrate',
  summary: 'brings the database up to this version; the job beside GATEWAY_MIGRATE=off',
  usage: '[--show | --revert]',
  options: {
    show: { meaning: 'shows what has been run and what is pending, and changes nothing' },
    revert: { meaning: 'takes back the last migration with the data that it added; stop all instances first' },
  },
  maxWords: 0,
  run: async ({ flag }) => {
    if (flag('show') && flag('revert')) throw new UsageError('--show and --revert exclude each other.');
    const { migrate, revertLast, schemaState } = await import('../database/migrate.js');
    const dataSource = await connectConfigured(loadConfig().database);
    try {
      if (flag('show')) {
        const { executed, pending, unknown } = await schemaState(dataSource);
        for (const name of executed) say(`[X] ${name}${unknown.includes(name) ? ' (of a newer version)' : ''}`);
        for (const name of pending) say(`[ ] ${name}`);
      } else if (flag('revert')) {
        const name = await revertLast(dataSource);
        say(name === undefined ? 'There is nothing to take back.' : `taken back: ${name}`);
      } else {
        const names = await migrate(dataSource);
        for (const name of names) say(`migrated: ${name}`);
        if (names.length === 0) say('The database is up to date.');
      }
    } finally {
      await dataSource.destroy();
    }
    return 0;
  },
};
