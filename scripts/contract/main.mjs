/**
 * `npm run test:contract`: what others make of the OpenAPI document of a running gateway.
 *
 *   npm run test:contract -- [--seed 1] [--only lint|clients|fuzz] [--seconds 50]
 *
 * The document has no error for Redocly and Spectral; the clients that openapi-typescript, @hey-api/openapi-ts and
 * openapi-python-client make of it compile in strict mode and work; Schemathesis finds nothing, as an administrator and
 * with an ordinary key, on SQLite and on PostgreSQL with Redis, in `--seconds` each. The tools are no dependencies of the project: they
 * are installed once, at the versions below and in test/contract/requirements.txt.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startGatewayProcess } from '../gateway-process.mjs';
import { PYTHON_FIX, pythonEnvironment, pythonVersion } from '../python-environment.mjs';
import { tryPythonClient, tryTypeScriptClients } from './clients.mjs';
import { fuzz } from './fuzz.mjs';

const TOOLS = {
  '@hey-api/openapi-ts': '0.95.0',
  '@redocly/cli': '2.77.0',
  '@stoplight/spectral-cli': '6.16.3',
  '@types/node': '20.19.43',
  'openapi-fetch': '0.17.0',
  'openapi-typescript': '7.13.0',
  typescript: '5.9.3',
};

const { values: options } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    only: { type: 'string', multiple: true, default: ['lint', 'clients', 'fuzz'] },
    seconds: { type: 'string', default: '50' },
  },
});

const root = new URL('../..', import.meta.url).pathname;
const versions = Object.entries(TOOLS).map(([name, version]) => `${name}@${version}`);
const tools = join(root, 'node_modules/.cache/contract', versions.join('_').replaceAll(/[@/]/g, '-'));
const folder = mkdtempSync(join(tmpdir(), 'gateway-contract-'));
const broken = [];

/**
 * @param {string} name
 * @param {string} command
 * @param {readonly string[]} args
 * @param {import('node:child_process').SpawnOptions} [settings]
 * @returns {Promise<boolean>} whether it succeeded
 */
async function run(name, command, args, settings = {}) {
  const started = performance.now();
  const child = spawn(command, args, { cwd: folder, stdio: 'inherit', ...settings });
  const status = await new Promise((resolve) => {
    child.once('error', resolve).once('close', resolve);
  });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`== ${name}: ${status === 0 ? 'ok' : 'FAILED'} after ${seconds} s\n`);
  if (status !== 0) broken.push(name);
  return status === 0;
}

/** @param {string} name @param {string} command a program of the tools @param {readonly string[]} args */
const tool = (name, command, args) => run(name, process.execPath, [join(tools, 'node_modules', command), ...args]);

async function installTools() {
  if (existsSync(join(tools, 'node_modules'))) return true;
  mkdirSync(tools, { recursive: true });
  writeFileSync(join(tools, 'package.json'), JSON.stringify({ private: true }));
  const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--save-exact', ...versions];
  if (await run('install the tools', 'npm', args, { cwd: tools })) return true;
  rmSync(tools, { recursive: true, force: true });
  return false;
}

/** @returns {string | undefined} the folder of Python's tools; undefined, and said so, where there is no Python */
function pythonTools() {
  if (pythonVersion() !== undefined) return pythonEnvironment(join(root, 'test/contract/requirements.txt'));
  console.log(`== SKIPPED: Schemathesis and openapi-python-client. ${PYTHON_FIX}\n`);
  // A skipped check would look like a passed one there.
  if (process.env.CI !== undefined) broken.push('Python');
  return undefined;
}

async function lint() {
  await tool('redocly lint', '@redocly/cli/bin/cli.js', ['lint', '--format=summary', 'openapi.json']);
  writeFileSync(join(folder, 'spectral.yaml'), 'extends: spectral:oas\n');
  const args = [
    'lint',
    'openapi.json',
    '--ruleset',
    'spectral.yaml',
    '--fail-severity',
    'error',
    '--format',
    'stylish',
  ];
  await tool('spectral lint', '@stoplight/spectral-cli/dist/index.js', args);
}

async function main() {
  if (!(await installTools())) return;
  const python = pythonTools();
  const steps = new Set(options.only);
  const adminKey = randomBytes(24).toString('base64url');
  const { url, child } = await startGatewayProcess({ application: root, folder, adminKey });
  try {
    writeFileSync(join(folder, 'openapi.json'), await (await fetch(`${url}/docs-json`)).text());
    if (steps.has('lint')) await lint();
    const scene = { root, folder, tools, url, adminKey, run, tool };
    if (steps.has('clients')) {
      await tryTypeScriptClients(scene);
      if (python !== undefined) await tryPythonClient(scene, python);
    }
  } finally {
    child.removeAllListeners('exit');
    child.kill();
  }
  if (steps.has('fuzz') && python !== undefined) {
    await fuzz({ root, folder, python, seed: Number(options.seed), seconds: Number(options.seconds), run });
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
