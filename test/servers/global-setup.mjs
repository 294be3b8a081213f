import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startPostgres } from './postgres-server.mjs';
import { noteProcesses } from './started-processes.mjs';

/** The application must be built, and a run on PostgreSQL needs a server. */
export default async function setUp() {
  const build = new URL('../../scripts/build.mjs', import.meta.url).pathname;
  const { status } = spawnSync(process.execPath, [build, '--if-needed'], { stdio: 'inherit' });
  if (status !== 0) throw new Error('the application does not build');
  noteProcesses();
  writeDocument();
  if (process.env['TEST_DATABASE'] !== 'postgres' || process.env['TEST_POSTGRES_URL'] !== undefined) return;
  globalThis.testPostgres = await startPostgres();
  process.env['TEST_POSTGRES_URL'] = globalThis.testPostgres.url;
}

/** What the responses of every gateway are held to: the OpenAPI document of this build. */
function writeDocument() {
  globalThis.testDocumentFolder = mkdtempSync(join(tmpdir(), 'gateway-document-'));
  const file = join(globalThis.testDocumentFolder, 'openapi.json');
  const write = new URL('../../dist/src/openapi/write.js', import.meta.url).pathname;
  const { status } = spawnSync(process.execPath, [write, file], { stdio: 'inherit' });
  if (status !== 0) throw new Error('the OpenAPI document cannot be written');
  process.env['TEST_OPENAPI_DOCUMENT'] = file;
}
