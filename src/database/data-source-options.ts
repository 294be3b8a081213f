import type BetterSqlite3 from 'better-sqlite3';
import type { DataSourceOptions, MigrationInterface } from 'typeorm';
import type { DatabaseConfig } from '../config/gateway-config.js';
import { keepStatements } from './keep-statements.js';
import { watchedPostgresClient } from './postgres-client.js';
import { findSqlite } from './sqlite-library.js';

/** better-sqlite3 waits synchronously, so a longer wait would stop the whole process; Database retries instead. */
const SQLITE_BUSY_TIMEOUT_MS = 50;
const CONNECT_TIMEOUT_MS = 5_000;
const STATEMENT_TIMEOUT_MS = 30_000;
/** Longest wait of a statement for a lock; a statement that fails then can be retried. */
const LOCK_TIMEOUT_MS = 10_000;
/** A process that is suspended in the middle of a transaction must not hold its locks without end. */
const IDLE_TIMEOUT_MS = 10_000;
/** Connections of one process without DATABASE_POOL_SIZE; five processes stay well below PostgreSQL's default of 100. */
const DEFAULT_POOL_CONNECTIONS = 10;

/** The tables of the application and their migrations. The composition root (`src/schema.ts`) lists them. */
export interface Schema {
  readonly entities: readonly (new () => object)[];
  /** Sorted by timestamp, which is the order in which they run. */
  readonly migrations: readonly (new () => MigrationInterface)[];
}

/** The one description of the database, for the application and for the command line of TypeORM. */
export function dataSourceOptions(database: DatabaseConfig, { entities, migrations }: Schema): DataSourceOptions {
  const options = {
    entities: [...entities],
    migrations: [...migrations],
    migrationsTableName: 'migration',
    synchronize: false,
    logging: false,
  };
  if (database.kind === 'sqlite') {
    return {
      ...options,
      type: 'better-sqlite3',
      driver: findSqlite(),
      database: database.path,
      enableWAL: true,
      timeout: SQLITE_BUSY_TIMEOUT_MS,
      prepareDatabase: (connection: BetterSqlite3.Database) => {
        keepStatements(connection);
        // With WAL, NORMAL loses nothing to a crash of the process; FULL would also sync at each commit.
        connection.pragma('synchronous = NORMAL');
      },
    };
  }
  return {
    ...options,
    type: 'postgres',
    url: database.url,
    applicationName: 'llm-gateway',
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    poolSize: database.poolSize ?? DEFAULT_POOL_CONNECTIONS,
    extra: {
      Client: watchedPostgresClient(STATEMENT_TIMEOUT_MS),
      lock_timeout: LOCK_TIMEOUT_MS,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      idle_in_transaction_session_timeout: IDLE_TIMEOUT_MS,
      keepAlive: true,
    },
  };
}
