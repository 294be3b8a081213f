import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Signature, verifySignature } from './aws-signature.js';
import type { CloudLogins } from './cloud-logins.js';

/** A request that was let in: the signature, or the headers of a token. */
export interface Admitted {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly signature: Signature | undefined;
}

/**
 * Models of Bedrock (`/bedrock`), Azure (`/azure`) and Vertex AI (`/vertex`), which let in only what the services of
 * a `CloudLogins` have issued. A request for a model whose name has `quote` is refused with a text that holds its credentials.
 */
export class CloudModels {
  readonly admitted: Admitted[] = [];

  private constructor(
    private readonly server: Server,
    readonly origin: string,
  ) {}

  static async start(logins: CloudLogins): Promise<CloudModels> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const models = new CloudModels(server, `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.on('request', (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = '', url = '', headers } = request;
        const path = url.split('?')[0] ?? '';
        const isBedrock = path.startsWith('/bedrock/');
        const signature = isBedrock
          ? verifySignature({ method, url, headers, body: Buffer.concat(chunks) }, (id) => logins.awsKeys.get(id))
          : undefined;
        const isLetIn = isBedrock ? typeof signature === 'object' : logins.hasToken(headers);
        const send = (status: number, body: unknown): void => {
          response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
        };
        if (!isLetIn) {
          send(403, { message: `refused: ${typeof signature === 'string' ? signature : 'no such token'}` });
          return;
        }
        models.admitted.push({ path, headers, signature: typeof signature === 'object' ? signature : undefined });
        const seen = `${String(headers.authorization)} ${String(headers['x-amz-security-token'])}`;
        if (`${path}${Buffer.concat(chunks).toString()}`.includes('quote'))
          send(400, { message: `bad request: ${seen}` });
        else if (path.endsWith('/chat/completions')) answerChat(response, Buffer.concat(chunks).toString());
        else send(200, responseOf(path));
      });
    });
    return models;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}

function answerChat(response: ServerResponse, body: string): void {
  const { stream } = JSON.parse(body) as { stream?: boolean };
  const head = { id: 'chatcmpl-1', created: 1, model: 'm' };
  const message = { role: 'assistant', content: 'let in' };
  if (stream !== true) {
    const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 };
    const choices = [{ index: 0, message, finish_reason: 'stop' }];
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ ...head, object: 'chat.completion', choices, usage }));
    return;
  }
  const chunk = (delta: object, finish_reason: string | null): string =>
    `data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', choices: [{ index: 0, delta, finish_reason }] })}\n\n`;
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.end(`${chunk(message, null)}${chunk({}, 'stop')}data: [DONE]\n\n`);
}

function responseOf(path: string): object {
  if (path.startsWith('/bedrock/')) return { embedding: [1, 2], inputTextTokenCount: 3 };
  if (path.startsWith('/vertex/')) {
    return { predictions: [{ embeddings: { values: [1, 2], statistics: { token_count: 3, truncated: false } } }] };
  }
  const usage = { prompt_tokens: 3, total_tokens: 3 };
  return { object: 'list', data: [{ object: 'embedding', index: 0, embedding: [1, 2] }], model: 'm', usage };
}
