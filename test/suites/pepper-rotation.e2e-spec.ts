import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DataSource } from 'typeorm';
import { Pepper } from '../../src/auth/pepper.js';
import { loadConfig } from '../../src/config/load-config.js';
import { connectDatabase } from '../../src/database/open-database.js';
import { SCHEMA } from '../../src/schema.js';
import { runGatewayCommand } from '../clients/command.js';
import { keyIdOf } from '../clients/gateway-client.js';
import { startExpectingFailure, startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { createDatabase, dropDatabase, isPostgresRun } from '../fixtures/postgres-databases.js';
import { until } from '../fixtures/until.js';

const secret = (): string => randomBytes(32).toString('hex');

describe(`the key pepper is replaced (${isPostgresRun ? 'PostgreSQL' : 'SQLite'})`, () => {
  let folder: string;
  let databaseUrl: string;
  let dataSource: DataSource | undefined;
  const [first, second] = [secret(), secret()];
  const OLD = { GATEWAY_KEY_PEPPER: first };
  const BOTH = { GATEWAY_KEY_PEPPER: second, GATEWAY_KEY_PEPPER_PREVIOUS: first };
  const NEW = { GATEWAY_KEY_PEPPER: second };

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gateway-pepper-'));
    databaseUrl = isPostgresRun
      ? await createDatabase({ isMigrated: true })
      : `sqlite:${join(folder, 'gateway.sqlite')}`;
  });
  afterEach(async () => {
    await dataSource?.destroy();
    dataSource = undefined;
    if (isPostgresRun) await dropDatabase(databaseUrl);
    rmSync(folder, { recursive: true, force: true });
  });

  const start = (env: Record<string, string>): Promise<RunningGateway> =>
    startGateway({ config: { sandbox: true }, dataDirectory: folder, env: { DATABASE_URL: databaseUrl, ...env } });
  const command = async (env: Record<string, string>, ...words: string[]): Promise<string> => {
    const all = { DATABASE_URL: databaseUrl, GATEWAY_DATA_DIR: folder, GATEWAY_ADMIN_KEY: secret(), ...env };
    const { stdout, stderr } = await runGatewayCommand(words, { cwd: folder, env: all });
    return stdout + stderr;
  };
  const doctor = (env: Record<string, string>): Promise<string> => command(env, 'doctor', '--offline');
  const chat = async (gateway: RunningGateway, key: string): Promise<number> =>
    (await gateway.client(key).chat()).status;
  async function query<Row>(statement: string): Promise<Row[]> {
    const config = loadConfig({ env: { DATABASE_URL: databaseUrl }, cwd: folder });
    dataSource ??= await connectDatabase(config.database, SCHEMA);
    return dataSource.query<Row[]>(statement);
  }

  const onOldPepper = async (): Promise<number> => {
    const old = new Pepper(first).fingerprint;
    const rows = await query<{ id: string }>(
      `SELECT id FROM api_key WHERE hash_scheme = '${old}' OR previous_hash_scheme = '${old}'`,
    );
    return rows.length;
  };

  it('keys go on, are hashed anew when they are used, and the old pepper can go when none rests on it', async () => {
    const before = await start(OLD);
    const [used, unused] = [await before.apiKey(), await before.apiKey()];
    const made = await before.admin.createKey();
    const { body: rotated } = await before.admin.rotateKey(made.id, { overlap_seconds: 3_600 });
    await before.stop();
    const during = await start(BOTH);
    expect(await doctor(BOTH)).toContain('3 keys are still hashed with GATEWAY_KEY_PEPPER_PREVIOUS');
    const fresh = await during.apiKey();
    for (const key of [used, made.key, rotated.key, fresh]) expect(await chat(during, key)).toBe(200);
    expect(await chat(during, `${used.slice(0, -1)}${used.endsWith('0') ? '1' : '0'}`)).toBe(401);
    await until(async () => (await onOldPepper()) === 1);
    expect(await command(BOTH, 'keys', 'list')).toContain('1 key is still hashed with GATEWAY_KEY_PEPPER_PREVIOUS');
    await during.stop();
    const refused = await startExpectingFailure({
      dataDirectory: folder,
      env: { DATABASE_URL: databaseUrl, ...OLD },
    });
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('set the one before as GATEWAY_KEY_PEPPER_PREVIOUS');

    const after = await start(NEW);
    expect(await doctor(NEW)).toContain('1 key is hashed with a pepper that is not set');
    for (const key of [used, made.key, rotated.key, fresh]) expect(await chat(after, key)).toBe(200);
    expect(await chat(after, unused)).toBe(401);
    await after.stop();
    const again = await start(BOTH);
    expect(await chat(again, unused)).toBe(200);
    await until(async () => (await onOldPepper()) === 0);
    expect(await doctor(BOTH)).toContain('no key rests on GATEWAY_KEY_PEPPER_PREVIOUS any more');
    await again.stop();
  });

  it('instances with the old and with the new pepper agree, in whichever order they are replaced', async () => {
    const old = await start(OLD);
    const key = await old.apiKey();
    const next = await start(BOTH);
    const fresh = await next.apiKey();
    // Hashed so that both can check it, also once the caches of 5 s are over.
    const isOld = async (): Promise<boolean> => {
      const [row] = await query<{ count: string }>('SELECT COUNT(DISTINCT hash_scheme) AS count FROM api_key');
      return Number(row?.count) === 1;
    };
    for (let round = 0; round < 2; round += 1) {
      for (const gateway of [old, next])
        expect([await chat(gateway, key), await chat(gateway, fresh)]).toEqual([200, 200]);
      expect(await isOld()).toBe(true);
      if (round === 0) await new Promise((resolve) => setTimeout(resolve, 5_100));
    }
    await old.stop();
    const other = await start(BOTH);
    await until(async () => {
      for (const gateway of [next, other])
        expect([await chat(gateway, key), await chat(gateway, fresh)]).toEqual([200, 200]);
      return (await onOldPepper()) === 0;
    });
    expect(await doctor(BOTH)).toContain('no key rests on GATEWAY_KEY_PEPPER_PREVIOUS any more');
    await next.stop();
    await other.stop();
  });

  it('a process that does not hold the pepper of a key asks to be retried, and calls no valid key invalid', async () => {
    const gateway = await start(OLD);
    const [key, lost] = [await gateway.apiKey(), await gateway.apiKey()];
    await query(
      `UPDATE api_key SET hash_scheme = '${'a'.repeat(32)}' WHERE id IN ('${keyIdOf(key)}', '${keyIdOf(lost)}')`,
    );
    // The pepper in use is held, so theirs is an older one that was taken away.
    expect(await chat(gateway, lost)).toBe(401);
    await query(`UPDATE gateway_setting SET value = '${'a'.repeat(32)}' WHERE name = 'pepper_fingerprint'`);
    expect(await chat(gateway, key)).toBe(503);
    await until(() => gateway.logs().includes('the key pepper was replaced'), 30_000);
    await gateway.stop();
  });
});
