import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { completionOf } from './scripted-upstream.js';

/** What a provider answers a chat request with. */
export interface ProviderState {
  /** Of chat requests; 200 is a response. */
  readonly status?: number;
  /** Of the list of models. */
  readonly listStatus?: number;
  /** Headers of each response to a chat request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Of a failure. */
  readonly error?: object;
  /** Statuses by the key that was sent, in place of `status`. */
  readonly byKey?: Readonly<Record<string, number>>;
}

/** A chat request as the provider received it. */
export interface SeenCall {
  readonly model: string;
  readonly key: string;
}

/** A provider whose state a test changes while it runs: it fails, recovers, has no quota, or says that a limit is reached. */
export class OutageProvider {
  /** Chat requests, in order. */
  readonly calls: SeenCall[] = [];
  /** Requests for the list of models. */
  lists = 0;
  private readonly states = new Map<string, ProviderState>();
  private listStatus = 200;
  /** Responses that wait until the gate opens. */
  private held: (() => void)[] | undefined;
  private readonly server = createServer((request, response) => this.serve(request, response));

  /** Origin. */
  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  async stop(): Promise<void> {
    this.openGate();
    await new Promise((resolve) => {
      this.server.close(resolve);
      this.server.closeAllConnections();
    });
  }

  /** Sets the state of a model. */
  set(model: string, state: ProviderState): void {
    this.states.set(model, state);
    this.listStatus = state.listStatus ?? 200;
  }

  callsOf(model: string, since = 0): number {
    return this.calls.slice(since).filter((call) => call.model === model).length;
  }

  /** From now on chat requests get no response. */
  closeGate(): void {
    this.held = [];
  }

  openGate(): void {
    const held = this.held ?? [];
    this.held = undefined;
    for (const release of held) release();
  }

  private serve(request: IncomingMessage, response: ServerResponse): void {
    let text = '';
    request.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    request.on('end', () => {
      if (request.method === 'GET') {
        this.lists += 1;
        response.writeHead(this.listStatus, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ object: 'list', data: [{ id: 'm', object: 'model' }] }));
        return;
      }
      const { model } = JSON.parse(text) as { model: string };
      const key = (request.headers.authorization ?? '').replace('Bearer ', '');
      this.calls.push({ model, key });
      const answer = (): void => this.answer(model, key, response);
      if (this.held === undefined) answer();
      else this.held.push(answer);
    });
  }

  private answer(model: string, key: string, response: ServerResponse): void {
    const { status = 200, headers = {}, error = { message: 'out of order' }, byKey } = this.states.get(model) ?? {};
    const own = byKey?.[key] ?? status;
    response.writeHead(own, { 'content-type': 'application/json', ...headers });
    response.end(JSON.stringify(own === 200 ? completionOf({ content: key }) : { error }));
  }
}
