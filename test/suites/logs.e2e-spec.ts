import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { model } from '../fixtures/gateway-config.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';
import { until } from '../fixtures/until.js';

/** Its words and its number are long: a port or an id of the log does not contain them by chance. */
const PROMPT = 'write about zebrafinches-47110815472';
const UPSTREAM_KEY = 'upstream-key-1f9c0ab3';

interface Line {
  level: string;
  msg: string;
  [field: string]: unknown;
}

// What is logged does not depend on the database.
(isPostgresRun ? describe.skip : describe)('the log', () => {
  let upstream: Server;
  let gateway: RunningGateway;
  let key: string;

  beforeAll(async () => {
    // Refuses everything with the status that the model's name ends in, and quotes what it was sent.
    upstream = createServer((request, response) => {
      let body = '';
      request.setEncoding('utf8').on('data', (text: string) => (body += text));
      request.on('end', () => {
        const { model, messages } = JSON.parse(body) as { model: string; messages: { content: string }[] };
        const message = `Unsupported value near '${messages[0]?.content ?? ''}' with ${request.headers.authorization ?? ''}`;
        response.writeHead(Number(/\d+$/.exec(model)?.[0]), { 'content-type': 'application/json' });
        response.end(JSON.stringify({ error: { message, type: 'invalid_request_error', code: 'bad_value' } }));
      });
    }).listen(0, '127.0.0.1');
    await once(upstream, 'listening');
    const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}/v1`;
    gateway = await startGateway({
      env: { REFUSING_KEY: UPSTREAM_KEY },
      config: {
        sandbox: true,
        providers: { refusing: { type: 'openai', base_url: url, api_key: '${REFUSING_KEY}' } },
        models: [
          model('picky', 'refusing/s-422'),
          model('broken', ['refusing/s-500', 'refusing/t-503'], { strategy: 'priority' }),
        ],
      },
    });
    key = await gateway.apiKey();
  });
  afterAll(async () => {
    await gateway.stop();
    upstream.close();
  });

  const lines = (): Line[] =>
    gateway
      .logs()
      .split('\n')
      .filter((line) => line.startsWith('{') && line.endsWith('}'))
      .map((line) => JSON.parse(line) as Line);

  const send = async (path: string, body: object, credential = key): Promise<string> =>
    (await gateway.client(credential).post(path, body)).header('x-request-id');

  async function linesOf(requestId: string): Promise<Line[]> {
    const found = (): Line[] => lines().filter((line) => line['request_id'] === requestId);
    await until(() => found().some(({ msg }) => msg === 'request'));
    return found();
  }

  it('begins with one line that says what runs', () => {
    const [first] = lines().filter(({ msg }) => msg === 'listening');
    expect(first).toMatchObject({
      level: 'info',
      version: expect.stringMatching(/^\d+\.\d+\.\d+$/) as string,
      role: 'all',
      database: expect.stringMatching(/^SQLite \//) as string,
      redis: 'none',
      providers: ['refusing', 'sandbox'],
      models: ['picky', 'broken'],
    });
  });

  it.each([false, true])(
    'names the cause of a failed request (stream: %p), and nothing of the prompt',
    async (stream) => {
      const messages = [{ role: 'user', content: PROMPT }];
      const refused = await linesOf(await send('/v1/chat/completions', { model: 'picky', messages, stream }));
      expect(refused.find(({ msg }) => msg === 'request')).toMatchObject({
        operation: 'chat',
        model: 'picky',
        provider: 'refusing',
        attempts: 1,
        status: 422,
        upstream_status: 422,
        upstream_message: expect.stringMatching(
          /^Unsupported value near '.*' with Bearer \[redacted\]|^Unsupported value near '.*' with \[redacted\]/,
        ) as string,
        error_code: 'bad_value',
        key_id: expect.stringMatching(/^key_/) as string,
      });
      const failed = await linesOf(await send('/v1/chat/completions', { model: 'broken', messages, stream }));
      const call = failed.find(({ msg }) => msg === 'a call to a model failed');
      expect(call).toMatchObject({ level: 'warn', source: 'live', operation: 'chat', model: 'broken' });
      const attempts = call?.['attempts'] as { provider: string; upstream_model: string; upstream_status: number }[];
      expect(attempts.map(({ upstream_status: status }) => status)).toEqual(expect.arrayContaining([500, 503]));
      expect(new Set(attempts.map(({ upstream_model: model }) => model))).toEqual(new Set(['s-500', 't-503']));
      expect(gateway.logs()).not.toMatch(/zebrafinches|47110815472/);
      expect(gateway.logs()).not.toContain(UPSTREAM_KEY);
    },
  );

  it('names the task of a batch that failed', async () => {
    await send('/v1/batch/generate', { model: 'picky', tasks: [PROMPT] });
    const isTask = ({ msg, source }: Line): boolean => msg === 'a call to a model failed' && source === 'batch';
    await until(() => lines().some(isTask));
    expect(lines().find(isTask)).toMatchObject({
      batch_id: expect.stringMatching(/^batch_/) as string,
      task: 0,
      key_id: expect.stringMatching(/^key_/) as string,
      attempts: [{ provider: 'refusing', upstream_status: 422 }],
    });
    expect(gateway.logs()).not.toContain('zebrafinches');
  });

  it('has the key of every request, on any route', async () => {
    const ofAdmin = await linesOf(await send('/v1/admin/keys', { name: 'x' }, gateway.adminKey));
    const ofBatch = await linesOf(await send('/v1/batch/generate', { model: 'sandbox/echo', tasks: ['a'] }));
    const ofFault = await linesOf(await send('/v1/batch/generate', { model: 7 }));
    expect(ofAdmin.at(-1)).toMatchObject({ key_id: 'admin' });
    for (const found of [ofBatch, ofFault]) {
      expect(found.at(-1)).toMatchObject({ key_id: expect.stringMatching(/^key_/) as string });
    }
  });

  it('has its levels as words', () => {
    expect(new Set(lines().map(({ level }) => typeof level))).toEqual(new Set(['string']));
    expect(lines().every(({ level }) => ['fatal', 'error', 'warn', 'info', 'debug', 'trace'].includes(level))).toBe(
      true,
    );
  });
});
