import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the upstream answers the next request with: a JSON text with its status, or the events of a stream. */
export interface ScriptedResponse {
  readonly status?: number;
  /** A value, or JSON text where its digits matter. */
  readonly body?: unknown;
  /** Without `[DONE]`, which follows. */
  readonly events?: readonly unknown[];
}

export interface ScriptedUpstream {
  /** Origin of the server; every path answers by the script. */
  readonly url: string;
  /** Bodies as they were received, as text. */
  readonly received: string[];
  /** Replaces what is answered: one answer for every request, or one that depends on the request's body. */
  respondWith(response: ScriptedResponse | ((body: Readonly<Record<string, unknown>>) => ScriptedResponse)): void;
  stop(): Promise<void>;
}

/** An upstream that answers exactly what a test hands it, for shapes of answers that no other fake has. */
export async function startScriptedUpstream(): Promise<ScriptedUpstream> {
  const received: string[] = [];
  let next: (body: Readonly<Record<string, unknown>>) => ScriptedResponse = () => ({ body: {} });
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    request.on('end', () => {
      if (text !== '') received.push(text);
      const { status = 200, body, events } = next(JSON.parse(text || '{}') as Record<string, unknown>);
      if (events !== undefined) {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        for (const event of events) response.write(`data: ${toText(event)}\n\n`);
        response.end('data: [DONE]\n\n');
        return;
      }
      response.writeHead(status, { 'content-type': 'application/json' }).end(toText(body));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    respondWith: (response) => {
      next = typeof response === 'function' ? response : () => response;
    },
    stop: async () => {
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
    },
  };
}

function toText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** A whole answer with this message. */
export function completionOf(message: object, finishReason = 'stop', ofChoice: object = {}): object {
  return {
    id: 'chatcmpl-scripted',
    object: 'chat.completion',
    created: 1_700_000_000,
    model: 'scripted',
    choices: [{ index: 0, message: { role: 'assistant', ...message }, finish_reason: finishReason, ...ofChoice }],
    usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
  };
}

/** An event of a stream with this delta. */
export function chunkOf(delta: object, finishReason: string | null = null, ofChoice: object = {}): object {
  return {
    id: 'chatcmpl-scripted',
    object: 'chat.completion.chunk',
    created: 1_700_000_000,
    model: 'scripted',
    choices: [{ index: 0, delta, finish_reason: finishReason, ...ofChoice }],
  };
}
