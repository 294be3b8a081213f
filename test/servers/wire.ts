import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** Stands between the gateway and PostgreSQL, so that a test can take the server away from this gateway alone. */
export class Wire {
  private readonly sockets = new Set<Socket>();
  private server: Server | undefined;
  private port = 0;
  private losing: { readonly statement: string; readonly lose: typeof loseAnswer } | undefined;

  constructor(private readonly target: URL) {}

  async open(): Promise<string> {
    this.server = createServer((client) => {
      const upstream = connect(Number(this.target.port), this.target.hostname);
      for (const [from, to] of [
        [client, upstream],
        [upstream, client],
      ] as const) {
        this.sockets.add(from);
        from.on('error', () => undefined).on('close', () => to.destroy());
        from.pipe(to);
      }
      client.on('data', (sent: Buffer) => {
        if (this.losing === undefined || !sent.includes(this.losing.statement)) return;
        const { lose } = this.losing;
        this.losing = undefined;
        lose(client, upstream);
      });
    }).listen(this.port, '127.0.0.1');
    await once(this.server, 'listening');
    this.port = (this.server.address() as AddressInfo).port;
    const url = new URL(this.target);
    url.port = String(this.port);
    return url.href;
  }

  /** The next statement with this text in it, a transaction by itself, is run, and its client never learns so. */
  loseAnswerTo(statement: string): void {
    this.losing = { statement, lose: loseAnswer };
  }

  /** The transaction that next runs a statement with this text in it is committed, and its client never learns so. */
  loseCommitOf(statement: string): void {
    this.losing = { statement, lose: loseCommit };
  }

  cut(): void {
    this.server?.close();
    for (const socket of this.sockets) socket.resetAndDestroy();
    this.sockets.clear();
  }
}

function loseAnswer(client: Socket, upstream: Socket): void {
  upstream.unpipe(client);
  upstream.once('data', () => client.resetAndDestroy()).resume();
}

function loseCommit(client: Socket, upstream: Socket): void {
  client.on('data', (sent: Buffer) => {
    if (sent.includes('COMMIT')) loseAnswer(client, upstream);
  });
}
