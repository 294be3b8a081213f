import { MigrationExecutor, type DataSource, type QueryRunner } from 'typeorm';
import { BootError } from '../errors/boot-error.js';
import { VERSION } from '../runtime/version.js';
import { beginImmediate } from './sqlite-transaction.js';

/** Any number that no other application on the same PostgreSQL server is likely to lock. */
const MIGRATION_LOCK = 7_303_014_152;
/** Poll interval of a process that waits for another one's migrations. */
const LOCK_POLL_MS = 250;
/** Longest wait for another process that migrates: a large table may take hours. */
const LOCK_TIMEOUT_MS = 6 * 3_600_000;

/** The migrations that a database has had, and those that are pending. Names, oldest first. */
export interface SchemaState {
  readonly executed: readonly string[];
  readonly pending: readonly string[];
  /** Migrations of a newer version. */
  readonly unknown: readonly string[];
}

/** Reads which migrations have been run and which are pending. */
export async function schemaState(dataSource: DataSource): Promise<SchemaState> {
  const runner = dataSource.createQueryRunner();
  try {
    return await stateOf(dataSource, runner);
  } finally {
    await runner.release();
  }
}

/** @throws BootError when migrations are pending, or when a newer version has migrated the database */
export function assertUpToDate(state: SchemaState): void {
  assertNotNewer(state);
  const { pending } = state;
  if (pending.length === 0) return;
  throw new BootError(
    `the database lacks ${pending.length} migration${pending.length === 1 ? '' : 's'} (${pending.join(', ')}) and GATEWAY_MIGRATE is off. Run: llm-gateway migrate`,
  );
}

/**
 * Runs pending migrations under a lock that is released when its process ends, on one connection without a time limit.
 *
 * @returns names of the migrations that were run
 * @throws BootError when a newer version has migrated the database
 */
export async function migrate(dataSource: DataSource): Promise<string[]> {
  return exclusively(dataSource, async (runner) => {
    assertNotNewer(await stateOf(dataSource, runner));
    const migrations = await executorOf(dataSource, runner).executePendingMigrations();
    return migrations.map(({ name }) => name);
  });
}

/** Reverts the last migration. @returns its name; undefined if there is none */
export async function revertLast(dataSource: DataSource): Promise<string | undefined> {
  return exclusively(dataSource, async (runner) => {
    const state = await stateOf(dataSource, runner);
    assertNotNewer(state);
    const last = state.executed.at(-1);
    if (last !== undefined) await executorOf(dataSource, runner).undoLastMigration();
    return last;
  });
}

function assertNotNewer({ unknown }: SchemaState): void {
  if (unknown.length === 0) return;
  throw new BootError(
    `the database has been migrated by a newer version than this one (${VERSION}): it has ${unknown.join(', ')}. Start that version, or restore a backup from before the upgrade.`,
  );
}

async function stateOf(dataSource: DataSource, runner: QueryRunner): Promise<SchemaState> {
  const table = dataSource.options.migrationsTableName ?? 'migration';
  const rows = (await runner.hasTable(table))
    ? ((await runner.query(`SELECT name FROM ${table} ORDER BY id`)) as { name: string }[])
    : [];
  const executed = rows.map(({ name }) => name);
  const known = dataSource.migrations.map(({ name, constructor }) => name ?? constructor.name);
  return {
    executed,
    pending: known.filter((name) => !executed.includes(name)),
    unknown: executed.filter((name) => !known.includes(name)),
  };
}

function executorOf(dataSource: DataSource, runner: QueryRunner): MigrationExecutor {
  const executor = new MigrationExecutor(dataSource, runner);
  // On SQLite all of them are in the transaction that holds the lock.
  executor.transaction = dataSource.options.type === 'postgres' ? 'each' : 'none';
  return executor;
}

async function exclusively<Result>(
  dataSource: DataSource,
  work: (runner: QueryRunner) => Promise<Result>,
): Promise<Result> {
  const runner = dataSource.createQueryRunner();
  if (dataSource.options.type === 'postgres') return exclusivelyOnPostgres(runner, work);
  const transaction = await beginImmediate(runner, LOCK_TIMEOUT_MS);
  try {
    const result = await work(runner);
    await transaction.commit();
    return result;
  } catch (error) {
    await transaction.rollback();
    throw error;
  }
}

async function exclusivelyOnPostgres<Result>(
  runner: QueryRunner,
  work: (runner: QueryRunner) => Promise<Result>,
): Promise<Result> {
  try {
    // The limits that the pool sets are for requests; a migration of a large table takes longer.
    await runner.query('SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0');
    await takeLock(runner);
    try {
      return await work(runner);
    } finally {
      await runner.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]);
    }
  } finally {
    await runner
      .query('RESET statement_timeout; RESET lock_timeout; RESET idle_in_transaction_session_timeout')
      .catch(() => undefined);
    await runner.release();
  }
}

/** Polls for the lock: a statement that waited for it would keep the migration from building some indexes. */
async function takeLock(runner: QueryRunner): Promise<void> {
  const deadline = performance.now() + LOCK_TIMEOUT_MS;
  for (;;) {
    const [row] = (await runner.query('SELECT pg_try_advisory_lock($1) AS taken', [MIGRATION_LOCK])) as {
      taken: boolean;
    }[];
    if (row?.taken === true) return;
    if (performance.now() > deadline) throw new Error('another process has held the lock of migrations for six hours');
    await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
  }
}
