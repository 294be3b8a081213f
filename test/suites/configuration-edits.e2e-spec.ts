import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { AuditEntryDto } from '../../src/audit/audit.dto.js';
import type { ConfigurationDto } from '../../src/admin/configuration/configuration.dto.js';
import type {
  AppliedConfigurationDto,
  ConfigurationChangeDetailsDto,
  ConfigurationChangeDto,
  ConfigurationCheckDto,
  ConfigurationFileDto,
} from '../../src/admin/configuration/configuration-edits.dto.js';
import type { GatewayResponse } from '../clients/gateway-response.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';
import { queryDatabase } from '../fixtures/query-database.js';
import { until } from '../fixtures/until.js';

const FILE = '/v1/admin/configuration/file';
const CHANGES = '/v1/admin/configuration/changes';
const LITERAL = 'sk-literal-of-the-file';
const TYPED = 'sk-typed-by-an-administrator';
const ENVIRONMENT = 'sk-of-the-environment';
const YAML = `# The gateway of the team
upstream: { timeouts: { connect: 60s } }
health: { probe: off }
config:
  editable: true
sandbox: true
providers:
  local: { type: openai, base_url: http://127.0.0.1:9/v1, api_key: ${LITERAL} } # asked for in May
  named: { type: openai, base_url: http://127.0.0.1:9/v1, api_key: '\${TEAM_KEY}' }
models:
  - id: first
    deployments: [{ provider: sandbox, model: echo }]
`;

describe(`edits of gateway.yaml (${isPostgresRun ? 'PostgreSQL' : 'SQLite'})`, () => {
  let gateway: RunningGateway;
  let path: string;

  beforeAll(async () => {
    gateway = await startGateway({ config: YAML, env: { TEAM_KEY: ENVIRONMENT } });
    path = join(gateway.dataDirectory, 'gateway.yaml');
    chmodSync(path, 0o640);
  });
  afterAll(() => gateway.stop());

  const read = (): Promise<ConfigurationFileDto> => gateway.admin.read<ConfigurationFileDto>(FILE);
  const check = (text: string): Promise<ConfigurationCheckDto> =>
    gateway.admin.sendOk<ConfigurationCheckDto>('POST', `${FILE}/check`, { text });
  const put = (body: object): Promise<GatewayResponse<AppliedConfigurationDto>> =>
    gateway.admin.send<AppliedConfigurationDto>('PUT', FILE, body);
  const changes = (): Promise<ConfigurationChangeDto[]> => gateway.admin.pages<ConfigurationChangeDto>(CHANGES);
  const servedModels = async (): Promise<string[]> =>
    (await gateway.admin.read<{ data: { id: string }[] }>('/v1/models')).data.map(({ id }) => id);

  it('shows the text without its secrets, with comments and names of variables', async () => {
    const { text, other_hosts: others } = await read();
    expect(text).toBe(YAML.replace(LITERAL, /<hidden:\w+>/.exec(text)?.[0] ?? 'nothing is hidden'));
    expect(others).toEqual([]);
    expect(await gateway.admin.read<ConfigurationDto>('/v1/admin/configuration')).toMatchObject({
      editable: true,
      read_only_because: null,
    });
  });

  it('names line, path and fix of each mistake, and what differs', async () => {
    const { text } = await read();
    const line = text.split('\n').findIndex((each) => each.includes('provider: sandbox')) + 1;
    const wrong = await check(text.replace('provider: sandbox', 'provider: sandbx'));
    expect(wrong).toMatchObject({ valid: false, waiting_for_restart: [] });
    expect(wrong.faults).toEqual([
      { path: 'models[0].deployments[0].provider', line, message: expect.stringContaining('sandbox') as string },
    ]);
    expect(wrong.diff.filter(({ kind }) => kind !== 'same')).toEqual([
      { kind: 'removed', before: line, after: null, text: text.split('\n')[line - 1] },
      { kind: 'added', before: null, after: line, text: text.split('\n')[line - 1]?.replace('sandbox', 'sandbx') },
    ]);
    const right = await check(`${text}usage: { retention: 40d }\n`);
    expect(right).toMatchObject({ valid: true, faults: [], waiting_for_restart: ['usage.retention'] });
    expect(readFileSync(path, 'utf8')).toBe(YAML);
  });

  it('writes a right edit, which is in force at once; refuses a wrong one, and one of an older text', async () => {
    const { text, version } = await read();
    const edited = text.replace('id: first', 'id: edited');
    const wrong = await put({ text: `${edited}nonsense: 1\n`, version });
    expect(wrong.status).toBe(400);
    expect(wrong.text).toMatch(/line 13, nonsense: unknown key/);
    expect(readFileSync(path, 'utf8')).toBe(YAML);

    const { status, body } = await put({ text: edited, version, note: 'a better name' });
    expect(status).toBe(200);
    expect(body).toMatchObject({ kind: 'edited', actor: 'admin', note: 'a better name', in_force: true });
    expect(body).toMatchObject({ added_lines: 1, removed_lines: 1, waiting_for_restart: [] });
    expect(readFileSync(path, 'utf8')).toBe(YAML.replace('id: first', 'id: edited'));
    expect(statSync(path).mode & 0o777).toBe(0o640);
    expect(await servedModels()).toContain('edited');
    expect(await servedModels()).not.toContain('first');

    const late = await put({ text: text.replace('id: first', 'id: late'), version });
    expect(late.status).toBe(409);
    expect((await put({ text: edited, version: body.version })).status).toBe(400);
    expect(readFileSync(path, 'utf8')).toContain('id: edited');
  });

  it('lets one of several edits of the same text through', async () => {
    const { text, version } = await read();
    const bodies = ['a', 'b', 'c', 'd'].map((name) => ({ text: `${text}# ${name}\n`, version }));
    const answers = await Promise.all(bodies.map(put));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409, 409, 409]);
    const winner = answers.findIndex(({ status }) => status === 200);
    expect((await read()).text).toBe(bodies[winner]?.text);
  });

  it('restores what was there before, also what an operator wrote', async () => {
    writeFileSync(path, readFileSync(path, 'utf8').replace('id: edited', 'id: by-hand'));
    await until(async () => (await servedModels()).includes('by-hand'));
    const { text, version } = await read();
    const { body: made } = await put({ text: text.replace('id: by-hand', 'id: again'), version });
    const [newest, found] = await changes();
    expect(newest).toMatchObject({ id: made.id, kind: 'edited', actor: 'admin' });
    expect(found).toMatchObject({ kind: 'found', actor: 'operator', actor_name: null, version });
    const details = await gateway.admin.read<ConfigurationChangeDetailsDto>(`${CHANGES}/${found!.id}`);
    expect(details.text).toBe(text);
    expect(details.diff.filter(({ kind }) => kind !== 'same').map(({ text: line }) => line.trim())).toEqual([
      '- id: again',
      '- id: by-hand',
    ]);
    const restored = await gateway.admin.send<AppliedConfigurationDto>('POST', `${CHANGES}/${found!.id}/restore`, {
      version: made.version,
    });
    expect(restored.body).toMatchObject({ kind: 'restored', restored_id: found!.id, in_force: true, version });
    expect(await servedModels()).toContain('by-hand');
    // With the secret that the file has, and that the history does not.
    expect(readFileSync(path, 'utf8')).toContain(LITERAL);
    expect((await gateway.admin.send('GET', `${CHANGES}/cfg_000000000000000000000000`)).status).toBe(404);
  });

  it('sends neither variables nor hidden values to addresses of its own', async () => {
    const { text } = await read();
    const moved = await check(text.replaceAll('http://127.0.0.1:9/v1', 'http://127.0.0.1:10/v1'));
    expect(moved.faults.map((fault) => fault.path)).toEqual(['providers.local.api_key', 'providers.named.api_key']);
    const shown = await check(text.replace('id: by-hand', 'id: by-hand\n    display_name: ${GATEWAY_ADMIN_KEY}'));
    expect(shown.faults).toMatchObject([{ path: 'models[0].display_name' }]);
    const opened = await check(text.replace('editable: true', 'editable: true\n  variables: ["*"]'));
    expect(opened.faults).toMatchObject([{ path: 'config' }]);
    expect(JSON.stringify([moved, shown, opened])).not.toMatch(new RegExp(`${LITERAL}|${ENVIRONMENT}`));
  });

  it('keeps typed secrets out of the history, the audit log, logs and the database', async () => {
    const { text, version } = await read();
    const hidden = /<hidden:\w+>/.exec(text)?.[0] ?? '';
    const { body } = await put({ text: text.replace(hidden, TYPED), version });
    expect(body.in_force).toBe(true);
    expect(readFileSync(path, 'utf8')).toContain(TYPED);
    const list = await changes();
    const details = await Promise.all(list.map(({ id }) => gateway.admin.read(`${CHANGES}/${id}`)));
    const audit = await gateway.admin.read<{ data: AuditEntryDto[] }>('/v1/admin/audit?action=configuration.*');
    expect(audit.data.find(({ target_id: id }) => id === body.id)).toMatchObject({
      actor: 'admin',
      action: 'configuration.edited',
      changes: { added_lines: 1, removed_lines: 1 },
    });
    const rows = await queryDatabase(gateway.databaseUrl, 'SELECT * FROM configuration_change');
    expect(rows.length).toBe(list.length);
    const all = JSON.stringify([details, audit, rows, await read(), gateway.logs()]);
    expect(all).not.toMatch(new RegExp(`${LITERAL}|${TYPED}|${ENVIRONMENT}`));
    const before = list[1]!;
    const old = await gateway.admin.send('POST', `${CHANGES}/${before.id}/restore`, { version: body.version });
    expect(old.status).toBe(400);
    expect(old.text).toMatch(/providers\.local\.api_key: stands for a value that the file does not have here/);
  });

  it('keeps the newest 50 edits', async () => {
    const answers: Promise<GatewayResponse<AppliedConfigurationDto>>[] = [];
    for (let each = 0; each < 52; each += 1) {
      const { text, version } = await read();
      // Each answer waits for a reload, and the next edit needs none.
      answers.push(put({ text: `${text.trimEnd()}\n# ${String(each)}\n`, version }));
      await until(async () => (await read()).version !== version);
    }
    expect(new Set((await Promise.all(answers)).map(({ status }) => status))).toEqual(new Set([200]));
    expect(await changes()).toHaveLength(50);
  });

  it('takes bounded, well-formed bodies of administrators alone', async () => {
    const { text, version } = await read();
    for (const body of [
      {},
      { text },
      { text, version: 'x' },
      { text: 7, version },
      { text, version, note: ' ' },
      { text, version, file: '/etc/passwd' },
      { text: `${text}#${'x'.repeat(256 * 1024)}`, version },
      { text: '', version },
      { text: '[[[[[[[[', version },
      { text: `a: ${'['.repeat(20_000)}`, version },
      { text: 'a: &a [*a]', version },
    ]) {
      expect((await put(body)).status).toBe(400);
    }
    expect((await put({ text: 'x'.repeat(1024 * 1024), version })).status).toBe(413);
    expect((await read()).version).toBe(version);
    const client = await gateway.newClient();
    for (const [method, url] of [
      ['GET', FILE],
      ['PUT', FILE],
      ['POST', `${FILE}/check`],
      ['GET', CHANGES],
    ] as const) {
      expect((await client.send(method, url, method === 'GET' ? undefined : {})).status).toBe(403);
    }
  });

  it('needs the CSRF token in a session of a browser', async () => {
    const session = await gateway.client('').post<{ csrf_token: string }>('/v1/session', { key: gateway.adminKey });
    const [cookie = ''] = session.header('set-cookie').split(';');
    const { text, version } = await read();
    const send = (headers: Readonly<Record<string, string>>): Promise<GatewayResponse> =>
      gateway
        .client('')
        .send('PUT', FILE, { text: `${text}# session\n`, version }, { headers: { cookie, ...headers } });
    const refused = await send({});
    expect([refused.status, refused.body]).toMatchObject([403, { error: { code: 'csrf_token_invalid' } }]);
    expect((await send({ 'x-csrf-token': session.body.csrf_token })).status).toBe(200);
  });

  it('is off by default', async () => {
    const other = await startGateway({ config: { sandbox: true } });
    try {
      const refused = await other.admin.send('GET', FILE);
      expect([refused.status, refused.body]).toMatchObject([403, { error: { code: 'configuration_read_only' } }]);
      for (const [method, url] of [
        ['PUT', FILE],
        ['POST', `${FILE}/check`],
      ] as const) {
        const body = { text: 'sandbox: true\n', ...(method === 'PUT' && { version: '0'.repeat(64) }) };
        expect((await other.admin.send(method, url, body)).status).toBe(403);
      }
      expect(await other.admin.read('/v1/admin/configuration')).toMatchObject({
        editable: false,
        read_only_because: expect.stringContaining('config.editable') as string,
      });
    } finally {
      await other.stop();
    }
  });
});
