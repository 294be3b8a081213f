import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { DataSource, type MigrationInterface, type QueryRunner } from 'typeorm';
import { Database } from '../../src/database/database.js';
import { GatewaySetting } from '../../src/database/gateway-setting.entity.js';
import { dataSourceOptions } from '../../src/database/data-source-options.js';
import { migrate } from '../../src/database/migrate.js';
import { openDatabase } from '../../src/database/open-database.js';
import { SCHEMA } from '../../src/schema.js';
import { startExpectingFailure, startGateway } from '../fixtures/gateway.js';
import { createDatabase, dropDatabase, isPostgresRun } from '../fixtures/postgres-databases.js';

const run = promisify(execFile);
const ROOT = new URL('../..', import.meta.url).pathname;

describe('the database', () => {
  let folder: string;
  let url: string;
  let dataSource: DataSource;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gateway-database-'));
    url = isPostgresRun ? await createDatabase() : `sqlite:${join(folder, 'test.sqlite')}`;
    dataSource = await openDatabase(
      isPostgresRun ? { kind: 'postgres', url } : { kind: 'sqlite', path: join(folder, 'test.sqlite') },
      SCHEMA,
    );
  });
  afterEach(async () => {
    if (dataSource.isInitialized) await dataSource.destroy();
    if (isPostgresRun) await dropDatabase(url);
    rmSync(folder, { recursive: true, force: true });
  });

  it('has, once migrated, the very schema that the entities describe', async () => {
    const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
    expect(upQueries.map(({ query }) => query)).toEqual([]);
  });

  it('goes down to nothing and up again', async () => {
    for (const _migration of dataSource.migrations) await dataSource.undoLastMigration({ transaction: 'each' });
    const left = await dataSource.query<{ name: string }[]>(
      isPostgresRun
        ? `SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'`
        : `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`,
    );
    expect(left.map(({ name }) => name)).toEqual(['migration']);
    await migrate(dataSource);
    const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
    expect(upQueries).toEqual([]);
  });

  it('keeps every acknowledged row of 200 concurrent writers, a tenth of whom roll back', async () => {
    const database = new Database(dataSource);
    const outcomes = await Promise.allSettled(
      Array.from({ length: 200 }, (_, index) =>
        database.transaction(async (manager) => {
          await manager.insert(GatewaySetting, { name: `writer-${index}`, value: 'first' });
          await manager.update(GatewaySetting, { name: `writer-${index}` }, { value: 'second' });
          if (index % 10 === 0) throw new Error('changed its mind');
        }),
      ),
    );
    const acknowledged = outcomes.flatMap(({ status }, index) => (status === 'fulfilled' ? [`writer-${index}`] : []));
    const refusals = outcomes.flatMap((outcome) =>
      outcome.status === 'rejected' ? [(outcome.reason as Error).message] : [],
    );
    // On a busy machine one may also wait too long for a connection; it has been refused, and wrote nothing.
    const late = refusals.filter((message) => /timeout exceeded when trying to connect/.test(message));
    const own = refusals.filter((message) => message === 'changed its mind');
    expect([...new Set(refusals)].filter((message) => ![...late, ...own].includes(message))).toEqual([]);
    expect(acknowledged.length + late.length + own.length).toBe(200);
    expect(acknowledged.length).toBeGreaterThan(0);
    const rows = await dataSource.getRepository(GatewaySetting).find();
    expect(rows.map(({ name }) => name).sort()).toEqual([...acknowledged].sort());
    expect(rows.every(({ value }) => value === 'second')).toBe(true);
  });

  it('is written by two processes at once without an error', async () => {
    const env = { DATABASE_URL: url, GATEWAY_ADMIN_KEY: 'Zk3v9-two-processes-one-file-8Qm', GATEWAY_DATA_DIR: folder };
    const gateways = await Promise.all([startGateway({ env }), startGateway({ env })]);
    try {
      const statuses = await Promise.all(
        Array.from({ length: 200 }, async (_, index) => {
          const response = await gateways[index % 2]!.admin.post('/v1/admin/keys', { name: `key ${index}` });
          return response.status;
        }),
      );
      expect(statuses.filter((status) => status !== 201)).toEqual([]);
      const rows = await dataSource.query<{ count: string | number }[]>(
        `SELECT COUNT(*) AS count FROM api_key WHERE name LIKE 'key %'`,
      );
      expect(Number(rows[0]?.count)).toBe(200);
    } finally {
      await Promise.all(gateways.map((gateway) => gateway.stop()));
    }
  });

  it('gives a migration all the time that it needs, and statements of requests their limit', async () => {
    const finished: string[] = [];
    class SlowMigration9999999999999 implements MigrationInterface {
      readonly name = 'SlowMigration9999999999999';
      async up(runner: QueryRunner): Promise<void> {
        if (isPostgresRun) await runner.query('SELECT pg_sleep(2)');
        await runner.query('CREATE TABLE slowly_made (id integer)');
        finished.push(this.name);
      }
      async down(runner: QueryRunner): Promise<void> {
        await runner.query('DROP TABLE slowly_made');
      }
    }
    const database = isPostgresRun
      ? ({ kind: 'postgres', url } as const)
      : ({ kind: 'sqlite', path: join(folder, 'test.sqlite') } as const);
    const options = dataSourceOptions(database, SCHEMA);
    const slow = new DataSource({
      ...options,
      migrations: [...(options.migrations as []), SlowMigration9999999999999],
      ...(isPostgresRun && { poolSize: 1, extra: { statement_timeout: 1_000 } }),
    } as typeof options);
    await slow.initialize();
    try {
      expect(await migrate(slow)).toEqual(['SlowMigration9999999999999']);
      expect(finished).toHaveLength(1);
      if (isPostgresRun) {
        await expect(slow.query('SELECT pg_sleep(5)')).rejects.toThrow(/statement timeout/);
      }
    } finally {
      await slow.destroy();
    }
  });

  it('is refused when a newer version has migrated it, whether migrations are on or off', async () => {
    await dataSource.query(
      `INSERT INTO migration (timestamp, name) VALUES (9999999999999, 'FromTheFuture9999999999999')`,
    );
    for (const GATEWAY_MIGRATE of ['on', 'off']) {
      const env = { DATABASE_URL: url, GATEWAY_DATA_DIR: folder, GATEWAY_MIGRATE };
      const { code, stdout, stderr } = await startExpectingFailure({ env });
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/newer version .*FromTheFuture9999999999999.* Start that version, or restore a backup/);
      expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    }
  });

  it('is not touched with GATEWAY_MIGRATE=off: a start with pending migrations says how to run them', async () => {
    const env = { DATABASE_URL: url, GATEWAY_DATA_DIR: folder, GATEWAY_MIGRATE: 'off' };
    const last = dataSource.migrations.at(-1)?.name ?? '';
    await dataSource.undoLastMigration({ transaction: 'each' });
    const { code, stderr } = await startExpectingFailure({ env });
    expect(code).toBe(1);
    expect(stderr).toContain(`lacks 1 migration (${last})`);
    expect(stderr).toContain('llm-gateway migrate');
    await migrate(dataSource);
    const gateway = await startGateway({ env });
    expect((await gateway.client('').get('/health/ready')).status).toBe(200);
    await gateway.stop();
  });

  it('is managed by npm run migration:show, revert and run', async () => {
    const command = async (name: string): Promise<string> => {
      const { stdout } = await run('npm', ['run', '--silent', `migration:${name}`], {
        cwd: ROOT,
        env: { PATH: process.env['PATH'], HOME: process.env['HOME'], DATABASE_URL: url, GATEWAY_DATA_DIR: folder },
      });
      return stdout;
    };
    const total = dataSource.migrations.length;
    expect((await command('show')).match(/\[X\]/g)).toHaveLength(total);
    await command('revert');
    const reverted = await command('show');
    expect(reverted.match(/\[X\]/g) ?? []).toHaveLength(total - 1);
    expect(reverted.match(/\[ \]/g)).toHaveLength(1);
    await command('run');
    expect((await command('show')).match(/\[X\]/g)).toHaveLength(total);
  });
});
