import { databaseUrlFault } from '../database-url.js';
import { redisUrlFault } from '../redis-address.js';
import { flag, integer, text } from './kinds.js';
import { setting } from './setting.js';

export const DATABASE_URL = setting(text({ check: databaseUrlFault, form: 'URL' }), {
  description: 'The database: `sqlite:<path>`, `sqlite::memory:` or `postgres://user:password@host/database`.',
  default: 'sqlite:./data/gateway.sqlite',
  example: 'postgres://gateway:password@127.0.0.1/gateway',
  variable: 'DATABASE_URL',
  secret: true,
});

export const STORAGE_VARIABLES = {
  GATEWAY_DATA_DIR: setting(text({ form: 'path' }), {
    description: 'The folder of the generated pepper.',
    without: 'the folder of the SQLite file; with PostgreSQL `./data`',
    example: '/var/lib/llm-gateway',
  }),
  DATABASE_POOL_SIZE: setting(integer({ minimum: 1, maximum: 1_000, of: 'connections' }), {
    description: 'Connections of one process to PostgreSQL. Keep the sum of all processes below its `max_connections`.',
    without: '`10`',
    example: 20,
  }),
  GATEWAY_MIGRATE: setting(flag(['on', 'off']), {
    description:
      '`off`: the gateway does not migrate the database at its start, and refuses to start with pending migrations. See [upgrading](upgrading.md).',
    default: true,
  }),
  REDIS_URL: setting(text({ check: redisUrlFault, form: 'URL' }), {
    description:
      'The Redis through which several instances share limits, budgets, circuit breakers and cooldowns, and wake each other for batches. See [Redis](#redis).',
    without: 'no Redis',
    example: 'redis://127.0.0.1:6379/0',
    secret: true,
  }),
} as const;
