import { createRequire } from 'node:module';
import type { Duplex } from 'node:stream';
import type { Client, ClientConfig } from 'pg';

/** How long a statement runs before the server is asked on another connection whether it answers at all. */
const SUSPECT_AFTER_MS = 3_000;
/** Longest wait for the answer to that. */
const PROBE_TIMEOUT_MS = 1_500;
/** How much longer than the server's own `statement_timeout` an answer may take. */
const ANSWER_GRACE_MS = 5_000;

type PostgresModule = typeof import('pg');

/**
 * A client of PostgreSQL whose statements end although the server has stopped answering: frozen, or gone without a word. Then
 * the connection is given up, which fails its statements and makes the pool open another one. A server that answers on another
 * connection is only slow, and a long statement goes on up to the session's `statement_timeout`.
 *
 * @param statementTimeout milliseconds, as the session begins with
 */
export function watchedPostgresClient(statementTimeout: number): typeof Client {
  // Loaded here, because most gateways have no PostgreSQL.
  const { Client: PostgresClient } = createRequire(import.meta.url)('pg') as PostgresModule;
  let probe: Promise<boolean> | undefined;

  /** Whether the server answers a new connection, be it with a refusal. Asked once for all that want to know. */
  const isAnswering = (config: ClientConfig): Promise<boolean> => {
    probe ??= askServer(PostgresClient, config).finally(() => {
      probe = undefined;
    });
    return probe;
  };

  return class WatchedPostgresClient extends PostgresClient {
    constructor(config: ClientConfig = {}) {
      super(config);
      let limit = statementTimeout;
      const query = this.query.bind(this) as (...args: unknown[]) => unknown;
      const watched = (...args: unknown[]): unknown => {
        limit = statementTimeoutOf(args[0]) ?? limit;
        const result = query(...args);
        if (result instanceof Promise) watch(this, result, limit === 0 ? Infinity : limit, () => isAnswering(config));
        return result;
      };
      Object.assign(this, { query: watched });
    }
  };

  /** What a statement makes of the session's `statement_timeout`; undefined for any other statement. */
  function statementTimeoutOf(statement: unknown): number | undefined {
    if (typeof statement !== 'string') return undefined;
    if (/\bRESET statement_timeout\b/.test(statement)) return statementTimeout;
    const set = /\bSET statement_timeout = (\d+)/.exec(statement);
    return set === null ? undefined : Number(set[1]);
  }
}

function watch(client: Client, result: Promise<unknown>, limit: number, isAnswering: () => Promise<boolean>): void {
  const started = performance.now();
  let hasEnded = false;
  let timer: NodeJS.Timeout;
  const suspect = async (): Promise<void> => {
    const isTooLate = performance.now() - started > limit + ANSWER_GRACE_MS;
    const isAlive = !isTooLate && (await isAnswering());
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
    // SQLSTATE: the server itself has said no, for example because it has no connection left.
    return error instanceof Error && 'code' in error && /^[0-9A-Z]{5}$/.test(String(error.code));
  } finally {
    socketOf(client).destroy();
  }
}

/** pg-pool ends a connection in the same way; the types leave it out. */
function socketOf(client: Client): Duplex {
  return (client as unknown as { connection: { stream: Duplex } }).connection.stream;
}
