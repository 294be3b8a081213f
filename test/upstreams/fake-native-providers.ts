import type { GatewayFile } from '../fixtures/gateway-config.js';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { anthropicFormat } from './native-formats/anthropic.js';
import { bedrockFormat } from './native-formats/bedrock.js';
import { cohereFormat } from './native-formats/cohere.js';
import { googleFormat } from './native-formats/google.js';
import { groqFormat, openAiFormat, xaiFormat } from './native-formats/openai.js';
import type { ModelResponse, Asked, JsonBody, WireFormat } from './native-formats/wire-format.js';

/** A request as a fake provider received it. */
export interface NativeRequest {
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: JsonBody;
  /** The body as it came, whose digits are not rounded. */
  readonly text: string;
  /** The caller went away before the answer was whole. */
  aborted: boolean;
}

export interface FakeNativeProviders {
  /** What a provider's `base_url` is, by its type. */
  baseUrl(type: string): string;
  readonly requests: NativeRequest[];
  stop(): Promise<void>;
}

/** The paths of each format, as its provider documents them, below the type's own prefix. */
const FORMATS: readonly { type: RegExp; format: WireFormat }[] = [
  { type: /^anthropic$/, format: anthropicFormat },
  { type: /^(?:google|vertex)$/, format: googleFormat },
  { type: /^bedrock$/, format: bedrockFormat },
  { type: /^cohere$/, format: cohereFormat },
  { type: /^xai$/, format: xaiFormat },
  { type: /^groq$/, format: groqFormat },
  { type: /^(?:azure|mistral|deepseek|perplexity|together|fireworks)$/, format: openAiFormat },
];
const BASE_PATHS: Readonly<Record<string, string>> = {
  anthropic: '/anthropic/v1',
  google: '/google/v1beta',
  cohere: '/cohere/v2',
};

/**
 * Providers that speak their own wire formats on one local port, each below a prefix of its own. They refuse what the
 * real ones refuse (tool results that answer no call, missing max_tokens, ...), so a mapping that is wrong fails here
 * too. The answer is the last user message; with tools, a call of each of the first two; with results, what they were;
 * with a schema, an instance of it; with an image, what was seen of it. A word in the model's name makes it misbehave:
 *
 * - `status-<n>` (`status-429`: with retry-after 7), `overloaded`: refuses
 * - `cut`: ends the stream in the middle, without a word; `reset`: breaks the connection there
 * - `error-event`: reports an error in the middle of the stream; `stall`: says nothing; `silent`: stops after the start
 * - `html`, `error-200`: answers 200 with a page, or with an error object
 * - `split`: sends a stream byte by byte
 * - `thinks`: thinks first; `wordy`: 400 words, 5 ms apart
 */
export async function startFakeNativeProviders(): Promise<FakeNativeProviders> {
  const requests: NativeRequest[] = [];
  const server = createServer((request, response) => {
    void serve(request, response, requests).catch(() => {
      response.destroy();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    baseUrl: (type) => `${origin}${BASE_PATHS[type] ?? `/${type}`}`,
    requests,
    stop: () => stop(server),
  };
}

/** Entries of `providers:` in gateway.yaml, each named after its type. */
export function nativeProviders(
  types: readonly string[],
  providers: Pick<FakeNativeProviders, 'baseUrl'>,
): NonNullable<GatewayFile['providers']> {
  return Object.fromEntries(
    types.map((type) => {
      const region = type === 'bedrock' ? { region: 'eu-west-1' } : {};
      return [type, { type, api_key: 'native-key', base_url: providers.baseUrl(type), ...region }];
    }),
  );
}

async function stop(server: Server): Promise<void> {
  await new Promise((resolve) => {
    server.close(resolve);
    server.closeAllConnections();
  });
}

async function serve(request: IncomingMessage, response: ServerResponse, requests: NativeRequest[]): Promise<void> {
  const [, type = '', ...rest] = (request.url ?? '').split('/');
  const format = FORMATS.find((each) => each.type.test(type))?.format;
  const path = `/${rest.join('/')}`;
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const text = Buffer.concat(chunks).toString();
  const body = (text === '' ? {} : JSON.parse(text)) as JsonBody;
  const recorded: NativeRequest = { url: request.url ?? '', headers: request.headers, body, text, aborted: false };
  requests.push(recorded);
  response.on('close', () => {
    recorded.aborted = !response.writableFinished;
  });
  if (format === undefined) {
    response.writeHead(404).end();
    return;
  }
  if (request.method === 'GET') {
    sendJson(response, 200, format.models());
    return;
  }
  const asked = format.read(path, body, request.headers);
  if (typeof asked === 'string') {
    const status = asked.startsWith('no such path') ? 404 : 400;
    sendJson(response, status, format.error(status, asked));
  } else await respond(asked, format, response);
}

async function respond(asked: Asked, format: WireFormat, response: ServerResponse): Promise<void> {
  const { model } = asked;
  const status = /status-(\d{3})/.exec(model)?.[1] ?? (model.includes('overloaded') ? '529' : undefined);
  if (status !== undefined) {
    if (status === '429') response.setHeader('retry-after', '7');
    sendJson(response, Number(status), format.error(Number(status), `the fake says ${status}`));
    return;
  }
  if (model.includes('stall')) return;
  if (model.includes('html')) {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html>a proxy</html>');
    return;
  }
  if (model.includes('error-200')) {
    sendJson(response, 200, format.error(503, 'the fake fails with 200'));
    return;
  }
  const reply = responseTo(asked);
  if (!asked.stream) {
    sendJson(response, 200, format.whole(reply, asked));
    return;
  }
  await stream(asked, format, reply, response);
}

async function stream(asked: Asked, format: WireFormat, reply: ModelResponse, response: ServerResponse): Promise<void> {
  const { model } = asked;
  response.writeHead(200, { 'content-type': format.streamType });
  const frames = format.frames(reply, asked);
  const half = Math.ceil(frames.length / 2);
  for (const [index, frame] of frames.entries()) {
    if (response.destroyed) return;
    if (index === half) {
      if (model.includes('cut')) {
        response.end();
        return;
      }
      if (model.includes('reset')) {
        await sleep(20);
        response.destroy();
        return;
      }
      if (model.includes('silent')) return;
      if (model.includes('error-event')) {
        response.end(format.errorFrame('the fake ends early'));
        return;
      }
    }
    if (model.includes('split')) await writeByBytes(response, Buffer.from(frame));
    else response.write(frame);
    if (model.includes('wordy')) await sleep(5);
  }
  response.end();
}

async function writeByBytes(response: ServerResponse, bytes: Buffer): Promise<void> {
  response.socket?.setNoDelay(true);
  for (const byte of bytes) {
    response.write(Buffer.from([byte]));
    await new Promise(setImmediate);
  }
}

function responseTo(asked: Asked): ModelResponse {
  const usage = { prompt: 20, completion: 7, cached: 4, reasoning: asked.model.includes('thinks') ? 3 : 0 };
  const reasoning = asked.model.includes('thinks') ? ['Let me ', 'think.'] : [];
  if (asked.model.includes('wordy')) {
    return { words: Array.from({ length: 400 }, (_, index) => `word${index} `), reasoning, toolCalls: [], usage };
  }
  if (asked.toolResults.length > 0) {
    const results = asked.toolResults.map(({ id, content }) => `${id}=${content}`).join('; ');
    return { words: ['Results: ', results], reasoning, toolCalls: [], usage };
  }
  if (asked.tools.length > 0) {
    const toolCalls = asked.tools
      .slice(0, 2)
      .map((name, index) => ({ id: `call_${index + 1}`, name, input: { city: index === 0 ? 'Paris' : 'Rome' } }));
    return { words: [], reasoning, toolCalls, usage };
  }
  if (asked.schema !== undefined) return { words: ['{"city":', '"Paris"}'], reasoning, toolCalls: [], usage };
  const words = asked.lastUserText.match(/\s*\S+|\s+$/g) ?? [''];
  return { words: [...words, ...asked.images.map((image) => ` [${image}]`)], reasoning, toolCalls: [], usage };
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}
