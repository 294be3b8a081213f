/** Python packages for tests: a virtual environment for each list of pinned versions, made once, outside the project. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Versions of Python for which the pinned packages exist. */
const OLDEST = [3, 10];
/** Only ends the wait for another process that never makes the environment. */
const LOCK_TIMEOUT_MS = 600_000;
const LOCK_CHECK_MS = 200;

/**
 * @returns {string | undefined} the version of `python3`, such as `3.11`; undefined where there is none, it is too old, or it cannot
 *   make environments
 */
export function pythonVersion() {
  const code = 'import sys, venv, ensurepip; print("%d.%d" % sys.version_info[:2])';
  const { status, stdout } = spawnSync('python3', ['-c', code], { encoding: 'utf8' });
  const version = status === 0 ? stdout.trim() : '';
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major === OLDEST[0] && minor >= (OLDEST[1] ?? 0) ? version : undefined;
}

/** How to get what `pythonVersion` looks for. */
export const PYTHON_FIX = `Install Python ${OLDEST.join('.')} or later with venv (apt-get install python3-venv).`;

/**
 * Makes the environment of a list of packages, unless it is there already.
 *
 * @param {string} requirements a file of pinned packages, as pip reads it
 * @returns {string} the folder of the programs, such as `python`
 * @throws {Error} where pip fails
 */
export function pythonEnvironment(requirements) {
  const hash = createHash('sha256').update(readFileSync(requirements)).update(String(pythonVersion()));
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const folder = join(cache, 'llm-gateway-python', hash.digest('hex').slice(0, 16));
  const programs = join(folder, 'bin');
  const done = join(folder, 'complete');
  if (existsSync(done)) return programs;
  mkdirSync(join(folder, '..'), { recursive: true });
  const release = lock(`${folder}.lock`);
  try {
    if (existsSync(done)) return programs;
    rmSync(folder, { recursive: true, force: true });
    run('python3', ['-m', 'venv', folder]);
    const options = ['--quiet', '--disable-pip-version-check', '--no-compile', '--only-binary', ':all:'];
    run(join(programs, 'python'), ['-m', 'pip', 'install', ...options, '--requirement', requirements]);
    writeFileSync(done, '');
    return programs;
  } finally {
    release();
  }
}

/**
 * @param {string} command
 * @param {readonly string[]} args
 */
function run(command, args) {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'ignore', 'pipe'] });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed:\n${error?.message ?? stderr}`);
}

/**
 * @param {string} folder
 * @returns {() => void} releases it
 */
function lock(folder) {
  const end = Date.now() + LOCK_TIMEOUT_MS;
  while (Date.now() < end) {
    try {
      mkdirSync(folder);
      writeFileSync(join(folder, 'pid'), String(process.pid));
      return () => rmSync(folder, { recursive: true, force: true });
    } catch {
      if (!isHeld(folder)) rmSync(folder, { recursive: true, force: true });
      else Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LOCK_CHECK_MS);
    }
  }
  throw new Error(`Another process has held ${folder} for too long. Remove it if none is running.`);
}

/** @param {string} folder @returns {boolean} false where its process has ended */
function isHeld(folder) {
  try {
    process.kill(Number(readFileSync(join(folder, 'pid'), 'utf8')), 0);
    return true;
  } catch (error) {
    // The process that makes the lock writes its id just afterwards.
    return !(error instanceof Error && 'code' in error && error.code === 'ESRCH');
  }
}
