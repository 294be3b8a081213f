import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startGateway } from '../fixtures/gateway.js';
import { isPostgresRun } from '../fixtures/postgres-databases.js';

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

(isPostgresRun ? describe.skip : describe)('files of the gateway', () => {
  const folder = mkdtempSync(join(tmpdir(), 'private-files-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('belong to its user alone, with any umask', async () => {
    const data = join(folder, 'new/data');
    const before = process.umask(0o000);
    const starting = startGateway({
      env: { GATEWAY_DATA_DIR: data, DATABASE_URL: `sqlite:${join(folder, 'elsewhere/db.sqlite')}` },
    });
    process.umask(before);
    const gateway = await starting;
    await gateway.apiKey();
    for (const place of [data, join(folder, 'elsewhere')]) {
      expect([place, modeOf(place)]).toEqual([place, '700']);
      const files = readdirSync(place);
      expect(files.length).toBeGreaterThan(0);
      for (const file of files) expect([file, modeOf(join(place, file))]).toEqual([file, '600']);
    }
    expect(readdirSync(join(folder, 'elsewhere')).sort()).toEqual(['db.sqlite', 'db.sqlite-shm', 'db.sqlite-wal']);
    await gateway.stop();
  });

  it('that others could read are tightened, which the log says, and nothing else is touched', async () => {
    const data = join(folder, 'old');
    mkdirSync(data);
    writeFileSync(join(data, 'notes.txt'), 'of another user');
    const env = { GATEWAY_DATA_DIR: data, DATABASE_URL: `sqlite:${join(data, 'db.sqlite')}` };
    await (await startGateway({ env })).stop();
    for (const name of ['db.sqlite', 'key-pepper']) chmodSync(join(data, name), 0o644);
    chmodSync(join(data, 'notes.txt'), 0o644);
    chmodSync(data, 0o755);
    const gateway = await startGateway({ env });
    await gateway.apiKey();
    expect([data, ...readdirSync(data).map((name) => join(data, name))].map((path) => [path, modeOf(path)])).toEqual(
      [['', '700'], ...readdirSync(data).map((name) => [name, name === 'notes.txt' ? '644' : '600'])].map(
        ([name, mode]) => [join(data, name ?? ''), mode],
      ),
    );
    for (const path of [data, join(data, 'db.sqlite'), join(data, 'key-pepper')]) {
      expect(gateway.logs()).toContain(`"path":"${path}"`);
    }
    await gateway.stop();
  });
});
