import { Socket } from 'node:net';
import { buildConnector, Client } from 'undici';
import { SwapRemoveSet, type Entry } from '../../runtime/swap-remove-set.js';

/**
 * Sockets that are idle this long are closed, unless the server announces another time. Long enough for the pauses
 * between turns of a chat, shorter than the silence after which routers forget a connection.
 */
const KEEP_ALIVE_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_MAX_TIMEOUT_MS = 120_000;

/** undici's connector, which returns the socket although its type does not say so. */
type Connector = (options: buildConnector.Options, callback: buildConnector.Callback) => unknown;

interface Connection {
  /** Until TCP and TLS are through. */
  connecting: Socket | undefined;
  /** Requests that the current socket was given. */
  served: number;
}

/**
 * One connection, one request at a time. Beyond undici's client it knows whether its socket has served before (only then
 * is a replay allowed), and it can be ended while it is still connecting.
 */
export class UpstreamClient extends Client {
  /** Its place among those in use; undefined while it is idle. */
  call: Entry<UpstreamClient> | undefined;
  private readonly connection: Connection;

  constructor(origin: string, connector: Connector) {
    const connection: Connection = { connecting: undefined, served: 0 };
    super(origin, {
      pipelining: 1,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MAX_TIMEOUT_MS,
      // Each exchange holds its own times by phase; undici's defaults kill slow completions.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: (options, callback) => {
        connection.served = 0;
        const socket = connector(options, (...outcome) => {
          connection.connecting = undefined;
          callback(...outcome);
        });
        if (socket instanceof Socket) connection.connecting = socket;
      },
    });
    this.connection = connection;
  }

  /** Whether the socket, if there is one, has served a request before. */
  get hasServed(): boolean {
    return this.connection.served > 0;
  }

  /** Counts a request on the current socket. @returns whether the socket has served another before */
  claimSocket(): boolean {
    this.connection.served += 1;
    return this.connection.served > 1;
  }

  /** Closes the socket at once, in any state; a request on it fails with `reason`. */
  abandon(reason: Error): void {
    this.connection.connecting?.destroy(reason);
    void this.destroy(reason).catch(() => undefined);
  }
}

/**
 * Connections to one origin, as many as there are calls: a stream holds its connection for minutes, so a limit here would
 * let calls wait for nothing. The number of calls is bounded where clients are let in.
 *
 * undici's own Pool is not used: it keeps the client of an aborted request, which connects again at once, so that a
 * thousand clients that go away leave a thousand new idle connections behind.
 */
export class UpstreamPool {
  private readonly connector: Connector = buildConnector({ timeout: 0 });
  /** The one used last is used first, so that the others can time out. */
  private readonly idle: UpstreamClient[] = [];
  private readonly busy = new SwapRemoveSet<UpstreamClient>();

  constructor(private readonly origin: string) {}

  /** A connection for one request, to be returned by `release` or `discard`. */
  acquire(): UpstreamClient {
    const client = this.idle.pop();
    if (client === undefined) return this.acquireFresh();
    client.call = this.busy.add(client);
    return client;
  }

  /** A connection that has not been used. */
  acquireFresh(): UpstreamClient {
    const client = new UpstreamClient(this.origin, this.connector);
    client.on('disconnect', () => {
      const position = this.idle.lastIndexOf(client);
      if (position !== -1) this.idle.splice(position, 1);
    });
    client.call = this.busy.add(client);
    return client;
  }

  /** The request has ended well; the connection can be used again. */
  release(client: UpstreamClient): void {
    if (this.end(client)) this.idle.push(client);
  }

  /** The connection is closed at once. */
  discard(client: UpstreamClient, reason: Error): void {
    if (this.end(client)) client.abandon(reason);
  }

  /** @returns false when its call had ended before */
  private end(client: UpstreamClient): boolean {
    const { call } = client;
    client.call = undefined;
    return call !== undefined && this.busy.remove(call);
  }

  /** Closes every connection, those in use as well. */
  async close(): Promise<void> {
    const clients = [...this.idle.splice(0), ...this.busy];
    for (const client of clients) this.end(client);
    await Promise.all(clients.map((client) => client.destroy()));
  }
}
