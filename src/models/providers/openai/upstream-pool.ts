import { Socket } from 'node:net';
import { buildConnector, Client, Dispatcher, Pool } from 'undici';

/**
 * Sockets that are idle this long are closed, unless the server announces another time. Long enough for the pauses
 * between turns of a chat, shorter than the silence after which routers forget a connection.
 */
const KEEP_ALIVE_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_MAX_TIMEOUT_MS = 120_000;

const CLIENT_OPTIONS: Client.Options = {
  pipelining: 1,
  keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
  keepAliveMaxTimeout: KEEP_ALIVE_MAX_TIMEOUT_MS,
  // Each exchange holds its own times by phase; undici's defaults kill slow completions.
  headersTimeout: 0,
  bodyTimeout: 0,
};

/** undici's connector, which returns the socket although its type does not say so. */
type Connector = (options: buildConnector.Options, callback: buildConnector.Callback) => unknown;

/** Dispatch options that learn which connection their request is given to. */
export interface TrackedDispatchOptions extends Dispatcher.DispatchOptions {
  readonly onClient: (client: UpstreamClient) => void;
}

interface Connection {
  /** Until TCP and TLS are through. */
  connecting: Socket | undefined;
  /** Requests that the current socket was given. */
  served: number;
}

/**
 * One connection at a time, one request at a time. Beyond undici's client it knows whether its socket has served before
 * (only then is a replay allowed), and it can give up while it is still connecting.
 */
export class UpstreamClient extends Client {
  private readonly connection: Connection;

  constructor(origin: string | URL, connector: Connector) {
    const connection: Connection = { connecting: undefined, served: 0 };
    super(origin, {
      ...CLIENT_OPTIONS,
      connect: (options, callback) => {
        const socket = connector(options, (...outcome) => {
          connection.connecting = undefined;
          connection.served = 0;
          callback(...outcome);
        });
        if (socket instanceof Socket && socket.connecting) connection.connecting = socket;
      },
    });
    this.connection = connection;
  }

  override dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): boolean {
    if (isTracked(options)) options.onClient(this);
    return super.dispatch(options, handler);
  }

  /** Counts a request on the current socket. @returns whether the socket has served another before */
  claimSocket(): boolean {
    this.connection.served += 1;
    return this.connection.served > 1;
  }

  /** Ends a connection attempt, its TLS handshake included; the request that waits for it fails with `reason`. */
  abandonConnect(reason: Error): void {
    this.connection.connecting?.destroy(reason);
  }
}

/** Connections to one origin. */
export class UpstreamPool {
  private readonly connector: Connector = buildConnector({ timeout: 0 });
  private readonly pool: Pool;

  constructor(private readonly origin: string) {
    this.pool = new Pool(origin, {
      ...CLIENT_OPTIONS,
      // As many as there are calls: a stream holds its connection for minutes, so a limit here would let calls wait
      // for nothing. The number of calls is bounded where clients are let in.
      connections: null,
      factory: (url) => new UpstreamClient(url, this.connector),
    });
  }

  dispatch(options: TrackedDispatchOptions, handler: Dispatcher.DispatchHandler): void {
    this.pool.dispatch(options, handler);
  }

  /** On a connection of its own, which is closed afterwards. */
  dispatchFresh(options: TrackedDispatchOptions, handler: Dispatcher.DispatchHandler): void {
    const client = new UpstreamClient(this.origin, this.connector);
    client.dispatch({ ...options, reset: true }, handler);
    // Waits for the request. Its failure is the handler's to tell.
    void client.close().catch(() => undefined);
  }

  async close(): Promise<void> {
    await this.pool.destroy();
  }
}

function isTracked(options: Dispatcher.DispatchOptions): options is TrackedDispatchOptions {
  return 'onClient' in options;
}
