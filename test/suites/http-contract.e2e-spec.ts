import { connect } from 'node:net';
import { once } from 'node:events';
import { gzipSync } from 'node:zlib';
import type { GatewayClient, Method, RequestBody, RequestOptions } from '../clients/gateway-client.js';
import type { GatewayResponse } from '../clients/gateway-response.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';

const CHAT = { model: 'sandbox/echo', messages: [{ role: 'user', content: 'hi' }] };

describe('the HTTP contract', () => {
  let gateway: RunningGateway;
  let client: GatewayClient;

  beforeAll(async () => {
    gateway = await startGateway({ config: { server: { max_body_size: '2MB' } } });
    client = await gateway.newClient();
  });
  afterAll(async () => {
    await gateway.stop();
  });

  const post = (body: RequestBody, options?: RequestOptions): Promise<GatewayResponse> =>
    client.post('/v1/chat/completions', body, options);

  function expectError(
    response: GatewayResponse,
    status: number,
    type: string,
    code: string,
    param: string | null,
  ): void {
    expect({ status: response.status, body: response.body }).toEqual({
      status,
      body: { error: { message: expect.stringMatching(/.{10}/) as string, type, param, code } },
    });
    expect(response.headers.get('x-request-id')).toMatch(/./);
    expect(response.headers.get('content-type')).toMatch(/^application\/json/);
  }

  it.each([['/v1/chat/completions'], ['/chat/completions'], ['/v1/chat/completions/'], ['/chat/completions/']])(
    'answers a completion at %s',
    async (path) => {
      const response = await client.post(path, CHAT);
      expect(response.status).toBe(200);
      expect(response.body).toMatchObject({
        object: 'chat.completion',
        model: 'sandbox/echo',
        choices: [
          {
            index: 0,
            message: { role: 'assistant', content: 'hi', refusal: null },
            logprobs: null,
            finish_reason: 'stop',
          },
        ],
      });
      expect(response.headers.get('x-gateway-model')).toBe('sandbox/echo');
      expect(response.headers.get('x-gateway-provider')).toBe('sandbox');
      expect(response.headers.get('x-gateway-attempts')).toBe('1');
      expect(response.headers.get('openai-processing-ms')).toMatch(/^\d+$/);
    },
  );

  it('takes the key as x-api-key too, and refuses two that differ', async () => {
    const anonymous = gateway.client('');
    expect((await anonymous.chat({}, { headers: { 'x-api-key': client.key } })).status).toBe(200);
    const both = await post(CHAT, { headers: { 'x-api-key': 'gw_other' } });
    expectError(both, 401, 'authentication_error', 'invalid_api_key', null);
  });

  it('keeps a sane x-request-id and replaces another', async () => {
    expect((await post(CHAT, { headers: { 'x-request-id': 'my-id_1' } })).headers.get('x-request-id')).toBe('my-id_1');
    expect((await post(CHAT, { headers: { 'x-request-id': 'not sane' } })).headers.get('x-request-id')).toMatch(
      /^req_/,
    );
  });

  it.each([
    ['malformed JSON', '{"model": "x",', 400, 'invalid_json', null],
    ['an empty body', '', 400, 'missing_required_parameter', 'model'],
    ['a bare string', '"hi"', 400, 'invalid_json', null],
    ['an array', '[]', 400, 'invalid_type', null],
    ['no model', '{"messages": []}', 400, 'missing_required_parameter', 'model'],
    [
      'a wrong type deep inside',
      '{"model":"m","messages":[{"role":"user","content":[{"type":"text"}]}]}',
      400,
      'missing_required_parameter',
      'messages[0].content[0].text',
    ],
    [
      'deep nesting',
      `{"model":"m","messages":[],"x":${'['.repeat(100)}${']'.repeat(100)}}`,
      400,
      'too_deeply_nested',
      'x[0][0][0][0][0]',
    ],
  ])('answers %s with a 400 that names the field', async (_name, body, status, code, param) => {
    const response = await post(body);
    expectError(response, status, 'invalid_request_error', code, param);
  });

  it('answers 413 to a body over the limit, plain or once inflated, and 415 to what is not JSON', async () => {
    const large = JSON.stringify({ ...CHAT, padding: 'x'.repeat(3 * 1024 * 1024) });
    expectError(await post(large), 413, 'invalid_request_error', 'request_too_large', null);
    const bomb = await post(gzipSync(large), { headers: { 'content-encoding': 'gzip' } });
    expectError(bomb, 413, 'invalid_request_error', 'request_too_large', null);
    const form = await post('a=b', { headers: { 'content-type': 'application/x-www-form-urlencoded' } });
    expectError(form, 415, 'invalid_request_error', 'unsupported_media_type', null);
    const charset = await post('{}', { headers: { 'content-type': 'application/json; charset=utf-7' } });
    expectError(charset, 415, 'invalid_request_error', 'unsupported_media_type', null);
  });

  it('takes a compressed body', async () => {
    const response = await post(gzipSync(JSON.stringify(CHAT)), { headers: { 'content-encoding': 'gzip' } });
    expect(response.status).toBe(200);
  });

  it('reads no body before it knows the key', async () => {
    const response = await gateway.client('gw_wrong').post('/v1/chat/completions', '{ not json');
    expectError(response, 401, 'authentication_error', 'invalid_api_key', null);
  });

  it('answers unknown models, routes and methods', async () => {
    expectError(await post({ ...CHAT, model: 'nope' }), 404, 'invalid_request_error', 'model_not_found', 'model');
    expectError(await client.get('/v1/nothing'), 404, 'invalid_request_error', 'not_found', null);
    expectError(await client.get('/'), 404, 'invalid_request_error', 'not_found', null);
    expectError(await client.get('/v1/models/%E0%A4%A'), 400, 'invalid_request_error', 'invalid_url', null);
  });

  it('answers HTTP that Node refuses in the same shape', async () => {
    const { hostname, port } = new URL(gateway.url);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    socket.write('GET / HTTP/1.1\r\nHost: x\r\nBad Header\r\n\r\n');
    let text = '';
    for await (const chunk of socket.setEncoding('utf8')) text += String(chunk);
    expect(text).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/);
    expect(text).toMatch(/x-request-id: req_/);
    expect(JSON.parse(text.slice(text.indexOf('\r\n\r\n') + 4))).toEqual({
      error: {
        message: expect.any(String) as string,
        type: 'invalid_request_error',
        param: null,
        code: 'invalid_http',
      },
    });
  });

  it('reports health in the reference’s shape, without a key', async () => {
    const anonymous = gateway.client('');
    const health = await anonymous.get('/health');
    expect(health.status).toBe(200);
    expect(health.body).toEqual({
      status: 'ok',
      service: 'llm-gateway',
      version: expect.stringMatching(/^\d+\.\d+\.\d+/) as string,
      timestamp: expect.any(Number) as number,
    });
    expect((await anonymous.get('/health/live')).body).toMatchObject({ status: 'ok' });
    expect((await anonymous.get('/health/ready')).body).toMatchObject({
      status: 'ok',
      details: { database: { status: 'up' }, shutdown: { status: 'up' } },
    });
  });

  describe('methods', () => {
    const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;

    /** Paths of the document with ids in them, and the methods of all routes that each of them matches. */
    async function routes(): Promise<{ path: string; allowed: string[] }[]> {
      const { paths } = await gateway.client('').read<{ paths: Record<string, Record<string, unknown>> }>('/docs-json');
      const documented = Object.entries({ ...paths, '/metrics': { get: {} } }).map(([path, methods]) => {
        const isModel = path.includes('/models/{');
        const pattern = new RegExp(`^${path.replaceAll(/\{[^}]+\}/g, isModel ? '.+' : '[^/]+')}$`);
        return { path: path.replaceAll(/\{[^}]+\}/g, 'x'), pattern, methods: Object.keys(methods) };
      });
      return documented.map(({ path }) => {
        const methods = new Set(documented.flatMap((each) => (each.pattern.test(path) ? each.methods : [])));
        if (methods.has('get')) methods.add('head');
        return { path, allowed: METHODS.filter((method) => methods.has(method.toLowerCase())) };
      });
    }

    it('that a path does not have are answered with 405 and with those that it has', async () => {
      for (const { path, allowed } of await routes()) {
        const allow = [...allowed, 'OPTIONS'].join(', ');
        for (const spelling of [path, `${path}/`, `${path}?limit=1`, path.replace(/^\/v1\//, '/')]) {
          const options = await gateway.client('').send('OPTIONS', spelling);
          expect([spelling, options.status, options.header('allow')]).toEqual([spelling, 204, allow]);
        }
        for (const method of METHODS.filter((each) => !allowed.includes(each))) {
          const body = method === 'GET' || method === 'HEAD' ? undefined : '{}';
          const response = await gateway.client('').send(method, path, body);
          const { status, headers } = response;
          expect([method, path, status, headers.get('allow')]).toEqual([method, path, 405, allow]);
          expect(headers.get('x-request-id')).toMatch(/^req_/);
          if (method !== 'HEAD') expect(response.body.error?.message).toContain(allow);
        }
      }
    });

    it('of other standards are 405 as well, and OPTIONS of the server names all', async () => {
      const { hostname, port } = new URL(gateway.url);
      const statusOf = async (line: string): Promise<string> => {
        const socket = connect(Number(port), hostname);
        await once(socket, 'connect');
        socket.write(`${line} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
        let text = '';
        for await (const chunk of socket.setEncoding('utf8')) text += String(chunk);
        return text;
      };
      for (const method of ['TRACE', 'PROPFIND', 'QUERY', 'PURGE', 'LINK']) {
        expect(await statusOf(`${method} /v1/models`)).toMatch(
          /^HTTP\/1\.1 405 [^]*\r\nallow: GET, HEAD, OPTIONS\r\n/i,
        );
        expect(await statusOf(`${method} /v1/nothing`)).toMatch(/^HTTP\/1\.1 404 /);
      }
      expect(await statusOf('OPTIONS *')).toMatch(
        /^HTTP\/1\.1 204 [^]*\r\nallow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n/i,
      );
      for (const path of ['/v1/models', '/models']) {
        expect(await statusOf(`PUT http://gateway.example${path}?x=1`)).toMatch(/^HTTP\/1\.1 405 /);
        expect(await statusOf(`GET http://gateway.example${path}`)).toMatch(/^HTTP\/1\.1 401 /);
      }
    });

    it('HEAD and GET have the same head wherever there is a GET', async () => {
      const jobId = await gateway.admin.submitBatch('sandbox/echo', ['hi']);
      await gateway.admin.endedBatch(jobId);
      const { id: responseId } = await gateway.admin.make<{ id: string }>('/v1/responses', {
        model: 'sandbox/echo',
        input: 'hi',
      });
      const gets = (await routes()).filter(({ allowed }) => allowed.includes('GET'));
      const paths = gets.flatMap(({ path }) => [
        path,
        ...(path.includes('/batch') ? [path.replace('/x', `/${jobId}`)] : []),
        path.replace('/responses/x', `/responses/${responseId}`).replace('/models/x', '/models/sandbox/echo'),
      ]);
      let successes = 0;
      for (const path of new Set(paths)) {
        for (const accept of ['application/json', 'text/csv']) {
          const headers = { accept };
          const got = await gateway.admin.get(path, { headers });
          const head = await gateway.admin.send('HEAD', path, undefined, { headers });
          const of = ({ status, headers: all }: GatewayResponse): unknown[] => [path, status, all.get('content-type')];
          expect(of(head)).toEqual(of(got));
          expect(head.text).toBe('');
          if (head.status === 200) successes += 1;
        }
      }
      expect(successes).toBeGreaterThan(30);
    });
  });

  describe('the route x role matrix', () => {
    const PUBLIC = new Set([
      '/health',
      '/health/live',
      '/health/ready',
      '/docs',
      '/docs-json',
      '/docs-yaml',
      '/v1/session/methods',
      '/session/methods',
    ]);

    it('responds with a 2xx only to permitted keys, for any spelling of the path', async () => {
      const document = await gateway.client('').read<{
        paths: Record<string, Record<string, unknown>>;
      }>('/docs-json');
      const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
        Object.keys(methods).map((method) => ({ path, method: method.toUpperCase() })),
      );
      expect(routes.length).toBeGreaterThan(8);
      const surprises: string[] = [];
      for (const { path, method } of [...routes, { path: '/metrics', method: 'GET' }]) {
        const concrete = path.replace(/\{[^}]+\}/g, 'x').replace('*', '');
        const spellings = [
          concrete,
          `${concrete}/`,
          `/${concrete}`,
          concrete.toUpperCase(),
          concrete.replace(/^\/v1\//, '/'),
          concrete.replace('/v1/', '/V1//'),
          concrete.replaceAll('/', '%2F').replace('%2F', '/'),
          `${concrete}?access_token=${client.key}`,
          `${concrete};x=y`,
          `${concrete}/.`,
          `/health/..${concrete}`,
          `/docs/..${concrete}`,
        ];
        for (const spelling of spellings) {
          const resolved = new URL(spelling.replace(/^\/+/, '/'), gateway.url).pathname
            .replace(/\/+$/, '')
            .toLowerCase();
          const isPublic = PUBLIC.has(resolved) || resolved.startsWith('/docs');
          const isInference =
            /^(?:(\/v1)?\/(?:models|batch|files|uploads|messages\/batches$|key(?:\/usage(?:\/records)?)?$)|\/v1beta\/models)/.test(
              resolved,
            );
          const send = async (verb: Method, role: string, credential: string): Promise<void> => {
            const body = ['POST', 'PATCH', 'PUT'].includes(verb) ? '{}' : undefined;
            const { status } = await gateway.client(credential).send(verb, spelling, body);
            if (status < 200 || status > 299) return;
            if (isPublic || (role === 'an inference key' && isInference)) return;
            surprises.push(`${verb} ${spelling} as ${role}: ${status}`);
          };
          const roles = { 'no key': '', 'a wrong key': 'gw_0000000000000000_wrong', 'an inference key': client.key };
          await Promise.all(
            [method as Method, 'HEAD' as const].flatMap((verb) =>
              Object.entries(roles).map(([role, credential]) => send(verb, role, credential)),
            ),
          );
        }
      }
      expect(surprises).toEqual([]);
    });

    it('is not moved by an odd Host or a method override', async () => {
      for (const headers of <Record<string, string>[]>[
        { 'x-http-method-override': 'GET' },
        { 'x-original-url': '/health', 'x-rewrite-url': '/health' },
        { 'x-forwarded-host': 'localhost', 'x-forwarded-for': '127.0.0.1' },
      ]) {
        expect((await gateway.client('').get('/v1/admin/keys', { headers })).status).toBe(401);
        expect((await client.get('/v1/admin/keys', { headers })).status).toBe(403);
      }
    });
  });
});
