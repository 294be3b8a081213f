import { setTimeout as sleep } from 'node:timers/promises';
import type { QueryRunner } from 'typeorm';

/** A transaction on SQLite's connection. */
export interface SqliteTransaction {
  commit(): Promise<void>;
  rollback(): Promise<void>;
}

/**
 * Takes the write lock at the start of the transaction, so that it can never fail half-way because another process
 * wrote first. While another process holds it this waits without blocking the event loop.
 *
 * @param timeoutMs milliseconds
 * @throws the driver's SQLITE_BUSY when the lock is not free within that time
 */
export async function beginImmediate(runner: QueryRunner, timeoutMs: number): Promise<SqliteTransaction> {
  const deadline = performance.now() + timeoutMs;
  for (let wait = 5; ; wait = Math.min(wait * 2, 250)) {
    try {
      await runner.query('BEGIN IMMEDIATE');
      break;
    } catch (error) {
      if (!isBusy(error) || performance.now() + wait > deadline) throw error;
      await sleep(wait * (0.5 + Math.random() / 2));
    }
  }
  // Keeps save() and similar methods of TypeORM from opening a transaction on this connection.
  const state: { isTransactionActive: boolean } = runner;
  state.isTransactionActive = true;
  const end = async (statement: 'COMMIT' | 'ROLLBACK'): Promise<void> => {
    try {
      await runner.query(statement);
    } finally {
      state.isTransactionActive = false;
    }
  };
  return { commit: () => end('COMMIT'), rollback: () => end('ROLLBACK') };
}

function isBusy(error: unknown): boolean {
  if (!(error instanceof Error) || !('driverError' in error)) return false;
  const { driverError } = error;
  return driverError instanceof Error && 'code' in driverError && String(driverError.code).startsWith('SQLITE_BUSY');
}
