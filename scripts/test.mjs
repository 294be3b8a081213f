/**
 * `npm test`: checks, build, unit tests, then the e2e suites on SQLite and again on PostgreSQL. Every step runs even when
 * one before it failed; the last line counts the tests of all of them.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = new URL('..', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'gateway-test-'));
let passed = 0;
let failed = 0;
const broken = [];

function run(name, command, args, env = {}) {
  console.log(`\n== ${name}`);
  const started = performance.now();
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...env } });
  console.log(
    `== ${name}: ${status === 0 ? 'ok' : 'FAILED'} after ${((performance.now() - started) / 1000).toFixed(0)} s`,
  );
  if (status !== 0) broken.push(name);
  return status === 0;
}

function jest(name, project, env) {
  const report = join(folder, `${name.replaceAll(' ', '-')}.json`);
  const jestPath = join(root, 'node_modules/jest/bin/jest.js');
  const args = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', jestPath];
  // End-to-end tests mostly wait for other processes, so more of them than processors run at once.
  const workers = project === 'e2e' ? ['--maxWorkers=4'] : [];
  run(
    name,
    process.execPath,
    [...args, ...workers, '--selectProjects', project, '--json', `--outputFile=${report}`],
    env,
  );
  try {
    const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = JSON.parse(readFileSync(report, 'utf8'));
    passed += numPassedTests;
    failed += numFailedTests + numRuntimeErrorTestSuites;
  } catch {
    failed += 1;
  }
}

run('check', 'npm', ['run', '--silent', 'check']);
if (run('build', 'npm', ['run', '--silent', 'build'])) {
  jest('unit', 'unit');
  jest('e2e on SQLite', 'e2e');
  jest('e2e on PostgreSQL', 'e2e', { TEST_DATABASE: 'postgres' });
}
rmSync(folder, { recursive: true, force: true });
if (broken.length > 0) console.log(`\nFailed: ${broken.join(', ')}`);
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = broken.length > 0 || failed > 0 ? 1 : 0;
