import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import type { GatewayFile } from '../fixtures/gateway-config.js';

/** What is sent for one request, byte by byte as it is. */
export interface Reply {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Written one after the other. */
  readonly pieces: readonly (string | Buffer)[];
  /** Whether the connection breaks behind the last piece, in place of an end. */
  readonly breaks?: boolean;
  /** Whether nothing follows the last piece, not even an end. */
  readonly holds?: boolean;
}

/** A request as the server received it. */
export interface ReplayedRequest {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** How the name of a provider begins in every prompt that asks for a reply. */
const MARK = /reply-(\d+)-/;
const REGION = 'eu-west-1';
/** Below the prefix of each provider, as its definition expects it in `base_url`. */
const BASE_PATHS: Readonly<Record<string, string>> = {
  anthropic: '/v1',
  google: '/v1beta',
  cohere: '/v2',
  azure: '/openai',
};
/** Servers of open models, which are known by the name of their entry. */
const LOCAL = ['vllm', 'ollama', 'llamacpp'];
const TYPES: Readonly<Record<string, string>> = {
  responses: 'openai',
  'claude-bedrock': 'bedrock',
  'claude-vertex': 'vertex',
};

/** A server that sends exactly the bytes that a test hands it, to the request whose prompt has the mark of the reply. */
export class ReplayProvider {
  readonly received = new Map<string, ReplayedRequest[]>();
  private readonly replies = new Map<string, Reply>();
  private readonly server: Server = createServer((request, response) => {
    void this.respond(request, response).catch(() => response.destroy());
  });
  private count = 0;

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
  }

  /** @returns a text for the prompt, by which the reply is found */
  add(reply: Reply): string {
    this.count += 1;
    const mark = `reply-${this.count}-`;
    this.replies.set(mark, reply);
    return mark;
  }

  /** The requests that had the mark, oldest first. */
  requestsOf(mark: string): readonly ReplayedRequest[] {
    return this.received.get(mark) ?? [];
  }

  /** Entries of `providers:` in gateway.yaml, by names that stand for a type and a wire format. */
  providers(names: readonly string[]): NonNullable<GatewayFile['providers']> {
    const origin = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
    return Object.fromEntries(
      names.map((name) => {
        const type = TYPES[name] ?? name;
        return [
          name,
          {
            ...(!LOCAL.includes(name) && { type }),
            api_key: 'replay-key',
            base_url: `${origin}/${name}${BASE_PATHS[type] ?? (type === 'bedrock' || type === 'vertex' ? '' : '/v1')}`,
            ...(type === 'bedrock' && { region: REGION }),
            ...(name === 'responses' && { responses: 'all' as const }),
            ...((name === 'openai' || name === 'azure') && { responses: 'off' as const }),
          },
        ];
      }),
    );
  }

  async stop(): Promise<void> {
    await new Promise((resolve) => {
      this.server.close(resolve);
      this.server.closeAllConnections();
    });
  }

  private async respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const mark = MARK.exec(body.toString())?.[0] ?? '';
    const received = { path: request.url ?? '', headers: request.headers, body };
    this.received.set(mark, [...this.requestsOf(mark), received]);
    const reply = this.replies.get(mark);
    if (reply === undefined) {
      response.writeHead(404).end();
      return;
    }
    const {
      status = 200,
      headers = { 'content-type': 'application/json' },
      pieces,
      breaks = false,
      holds = false,
    } = reply;
    response.writeHead(status, headers);
    for (const piece of pieces) {
      response.write(piece);
      if (pieces.length < MAX_SEPARATE_PIECES) await new Promise(setImmediate);
    }
    response.flushHeaders();
    if (breaks) response.destroy();
    else if (!holds) response.end();
  }
}

/** Of more pieces, several arrive together. */
const MAX_SEPARATE_PIECES = 2_000;
