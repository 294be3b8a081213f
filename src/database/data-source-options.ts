import type BetterSqlite3 from 'better-sqlite3';
import type { DataSourceOptions } from 'typeorm';
import { CreateApiKey1767225600000 } from '../../migrations/1767225600000-CreateApiKey.js';
import { CreateBatch1769817600000 } from '../../migrations/1769817600000-CreateBatch.js';
import { AddUsageAndLimits1772409600000 } from '../../migrations/1772409600000-AddUsageAndLimits.js';
import { CreateRequestLog1772582400000 } from '../../migrations/1772582400000-CreateRequestLog.js';
import { AddBatchLanes1772720000000 } from '../../migrations/1772720000000-AddBatchLanes.js';
import { AddBatchPause1772780000000 } from '../../migrations/1772780000000-AddBatchPause.js';
import { CreateGatewayInstance1772770000000 } from '../../migrations/1772770000000-CreateGatewayInstance.js';
import { GatewayInstance } from '../admin/instances/gateway-instance.entity.js';
import { AuditEntry } from '../audit/audit-entry.entity.js';
import { AddKeyParent1772740000000 } from '../../migrations/1772740000000-AddKeyParent.js';
import { IndexWebhooksByKey1772730000000 } from '../../migrations/1772730000000-IndexWebhooksByKey.js';
import { AddUsageCostBasis1772700000000 } from '../../migrations/1772700000000-AddUsageCostBasis.js';
import { ApiKey } from '../auth/api-key.entity.js';
import { KeyGroup } from '../auth/key-group.entity.js';
import { BatchJob } from '../batch/batch-job.entity.js';
import { BatchClaim, BatchLane, BatchRequeue } from '../batch/batch-lane.entity.js';
import { BatchTask } from '../batch/batch-task.entity.js';
import { BudgetAlert } from '../limits/budget-alert.entity.js';
import { UsageRecord } from '../usage/records/usage-record.entity.js';
import type { DatabaseConfig } from '../config/gateway-config.js';
import { RequestLogEntry } from '../request-log/request-log.entity.js';
import { keepStatements } from './keep-statements.js';
import { watchedPostgresClient } from './postgres-client.js';
import { GatewaySetting } from './gateway-setting.entity.js';

/** By class, so that the build needs no folder of files to search. */
const ENTITIES = [
  ApiKey,
  AuditEntry,
  BatchClaim,
  BatchJob,
  BatchLane,
  BatchRequeue,
  BatchTask,
  BudgetAlert,
  GatewayInstance,
  GatewaySetting,
  KeyGroup,
  RequestLogEntry,
  UsageRecord,
];
/** In the order of their timestamps, in which they run. Append only. */
const MIGRATIONS = [
  CreateApiKey1767225600000,
  CreateBatch1769817600000,
  AddUsageAndLimits1772409600000,
  CreateRequestLog1772582400000,
  AddUsageCostBasis1772700000000,
  AddBatchLanes1772720000000,
  IndexWebhooksByKey1772730000000,
  AddKeyParent1772740000000,
  CreateGatewayInstance1772770000000,
  AddBatchPause1772780000000,
];

/** better-sqlite3 waits synchronously, so a longer wait would stop the whole process; Database retries instead. */
const SQLITE_BUSY_TIMEOUT = 50;
const CONNECT_TIMEOUT = 5_000;
const STATEMENT_TIMEOUT = 30_000;
/** Longest wait of a statement for a lock; what fails then can be tried again. */
const LOCK_TIMEOUT_MS = 10_000;
/** A process that is frozen in the middle of a transaction must not hold its locks for ever. */
const IDLE_TIMEOUT = 10_000;
/** Connections of one process where DATABASE_POOL_SIZE says nothing; five processes stay well below PostgreSQL's default of 100. */
const DEFAULT_POOL_SIZE = 10;

/** The one description of the database, for the application and for the command line of TypeORM. */
export function dataSourceOptions(database: DatabaseConfig): DataSourceOptions {
  const options = {
    entities: ENTITIES,
    migrations: MIGRATIONS,
    migrationsTableName: 'migration',
    synchronize: false,
    logging: false,
  } as const;
  if (database.kind === 'sqlite') {
    return {
      ...options,
      type: 'better-sqlite3',
      database: database.path,
      enableWAL: true,
      timeout: SQLITE_BUSY_TIMEOUT,
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
    connectTimeoutMS: CONNECT_TIMEOUT,
    poolSize: database.poolSize ?? DEFAULT_POOL_SIZE,
    extra: {
      Client: watchedPostgresClient(STATEMENT_TIMEOUT),
      lock_timeout: LOCK_TIMEOUT_MS,
      statement_timeout: STATEMENT_TIMEOUT,
      idle_in_transaction_session_timeout: IDLE_TIMEOUT,
      keepAlive: true,
    },
  };
}
