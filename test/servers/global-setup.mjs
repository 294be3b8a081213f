import { spawnSync } from 'node:child_process';
import { noteProcesses } from './started-processes.mjs';
import { startPostgres } from './postgres-server.mjs';
/** The application must be built, and a run on PostgreSQL needs a server. */
export default async function setUp() {
  const build = new URL('../../scripts/build.mjs', import.meta.url).pathname;
  const { status } = spawnSync(process.execPath, [build, '--if-needed'], { stdio: 'inherit' });
  if (status !== 0) throw new Error('the application does not build');
  noteProcesses();
  if (process.env['TEST_DATABASE'] !== 'postgres' || process.env['TEST_POSTGRES_URL'] !== undefined) return;
  globalThis.testPostgres = await startPostgres();
  process.env['TEST_POSTGRES_URL'] = globalThis.testPostgres.url;
}
