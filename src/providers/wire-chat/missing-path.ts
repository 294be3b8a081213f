import { GatewayError } from '../../errors/gateway-error.js';

/** Statuses of a server that does not have the path. */
const ABSENT = new Set([404, 405, 501]);

/** Whether a server refused a request because it does not have its path. */
export function isMissingPath(error: unknown): boolean {
  return error instanceof GatewayError && error.code === 'upstream_error' && ABSENT.has(error.upstream?.status ?? 0);
}
