import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { JsonObject } from '../../src/runtime/json-value.js';

/** A request as the server received it. */
export interface ReceivedResponse {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  /** As text, for digits that a number would lose. */
  readonly text: string;
  readonly body: JsonObject;
}

export interface ScriptedResponse {
  readonly status?: number;
  readonly body?: unknown;
  /** Events of a stream, sent as they are. */
  readonly frames?: string;
}

/** A server with the Responses API and nothing else, which responds as a test says. */
export interface ResponsesServer {
  readonly url: string;
  readonly received: ReceivedResponse[];
  respondWith(response: (body: JsonObject) => ScriptedResponse): void;
  stop(): Promise<void>;
}

export async function startResponsesServer(): Promise<ResponsesServer> {
  const received: ReceivedResponse[] = [];
  let reply: (body: JsonObject) => ScriptedResponse = () => ({ status: 500 });
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    request.on('end', () => {
      const path = request.url ?? '';
      if (request.method !== 'POST' || !path.startsWith('/v1/responses')) {
        response.writeHead(404, { 'content-type': 'application/json' }).end('{"error":{"message":"Not Found"}}');
        return;
      }
      const body = JSON.parse(text) as JsonObject;
      received.push({ path, headers: request.headers, text, body });
      const { status = 200, body: sent, frames } = reply(body);
      if (frames !== undefined) response.writeHead(200, { 'content-type': 'text/event-stream' }).end(frames);
      else response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(sent));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    respondWith: (given) => {
      reply = given;
    },
    stop: async () => {
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
    },
  };
}

/** Events as a server sends them. */
export function framesOf(events: readonly (JsonObject & { type: string })[]): string {
  return events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join('');
}
