import { createRequire } from 'node:module';
import type { Duplex } from 'node:stream';
import type { Client, ClientConfig } from 'pg';

/** How long a statement runs before another connection probes whether the server responds. */
const SUSPECT_AFTER_MS = 3_000;
/** Timeout of that probe. */
const PROBE_TIMEOUT_MS = 1_500;
/** How much longer than the server's own `statement_timeout` a response may take. */
const RESPONSE_GRACE_MS = 5_000;

type PostgresModule = typeof import('pg');

/**
 * A client of PostgreSQL whose statements end even if the server has stopped responding: suspended, or gone without closing the
 * connection. Then the connection is closed, which fails its statements and makes the pool open another one. A server that
 * responds on another connection is only slow, and a long statement continues up to the session's `statement_timeout`.
 *
 * @param statementTimeoutMs initial value of the session, in milliseconds
 */
export function watchedPostgresClient(statementTimeoutMs: number): typeof Client {
  // Loaded here, because most gateways have no PostgreSQL.
  const { Client: PostgresClient } = createRequire(import.meta.url)('pg') as PostgresModule;
  let probe: Promise<boolean> | undefined;

  /** Whether the server responds on a new connection, even with a refusal. One probe is shared by all callers. */
  const isResponding = (config: ClientConfig): Promise<boolean> => {
    probe ??= askServer(PostgresClient, config).finally(() => {
      probe = undefined;
    });
    return probe;
  };

  return class WatchedPostgresClient extends PostgresClient {
    constructor(config: ClientConfig = {}) {
      super(config);
      let limit = statementTimeoutMs;
      const query = this.query.bind(this) as (...args: unknown[]) => unknown;
      const watched = (...args: unknown[]): unknown => {
        limit = statementTimeoutOf(args[0]) ?? limit;
        const result = query(...args);
        if (result instanceof Promise) watch(this, result, limit === 0 ? Infinity : limit, () => isResponding(config));
        return result;
      };
      Object.assign(this, { query: watched });
    }
  };

  /** The value that a statement sets for the session's `statement_timeout`; undefined for any other statement. */
  function statementTimeoutOf(statement: unknown): number | undefined {
    if (typeof statement !== 'string') return undefined;
    if (/\bRESET statement_timeout\b/.test(statement)) return statementTimeoutMs;
    const set = /\bSET statement_timeout = (\d+)/.exec(statement);
    return set === null ? undefined : Number(set[1]);
  }
}

function watch(client: Client, result: Promise<unknown>, limit: number, isResponding: () => Promise<boolean>): void {
  const started = performance.now();
  let hasEnded = false;
  let timer: NodeJS.Timeout;
  const suspect = async (): Promise<void> => {
    const isTooLate = performance.now() - started > limit + RESPONSE_GRACE_MS;
    const isAlive = !isTooLate && (await isResponding());
    if (hasEnded) return;
    if (isAlive) timer = setTimeout(() => void suspect(), SUSPECT_AFTER_MS);
    else socketOf(client).destroy();
  };
  timer = setTimeout(() => void suspect(), SUSPECT_AFTER_MS);
  const end = (): void => {
    hasEnded = true;
    clearTimeout(timer);
  };
  result.then(end, end);
}

async function askServer(PostgresClient: typeof Client, config: ClientConfig): Promise<boolean> {
  const client = new PostgresClient({ ...config, connectionTimeoutMillis: PROBE_TIMEOUT_MS });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return true;
  } catch (error) {
    // SQLSTATE: the server itself has refused, for example because it has no connection left.
    return error instanceof Error && 'code' in error && /^[0-9A-Z]{5}$/.test(String(error.code));
  } finally {
    socketOf(client).destroy();
  }
}

/** pg-pool ends a connection in the same way; the types leave it out. */
function socketOf(client: Client): Duplex {
  return (client as unknown as { connection: { stream: Duplex } }).connection.stream;
}
