import { QueryFailedError } from 'typeorm';
import { isDatabaseUnavailable } from '../errors/database-error.js';

/** PostgreSQL: deadlock and serialization failures, locks and statements that took too long, and a statement that was cancelled. */
const MAY_PASS = /^(?:40...|55P03|57...|SQLITE_LOCKED.*|SQLITE_PROTOCOL|SQLITE_NOMEM)$/;

/**
 * Whether a statement failed because of what it was to store, so that it fails again with the same: as opposed to a database
 * that is away, or busy.
 */
export function isFaultOfData(error: unknown): boolean {
  if (isDatabaseUnavailable(error)) return false;
  if (error instanceof RangeError || error instanceof TypeError) return true;
  if (!(error instanceof QueryFailedError)) return false;
  const { code } = error.driverError as { code?: unknown };
  return typeof code !== 'string' || !MAY_PASS.test(code);
}
