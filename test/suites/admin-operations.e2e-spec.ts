import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { parse } from 'yaml';
import type { ConfigurationDto } from '../../src/admin/configuration/configuration.dto.js';
import type { InstanceDto } from '../../src/admin/instances/instances.dto.js';
import type { ProviderListDto, ProviderTestDto } from '../../src/admin/providers/providers.dto.js';
import type { UsageRecordDto } from '../../src/usage/report/usage-record.dto.js';
import type { GatewayResponse } from '../clients/gateway-response.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { gatewayYaml, model, openAiAt, UNREACHABLE, type GatewayFile } from '../fixtures/gateway-config.js';
import { until } from '../fixtures/until.js';

describe('operations of administrators', () => {
  let first: RunningGateway;
  let second: RunningGateway;
  let refusing: Server;
  const env = { GATEWAY_KEY_PEPPER: randomBytes(24).toString('hex') };

  beforeAll(async () => {
    refusing = createServer((_request, response) => {
      response.writeHead(401, { 'content-type': 'application/json' });
      response.end('{"error":{"message":"Incorrect API key provided: sk-operator-secret"}}');
    });
    await new Promise<void>((resolve) => refusing.listen(0, '127.0.0.1', resolve));
    const { port } = refusing.address() as AddressInfo;
    const config = {
      sandbox: true,
      providers: {
        refusing: openAiAt({ url: `http://127.0.0.1:${port}` }, { api_key: 'sk-operator-secret' }),
        closed: UNREACHABLE,
      },
    };
    first = await startGateway({ config, env });
    second = await startGateway({ config, joins: first, env: { ...env, GATEWAY_ROLE: 'worker' } });
  });
  afterAll(async () => {
    await second.stop();
    await first.stop();
    await new Promise((resolve) => refusing.close(resolve));
  });

  it('shows the configuration in force without secrets: what a reload replaces, and what stays until the next start', async () => {
    const read = (): Promise<ConfigurationDto> => first.admin.read<ConfigurationDto>('/v1/admin/configuration');
    const before = await read();
    expect(parse(before.yaml)).toMatchObject({
      sandbox: true,
      providers: { refusing: { type: 'openai', api_key: '<hidden>' }, closed: UNREACHABLE },
    });
    expect(before.reloaded_at).toBeNull();
    expect(before.settings).toEqual(
      expect.arrayContaining([{ name: 'GATEWAY_ADMIN_KEY', value: 'set', from: 'the environment' }]),
    );
    const instances = await first.admin.pages<InstanceDto>('/v1/admin/instances');
    expect(instances.find(({ is_this: isThis }) => isThis)?.configuration_hash).toBe(before.hash);
    const file = join(first.dataDirectory, 'gateway.yaml');
    const written = parse(readFileSync(file, 'utf8')) as GatewayFile;
    writeFileSync(
      file,
      gatewayYaml({ ...written, models: [model('added', 'sandbox/echo')], usage: { retention: '30d' } }),
    );
    process.kill(first.pid, 'SIGHUP');
    await until(async () => (await read()).reloaded_at !== null);
    const after = await read();
    expect(parse(after.yaml)).toEqual({ ...(parse(before.yaml) as object), models: [model('added', 'sandbox/echo')] });
    expect(after.hash).not.toBe(before.hash);
    expect(JSON.stringify([before, after])).not.toMatch(/sk-operator-secret/);
    expect(JSON.stringify([before, after])).not.toContain(first.adminKey);
    const ordinary = await first.newClient();
    expect((await ordinary.get('/v1/admin/configuration')).status).toBe(403);
    writeFileSync(file, gatewayYaml(written));
    process.kill(first.pid, 'SIGHUP');
    await until(async () => (await read()).hash === before.hash);
  });

  it('lists every instance, and forgets one that ended', async () => {
    const list = async (): Promise<InstanceDto[]> =>
      (await first.admin.pages<InstanceDto>('/v1/admin/instances')).filter(({ status }) => status === 'running');
    const hashes = async (): Promise<number> =>
      new Set((await list()).map(({ configuration_hash: hash }) => hash)).size;
    await until(async () => (await list()).length === 2);
    const instances = await list();
    expect(instances.map(({ role, pid, is_this: isThis }) => [role, pid, isThis])).toEqual(
      expect.arrayContaining([
        ['all', first.pid, true],
        ['worker', second.pid, false],
      ]),
    );
    // An instance writes its row again after its configuration was read again, as the test before has it do.
    await until(async () => (await hashes()) === 1);
    const third = await startGateway({
      config: { sandbox: true, models: [model('other', 'sandbox/echo')] },
      joins: first,
      env: { ...env, GATEWAY_ROLE: 'api' },
    });
    await until(async () => (await list()).length === 3);
    expect(await hashes()).toBe(2);
    await third.stop();
    expect((await list()).map(({ pid }) => pid)).not.toContain(third.pid);
  });

  it('lists the providers without keys and addresses', async () => {
    const body = await first.admin.read<ProviderListDto>('/v1/admin/providers');
    expect(body.data).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ name: 'refusing', has_key: true }),
        expect.objectContaining({ name: 'closed', has_key: false }),
      ]),
    );
    expect(JSON.stringify(body)).not.toMatch(/sk-operator|127\.0\.0\.1/);
  });

  it('tests a provider, and says what is wrong without its key', async () => {
    const test = (name: string, body: object): Promise<GatewayResponse<ProviderTestDto>> =>
      first.admin.post(`/v1/admin/providers/${name}/test`, body);
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
    await first.admin.post('/v1/admin/providers/sandbox/test', { model: 'lorem' });
    const isMeant = (record: UsageRecordDto): boolean => record.requested_model === 'sandbox/lorem';
    expect((await first.admin.usageRecord(isMeant)).key_id).toBe('admin');
  });

  it('is for administrators alone', async () => {
    const client = await first.newClient();
    for (const [method, path] of [
      ['GET', 'instances'],
      ['GET', 'providers'],
      ['POST', 'providers/sandbox/test'],
    ] as const) {
      expect((await client.send(method, `/v1/admin/${path}`, method === 'POST' ? {} : undefined)).status).toBe(403);
    }
  });
});
