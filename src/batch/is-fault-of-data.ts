import { QueryFailedError } from 'typeorm';
import { isDatabaseUnavailable } from '../errors/database-error.js';

/** PostgreSQL: deadlock and serialization failures, locks and statements that took too long, and a statement that was cancelled. */
const MAY_PASS = /^(?:40...|55P03|57...|SQLITE_LOCKED.*|SQLITE_PROTOCOL|SQLITE_NOMEM)$/;

/** A code of SQLite, or an SQLSTATE. */
const OF_DATABASE = /^(?:SQLITE_[A-Z_]+|[0-9A-Z]{5})$/;

/**
 * Whether a statement failed because of what it was to store, so that it fails again with the same: as opposed to a database
 * that is away, or busy.
 */
export function isFaultOfData(error: unknown): boolean {
  if (isDatabaseUnavailable(error)) return false;
  if (error instanceof RangeError || error instanceof TypeError) return true;
  // A statement of SQLite that is run without TypeORM throws the driver's error itself.
  const inner: unknown = error instanceof QueryFailedError ? error.driverError : error;
  const { code } = (inner ?? {}) as { code?: unknown };
  return typeof code === 'string' && OF_DATABASE.test(code) && !MAY_PASS.test(code);
}
