import { randomBytes } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { until } from '../fixtures/until.js';

interface Instance {
  id: string;
  role: string;
  pid: number;
  status: string;
  is_this: boolean;
  configuration_hash: string;
}

interface TestResult {
  ok: boolean;
  checked: string;
  model_count: number | null;
  error: { status: number; code: string; message: string } | null;
}

describe('operations of administrators', () => {
  let first: RunningGateway;
  let second: RunningGateway;
  let refusing: Server;
  /** Variables of a further instance on the same database. */
  let another: Record<string, string>;

  beforeAll(async () => {
    refusing = createServer((_request, response) => {
      response.writeHead(401, { 'content-type': 'application/json' });
      response.end('{"error":{"message":"Incorrect API key provided: sk-operator-secret"}}');
    });
    await new Promise<void>((resolve) => refusing.listen(0, '127.0.0.1', resolve));
    const { port } = refusing.address() as AddressInfo;
    const config = `sandbox: true
providers:
  refusing: { type: openai, base_url: "http://127.0.0.1:${port}/v1", api_key: sk-operator-secret }
  closed: { type: openai, base_url: "http://127.0.0.1:9/v1" }
`;
    const pepper = { GATEWAY_KEY_PEPPER: randomBytes(24).toString('hex') };
    first = await startGateway({ config, env: pepper });
    another = { ...pepper, DATABASE_URL: first.databaseUrl, GATEWAY_ADMIN_KEY: first.adminKey };
    second = await startGateway({
      config,
      env: { ...another, GATEWAY_ROLE: 'worker' },
    });
  });
  afterAll(async () => {
    await second.stop();
    await first.stop();
    await new Promise((resolve) => refusing.close(resolve));
  });

  async function call<Body>(method: string, path: string, body?: object, key = first.adminKey) {
    const response = await fetch(`${first.url}/v1/admin/${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as Body };
  }

  it('lists every instance, and forgets one that ended', async () => {
    const list = async (): Promise<Instance[]> =>
      (await call<{ data: Instance[] }>('GET', 'instances')).body.data.filter(({ status }) => status === 'running');
    await until(async () => (await list()).length === 2);
    const instances = await list();
    expect(instances.map(({ role, pid, is_this: isThis }) => [role, pid, isThis])).toEqual(
      expect.arrayContaining([
        ['all', first.pid, true],
        ['worker', second.pid, false],
      ]),
    );
    expect(new Set(instances.map(({ configuration_hash: hash }) => hash)).size).toBe(1);
    const third = await startGateway({
      config: 'sandbox: true\nmodels:\n  - { id: other, deployments: [{ provider: sandbox, model: echo }] }\n',
      env: { ...another, GATEWAY_ROLE: 'api' },
    });
    await until(async () => (await list()).length === 3);
    expect(new Set((await list()).map(({ configuration_hash: hash }) => hash)).size).toBe(2);
    await third.stop();
    expect((await list()).map(({ pid }) => pid)).not.toContain(third.pid);
  });

  it('lists the providers without keys and addresses', async () => {
    const { body } = await call<{ data: { name: string; has_key: boolean }[] }>('GET', 'providers');
    expect(body.data).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: 'refusing', has_key: true }),
        expect.objectContaining({ name: 'closed', has_key: false }),
      ]),
    );
    expect(JSON.stringify(body)).not.toMatch(/sk-operator|127\.0\.0\.1/);
  });

  it('tests a provider, and says what is wrong without its key', async () => {
    const test = async (name: string, body: object) => call<TestResult>('POST', `providers/${name}/test`, body);
    expect((await test('sandbox', { model: 'echo' })).body).toMatchObject({ ok: true, checked: 'chat', error: null });
    const listed = (await test('sandbox', {})).body;
    expect(listed).toMatchObject({ ok: true, checked: 'models' });
    expect(listed.model_count).toBeGreaterThan(0);
    const refused = await test('refusing', { model: 'gpt' });
    expect(refused).toMatchObject({ status: 200, body: { ok: false, error: { status: 502, code: 'upstream_error' } } });
    expect(JSON.stringify(refused.body)).not.toContain('sk-operator');
    expect((await test('closed', {})).body).toMatchObject({ ok: false, checked: 'models' });
    expect((await test('nowhere', {})).status).toBe(404);
    expect((await test('sandbox', { model: 7 })).status).toBe(400);
    expect((await test('sandbox', { modell: 'echo' })).status).toBe(400);
  });

  it('records what a test cost, as any other call', async () => {
    await call('POST', 'providers/sandbox/test', { model: 'lorem' });
    await until(async () => {
      const { body } = await call<{ data: { requested_model: string; key_id: string }[] }>('GET', 'usage/records');
      return body.data.some(({ requested_model: model, key_id: id }) => model === 'sandbox/lorem' && id === 'admin');
    });
  });

  it('is for administrators alone', async () => {
    const key = await first.apiKey();
    for (const [method, path] of [
      ['GET', 'instances'],
      ['GET', 'providers'],
      ['POST', 'providers/sandbox/test'],
    ] as const) {
      expect((await call(method, path, method === 'POST' ? {} : undefined, key)).status).toBe(403);
    }
  });
});
