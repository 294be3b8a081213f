import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { runGatewayCommand, runProgram, type CommandResult } from '../clients/command.js';
import { startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { createDatabase, dropDatabase, isPostgresRun } from '../fixtures/postgres-databases.js';

const ROOT = new URL('../..', import.meta.url).pathname;
const VERSION_LINE = /^\d+\.\d+\.\d+\n$/;

const statusWith = async (gateway: RunningGateway, key: string): Promise<number> =>
  (await gateway.client(key).get('/v1/models')).status;

// SQLite comes first in all of it; PostgreSQL is what it is moved to.
(isPostgresRun ? describe.skip : describe)('llm-gateway on the command line', () => {
  let folder: string;
  const run = (words: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CommandResult> =>
    runGatewayCommand(words, { cwd: folder, env });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'gateway-command-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it('says what it can do, and what was wrong with a command', async () => {
    const [version, help, none, unknown, half, option, extra, fault] = await Promise.all([
      run(['--version']),
      run(['--help']),
      run([]),
      run(['strat']),
      run(['keys']),
      run(['migrate', '--revrt']),
      run(['doctor', 'now']),
      run(['check'], { LOG_LEVEL: 'loud' }),
    ]);
    expect(version).toMatchObject({ code: 0, stdout: expect.stringMatching(VERSION_LINE) as string });
    expect(help.code).toBe(0);
    for (const name of ['start', 'check', 'doctor', 'migrate', 'keys create', 'backup', 'move']) {
      expect(help.stdout).toContain(`  ${name} `);
    }
    expect(none.code).toBe(2);
    expect(unknown).toMatchObject({ code: 2, stderr: "There is no command 'strat'. Did you mean start?\n" });
    expect(half).toMatchObject({ code: 2, stderr: expect.stringContaining('keys create, keys list') as string });
    expect(option).toMatchObject({ code: 2, stderr: expect.stringContaining('Did you mean --revert?') as string });
    expect(extra).toMatchObject({ code: 2, stderr: expect.stringContaining("'now' is too much") as string });
    expect(fault).toMatchObject({ code: 1, stderr: expect.stringContaining('LOG_LEVEL: must be one of') as string });
    expect(readdirSync(folder)).toEqual([]);
  });

  it('makes, lists and ends keys on the database itself, and backs it up while the gateway runs', async () => {
    const first = await run(['keys', 'create', '--name', 'before any start', '--json']);
    expect(first.stderr).toMatch(/^Admin key of this new database .*: gw_\w+\n/);
    const { id, key } = JSON.parse(first.stdout) as { id: string; key: string };
    const database = { GATEWAY_ADMIN_KEY: '', DATABASE_URL: `sqlite:${join(folder, 'data/gateway.sqlite')}` };
    const gateway = await startGateway({
      dataDirectory: folder,
      env: { ...database, GATEWAY_DATA_DIR: join(folder, 'data') },
    });
    try {
      expect(gateway.logs()).not.toContain('Admin key');
      expect(await statusWith(gateway, key)).toBe(200);
      const limited = await run(['keys', 'create', '--name', 'short', '--model', 'sandbox/*', '--expires', '2h']);
      expect(await statusWith(gateway, limited.stdout.split('\n')[0] ?? '')).toBe(200);
      expect((await run(['keys', 'list'])).stdout).toMatch(new RegExp(`^${id} +inference +before any start$`, 'm'));
      expect(await run(['keys', 'create', '--name', 'x', '--scope', 'root'])).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("'scopes'") as string,
      });
      expect(await run(['backup', '--to', 'copy'])).toMatchObject({ code: 0 });
      expect(statSync(join(folder, 'copy/key-pepper')).mode & 0o777).toBe(0o600);
      expect(await run(['backup', '--to', 'copy'])).toMatchObject({ code: 2 });
      expect(await run(['keys', 'revoke', id])).toMatchObject({ code: 0, stdout: `revoked: ${id}\n` });
      expect((await run(['keys', 'list'])).stdout).not.toContain(id);
      expect((await run(['keys', 'list', '--all'])).stdout).toMatch(new RegExp(`^${id} .*revoked`, 'm'));
    } finally {
      await gateway.stop();
    }
    // Restored elsewhere, it is the database of the moment of the backup.
    const elsewhere = join(folder, 'restored');
    mkdirSync(elsewhere);
    for (const name of ['gateway.sqlite', 'key-pepper']) {
      copyFileSync(join(folder, 'copy', name), join(elsewhere, name));
    }
    const restored = await startGateway({
      dataDirectory: elsewhere,
      env: { GATEWAY_ADMIN_KEY: '', DATABASE_URL: `sqlite:${join(elsewhere, 'gateway.sqlite')}` },
    });
    expect(await statusWith(restored, key)).toBe(200);
    await restored.stop();
  });

  it('finds what keeps the gateway from starting', async () => {
    expect(await run(['keys', 'create', '--name', 'x'])).toMatchObject({ code: 0 });
    const well = await run(['doctor', '--offline'], { PORT: '0' });
    expect(well).toMatchObject({ code: 0, stderr: '' });
    rmSync(join(folder, 'data/key-pepper'));
    const ill = await run(['doctor', '--offline'], { PORT: '0', REDIS_URL: 'redis://127.0.0.1:1' });
    expect(ill.code).toBe(1);
    expect(ill.stdout).toMatch(/^fail {2}the key pepper is missing: restore .*key-pepper/m);
    expect(ill.stdout).toMatch(/^fail {2}Redis does not respond \(ECONNREFUSED\)/m);
    expect(ill.stdout).toMatch(/^2 to fix\.$/m);
  });

  it('works as npm scripts where there are no sources, as in the image', async () => {
    for (const name of ['dist', 'node_modules', 'bin', 'package.json'])
      symlinkSync(join(ROOT, name), join(folder, name));
    mkdirSync(join(folder, 'scripts'));
    copyFileSync(join(ROOT, 'scripts/build.mjs'), join(folder, 'scripts/build.mjs'));
    writeFileSync(join(folder, 'gateway.yaml'), 'sandbox: true\n');
    const npm = (script: string): Promise<CommandResult> =>
      runProgram('npm', ['run', '--silent', script], { cwd: folder });
    expect(await npm('config:check')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('The configuration is valid.') as string,
    });
    expect(await npm('migration:run')).toMatchObject({
      code: 0,
      stdout: expect.stringContaining('migrated: CreateApiKey') as string,
    });
    expect((await npm('migration:show')).stdout).not.toContain('[ ]');
  });

  it('is packed with what it takes to run, and with nothing else', async () => {
    const { stdout } = await runProgram('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], { cwd: ROOT });
    const [pack] = JSON.parse(stdout) as { files: { path: string }[] }[];
    const paths = pack?.files.map(({ path }) => path) ?? [];
    expect(paths).toEqual(
      expect.arrayContaining(['bin/llm-gateway.mjs', 'dist/main.js', 'dist/command.js', 'README.md', 'LICENSE']),
    );
    expect(
      paths.filter((path) => /^(?:src|test|bench|data|\.ci)\/|\.map$|\.cache$|\.d\.ts$|\.env$|\.sqlite/.test(path)),
    ).toEqual([]);
  });
});

(isPostgresRun ? describe : describe.skip)('llm-gateway move', () => {
  let folder: string;
  let url: string;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gateway-move-'));
    url = await createDatabase();
  });
  afterEach(async () => {
    await dropDatabase(url);
    rmSync(folder, { recursive: true, force: true });
  });

  it('carries everything from SQLite to PostgreSQL, once, into an empty database alone', async () => {
    const sqlite = `sqlite:${join(folder, 'gateway.sqlite')}`;
    const before = await startGateway({ dataDirectory: folder, env: { DATABASE_URL: sqlite } });
    const key = await before.apiKey({ metadata: { note: 'žluťoučký "kůň" \\ {1,NULL}' }, limits: { rpm: 1_000_000 } });
    const client = before.client(key);
    expect((await client.chat()).status).toBe(200);
    const tasks = Array.from({ length: 1_500 }, (_, index) => `task ${index} \\ "é" {}`);
    const job = await client.submitBatch('sandbox/echo', tasks);
    await client.get(`/v1/batch/${job}/events`);
    const resultsOf = async (gateway: RunningGateway): Promise<string[]> =>
      (await gateway.client(key).get(`/v1/batch/${job}/results`)).text.split('\n').sort();
    const results = await resultsOf(before);
    await before.stop();

    const move = (): Promise<CommandResult> =>
      runGatewayCommand(['move', '--from', sqlite, '--to', url], { cwd: folder });
    expect(await move()).toMatchObject({
      code: 0,
      stderr: '',
      stdout: expect.stringMatching(/^batch_task: 1500 rows$/m) as string,
    });
    expect(await move()).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/is not empty: \w+ has \d+ rows/) as string,
    });
    const after = await startGateway({ dataDirectory: folder, env: { DATABASE_URL: url } });
    try {
      expect(await statusWith(after, key)).toBe(200);
      expect(await resultsOf(after)).toEqual(results);
    } finally {
      await after.stop();
    }
  });

  it('leaves the target as it was when anything goes wrong on the way', async () => {
    const sqlite = `sqlite:${join(folder, 'gateway.sqlite')}`;
    for (const name of ['one', 'two']) {
      const { code } = await runGatewayCommand(['keys', 'create', '--name', name], {
        cwd: folder,
        env: { DATABASE_URL: sqlite, GATEWAY_DATA_DIR: folder },
      });
      expect(code).toBe(0);
    }
    expect(await runGatewayCommand(['migrate'], { cwd: folder, env: { DATABASE_URL: url } })).toMatchObject({
      code: 0,
    });
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      await client.query(`ALTER TABLE gateway_setting ADD CONSTRAINT refuses CHECK (name <> 'pepper_fingerprint')`);
      const { code, stderr } = await runGatewayCommand(['move', '--from', sqlite, '--to', url], { cwd: folder });
      expect(code).toBe(1);
      expect(stderr).toContain('refuses');
      const { rows } = await client.query<{ count: string }>('SELECT COUNT(*) AS count FROM api_key');
      expect(rows[0]?.count).toBe('0');
    } finally {
      await client.end();
    }
  });
});
