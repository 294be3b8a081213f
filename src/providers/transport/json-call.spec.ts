import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { until } from '../../../test/fixtures/until.js';
import { failure, TIMEOUTS } from '../../../test/upstreams/provider-calls.js';
import type { ProviderConfig } from '../../config/gateway-config.js';
import { GatewayError } from '../../errors/gateway-error.js';
import { type Authorize, authorizerOf } from '../credentials/authorize.js';
import { PROJECT_OF_LOGIN } from '../definitions/logins/google-login.js';
import { type CallContext, JsonClient } from './json-call.js';
import type { RepeatableBody } from './upstream-request.js';

interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

let server: Server;
let origin: string;
let received: Received[] = [];
let closed = 0;
let reply: (response: ServerResponse, request: Received) => void;
const clients: JsonClient[] = [];

const MEGABYTE = 1_048_576;

function client(config: Partial<ProviderConfig> = {}, maxResponseBytes = MEGABYTE, authorize?: Authorize): JsonClient {
  const whole: ProviderConfig = {
    name: 'fake',
    type: 'openai',
    baseUrl: `${origin}/v1`,
    apiKey: 'sk-canary-0123456789',
    headers: {},
    listModels: true,
    ...config,
  };
  const made = new JsonClient(whole, maxResponseBytes, authorize ?? authorizerOf('bearer', whole));
  clients.push(made);
  return made;
}

function context(rest: Partial<CallContext> = {}): CallContext {
  return { timeouts: TIMEOUTS, requestId: 'req-1', headers: {}, signal: new AbortController().signal, ...rest };
}

/** A body that counts how often it is read. */
function bodyOf(chunks: readonly string[], onChunk?: () => Promise<void>): RepeatableBody & { opened: number } {
  return {
    contentType: 'multipart/form-data; boundary=x',
    length: Buffer.byteLength(chunks.join('')),
    opened: 0,
    async *open() {
      this.opened += 1;
      for (const chunk of chunks) {
        await onChunk?.();
        yield Buffer.from(chunk);
      }
    },
  };
}

beforeAll(async () => {
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    response.on('close', () => {
      if (!response.writableEnded) closed += 1;
    });
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const one = { method, url, headers, body: Buffer.concat(chunks) };
      received.push(one);
      reply(response, one);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
beforeEach(() => {
  received = [];
  closed = 0;
  reply = (response) => {
    response.setHeader('content-type', 'application/json').end('{"ok":true}');
  };
});
afterEach(async () => {
  await Promise.all(clients.splice(0).map((each) => each.close()));
});

describe('a call', () => {
  it('sends JSON below the base URL with credentials, and gives the text and headers of the response', async () => {
    reply = (response) => {
      response.setHeader('x-served-by', 'one').setHeader('content-encoding', 'gzip').end(gzipSync('{"vector":[1]}'));
    };
    const response = await client({ headers: { 'X-Team': 'a', Connection: 'close' } }).call(
      { path: '/embeddings?x=1', body: { model: 'm', input: ['é'] } },
      context({ headers: { traceparent: '00-1', 'x-team': 'of the client', authorization: 'of the client' } }),
    );
    expect(response).toMatchObject({ status: 200, text: '{"vector":[1]}', headers: { 'x-served-by': 'one' } });
    expect(received).toHaveLength(1);
    expect(received[0]).toMatchObject({ method: 'POST', url: '/v1/embeddings?x=1' });
    expect(received[0]!.body.toString()).toBe('{"model":"m","input":["é"]}');
    expect(received[0]!.headers).toMatchObject({
      authorization: 'Bearer sk-canary-0123456789',
      'content-type': 'application/json',
      accept: 'application/json',
      'x-request-id': 'req-1',
      'x-team': 'a',
      traceparent: '00-1',
    });
    expect(received[0]!.headers.connection).not.toBe('close');
  });

  it('keeps the query of the base URL, and reaches other hosts by a whole URL', async () => {
    const azure = client({ baseUrl: `${origin}/openai/?api-version=1` });
    await azure.call({ method: 'GET', path: '/models' }, context());
    await azure.call({ method: 'DELETE', path: `${origin}/elsewhere` }, context());
    expect(received.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'GET /openai/models?api-version=1',
      'DELETE /elsewhere',
    ]);
    expect(received[0]!.headers['content-type']).toBeUndefined();
  });

  it('lets the headers of the operator replace the credentials', async () => {
    await client({ headers: { authorization: 'Basic 1' } }).call({ path: '/x', body: {} }, context());
    expect(received[0]!.headers.authorization).toBe('Basic 1');
  });

  it('streams a body with its length, again in the next call', async () => {
    const body = bodyOf(['--x\r\n', 'a'.repeat(200_000), '\r\n--x--']);
    const one = client();
    await one.call({ path: '/audio/transcriptions', body }, context());
    await one.call({ path: '/audio/transcriptions', body }, context());
    expect(body.opened).toBe(2);
    for (const each of received) {
      expect(each.body).toHaveLength(body.length);
      expect(each.headers).toMatchObject({
        'content-type': body.contentType,
        'content-length': String(body.length),
      });
    }
  });

  it('sends a body again when the server has closed the reused connection', async () => {
    const one = client();
    await one.call({ path: '/first', body: {} }, context());
    // The server closes the idle connection in the moment in which the next request is written.
    server.once('request', (request: IncomingMessage) => request.socket.destroy());
    const body = bodyOf(['a', 'b']);
    await one.call({ path: '/second', body }, context());
    expect(received.at(-1)).toMatchObject({ url: '/v1/second', body: Buffer.from('ab') });
  });

  it('fails with the error of a body that cannot be read', async () => {
    const fault = new GatewayError({
      status: 507,
      type: 'server_error',
      code: 'storage_full',
      message: 'The disk is full.',
    });
    const body = bodyOf(['a'.repeat(10), 'b'], () =>
      body.opened > 0 && received.length === 0 ? Promise.reject(fault) : Promise.resolve(),
    );
    expect(await failure(client().call({ path: '/x', body }, context()))).toBe(fault);
  });

  it('maps error responses as chat does', async () => {
    reply = (response) => {
      response.writeHead(429, { 'retry-after': '7' }).end('{"error":{"message":"slow down","code":"rate"}}');
    };
    const limited = await failure(client().call({ path: '/x', body: {} }, context()));
    expect(limited).toMatchObject({ status: 429, code: 'rate_limit_exceeded', retryable: true, retryAfterMs: 7_000 });
    expect(limited.upstream).toEqual({ status: 429, code: 'rate', message: 'slow down' });
    reply = (response) => {
      response.writeHead(400).end('{"error":{"message":"input: sk-canary-0123456789 is bad","param":"input"}}');
    };
    const refused = await failure(client().call({ path: '/x', body: {} }, context()));
    expect(refused).toMatchObject({ status: 400, param: 'input', retryable: false });
    expect(refused.message).toBe('input: [redacted] is bad');
    reply = (response) => {
      response.writeHead(401).end('{}');
    };
    expect(await failure(client().call({ path: '/x', body: {} }, context()))).toMatchObject({ status: 502 });
    reply = (response) => {
      response.socket?.destroy();
    };
    const broken = await failure(client().call({ path: '/x', body: {} }, context()));
    expect(broken).toMatchObject({ code: 'upstream_error', retryable: true });
  });

  it('redacts the credentials of a cloud', async () => {
    reply = (response) => {
      response.writeHead(400).end('{"message":"AKIAFAKE and deep-secret and some-token"}');
    };
    const cloud = { accessKeyId: 'AKIAFAKE', secretAccessKey: 'deep-secret', sessionToken: 'some-token' };
    const error = await failure(client({ cloud, apiKey: undefined }).call({ path: '/x', body: {} }, context()));
    expect(error.message).toBe('[redacted] and [redacted] and [redacted]');
  });

  it('redacts the credentials that a login gave to this request', async () => {
    reply = (response, { headers }) => {
      response
        .writeHead(400)
        .end(JSON.stringify({ message: `${headers.authorization} ${String(headers['x-amz-security-token'])}` }));
    };
    const tokens = {
      authorization: 'Bearer ya29.token-of-a-login',
      'x-amz-security-token': 'session/token+of/login==',
    };
    const error = await failure(
      client({}, MEGABYTE, async () => Promise.resolve(tokens)).call({ path: '/x', body: {} }, context()),
    );
    expect(error.message).toBe('[redacted] [redacted]');
    expect(error.upstream?.message).toBe('[redacted] [redacted]');
  });

  it('puts the project of the login into the URL, before the request is signed', async () => {
    const signed: string[] = [];
    const authorize = Object.assign(
      ({ url }: { readonly url: string }) => {
        signed.push(url);
        return {};
      },
      { project: () => Promise.resolve('example.com:old-project') },
    );
    const path = `/projects/${PROJECT_OF_LOGIN}/x?of=${PROJECT_OF_LOGIN}`;
    await client({}, MEGABYTE, authorize).call({ path, body: {} }, context());
    expect(received[0]!.url).toBe('/v1/projects/example.com%3Aold-project/x?of=example.com%3Aold-project');
    expect(signed).toEqual([`${origin}${received[0]!.url}`]);
    const failing = Object.assign(() => ({}), { project: () => Promise.reject(new Error('no project')) });
    await expect(client({}, MEGABYTE, failing).call({ path, body: {} }, context())).rejects.toThrow('no project');
    await client({}, MEGABYTE, failing).call({ path: '/plain', body: {} }, context());
    expect(received).toHaveLength(2);
  });

  it('sends a request once more where the provider refused its login and another one can be had', async () => {
    const refusals: unknown[] = [];
    const by = (replaces: readonly boolean[]): Authorize => {
      let logins = 0;
      return Object.assign(() => ({ authorization: `Bearer login-${refusals.length}` }), {
        refused: (headers: object) => {
          refusals.push(headers);
          return Promise.resolve(replaces[logins++] ?? false);
        },
      });
    };
    const refuse = (status: number, times: number): void => {
      received = [];
      refusals.length = 0;
      reply = (response) => {
        if (received.length <= times) response.writeHead(status).end('{}');
        else response.end('{"ok":true}');
      };
    };
    const call = { path: '/x', body: bodyOf(['a', 'b']) };
    for (const status of [401, 403]) {
      refuse(status, 1);
      expect(await client({}, MEGABYTE, by([true])).call(call, context())).toMatchObject({ status: 200 });
      expect(received.map(({ headers, body }) => [headers.authorization, body.toString()])).toEqual([
        ['Bearer login-0', 'ab'],
        ['Bearer login-1', 'ab'],
      ]);
      expect(refusals).toEqual([{ authorization: 'Bearer login-0' }]);
    }
    refuse(401, 1);
    expect((await client({}, MEGABYTE, by([true])).open(call, context())).status).toBe(200);
    for (const [status, times, replaces, sent] of [
      [401, 1, [false], 1],
      [401, 2, [true, true], 2],
      [429, 1, [true], 1],
      [400, 1, [true], 1],
    ] as const) {
      refuse(status, times);
      await failure(client({}, MEGABYTE, by(replaces)).call(call, context()));
      expect([status, received.length]).toEqual([status, sent]);
    }
  });

  it('stops at the limit of a response, of its own or of the configuration', async () => {
    reply = (response) => {
      response.end('x'.repeat(5_000));
    };
    expect(await failure(client({}, 4_000).call({ path: '/x' }, context()))).toMatchObject({
      code: 'upstream_error',
      retryable: false,
      mayBeBilled: true,
    });
    expect((await client({}, 4_000).call({ path: '/x', maxResponseBytes: 5_000 }, context())).text).toHaveLength(5_000);
  });

  it('ends with the reason of an abort, before, while credentials are awaited, and at the provider', async () => {
    const reason = new Error('gone');
    await expect(client().call({ path: '/x' }, context({ signal: AbortSignal.abort(reason) }))).rejects.toBe(reason);
    const whole = {
      name: 'a',
      type: 'openai',
      baseUrl: origin,
      apiKey: undefined,
      headers: {},
      listModels: true,
    } as const;
    const never = new JsonClient(whole, MEGABYTE, () => new Promise(() => undefined));
    clients.push(never);
    const waiting = new AbortController();
    const call = never.call({ path: '/x' }, context({ signal: waiting.signal }));
    waiting.abort(reason);
    await expect(call).rejects.toBe(reason);
    expect(received).toHaveLength(0);
    reply = () => undefined;
    const atWork = new AbortController();
    const open = client().call({ path: '/x', body: {} }, context({ signal: atWork.signal }));
    await until(() => received.length === 1);
    atWork.abort(reason);
    await expect(open).rejects.toBe(reason);
    await until(() => closed === 1);
  });
});

describe('a stream of bytes', () => {
  const read = async (stream: AsyncIterable<readonly Buffer[]>): Promise<Buffer> => {
    const chunks: Buffer[] = [];
    for await (const group of stream) chunks.push(...group);
    return Buffer.concat(chunks);
  };

  it('gives status, headers and bytes as they come', async () => {
    const sound = Buffer.alloc(700_000, 'RIFFabc');
    reply = (response) => {
      response.setHeader('content-type', 'audio/wav').end(sound);
    };
    const stream = await client().open({ path: '/audio/speech', body: {}, headers: { accept: 'audio/*' } }, context());
    expect(stream.status).toBe(200);
    expect(stream.headers['content-type']).toBe('audio/wav');
    expect((await read(stream)).equals(sound)).toBe(true);
    expect(received[0]!.headers.accept).toBe('audio/*');
  });

  it('rejects with the error of the provider, and with a break before the first byte', async () => {
    reply = (response) => {
      response.writeHead(503, { 'retry-after': '2' }).end('{"error":"busy"}');
    };
    const busy = await failure(client().open({ path: '/x', body: {} }, context()));
    expect(busy).toMatchObject({ status: 503, code: 'upstream_unavailable', retryAfterMs: 2_000 });
    reply = (response) => {
      response.flushHeaders();
      response.socket?.destroy();
    };
    expect(await failure(client().open({ path: '/x', body: {} }, context()))).toMatchObject({ retryable: true });
  });

  it('throws where the stream breaks or is too long', async () => {
    reply = (response) => {
      response.write('half', () => response.socket?.destroy());
    };
    const half = await client().open({ path: '/x' }, context());
    expect(await failure(read(half))).toMatchObject({ code: 'upstream_error' });
    reply = (response) => {
      response.end('x'.repeat(9_000));
    };
    const long = client({}, 8_000).open({ path: '/x' }, context());
    expect(await failure(long.then(read))).toMatchObject({
      code: 'upstream_error',
      retryable: false,
      mayBeBilled: true,
    });
  });

  it('ends a silent provider by the idle timeout, and gives an empty body as an empty stream', async () => {
    reply = (response) => {
      response.write('a');
    };
    const silent = await client().open({ path: '/x' }, context({ timeouts: { ...TIMEOUTS, idle: 50 } }));
    expect(await failure(read(silent))).toMatchObject({ code: 'upstream_timeout' });
    reply = (response) => {
      response.end();
    };
    expect(await read(await client().open({ path: '/x' }, context()))).toHaveLength(0);
  });

  it('holds the provider back for a slow reader, and ends it when the reader leaves', async () => {
    let written = 0;
    reply = (response) => {
      const more = (): void => {
        while (written < 400) {
          written += 1;
          if (!response.write(Buffer.alloc(65_536))) {
            response.once('drain', more);
            return;
          }
        }
      };
      more();
    };
    const stream = await client({}, 64 * MEGABYTE).open({ path: '/x' }, context());
    let seen = 0;
    let still = 0;
    await until(() => {
      still = written > 0 && written === seen ? still + 1 : 0;
      seen = written;
      return still === 10;
    });
    expect(written).toBeLessThan(400);
    for await (const group of stream) {
      expect(group.length).toBeGreaterThan(0);
      break;
    }
    await until(() => closed === 1);
  });
});
