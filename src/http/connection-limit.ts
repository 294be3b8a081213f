import type { Server } from 'node:http';
import type { Logger } from 'pino';
import { describeError } from '../errors/describe-error.js';
import { descriptorLimit } from '../runtime/descriptors.js';

/** Share of the descriptors reserved for the database, providers and files. */
const KEPT_SHARE = 0.25;
const MIN_KEPT = 64;
/** Interval of log lines about refused connections. */
const LOG_INTERVAL_MS = 10_000;

/**
 * Accepts no more connections than the process has descriptors for, so that accepted ones can be served: without descriptors
 * neither the database nor a provider can be reached. A connection that cannot be accepted does not end the process.
 *
 * @param limit descriptors that the process may have; undefined is unlimited
 */
export function limitConnections(server: Server, logger: Logger, limit = descriptorLimit()): void {
  if (limit !== undefined) server.maxConnections = maxConnections(limit);
  let refused = 0;
  let loggedAt = -Infinity;
  const log = (error?: Error): void => {
    refused += 1;
    const now = performance.now();
    if (now - loggedAt < LOG_INTERVAL_MS) return;
    loggedAt = now;
    const fields = error === undefined ? {} : { error: describeError(error) };
    logger.error(
      { ...fields, refused, max_connections: server.maxConnections, descriptor_limit: limit },
      'new connections are refused: too many are open; allow the process more descriptors (ulimit -n)',
    );
    refused = 0;
  };
  server.on('drop', () => log());
  server.on('error', log);
}

/** The maximum number of client connections. @param limit file descriptors of the process */
export function maxConnections(limit: number): number {
  return Math.max(1, limit - Math.max(MIN_KEPT, Math.ceil(limit * KEPT_SHARE)));
}
