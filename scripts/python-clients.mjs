/**
 * `npm run test:python [library...]`: the checks of test/clients/python, also of libraries that are too large for `npm test`,
 * against the sandbox of a gateway.
 */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startGatewayProcess } from './gateway-process.mjs';
import { PYTHON_FIX, pythonEnvironment, pythonVersion } from './python-environment.mjs';

const root = new URL('..', import.meta.url).pathname;
const clients = join(root, 'test/clients/python');
/** The files of pinned packages of each library; LlamaIndex and LiteLLM need different versions of the same packages. */
const LIBRARIES = {
  requests: 'requirements.txt',
  aiohttp: 'requirements.txt',
  openai: 'requirements.txt',
  langchain: 'requirements.txt',
  instructor: 'requirements.txt',
  page: 'requirements-more.txt',
  pydantic_ai: 'requirements-more.txt',
  litellm: 'requirements-more.txt',
  llama_index: 'requirements-llama-index.txt',
};

if (pythonVersion() === undefined) throw new Error(PYTHON_FIX);
const chosen = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(LIBRARIES);
const folder = mkdtempSync(join(tmpdir(), 'gateway-python-'));
const adminKey = randomBytes(24).toString('base64url');
writeFileSync(
  join(folder, 'gateway.yaml'),
  'sandbox: true\nmodels: [{ id: fast, deployments: [{ provider: sandbox, model: echo }] }]\n',
);
const { url, child } = await startGatewayProcess({ application: root, folder, adminKey, env: { LOG_LEVEL: 'info' } });
let passed = 0;
let failed = 0;
try {
  for (const library of chosen) {
    const file = LIBRARIES[library];
    if (file === undefined)
      throw new Error(`No such library: ${library}. There are ${Object.keys(LIBRARIES).join(', ')}.`);
    const python = join(pythonEnvironment(join(clients, file)), 'python');
    const args = ['run.py', `use_${library}`, url, adminKey];
    const { stdout } = spawnSync(python, args, {
      cwd: clients,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const checks = stdout
      .trim()
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
    if (checks.length === 0) failed += 1;
    for (const { name, error } of checks) {
      if (error === null) passed += 1;
      else failed += 1;
      console.log(`${error === null ? 'ok    ' : 'FAILED'} ${library}: ${name.replaceAll('_', ' ')}`);
      if (error !== null) console.log(error);
    }
  }
} finally {
  child.removeAllListeners('exit');
  child.kill();
  rmSync(folder, { recursive: true, force: true });
}
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
