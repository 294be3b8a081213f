import { startFakeUpstream, type FakeUpstream } from '../upstreams/fake-upstream-client.js';
import { until } from '../fixtures/until.js';
import { once } from 'node:events';
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAiAt } from '../fixtures/gateway-config.js';
import { startExpectingFailure, startGateway, type RunningGateway } from '../fixtures/gateway.js';
import { createDatabase, dropDatabase, isPostgresRun } from '../fixtures/postgres-databases.js';

// What depends on no database.
const onceOnly = isPostgresRun ? describe.skip : describe;

const ADMIN_KEY = /Admin key \(shown only now, keep it\): (gw_\w+)/;

const statusWith = async (gateway: RunningGateway, key: string): Promise<number> =>
  (await gateway.client(key).get('/v1/admin/keys')).status;

describe('the first start', () => {
  let folder: string;
  let databaseUrl: string;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'gateway-boot-'));
    databaseUrl = isPostgresRun ? await createDatabase() : `sqlite:${join(folder, 'gateway.sqlite')}`;
  });
  afterEach(async () => {
    if (isPostgresRun) await dropDatabase(databaseUrl);
    rmSync(folder, { recursive: true, force: true });
  });

  it('prints the admin key once; the second keeps key and data and prints none', async () => {
    const options = { dataDirectory: folder, env: { DATABASE_URL: databaseUrl, GATEWAY_ADMIN_KEY: '' } };
    const first = await startGateway(options);
    const key = ADMIN_KEY.exec(first.logs())?.[1] ?? '';
    expect(key).not.toBe('');
    expect(await statusWith(first, key)).toBe(200);
    expect(statSync(join(folder, 'key-pepper')).mode & 0o777).toBe(0o600);
    await first.stop();
    const second = await startGateway(options);
    expect(second.logs()).not.toMatch(/gw_/);
    expect(await statusWith(second, key)).toBe(200);
    await second.stop();
  });

  it('migrates once and makes one admin key when five processes start at once', async () => {
    const options = { dataDirectory: folder, env: { DATABASE_URL: databaseUrl, GATEWAY_ADMIN_KEY: '' } };
    const gateways = await Promise.all(Array.from({ length: 5 }, () => startGateway(options)));
    try {
      const keys = gateways.flatMap((gateway) => ADMIN_KEY.exec(gateway.logs())?.[1] ?? []);
      expect(keys).toHaveLength(1);
      for (const gateway of gateways) expect(await statusWith(gateway, keys[0] ?? '')).toBe(200);
    } finally {
      await Promise.all(gateways.map((gateway) => gateway.stop()));
    }
  });

  it('refuses a pepper other than the one that the keys were made with', async () => {
    const env = { DATABASE_URL: databaseUrl };
    const first = await startGateway({ dataDirectory: folder, env });
    await first.stop();
    const other = await startExpectingFailure({
      dataDirectory: folder,
      env: { ...env, GATEWAY_KEY_PEPPER: 'k3J9sQ1xV7bN5mZ0pL2wR8tY4uD6fG1h' },
    });
    expect(other).toMatchObject({ code: 1, stdout: '' });
    expect(other.stderr).toMatch(/^llm-gateway cannot start: GATEWAY_KEY_PEPPER .* is not the one/);
  });
});

onceOnly('an impossible start', () => {
  function expectOneLine(failed: { code: number | null; stderr: string; stdout: string }, pattern: RegExp): void {
    expect(failed.code).toBe(1);
    expect(failed.stdout).toBe('');
    expect(failed.stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(failed.stderr).toMatch(pattern);
    expect(failed.stderr).not.toMatch(/\n\s+at /);
  }

  it('says that the port is in use', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    expectOneLine(
      await startExpectingFailure({ env: { PORT: String(port) } }),
      new RegExp(`Port ${port} on 127.0.0.1 is in use`),
    );
    server.close();
  });

  it('says that the data directory cannot be written', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gateway-boot-'));
    writeFileSync(join(folder, 'file'), 'not a folder');
    chmodSync(folder, 0o555);
    // As root no folder is read-only, so the path leads through a file, below which writing is impossible.
    const env = {
      DATABASE_URL: `sqlite:${join(folder, 'file', 'gateway.sqlite')}`,
      GATEWAY_DATA_DIR: join(folder, 'file'),
    };
    expectOneLine(
      await startExpectingFailure({ env }),
      /cannot be written \(E\w+\)\. Make .* writable|set DATABASE_URL/,
    );
    chmodSync(folder, 0o755);
    rmSync(folder, { recursive: true });
  });

  it('says that a file is no database', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'gateway-boot-'));
    writeFileSync(join(folder, 'gateway.sqlite'), 'this is not a database'.repeat(100));
    expectOneLine(
      await startExpectingFailure({ env: { DATABASE_URL: `sqlite:${join(folder, 'gateway.sqlite')}` } }),
      /is not an SQLite database/,
    );
    rmSync(folder, { recursive: true });
  });

  it('says what is wrong with the address of PostgreSQL, without its password', async () => {
    const refused = await startExpectingFailure({ env: { DATABASE_URL: 'postgres://ada:s3cret@127.0.0.1:1/gateway' } });
    expectOneLine(refused, /PostgreSQL at 127\.0\.0\.1:1\/gateway refuses connections/);
    expect(refused.stderr).not.toContain('s3cret');
    expectOneLine(
      await startExpectingFailure({ env: { DATABASE_URL: 'postgres://ada:s3cret@nohost.invalid/gateway' } }),
      /cannot be resolved/,
    );
  });

  it('says that it may have too few files open', async () => {
    for (const descriptors of [30, 40, 63]) {
      const failed = await startExpectingFailure({ descriptors });
      expectOneLine(
        failed,
        new RegExp(`only ${descriptors} files and connections open. Allow at least 1024 \\(ulimit -n`),
      );
    }
  });

  it('names every fault of the configuration at once', async () => {
    const failed = await startExpectingFailure({
      config: 'sever: {}\nmodels: [{ id: a, deployments: [{ provider: b, model: c }] }]\n',
      env: { LOG_LEVEL: 'loud', REDIS_URL: 'nope' },
    });
    expect(failed.code).toBe(1);
    expect(failed.stderr).toMatch(/3 faults:\n/);
    expect(failed.stderr).toMatch(/LOG_LEVEL: must be one of/);
    expect(failed.stderr).toMatch(/REDIS_URL: must look like/);
    expect(failed.stderr).toMatch(/gateway\.yaml:1 sever: unknown key\. Did you mean server\?/);
    expect(failed.stderr).not.toMatch(/\n\s+at /);
  });
});

onceOnly('SIGTERM', () => {
  let upstream: FakeUpstream;

  beforeAll(async () => {
    upstream = await startFakeUpstream();
  });
  afterAll(async () => {
    await upstream.stop();
  });

  const startWith = (drainTimeout: string): Promise<RunningGateway> =>
    startGateway({ config: { server: { drain_timeout: drainTimeout }, providers: { fake: openAiAt(upstream) } } });

  it('is not ready at once, lets open requests end whole, and exits with 0', async () => {
    const gateway = await startWith('10m');
    const client = await gateway.newClient();
    const plain = client.chat({ model: 'fake/words?count=5&delay=300' });
    const stream = client.chat({ model: 'fake/words?count=5&delay=300', stream: true });
    await until(async () => (await upstream.requests()).length === 2);
    const stopped = gateway.stop();
    await until(() => gateway.logs().includes('"msg":"draining"'));
    const ready = await gateway
      .client('')
      .get('/health/ready')
      .then(
        ({ status }) => status,
        () => 'refused',
      );
    expect([503, 'refused']).toContain(ready);
    expect((await plain).body).toMatchObject({ choices: [{ finish_reason: 'stop' }] });
    expect((await stream).text).toMatch(/data: \[DONE\]\n\n$/);
    expect((await stopped).code).toBe(0);
    // It ended because its requests had.
    expect(gateway.logs()).not.toContain('outlasted the drain timeout');
  });

  it('aborts what outlasts the drain timeout, with an error that says so', async () => {
    await upstream.reset();
    const gateway = await startWith('300ms');
    const client = await gateway.newClient();
    const plain = client.chat({ model: 'fake/stall?at=headers' });
    const stream = client.openChat({ model: 'fake/stall?at=mid' });
    await until(async () => (await upstream.requests()).length === 2);
    expect((await stream).status).toBe(200);
    const stopped = gateway.stop();
    const response = await plain;
    expect(response.status).toBe(503);
    expect(response.body).toMatchObject({ error: { code: 'upstream_unavailable' } });
    const text = await (await stream).text();
    expect(text).toMatch(/data: \{"error":.*"upstream_unavailable".*\}\n\n$/);
    expect(text).not.toContain('[DONE]');
    // Both calls would never have ended.
    expect((await stopped).code).toBe(0);
    expect(gateway.logs()).toContain('outlasted the drain timeout');
  });
});
