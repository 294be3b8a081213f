import { once } from 'node:events';
import { connect } from 'node:net';
import { deflateRawSync, gzipSync } from 'node:zlib';
import type { Method, RequestBody } from '../clients/gateway-client.js';
import type { GatewayResponse } from '../clients/gateway-response.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { model, type GatewayFile } from '../fixtures/gateway-config.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';

const CONFIG: GatewayFile = {
  sandbox: true,
  server: { max_body_size: '2MB' },
  models: [model('客服, 100%', { at: 'sandbox/echo', concurrency: 1 })],
};
const CHAT = '{"model":"sandbox/echo","messages":[{"role":"user","content":"hi"}]}';
const BATCH = '{"model":"sandbox/echo","tasks":["hi"]}';
const KEY = '{"name":"k"}';
const ROUTES: readonly (readonly [path: string, body: string, status: number])[] = [
  ['/v1/chat/completions', CHAT, 200],
  ['/v1/batch/generate', BATCH, 202],
  ['/v1/admin/keys', KEY, 201],
];

describe(`the edge (${isPostgresRun ? 'PostgreSQL' : 'SQLite'})`, () => {
  let gateway: RunningGateway;

  beforeAll(async () => {
    gateway = await startGateway({ config: CONFIG });
  });
  afterAll(async () => {
    await gateway.stop();
  });

  const call = (
    method: Method,
    path: string,
    body?: RequestBody,
    headers: Record<string, string> = {},
  ): Promise<GatewayResponse> => gateway.admin.send(method, path, body, { headers });

  /** What comes back on a bare socket until it is closed, or until the text has what is waited for. */
  async function raw(lines: readonly string[], body = '', until = /\r\n\r\n[^]*\}/): Promise<string> {
    const { hostname, port } = new URL(gateway.url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    socket.on('error', () => undefined);
    socket.write(`${lines.join('\r\n')}\r\n\r\n${body}`);
    let text = '';
    for await (const chunk of socket.setEncoding('utf8')) {
      text += String(chunk);
      if (until.test(text)) break;
    }
    socket.destroy();
    return text;
  }
  const head = (path: string, ...headers: string[]): string[] => [
    `POST ${path} HTTP/1.1`,
    'host: x',
    `authorization: Bearer ${gateway.adminKey}`,
    'content-type: application/json',
    ...headers,
  ];

  it.each(['%00', 'a%00b'])('answers %s in ids, cursors and filters with a 404 or a 400', async (text) => {
    const places: [method: Method, path: string][] = [
      ['GET', `/v1/batch/${text}`],
      ['GET', `/v1/batch/${text}/results`],
      ['GET', `/v1/batch/${text}/events`],
      ['POST', `/v1/batch/${text}/cancel`],
      ['GET', `/v1/messages/batches/${text}`],
      ['GET', `/v1/messages/batches/${text}/results`],
      ['POST', `/v1/messages/batches/${text}/cancel`],
      ['DELETE', `/v1/messages/batches/${text}`],
      ['GET', `/v1/messages/batches?after_id=${text}`],
      ['POST', `/v1/uploads/${text}/cancel`],
      ['GET', `/v1/batches/${text}`],
      ['POST', `/v1/batches/${text}/cancel`],
      ['GET', `/v1/batches?after=${text}`],
      ['GET', `/v1/files/${text}`],
      ['GET', `/v1/files/${text}/content`],
      ['DELETE', `/v1/files/${text}`],
      ['GET', `/v1/files?after=${text}`],
      ['GET', `/v1/batch?after=${text}`],
      ['GET', `/v1/admin/batches?after=${text}`],
      ['GET', `/v1/admin/keys/${text}`],
      ['PATCH', `/v1/admin/keys/${text}`],
      ['DELETE', `/v1/admin/keys/${text}`],
      ['POST', `/v1/admin/keys/${text}/rotate`],
      ['GET', `/v1/admin/keys?after=${text}`],
      ['GET', `/v1/admin/keys?group_id=${text}`],
      ['GET', `/v1/admin/groups/${text}`],
      ['PATCH', `/v1/admin/groups/${text}`],
      ['DELETE', `/v1/admin/groups/${text}`],
      ['GET', `/v1/admin/groups?after=${text}`],
      ['GET', `/v1/admin/usage?model=${text}`],
      ['GET', `/v1/admin/usage/records?user=${text}`],
      ['GET', `/v1/admin/usage/records?key_id=${text}`],
      ['GET', `/v1/admin/request-log?model=${text}`],
      ['GET', `/v1/admin/request-log/${text}`],
      ['GET', `/v1/admin/audit?actor=${text}`],
      ['GET', `/v1/models/${text}`],
    ];
    for (const [method, path] of places) {
      const { status, body } = await call(method, path, method === 'PATCH' ? '{}' : undefined);
      expect({ method, path, status, code: body.error?.code }).toEqual({
        method,
        path,
        status: path.includes('?') ? 400 : 404,
        // Errors of Anthropic's form have no code.
        code: path.startsWith('/v1/messages/') ? undefined : path.includes('?') ? 'invalid_value' : 'not_found',
      });
    }
  });

  it('refuses names that no database keeps, and keeps free-form objects with any member names', async () => {
    for (const path of ['/v1/admin/keys', '/v1/admin/groups']) {
      for (const name of ['"a\\u0000"', '"\\udfff"']) {
        expect(await call('POST', path, `{"name":${name}}`)).toMatchObject({
          status: 400,
          body: { error: { param: 'name' } },
        });
      }
      const metadata = '{"constructor":{"a":"\\u0000"},"__proto__":{"x":1},"toString":null,"in":{"prototype":[1]}}';
      const made = await call('POST', path, `{"name":"😀","metadata":${metadata}}`);
      const id = String(made.body['id']);
      expect((await call('GET', `${path}/${id}`)).text).toContain(`"metadata":${metadata}`);
      expect(await call('PATCH', `${path}/${id}`, '{"name":null}')).toMatchObject({
        status: 400,
        body: { error: { param: 'name' } },
      });
    }
  });

  it.each(ROUTES)('reads UTF-8 alone at %s, with any spelling of its name', async (path, body, status) => {
    const latin1 = Buffer.from(
      body.replace(/hi|"k"/, (text) => text.replace(/i|k/, '\xe9')),
      'latin1',
    );
    expect(await call('POST', path, latin1)).toMatchObject({ status: 400, body: { error: { code: 'invalid_json' } } });
    expect((await call('POST', path, `\ufeff${body}`)).status).toBe(status);
    for (const type of ['application/json; charset="utf-8"', 'application/json;Charset=UTF-8'])
      expect((await call('POST', path, body, { 'content-type': type })).status).toBe(status);
    expect((await call('POST', path, body, { 'content-type': 'application/json; charset="utf-16"' })).status).toBe(415);
    const number = body
      .replace(/\}$/, ',"metadata":{"x":1e999}}')
      .replace('"metadata"', path.includes('batch') ? '"batch_metadata"' : '"metadata"');
    expect(await call('POST', path, number)).toMatchObject({ status: 400, body: { error: { code: 'invalid_value' } } });
  });

  it.each(ROUTES)('refuses damaged and unknown encodings at %s', async (path, body, status) => {
    const whole = gzipSync(body);
    const damaged: Record<string, Uint8Array> = {
      none: Buffer.from(body),
      cut: whole.subarray(0, -8),
      more: Buffer.concat([whole, Buffer.from('more')]),
      changed: Buffer.from(whole).fill(0xff, 12, 16),
    };
    for (const bytes of Object.values(damaged)) {
      expect(await call('POST', path, bytes, { 'content-encoding': 'gzip' })).toMatchObject({
        status: 400,
        body: { error: { code: 'invalid_encoding' } },
      });
    }
    expect((await call('POST', path, deflateRawSync(body), { 'content-encoding': 'deflate' })).status).toBe(400);
    expect((await call('POST', path, whole, { 'content-encoding': 'X-GZip' })).status).toBe(status);
    const zstd = await call('POST', path, whole, { 'content-encoding': 'zstd' });
    expect(zstd.status).toBe(415);
    expect(zstd.text).toMatch(/gzip, deflate and br/);
  });

  it('takes names outside ASCII, and gives their slots back', async () => {
    for (const stream of [false, true, true, false]) {
      const response = await call('POST', '/v1/chat/completions', {
        model: '客服, 100%',
        stream,
        messages: [{ role: 'user', content: 'hi' }],
      });
      expect(response.status).toBe(200);
      expect(response.headers.get('x-gateway-model')).toBe('%E5%AE%A2%E6%9C%8D%2C%20100%25');
    }
  });

  const onSqlite = isPostgresRun ? it.skip : it;

  onSqlite('prints the documents once, with a tag', async () => {
    for (const path of ['/docs-json', '/docs-yaml', '/docs', '/docs/swagger-ui-init.js']) {
      const first = await call('GET', path);
      const etag = first.headers.get('etag') ?? '';
      expect(etag).toMatch(/^"[\w-]{20,}"$/);
      expect((await call('GET', path)).text).toBe(first.text);
      const known = await call('GET', path, undefined, { 'if-none-match': `"x", W/${etag}` });
      expect({ path, status: known.status, text: known.text }).toEqual({ path, status: 304, text: '' });
      const length = (await call('HEAD', path)).headers.get('content-length');
      expect(length).toBe(String(Buffer.byteLength(first.text)));
    }
  });

  onSqlite('refuses a body by its announced length, and at the first byte too many', async () => {
    const two = ' '.repeat(2_100_000);
    const chunk = `${two.length.toString(16)}\r\n${two}\r\n`;
    for (const [path, length] of [
      ['/v1/admin/keys', 60_000_000],
      ['/v1/chat/completions', 1e12],
      ['/v1/batch/generate', 300_000_000],
    ] as const) {
      expect(await raw(head(path, `content-length: ${length}`))).toMatch(/^HTTP\/1\.1 413 [^]*request_too_large/);
    }
    for (const path of ['/v1/admin/keys', '/v1/chat/completions'])
      expect(await raw(head(path, 'transfer-encoding: chunked'), chunk)).toMatch(/^HTTP\/1\.1 413 /);
  });

  onSqlite('sends a client with expect: 100-continue the final status, or 100 Continue', async () => {
    const expectation = 'expect: 100-continue';
    const wrong = head('/v1/batch/generate', 'content-length: 5000000', expectation).map((line) =>
      line.startsWith('authorization') ? 'authorization: Bearer wrong' : line,
    );
    expect(await raw(wrong)).toMatch(/^HTTP\/1\.1 401 /);
    const text = head('/v1/batch/generate', 'content-length: 5000', expectation).map((line) =>
      line.startsWith('content-type') ? 'content-type: text/plain' : line,
    );
    expect(await raw(text)).toMatch(/^HTTP\/1\.1 415 /);
    expect(await raw(head('/v1/chat/completions', 'content-length: 100000000', expectation))).toMatch(
      /^HTTP\/1\.1 413 /,
    );
    for (const [path, body, status] of ROUTES) {
      const response = await raw(head(path, `content-length: ${body.length}`, expectation, 'connection: close'), body);
      expect(response).toMatch(new RegExp(`^HTTP/1\\.1 100 Continue\\r\\n\\r\\nHTTP/1\\.1 ${status} `));
    }
  });

  onSqlite('lets a client that still sends have its answer', async () => {
    const faulty = JSON.stringify({ custom_id: 5, prompt: 'x'.repeat(1_000) });
    const good = JSON.stringify({ prompt: 'x'.repeat(4_000) });
    const tasks = [...Array<string>(25).fill(faulty), ...Array<string>(8_000).fill(good)].join(',');
    const batch = Buffer.from(`{"model":"sandbox/echo","tasks":[${tasks}]}`);
    for (let round = 0; round < 3; round += 1) {
      for (const body of [batch, new Blob([batch]).stream()]) {
        expect((await call('POST', '/v1/batch/generate', body)).status).toBe(400);
      }
      expect((await call('POST', '/v1/chat/completions', batch, { 'content-type': 'text/plain' })).status).toBe(415);
      expect((await call('POST', '/v1/chat/completions', batch, { authorization: 'Bearer no' })).status).toBe(401);
    }
  });

  onSqlite('lets a client that still sends have what Node refuses', async () => {
    const { hostname, port } = new URL(gateway.url);
    const megabyte = 'x'.repeat(1_048_576);
    const key = `authorization: Bearer ${gateway.adminKey}`;
    for (const [start, status] of [
      [`GET / HTTP/1.1\r\nhost: x\r\na: `, 431],
      ['GET / HTTP/1.1\r\nhost: x\r\nbad header\r\n\r\n', 400],
      ['POST /v1/admin/keys HTTP/1.1\r\ncontent-length: 20000000\r\n\r\n', 400],
      ['POST /v1/admin/keys HTTP/1.1\r\nhost: x\r\nexpect: a\r\ncontent-length: 20000000\r\n\r\n', 417],
      ['CONNECT 127.0.0.1:22 HTTP/1.1\r\nhost: 127.0.0.1:22\r\n\r\n', 501],
      [
        'GET /v1/responses HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\ncontent-length: 20000000\r\n\r\n',
        426,
      ],
      [`POST /v1/admin/keys HTTP/1.1\r\nhost: x\r\n${key}\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n`, 400],
      [`PUT /v1/admin/keys HTTP/1.1\r\nhost: x\r\ncontent-length: 20000000\r\n\r\n`, 405],
      [`POST /v1/nothing HTTP/1.1\r\nhost: x\r\ncontent-length: 20000000\r\n\r\n`, 404],
      [`OPTIONS /v1/models HTTP/1.1\r\nhost: x\r\ncontent-length: 20000000\r\n\r\n`, 204],
      [`GET /v1/models HTTP/1.1\r\nhost: x\r\ncontent-length: 20000000\r\n\r\n`, 401],
    ] as const) {
      const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: true });
      await once(socket, 'connect');
      let fault: unknown;
      socket.on('error', (error) => (fault = error));
      // The response is read when all has been sent, as by clients that do not read meanwhile.
      socket.pause();
      socket.write(start);
      for (let sent = 0; sent < 19 && fault === undefined; sent += 1) {
        await new Promise((resolve) => socket.write(megabyte, resolve));
      }
      socket.end();
      let text = '';
      for await (const chunk of socket.setEncoding('utf8')) text += String(chunk);
      expect([start.slice(0, 40), fault, text.slice(9, 12)]).toEqual([start.slice(0, 40), undefined, String(status)]);
      expect(text).toMatch(/\r\nx-request-id: req_/i);
    }
  });

  onSqlite('does not write a refusal into a response, nor in place of one', async () => {
    const good = head('/v1/chat/completions', `content-length: ${CHAT.length}`);
    const both = await raw(good, `${CHAT}NOT HTTP\r\n\r\n`, /invalid_http/);
    const [first = '', second = ''] = both.split(/(?=HTTP\/1\.1 400)/);
    expect(first).toMatch(/^HTTP\/1\.1 200 [^]*"content":"hi"[^]*\}$/);
    expect(second).toMatch(/^HTTP\/1\.1 400 Bad Request[^]*invalid_http/);
    const body = JSON.stringify({
      model: 'sandbox/slow',
      stream: true,
      messages: [{ role: 'user', content: 'a b c d' }],
    });
    const streamed = await raw(
      head('/v1/chat/completions', `content-length: ${body.length}`),
      `${body}NOT HTTP\r\n\r\n`,
      /invalid_http/,
    );
    expect(streamed).toMatch(/^HTTP\/1\.1 200 [^]*data: \[DONE\]\n\n\r\n0\r\n\r\nHTTP\/1\.1 400 /);
  });

  onSqlite('gives what Node refuses the error body and an id, and drops no header line', async () => {
    const key = `authorization: Bearer ${gateway.adminKey}`;
    for (const [lines, status, code] of [
      [['GET /v1/models HTTP/1.1', key], 400, 'invalid_http'],
      [head('/v1/chat/completions', 'content-length: 2', 'expect: something'), 417, 'unsupported_expectation'],
      [['CONNECT 127.0.0.1:22 HTTP/1.1', 'host: 127.0.0.1:22'], 501, 'unsupported_method'],
      [['GET /v1/models HTTP/1.1', 'host: x', key, 'Host: y'], 400, 'invalid_http'],
      [head('/v1/chat/completions', 'transfer-encoding: gzip, chunked'), 501, 'unsupported_transfer_encoding'],
      [head('/v1/chat/completions', 'transfer-encoding: gzip'), 400, 'invalid_http'],
      [head('/v1/chat/completions', 'transfer-encoding: chunked', 'content-length: 5'), 400, 'invalid_http'],
      [['GET /v1/models HTTP/3.0', 'host: x', key], 400, 'invalid_http'],
      [['G@T /v1/models HTTP/1.1', 'host: x', key], 400, 'invalid_http'],
      [['GET /v1/models HTTP/1.1', 'host: x', 'no name', key], 400, 'invalid_http'],
      [['GET / HTTP/1.1', 'host: x', `a: ${'b'.repeat(20_000)}`], 431, 'headers_too_large'],
    ] as const) {
      const response = await raw(lines);
      expect(response).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
      expect(response).toMatch(/\r\nx-request-id: req_/i);
      expect(JSON.parse(response.slice(response.indexOf('\r\n\r\n') + 4))).toMatchObject({ error: { code } });
    }
    const many = Array.from({ length: 2_100 }, () => 'a:1');
    const response = await raw(['GET /v1/models HTTP/1.1', 'host: x', ...many, key, 'connection: close']);
    expect(response).toMatch(/^HTTP\/1\.1 200 /);
  });
});
