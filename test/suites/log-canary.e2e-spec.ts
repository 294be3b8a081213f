import { randomBytes } from 'node:crypto';
import { startFakeUpstream } from '../upstreams/fake-upstream-client.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';

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

  async function send(path: string, init: RequestInit): Promise<void> {
    const response = await fetch(`${gateway.url}${path}`, init);
    await response.text();
  }

  it('appears nowhere in the log, for any failure', async () => {
    const authorized = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
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
    for (const body of bodies) {
      await send('/v1/chat/completions', { method: 'POST', headers: authorized, body: JSON.stringify(body) });
    }
    await send('/v1/chat/completions', { method: 'POST', headers: authorized, body: `{"a": ${CANARY}` });
    for (const credential of [CANARY, `gw_${CANARY}_${CANARY}_${CANARY}`, `Basic ${CANARY}`]) {
      await send('/v1/models', { headers: { authorization: `Bearer ${credential}` } });
      await send('/v1/models', { headers: { 'x-api-key': credential, cookie: CANARY, 'user-agent': CANARY } });
    }
    await send(`/v1/models/${CANARY}`, { headers: authorized });
    await send(`/v1/${CANARY}?key=${CANARY}`, { headers: authorized });
    await send(`/v1/admin/keys?after=${CANARY}`, { headers: { authorization: `Bearer ${gateway.adminKey}` } });
    await send('/v1/admin/keys', {
      method: 'POST',
      headers: { ...authorized, authorization: `Bearer ${gateway.adminKey}` },
      body: JSON.stringify({ name: 7, [CANARY]: CANARY }),
    });
    const metrics = await fetch(`${gateway.url}/metrics`, { headers: { 'x-api-key': gateway.adminKey } });
    expect(metrics.status).toBe(200);
    expect(await metrics.text()).not.toContain(CANARY);
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
      config: `providers:\n  fake: { type: openai, base_url: "${upstream.url}/v1", api_key: "\${UPSTREAM_SECRET}" }\n`,
    });
    const authorization = `Bearer ${await behind.apiKey()}`;
    const faults = ['error', 'html', 'text', 'empty'].map((lie) => `lie?with=${lie}`);
    const statuses = [401, 403, 429, 500].map((code) => `status?code=${code}&body=key`);
    for (const behaviour of ['drop', 'reset?at=mid', 'malformed', 'redirect', 'error-event', ...faults, ...statuses]) {
      for (const stream of [false, true]) {
        const response = await fetch(`${behind.url}/v1/chat/completions`, {
          method: 'POST',
          headers: { authorization, 'content-type': 'application/json' },
          body: JSON.stringify({ model: `fake/${behaviour}`, messages: [{ role: 'user', content: 'x' }], stream }),
        });
        expect(await response.text()).not.toContain(CANARY);
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
