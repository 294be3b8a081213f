import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { anthropicFormat } from './native-formats/anthropic.js';
import { bedrockFormat } from './native-formats/bedrock.js';
import { cohereFormat } from './native-formats/cohere.js';
import { googleFormat } from './native-formats/google.js';
import { openAiFormat } from './native-formats/openai.js';
import type { ModelResponse, JsonBody, WireFormat } from './native-formats/wire-format.js';
import { mutateFrames, mutateJson, type Random, randomOf } from '../fixtures/mutations.js';

const FORMATS: Readonly<Record<string, WireFormat>> = {
  anthropic: anthropicFormat,
  bedrock: bedrockFormat,
  cohere: cohereFormat,
  google: googleFormat,
  openai: openAiFormat,
};
/** Below each provider's prefix, as its package expects it in `base_url`. */
const BASE_PATHS: Readonly<Record<string, string>> = {
  anthropic: '/anthropic/v1',
  cohere: '/cohere/v2',
  google: '/google/v1beta',
  openai: '/openai/v1',
};
const SEED = /seed (\d+)/;

/** Speaks every wire format, and responds with a random mutation of a valid answer or stream: which one, `seed <n>` in the prompt decides. */
export class HostileProvider {
  private readonly server: Server = createServer((request, response) => {
    void respond(request, response).catch(() => response.destroy());
  });

  static readonly types: readonly string[] = Object.keys(FORMATS);

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
  }

  baseUrl(type: string): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}${BASE_PATHS[type] ?? `/${type}`}`;
  }

  stop(): Promise<void> {
    this.server.closeAllConnections();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}

async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece as Buffer);
  const raw = Buffer.concat(pieces).toString();
  const [, type = '', ...rest] = (request.url ?? '').split('/');
  const format = FORMATS[type];
  const asked = format?.read(`/${rest.join('/')}`, JSON.parse(raw) as JsonBody, request.headers);
  if (format === undefined || asked === undefined || typeof asked === 'string') {
    response.writeHead(400, { 'content-type': 'application/json' }).end('{"error":{"message":"refused"}}');
    return;
  }
  const random = randomOf(Number(SEED.exec(raw)?.[1] ?? 0));
  const reply = responseFor(asked.tools, random);
  if (random.chance(0.05)) {
    const status = random.of([200, 204, 400, 404, 418, 429, 500, 503, 599]);
    const error = mutateJson(format.error(status, 'the provider refuses'), random);
    response.writeHead(status, {
      'content-type': 'application/json',
      'retry-after': random.of(['-1', '1e400', 'NaN', '0', 'x']),
    });
    response.end(status === 204 ? undefined : error);
    return;
  }
  if (!asked.stream) {
    response.writeHead(200, { 'content-type': 'application/json' }).end(mutateJson(format.whole(reply, asked), random));
    return;
  }
  response.writeHead(200, { 'content-type': format.streamType });
  for (const frame of mutateFrames(format.frames(reply, asked), random)) {
    response.write(frame);
    if (random.chance(0.2)) await new Promise(setImmediate);
  }
  if (random.chance(0.1)) response.destroy();
  else response.end();
}

function responseFor(tools: readonly string[], random: Random): ModelResponse {
  return {
    words: ['one ', 'two ', 'Grüße 世界 '],
    reasoning: random.chance(0.3) ? ['Let me ', 'think.'] : [],
    toolCalls: tools.slice(0, 2).map((name, index) => ({ id: `call_${index}`, name, input: { city: 'Paris' } })),
    usage: { prompt: 20, completion: 7, cached: 4, reasoning: 0 },
  };
}
