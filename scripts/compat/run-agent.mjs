/** Installs an agent once, and runs it in a home and a folder of its own that nothing else uses. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, setPriority, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Some agents need a newer Node.js than this program; npm has it. */
const NODE_22 = `node-${process.platform}-${process.arch}`;
const NODE_22_VERSION = '22.23.3';
/** Below that of everything else. */
const PRIORITY = 10;
const KILL_AFTER_MS = 5000;

const cacheFolder = process.env.COMPAT_CACHE ?? join(homedir(), '.cache/llm-gateway-compat');

/** @param {string} name @param {string} version @returns {string} the folder of its node_modules */
function install(name, version) {
  const folder = join(cacheFolder, `${name.replaceAll(/[@/]/g, '-').replace(/^-/, '')}-${version}`);
  const modules = join(folder, 'node_modules');
  if (existsSync(join(folder, 'installed'))) return modules;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true }));
  // No scripts: what they would download or link is in the platform's own package.
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--save-exact', `${name}@${version}`];
  const { status } = spawnSync('npm', args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
  if (status !== 0) throw new Error(`cannot install ${name}@${version}`);
  writeFileSync(join(folder, 'installed'), '');
  return modules;
}

/**
 * The command that starts an agent.
 * @param {import('./agents.mjs').Agent} agent
 * @returns {string[]}
 */
export function commandOf(agent) {
  const program = join(install(agent.package, agent.version), agent.program);
  if (agent.runs === 'binary') return [program];
  if (agent.runs === 'node' || Number(process.versions.node.split('.')[0]) >= 22) return [process.execPath, program];
  return [join(install(NODE_22, NODE_22_VERSION), NODE_22, 'bin/node'), program];
}

/**
 * @param {string[]} command
 * @param {{ cwd: string, env: Record<string, string>, timeoutMs: number, signal?: AbortSignal | undefined }} options
 * @returns {Promise<{ status: number | null, timedOut: boolean, output: string }>}
 */
function runOnce(command, { cwd, env, timeoutMs, signal }) {
  return new Promise((resolve) => {
    // A group of its own: an agent's children end with it.
    const child = spawn(command[0], command.slice(1), { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    if (child.pid !== undefined) setPriority(child.pid, PRIORITY);
    let output = '';
    let timedOut = false;
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    const end = (signal) => {
      try {
        process.kill(-child.pid, signal);
      } catch {
        // It has ended.
      }
    };
    const stop = () => {
      end('SIGTERM');
      setTimeout(() => end('SIGKILL'), KILL_AFTER_MS).unref();
    };
    const timer = setTimeout(() => {
      timedOut = true;
      stop();
    }, timeoutMs);
    signal?.addEventListener('abort', stop, { once: true });
    child.once('error', (error) => (output += error.message));
    child.once('close', (status) => {
      clearTimeout(timer);
      end('SIGKILL');
      resolve({ status, timedOut, output });
    });
  });
}

/** A folder for an agent to work in. */
export function scratchFolder() {
  return mkdtempSync(join(tmpdir(), 'compat-'));
}

/**
 * @param {import('./agents.mjs').Agent} agent
 * @param {import('./agents.mjs').Setup} setup
 * @param {{ folder: string, timeoutMs: number, signal?: AbortSignal }} options `folder`: where it works; `signal`: ends it as a user does
 */
export async function runAgent(agent, setup, { folder, timeoutMs, signal }) {
  const command = commandOf(agent);
  const home = mkdtempSync(join(tmpdir(), 'compat-home-'));
  const env = { HOME: home, PATH: '/usr/local/bin:/usr/bin:/bin', TERM: 'dumb', NO_COLOR: '1', CI: '1', ...setup.env };
  try {
    for (const [name, text] of Object.entries(setup.files ?? {})) {
      mkdirSync(dirname(join(home, name)), { recursive: true });
      writeFileSync(join(home, name), text);
    }
    const args = setup.args.map((each) => each.replace(/^~\//, `${home}/`));
    return await runOnce([...command, ...args], { cwd: folder, env, timeoutMs, signal });
  } finally {
    rmSync(home, { recursive: true, force: true, maxRetries: 3 });
  }
}
