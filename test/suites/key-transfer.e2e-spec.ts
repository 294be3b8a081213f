import { createHash, createHmac, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runGatewayCommand, type CommandResult } from '../clients/command.js';
import type { KeyWithSecretDto } from '../../src/admin/keys/key.dto.js';
import type { Method } from '../clients/gateway-client.js';
import type { GatewayResponse, Json } from '../clients/gateway-response.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { model, price, type GatewayFile } from '../fixtures/gateway-config.js';
import { createDatabase, dropDatabase, isPostgresRun } from '../fixtures/postgres-databases.js';
import { until } from '../fixtures/until.js';

const KEYS = 5_000;
const PEPPER = 'Zk81PqLm20XvRt7Yw3Hc9dAbQw5Er6Ty';
const CONFIG: GatewayFile = {
  sandbox: true,
  models: [model('paid', 'sandbox/echo', { price: price(1_000, 1_000) })],
};
const ownKey = (): string => `sk-${randomBytes(18).toString('base64url')}`;
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const newId = (): string => `key_${randomBytes(8).toString('hex')}`;

describe(`keys are imported, exported and purged (${isPostgresRun ? 'PostgreSQL' : 'SQLite'})`, () => {
  let folder: string;
  let gateway: RunningGateway;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gateway-transfer-'));
    gateway = await startGateway({ config: CONFIG, env: { GATEWAY_KEY_PEPPER: PEPPER } });
  });
  afterAll(async () => {
    await gateway.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const admin = (
    path: string,
    method: Method = 'GET',
    body?: object,
    key = gateway.adminKey,
  ): Promise<GatewayResponse> => gateway.client(key).send(method, `/v1/admin/${path}`, body);
  const chat = async (key: string, at = gateway, id = 'sandbox/echo'): Promise<number> =>
    (await at.client(key).chat({ model: id, max_tokens: 5 })).status;
  const command = (databaseUrl: string, ...words: string[]): Promise<CommandResult> =>
    runGatewayCommand(words, {
      cwd: folder,
      env: {
        DATABASE_URL: databaseUrl,
        GATEWAY_DATA_DIR: folder,
        GATEWAY_KEY_PEPPER: PEPPER,
        GATEWAY_ADMIN_KEY: gateway.adminKey,
      },
    });

  it(`${KEYS} keys with values of their own, in one request, and what they may do`, async () => {
    // Looked up before keys were imported, a foreign key is no key for a while.
    expect(await chat(ownKey())).toBe(401);
    const group = { id: `group_${randomBytes(8).toString('hex')}`, name: 'customers', limits: { rpm: 100_000 } };
    const keys = Array.from({ length: KEYS }, (_, index) => ({
      name: `customer ${index}`,
      key: ownKey(),
      group_id: group.id,
      limits: { rpm: 600, tpm: 100_000, concurrency: 10 },
      budget: { usd: 25, period: 'month', soft_thresholds: [0.5, 0.8] },
      metadata: { plan: 'basic', number: index, region: 'eu' },
      allowed_models: ['sandbox/*'],
    }));
    const { status, body } = await admin('keys/import', 'POST', { groups: [group], keys });
    expect([status, body['imported'], body['imported_groups']]).toEqual([200, KEYS, 1]);
    for (let index = 0; index < KEYS; index += 500) expect(await chat(keys[index]!.key)).toBe(200);
    const [hashed, plain, peppered] = [ownKey(), ownKey(), ownKey()];
    const others = await admin('keys/import', 'POST', {
      keys: [
        { name: 'own', key: hashed },
        { name: 'plain', hash: sha256(plain), hash_type: 'sha256', hint: '...plain' },
        {
          name: 'peppered',
          hash: createHmac('sha256', PEPPER).update(peppered).digest('hex'),
          hash_type: 'pepper',
          created_at: 1_700_000_000,
        },
      ],
    });
    expect(others.body['imported']).toBe(3);
    for (const key of [hashed, plain, peppered, plain]) expect(await chat(key)).toBe(200);
    for (const key of [`${hashed}x`, plain.slice(0, -1), sha256(plain), ownKey()]) expect(await chat(key)).toBe(401);
    // Hashed with the pepper at its first use.
    await until(async () => !(await command(gateway.databaseUrl, 'keys', 'list')).stderr.includes('plain SHA-256'));
    const [id] = others.body['ids'] as string[];
    const rotated = await admin(`keys/${id}/rotate`, 'POST', { overlap_seconds: 3_600 });
    expect([await chat(hashed), await chat(String(rotated.body['key']))]).toEqual([200, 200]);
    await admin(`keys/${id}`, 'DELETE');
    expect([await chat(hashed), await chat(String(rotated.body['key']))]).toEqual([401, 401]);
    const again = await admin('keys/import', 'POST', {
      keys: [...keys.slice(0, 3), { name: 'new', key: ownKey() }],
      skip_existing: true,
    });
    expect(again.body).toMatchObject({ imported: 1, skipped: 3 });
  });

  it('nothing of an import with a fault, which names its place', async () => {
    const before = (await admin('keys/export')).body['keys'] as unknown[];
    const good = { name: 'good', key: ownKey() };
    const cases: [Json, string, number][] = [
      [{ name: '  ', key: ownKey() }, 'keys[1].name', 400],
      [{ name: 'x' }, 'keys[1].key', 400],
      [{ name: 'x', key: ownKey(), hash: sha256('x'), hash_type: 'sha256' }, 'keys[1].key', 400],
      [{ name: 'x', hash: sha256('x') }, 'keys[1].hash_type', 400],
      [{ name: 'x', hash: 'abc', hash_type: 'sha256' }, 'keys[1].hash', 400],
      [{ name: 'x', hash: sha256('x'), hash_type: 'pepper', pepper: 'f'.repeat(32) }, 'keys[1].pepper', 400],
      [{ name: 'x', key: 'short' }, 'keys[1].key', 400],
      [{ name: 'x', key: 'a b'.repeat(12) }, 'keys[1].key', 400],
      [{ name: 'x', key: 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' }, 'keys[1].key', 400],
      [{ name: 'x', key: `gw_0123456789abcdef_${'a'.repeat(40)}_000000` }, 'keys[1].key', 400],
      [{ name: 'x', key: ownKey(), limits: { rpm: -1 } }, 'keys[1].limits.rpm', 400],
      [{ name: 'x', key: ownKey(), budget: { usd: 1, period: 'year' } }, 'keys[1].budget.period', 400],
      [{ name: 'x', key: ownKey(), group_id: 'group_0000000000000000' }, 'keys[1].group_id', 400],
      [{ name: 'x', key: ownKey(), parent_id: 'key_0000000000000000' }, 'keys[1].parent_id', 400],
      [{ name: 'x', key: ownKey(), surprise: 1 }, 'keys[1].surprise', 400],
      [{ name: 'x', key: good.key }, 'keys[1]', 400],
      [{ name: 'x', hash: sha256(good.key), hash_type: 'sha256' }, 'keys[1]', 400],
    ];
    for (const [fault, param, status] of cases) {
      const { status: given, body } = await admin('keys/import', 'POST', { keys: [good, fault] });
      expect([body.error?.param, given, fault]).toEqual([param, status, fault]);
      expect(body.error?.message).toContain('keys[1]');
    }
    const [one, two] = [newId(), newId()];
    const circle = [
      { id: one, name: 'one', key: ownKey(), parent_id: two },
      { id: two, name: 'two', key: ownKey(), parent_id: one },
    ];
    expect((await admin('keys/import', 'POST', { keys: circle })).body.error?.param).toBe('keys[0].parent_id');
    const made = await admin('keys', 'POST', { name: 'made' });
    const sameKey = await admin('keys/import', 'POST', { keys: [{ name: 'again', key: made.body['key'] }] });
    expect([sameKey.status, sameKey.body.error?.param]).toEqual([409, 'keys[0]']);
    expect((await admin('keys/export')).body['keys'] as unknown[]).toHaveLength(before.length + 1);
    expect(await chat(good.key)).toBe(401);
  });

  it('no more rights than the key that imports has, and no hashes for it', async () => {
    const bounded = await admin('keys', 'POST', {
      name: 'bounded',
      scopes: ['admin', 'inference'],
      budget: { usd: 5, period: 'month' },
    });
    const [key, id] = [String(bounded.body['key']), String(bounded.body['id'])];
    const budget = { usd: 1, period: 'month' };
    const refused = async (fields: Json): Promise<unknown> =>
      (await admin('keys/import', 'POST', { keys: [{ name: 'x', key: ownKey(), budget, ...fields }] }, key)).body.error
        ?.param;
    expect(await refused({ budget: { usd: 6, period: 'month' } })).toBe('keys[0].budget');
    expect(await refused({ scopes: ['provider_options'] })).toBe('keys[0].scopes');
    expect(await refused({ parent_id: null })).toBe('keys[0].parent_id');
    expect(await refused({ created_by: 'bootstrap' })).toBe('keys[0].created_by');
    const mine = ownKey();
    const done = await admin('keys/import', 'POST', { keys: [{ name: 'mine', key: mine, budget }] }, key);
    const [child] = done.body['ids'] as string[];
    expect((await admin(`keys/${child}`)).body).toMatchObject({ parent_id: id, created_by: id });
    expect(await chat(mine, gateway, 'paid')).toBe(200);
    expect((await admin('keys/export?hashes=true', 'GET', undefined, key)).status).toBe(403);
    await admin(`keys/${id}`, 'DELETE');
    expect(await chat(mine)).toBe(401);
  });

  it('what was exported, with hashes, works where it is imported, and is the same there', async () => {
    const other = isPostgresRun ? await createDatabase({ isMigrated: true }) : `sqlite:${join(folder, 'other.sqlite')}`;
    const parent = (await admin('keys', 'POST', { name: 'parent', scopes: ['admin', 'inference'] })).body;
    const child = (
      await admin('keys', 'POST', { name: 'child', budget: { usd: 3, period: 'day' } }, String(parent['key']))
    ).body;
    try {
      const file = join(folder, 'keys.json');
      expect(await command(gateway.databaseUrl, 'keys', 'export', '--hashes', '--revoked', '--to', file)).toMatchObject(
        { code: 0 },
      );
      expect(statSync(file).mode & 0o077).toBe(0);
      const text = readFileSync(file, 'utf8');
      expect(text).not.toContain(String(child['key']));
      expect((await command(other, 'keys', 'import', file)).stdout).toMatch(/^imported: \d+ keys, \d+ groups\n$/);
      const second = await startGateway({
        config: CONFIG,
        env: { DATABASE_URL: other, GATEWAY_KEY_PEPPER: PEPPER },
      });
      expect([await chat(String(child['key']), second), await chat(String(parent['key']), second)]).toEqual([200, 200]);
      expect(await second.admin.read('/v1/admin/keys/export?hashes=true&revoked=true')).toEqual(JSON.parse(text));
      const again = async (fields: object): Promise<Json> => {
        const body = { ...(JSON.parse(text) as object), ...fields };
        return (await second.admin.post('/v1/admin/keys/import', body)).body;
      };
      expect(await again({})).toMatchObject({ error: { code: 'conflict', param: 'groups[0]' } });
      expect(await again({ skip_existing: true })).toMatchObject({ imported: 0, imported_groups: 0 });
      await second.stop();
    } finally {
      if (isPostgresRun) await dropDatabase(other);
    }
  });

  it('revoked keys are purged after their time; names in reports, budgets and what live keys rest on stay', async () => {
    const make = (name: string, fields: Json = {}, key = gateway.adminKey): Promise<KeyWithSecretDto> =>
      gateway.client(key).createKey({ name, ...fields });
    const team = await admin('groups', 'POST', { name: 'team', budget: { usd: 1, period: 'total' } });
    const top = await make('top', {
      scopes: ['admin', 'inference'],
      budget: { usd: 1, period: 'total' },
      group_id: team.body['id'],
    });
    const gone = await make('gone child', { group_id: team.body['id'], budget: { usd: 1, period: 'total' } }, top.key);
    expect(await chat(gone.key, gateway, 'paid')).toBe(200);
    const spentOf = async (path: string): Promise<number> =>
      ((await admin(path)).body['budget_usage'] as { spent_usd: number }).spent_usd;
    await until(async () => (await spentOf(`keys/${top.id}`)) > 0);
    const spent = await spentOf(`keys/${top.id}`);
    const maker = await make('maker of a live key', { scopes: ['admin', 'inference'] });
    const live = await make('live', {}, maker.key);
    for (const { id } of [gone, maker]) await admin(`keys/${id}`, 'DELETE');

    for (const fields of [{}, { retention_days: -1 }, { retention_days: 1.5 }, { retention_days: '1' }]) {
      expect((await admin('keys/purge', 'POST', fields)).body.error?.param).toBe('retention_days');
    }
    expect((await admin('keys/purge', 'POST', { retention_days: 1 })).body).toMatchObject({ purged: 0 });
    const dry = await admin('keys/purge', 'POST', { retention_days: 0, dry_run: true });
    expect(dry.body['purged']).toBeGreaterThanOrEqual(1);
    expect((await admin(`keys/${gone.id}`)).status).toBe(200);
    const purged = await command(gateway.databaseUrl, 'keys', 'purge', '--retention', '0d');
    expect(purged.stdout).toContain(`purged: ${String(dry.body['purged'])} keys`);

    expect((await admin(`keys/${gone.id}`)).status).toBe(404);
    expect([(await admin(`keys/${maker.id}`)).status, (await admin(`keys/${live.id}`)).status]).toEqual([200, 200]);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    expect(await spentOf(`keys/${top.id}`)).toBe(spent);
    expect(await spentOf(`groups/${String(team.body['id'])}`)).toBe(spent);
    const report = (await admin(`usage?group_by=key&key_id=${gone.id}`)).body['data'] as Json[];
    expect(report[0]).toMatchObject({ group: gone.id, group_name: 'gone child' });
    const audit = (await admin(`audit?target_id=${gone.id}`)).body['data'] as Json[];
    expect(audit.map(({ action }) => action)).toEqual(['key.purged', 'key.revoked', 'key.created']);
    expect(audit[0]).toMatchObject({ actor: 'command-line', before: { name: 'gone child' } });
    const back = await admin('keys/import', 'POST', { keys: [{ id: gone.id, name: 'back', key: ownKey() }] });
    expect([back.status, back.body.error?.code]).toEqual([409, 'conflict']);
    // Once the live key is gone, so is what it rested on.
    await admin(`keys/${live.id}`, 'DELETE');
    await admin('keys/purge', 'POST', { retention_days: 0 });
    expect([(await admin(`keys/${maker.id}`)).status, (await admin(`keys/${live.id}`)).status]).toEqual([404, 404]);
  });
});
