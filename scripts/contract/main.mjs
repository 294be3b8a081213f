/**
 * `npm run test:contract`: what others read in the OpenAPI document of a running gateway. The document has no error for
 * `redocly lint`; the clients that openapi-typescript and @hey-api/openapi-ts make of it compile in strict mode and work.
 * The tools are no dependencies of the project: they are installed once, at the versions below, into node_modules/.cache.
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startGatewayProcess } from './gateway-process.mjs';

const TOOLS = {
  '@hey-api/openapi-ts': '0.95.0',
  '@redocly/cli': '2.77.0',
  '@types/node': '20.19.43',
  'openapi-fetch': '0.17.0',
  'openapi-typescript': '7.13.0',
  typescript: '5.9.3',
};

const root = new URL('..', import.meta.url).pathname;
const versions = Object.entries(TOOLS).map(([name, version]) => `${name}@${version}`);
const tools = join(root, 'node_modules/.cache/contract', versions.join('_').replaceAll(/[@/]/g, '-'));
const folder = mkdtempSync(join(tmpdir(), 'gateway-contract-'));
const broken = [];

function run(name, command, args, options = {}) {
  const started = performance.now();
  const { status } = spawnSync(command, args, { cwd: folder, stdio: 'inherit', ...options });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`== ${name}: ${status === 0 ? 'ok' : 'FAILED'} after ${seconds} s\n`);
  if (status !== 0) broken.push(name);
  return status === 0;
}

const tool = (name, command, args) => run(name, process.execPath, [join(tools, 'node_modules', command), ...args]);

function installTools() {
  if (existsSync(join(tools, 'node_modules'))) return true;
  mkdirSync(tools, { recursive: true });
  writeFileSync(join(tools, 'package.json'), JSON.stringify({ private: true }));
  const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--save-exact', ...versions];
  if (run('install the tools', 'npm', args, { cwd: tools })) return true;
  rmSync(tools, { recursive: true, force: true });
  return false;
}

function compile() {
  const options = {
    target: 'es2023',
    module: 'nodenext',
    lib: ['es2023', 'dom', 'dom.iterable'],
    types: ['node'],
    strict: true,
    noUncheckedIndexedAccess: true,
    noImplicitOverride: true,
    exactOptionalPropertyTypes: false,
    outDir: 'compiled',
  };
  const files = ['openapi-fetch.mts', 'hey-api.mts'];
  for (const file of files) copyFileSync(join(root, 'test/clients/generated', file), join(folder, file));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ type: 'module' }));
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files }));
  symlinkSync(join(tools, 'node_modules'), join(folder, 'node_modules'));
  return tool('compile the clients', 'typescript/bin/tsc', ['-p', 'tsconfig.json']);
}

async function main() {
  if (!installTools()) return;
  const adminKey = randomBytes(24).toString('base64url');
  const { url, child } = await startGatewayProcess({ application: root, folder, adminKey });
  try {
    const document = await (await fetch(`${url}/docs-json`)).text();
    writeFileSync(join(folder, 'openapi.json'), document);
    tool('redocly lint', '@redocly/cli/bin/cli.js', ['lint', '--format=summary', 'openapi.json']);
    // Without the option it takes fields that have a default for required ones, in requests as well.
    const typed = ['openapi.json', '-o', 'schema.ts', '--default-non-nullable=false'];
    const isTyped = tool('openapi-typescript', 'openapi-typescript/bin/cli.js', typed);
    const hey = ['-i', 'openapi.json', '-o', 'sdk', '--no-log-file'];
    const isGenerated = tool('@hey-api/openapi-ts', '@hey-api/openapi-ts/bin/run.js', hey);
    if (!isTyped || !isGenerated || !compile()) return;
    for (const client of ['openapi-fetch', 'hey-api']) {
      run(`the client of ${client}`, process.execPath, [join(folder, 'compiled', `${client}.mjs`), url, adminKey]);
    }
  } finally {
    child.removeAllListeners('exit');
    child.kill();
  }
}

try {
  await main();
} catch (error) {
  console.error(error);
  broken.push('start');
}
rmSync(folder, { recursive: true, force: true });
if (broken.length > 0) console.log(`Failed: ${broken.join(', ')}`);
process.exitCode = broken.length > 0 ? 1 : 0;
