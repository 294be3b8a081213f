import { QueryFailedError } from 'typeorm';
import { isDatabaseUnavailable } from '../errors/database-error.js';

/** PostgreSQL: deadlocks, serialization failures, lock and statement timeouts, cancelled statements. */
const MAY_PASS = /^(?:40...|55P03|57...|SQLITE_LOCKED.*|SQLITE_PROTOCOL|SQLITE_NOMEM)$/;

/** A code of SQLite, or an SQLSTATE. */
const OF_DATABASE = /^(?:SQLITE_[A-Z_]+|[0-9A-Z]{5})$/;

/**
 * Whether a statement failed because of the data that it was to store, so that it fails again with the same data; as opposed
 * to an unreachable or busy database.
 */
export function isFaultOfData(error: unknown): boolean {
  if (isDatabaseUnavailable(error)) return false;
  if (error instanceof RangeError || error instanceof TypeError) return true;
  // Statements run on SQLite without TypeORM throw the driver's error itself.
  const inner: unknown = error instanceof QueryFailedError ? error.driverError : error;
  const { code } = (inner ?? {}) as { code?: unknown };
  return typeof code === 'string' && OF_DATABASE.test(code) && !MAY_PASS.test(code);
}
