/**
 * Starts the built application in this process, and keeps what V8 has compiled of the bundled packages. Later starts with the
 * same version and options of Node.js take it from there.
 *
 *   node [options] scripts/code-cache.mjs <dist>
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { pino } from 'pino';

const dist = resolve(process.argv[2] ?? 'dist');
/** @param {string} path */
const load = (path) => import(pathToFileURL(join(dist, path)).href);

await load('node_modules/reflect-metadata/reflect-metadata.js');
const { loadConfig } = await load('src/config/load-config.js');
const { createApplication } = await load('src/application.js');
const folder = mkdtempSync(join(tmpdir(), 'code-cache-'));
try {
  const config = loadConfig({
    env: {
      DATABASE_URL: `sqlite:${join(folder, 'gateway.sqlite')}`,
      GATEWAY_DATA_DIR: folder,
      GATEWAY_ADMIN_KEY: 'k'.repeat(24) + '-only-for-the-code-cache',
      HOST: '127.0.0.1',
      PORT: '0',
    },
    cwd: folder,
  });
  const app = await createApplication(config, pino({ level: 'silent' }));
  await app.listen(0, '127.0.0.1');
  const { saveCodeCache } = await load('node_modules/.bundle/load.js');
  saveCodeCache();
  await app.close();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
