import { QueryFailedError } from 'typeorm';
import { GatewayError } from './gateway-error.js';

/**
 * The error codes of drivers when the database cannot be reached or cannot write: PostgreSQL's classes 08 (connection), 53
 * (resources), 57P (going down, coming up), 25006 (read only), 57014 and 55P03 (timeouts of statements and locks), 40001 and 40P01
 * (conflicts of transactions), XX001 and XX002 (damaged data), Node's socket errors, SQLite's locks, full disks and damaged files.
 */
const UNAVAILABLE =
  /^(?:08...|53...|57P..|57014|55P03|40001|40P01|25006|25P03|EMFILE|ENFILE|ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|SQLITE_BUSY.*|SQLITE_FULL|SQLITE_IOERR.*|SQLITE_READONLY.*|SQLITE_CANTOPEN.*|SQLITE_CORRUPT.*|SQLITE_NOTADB|XX00[12])$/;
/** node-postgres gives these no code. */
const UNAVAILABLE_MESSAGE =
  /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|Driver not Connected/i;

/** Whether a failure is the database being away, as opposed to a fault of a statement. */
export function isDatabaseUnavailable(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const inner: unknown = error instanceof QueryFailedError ? error.driverError : error;
  const { code } = inner as { code?: unknown };
  if (typeof code === 'string' && UNAVAILABLE.test(code)) return true;
  if (inner instanceof AggregateError) return inner.errors.some(isDatabaseUnavailable);
  return inner instanceof Error && UNAVAILABLE_MESSAGE.test(inner.message);
}

/** PostgreSQL: a text is no valid UTF-8, has a NUL, or is an escape of one in JSON. */
const UNSTORABLE_TEXT = new Set(['22021', '22P05']);

/** Whether a statement failed because of a text that no database keeps, which the edge should have refused. */
export function isUnstorableText(error: unknown): boolean {
  if (!(error instanceof QueryFailedError)) return false;
  const { code } = error.driverError as { code?: unknown };
  return typeof code === 'string' && UNSTORABLE_TEXT.has(code);
}

/**
 * 503: nothing is wrong with the request; it may be sent again shortly.
 *
 * @param retryAfter seconds
 */
export function databaseUnavailable(
  cause: unknown,
  message = 'The database is not reachable. Retry shortly.',
  retryAfter = 1,
): GatewayError {
  return new GatewayError({
    status: 503,
    type: 'server_error',
    code: 'database_unavailable',
    message,
    headers: { 'retry-after': String(retryAfter) },
    cause,
  });
}
