import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runGatewayCommand, type CommandResult } from '../clients/command.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { model, price, type GatewayFile } from '../fixtures/gateway-config.js';
import { createDatabase, dropDatabase, isPostgresRun } from '../fixtures/postgres-databases.js';

interface OldDatabase {
  readonly secrets: Readonly<Record<string, string>>;
  readonly keys: Readonly<Record<'whole' | 'ofGroup' | 'revoked', { readonly id: string; readonly key: string }>>;
  readonly group: { readonly id: string };
  readonly batch: string;
  readonly results: readonly string[];
  readonly usageRecords: number;
  readonly auditEntries: number;
}

/** The rows of the database of 0.1 are kept forever, independent of the age of the fixture. */
const CONFIG: GatewayFile = {
  sandbox: true,
  batch: { retention: '36500d' },
  usage: { retention: '36500d' },
  models: [model('fast', 'sandbox/echo', { aliases: ['quick'], price: price(1, 2) })],
};

const chat = async (gateway: RunningGateway, key: string, id: string): Promise<number> =>
  (await gateway.client(key).chat({ model: id })).status;

/** What an operator does by the README and the pages under docs/, from the first start to PostgreSQL. */
describe(`an operator’s day (${isPostgresRun ? 'to PostgreSQL' : 'on SQLite'})`, () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gateway-operator-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  function folderOf(name: string): { cwd: string; start: (env?: Record<string, string>) => Promise<RunningGateway> } {
    const cwd = join(folder, name);
    mkdirSync(join(cwd, 'data'), { recursive: true });
    const database = `sqlite:${join(cwd, 'data/gateway.sqlite')}`;
    const start = (env: Record<string, string> = {}): Promise<RunningGateway> =>
      startGateway({
        byCommand: true,
        config: CONFIG,
        dataDirectory: cwd,
        env: { DATABASE_URL: database, GATEWAY_DATA_DIR: join(cwd, 'data'), GATEWAY_ADMIN_KEY: '', ...env },
      });
    return { cwd, start };
  }

  it('upgrades the database of 0.1 with all that is in it', async () => {
    const fixtures = new URL('../fixtures/', import.meta.url);
    const old = JSON.parse(readFileSync(new URL('gateway-0.1.json', fixtures), 'utf8')) as OldDatabase;
    const { cwd, start } = folderOf('upgrade');
    copyFileSync(new URL('gateway-0.1.sqlite', fixtures), join(cwd, 'data/gateway.sqlite'));
    const url = isPostgresRun ? await createDatabase({ isMigrated: true }) : undefined;
    if (url !== undefined) {
      const words = ['move', '--to', url];
      expect(await runGatewayCommand(words, { cwd, env: old.secrets })).toMatchObject({ code: 0, stderr: '' });
    }
    const gateway = await start({ ...old.secrets, ...(url !== undefined && { DATABASE_URL: url }) });
    try {
      const { whole, ofGroup, revoked } = old.keys;
      const admin = gateway.client(old.secrets['GATEWAY_ADMIN_KEY'] ?? '');
      const client = gateway.client(ofGroup.key);
      expect(await chat(gateway, whole.key, 'quick')).toBe(200);
      expect(await chat(gateway, ofGroup.key, 'sandbox/echo')).toBe(200);
      expect(await chat(gateway, ofGroup.key, 'fast')).toBe(403);
      expect(await chat(gateway, revoked.key, 'fast')).toBe(401);
      expect(await admin.read(`/v1/admin/keys/${whole.id}`)).toMatchObject({
        name: 'whole',
        limits: { rpm: 500 },
        metadata: { owner: 'ada' },
      });
      expect(await admin.read(`/v1/admin/keys/${ofGroup.id}`)).toMatchObject({
        group_id: old.group.id,
      });
      const results = (await client.get(`/v1/batch/${old.batch}/results`)).text;
      const ids = (lines: readonly string[]): unknown[] =>
        lines.map((line) => (JSON.parse(line) as { custom_id?: string; index?: number }).custom_id).sort();
      expect(ids(results.trim().split('\n'))).toEqual(ids(old.results));
      expect((await admin.audit('limit=100')).length).toBeGreaterThanOrEqual(old.auditEntries);
      const job = await client.submitBatch('sandbox/echo', ['a', 'b']);
      await client.get(`/v1/batch/${job}/events`);
      expect((await client.readBatch(job)).status).toBe('completed');
    } finally {
      await gateway.stop();
      if (url !== undefined) await dropDatabase(url);
    }
  });

  (isPostgresRun ? it.skip : it)(
    'starts, configures, gives keys with limits, runs a batch, backs up, loses everything and restores',
    async () => {
      const { cwd, start } = folderOf('day');
      const command = (...words: string[]): Promise<CommandResult> => runGatewayCommand(words, { cwd });
      const gateway = await start();
      const adminKey = /Admin key \(shown only now, keep it\): (gw_\w+)/.exec(gateway.logs())?.[1] ?? '';
      expect((await command('check')).stdout).toContain('fast  -> sandbox/echo');
      const made = await command('keys', 'create', '--name', 'app', '--model', 'fast');
      expect(made).toMatchObject({ code: 0, stderr: '' });
      const key = made.stdout.split('\n')[0] ?? '';
      expect(await chat(gateway, key, 'fast')).toBe(200);
      expect(await chat(gateway, key, 'sandbox/echo')).toBe(403);
      const limited = await gateway.client(adminKey).createKey({ limits: { rpm: 1 } });
      expect([await chat(gateway, limited.key, 'fast'), await chat(gateway, limited.key, 'fast')]).toEqual([200, 429]);
      const client = gateway.client(key);
      const job = await client.submitBatch('fast', ['one', 'two']);
      await client.get(`/v1/batch/${job}/events`);
      expect(await command('backup', '--to', 'backup')).toMatchObject({ code: 0 });
      await gateway.stop('SIGKILL');
      for (const name of ['gateway.sqlite', 'gateway.sqlite-wal', 'gateway.sqlite-shm', 'key-pepper']) {
        rmSync(join(cwd, 'data', name), { force: true });
      }
      for (const name of ['gateway.sqlite', 'key-pepper'])
        copyFileSync(join(cwd, 'backup', name), join(cwd, 'data', name));
      expect((await command('doctor', '--offline')).stdout).toContain(
        'the key pepper is the one that the keys were made with',
      );
      const restored = await start();
      expect(await chat(restored, key, 'fast')).toBe(200);
      expect(await restored.client(key).batchResults(job)).toHaveLength(2);
      await restored.stop();
    },
  );
});
