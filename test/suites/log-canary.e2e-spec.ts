import { randomBytes } from 'node:crypto';
import { startFakeUpstream } from '../upstreams/fake-upstream-client.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { openAiAt } from '../fixtures/gateway-config.js';

const CANARY = 'canary-4bb1f0c2d9';

/** Faults that carry the canary wherever a client can put it: prompts, keys, ids, headers, paths and queries. */
describe('a canary secret', () => {
  let gateway: RunningGateway;
  let key: string;

  beforeAll(async () => {
    const requestLogKey = randomBytes(32).toString('hex');
    gateway = await startGateway({ env: { LOG_LEVEL: 'trace', GATEWAY_REQUEST_LOG_KEY: requestLogKey } });
    key = await gateway.apiKey({ request_log: { days: 1 } });
  });
  afterAll(async () => {
    await gateway.stop();
  });

  it('appears nowhere in the log, for any failure', async () => {
    const client = gateway.client(key);
    const messages = [{ role: 'user', content: CANARY }];
    const bodies = [
      { model: 'sandbox/echo', messages },
      { model: 'sandbox/echo', messages, stream: true },
      { model: 'sandbox/cut', messages },
      { model: 'sandbox/cut', messages, stream: true },
      { model: 'sandbox/error-500', messages },
      { model: 'sandbox/error-429', messages },
      { model: CANARY, messages },
      { model: 'sandbox/echo', messages: [{ role: CANARY, content: CANARY }] },
      { model: 'sandbox/echo', messages, user: CANARY, metadata: { secret: CANARY }, [CANARY]: CANARY },
      { model: 'sandbox/echo', messages, temperature: CANARY },
      {
        model: 'sandbox/echo',
        messages,
        tools: [{ type: 'function', function: { name: CANARY, parameters: { $ref: CANARY } } }],
      },
    ];
    for (const body of bodies) await client.post('/v1/chat/completions', body);
    await client.post('/v1/chat/completions', `{"a": ${CANARY}`);
    for (const credential of [CANARY, `gw_${CANARY}_${CANARY}_${CANARY}`, `Basic ${CANARY}`]) {
      await gateway.client(credential).get('/v1/models');
      const headers = { 'x-api-key': credential, cookie: CANARY, 'user-agent': CANARY };
      await gateway.client('').get('/v1/models', { headers });
    }
    await client.get(`/v1/models/${CANARY}`);
    await client.get(`/v1/${CANARY}?key=${CANARY}`);
    await gateway.admin.get(`/v1/admin/keys?after=${CANARY}`);
    await gateway.admin.post('/v1/admin/keys', { name: 7, [CANARY]: CANARY });
    const metrics = await gateway.admin.get('/metrics');
    expect(metrics.status).toBe(200);
    expect(metrics.text).not.toContain(CANARY);
    const { code } = await gateway.stop();
    expect(code).toBe(0);
    const log = gateway.logs();
    expect(log.split('\n').filter((line) => line.includes('"msg":"request"')).length).toBeGreaterThan(bodies.length);
    expect(log.split('\n').filter((line) => line.includes(CANARY))).toEqual([]);
    expect(log).not.toContain(key);
    expect(log).not.toContain(gateway.adminKey);
  });

  it('of an upstream that breaks or quotes it appears neither in the log nor in an error', async () => {
    const upstream = await startFakeUpstream();
    const behind = await startGateway({
      env: { LOG_LEVEL: 'trace', UPSTREAM_SECRET: `upstream-${CANARY}` },
      config: { providers: { fake: openAiAt(upstream, { api_key: '${UPSTREAM_SECRET}' }) } },
    });
    const client = await behind.newClient();
    const faults = ['error', 'html', 'text', 'empty'].map((lie) => `lie?with=${lie}`);
    const statuses = [401, 403, 429, 500].map((code) => `status?code=${code}&body=key`);
    for (const behaviour of ['drop', 'reset?at=mid', 'malformed', 'redirect', 'error-event', ...faults, ...statuses]) {
      for (const stream of [false, true]) {
        expect((await client.chat({ model: `fake/${behaviour}`, stream })).text).not.toContain(CANARY);
      }
    }
    expect((await upstream.requests()).every(({ headers }) => headers['authorization']?.includes(CANARY))).toBe(true);
    await behind.stop();
    await upstream.stop();
    expect(
      behind
        .logs()
        .split('\n')
        .filter((line) => line.includes(CANARY)),
    ).toEqual([]);
  });
});
