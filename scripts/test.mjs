/**
 * `npm test`: the checks, beside them a build and then all tests: unit tests, and the end-to-end suites on SQLite and on
 * PostgreSQL, but not the suites in a browser (`npm run test:console`). Every step runs even when one before it failed; the last line counts the tests of all of them.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { constants, setPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** End-to-end tests mostly wait for other processes, so more files than processors run at once. */
const WORKERS = 5;

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'gateway-test-'));
const broken = [];
const running = new Set();

/** @type {readonly NodeJS.Signals[]} */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'];
for (const signal of SIGNALS) {
  // The steps tidy up behind themselves; this process ends after them.
  process.on(signal, () => {
    broken.push(signal);
    for (const child of running) stop(child, signal);
  });
}

/**
 * npm passes a signal to a shell, which keeps it from the programs that the shell started, so the process group of a step in the background is stopped.
 * @param {import('node:child_process').ChildProcess} child the leader of its process group
 * @param {NodeJS.Signals} signal
 */
function stop(child, signal) {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal);
  } catch {
    child.kill(signal);
  }
}

/**
 * @param {string} name
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ inBackground?: boolean }} [options] in the background: with low priority, and its output as one block at its end
 */
async function run(name, command, args, { inBackground = false } = {}) {
  if (broken.some((each) => each.startsWith('SIG'))) return false;
  if (!inBackground) console.log(`\n== ${name}`);
  const started = performance.now();
  const child = spawn(command, args, {
    cwd: root,
    stdio: inBackground ? ['ignore', 'pipe', 'pipe'] : 'inherit',
    detached: inBackground,
  });
  running.add(child);
  let output = '';
  if (inBackground && child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_BELOW_NORMAL);
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', (text) => (output += text));
  const status = await new Promise((resolve) => {
    child.once('error', resolve).once('close', resolve);
  });
  running.delete(child);
  if (inBackground) console.log(`\n== ${name}\n${output}`);
  const seconds = ((performance.now() - started) / 1000).toFixed(0);
  console.log(`== ${name}: ${status === 0 ? 'ok' : 'FAILED'} after ${seconds} s`);
  if (status !== 0) broken.push(name);
  return status === 0;
}

/** @returns {Promise<{ passed: number; failed: number }>} */
async function test() {
  const report = join(folder, 'tests.json');
  const jest = join(root, 'node_modules/jest/bin/jest.js');
  const node = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
  const options = ['--ignoreProjects', 'console', '--maxWorkers', String(WORKERS), '--json', '--outputFile', report];
  await run('unit tests, and end-to-end tests on SQLite and PostgreSQL', process.execPath, [...node, jest, ...options]);
  try {
    const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites } = JSON.parse(readFileSync(report, 'utf8'));
    return { passed: numPassedTests, failed: numFailedTests + numRuntimeErrorTestSuites };
  } catch {
    return { passed: 0, failed: 1 };
  }
}

const checked = run('check', 'npm', ['run', '--silent', 'check'], { inBackground: true });
const isBuilt = await run('build', 'npm', ['run', '--silent', 'build']);
const { passed, failed } = isBuilt ? await test() : { passed: 0, failed: 0 };
await checked;
rmSync(folder, { recursive: true, force: true });
if (broken.length > 0) console.log(`\nFailed: ${broken.join(', ')}`);
console.log(`\n${passed} passed, ${failed} failed`);
process.exitCode = broken.length > 0 || failed > 0 ? 1 : 0;
