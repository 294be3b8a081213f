#!/usr/bin/env node
/**
 * `npm run test:package`: packs the project, installs the package into an empty folder from the registry, and runs it there: the
 * command, a start on SQLite, and what is said where SQLite's library is missing. It takes minutes, so `npm test` does not do it.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'gateway-package-'));

function run(command, args, cwd = folder) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  return { status, stdout, stderr };
}

/**
 * @param {boolean} isTrue
 * @param {string} what
 * @param {{ stdout?: string, stderr?: string }} [output]
 */
function assert(isTrue, what, { stdout, stderr } = {}) {
  console.log(`${isTrue ? 'ok  ' : 'FAIL'}  ${what}`);
  if (isTrue) return;
  console.log(stdout ?? '', stderr ?? '');
  process.exitCode = 1;
}

/** Starts it on a free port, and ends it once it listens. */
async function starts() {
  const child = spawn('npx', ['llm-gateway', 'start', '--port', '0'], { cwd: folder, detached: true });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  const exited = new Promise((resolve) => child.once('exit', resolve));
  const listening = new Promise((resolve) => {
    child.stdout.on('data', () => output.includes('"msg":"listening"') && resolve());
  });
  await Promise.race([listening, exited]);
  if (child.exitCode === null) process.kill(-child.pid, 'SIGTERM');
  await exited;
  return output;
}

try {
  const packed = run('npm', ['pack', '--silent', '--pack-destination', folder], root);
  const tarball = packed.stdout.trim().split('\n').at(-1) ?? '';
  assert(packed.status === 0 && tarball.endsWith('.tgz'), 'npm pack', packed);
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n');
  const installed = run('npm', ['install', '--no-audit', '--no-fund', '--omit=dev', join(folder, tarball)]);
  assert(installed.status === 0, 'npm install of the package in an empty folder', installed);
  const version = run('npx', ['llm-gateway', '--version']);
  assert(/^\d+\.\d+\.\d+\n$/.test(version.stdout), 'npx llm-gateway --version', version);
  const doctor = run('npx', ['llm-gateway', 'doctor', '--offline']);
  assert(doctor.status === 0, 'npx llm-gateway doctor', doctor);
  const output = await starts();
  assert(/Admin key \(shown only now/.test(output) && output.includes('listening'), 'npx llm-gateway start', {
    stdout: output,
  });
  const library = join(folder, 'node_modules/better-sqlite3');
  for (const [what, path] of [
    ['the binary', join(library, 'build')],
    ['the whole package', library],
  ]) {
    rmSync(path, { recursive: true, force: true });
    const { status, stdout, stderr } = run('npx', ['llm-gateway', 'migrate']);
    const isClear = status === 1 && stderr.includes('npm rebuild better-sqlite3') && !/\n\s+at /.test(stderr);
    assert(isClear, `without ${what} of SQLite it says what to do`, { stdout, stderr });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
