/** Servers as processes of their own, and what the kernel says that they cost. Linux only: it reads /proc. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

const TICKS_PER_SECOND = Number(spawnSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }).stdout) || 100;
const START_TIMEOUT_MS = 120_000;
const children = new Set();
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** A port that was free a moment ago. */
export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * Starts a server and waits until `isReady(output)` gives something that is not undefined, which is kept as `ready`. Its
 * output goes to a file, so that reading it costs this process nothing.
 *
 * @param {string} command
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, core?: number, output: string, isReady: (output: string) => any }} options
 *   `core` is the only core that the server may use
 */
export async function startServer(command, args, { cwd, env = {}, core, output, isReady }) {
  const started = performance.now();
  const file = openSync(output, 'w');
  const [program, ...rest] = pinned([command, ...args], core);
  const child = spawn(program, rest, {
    cwd,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stdio: ['ignore', file, file],
  });
  closeSync(file);
  children.add(child);
  child.once('exit', () => children.delete(child));
  const server = { pid: child.pid, child, output, stop: () => stopServer(child) };
  while (performance.now() - started < START_TIMEOUT_MS) {
    if (child.exitCode !== null) break;
    server.ready = await isReady(readFileSync(output, 'utf8'));
    if (server.ready !== undefined) return server;
    await delay(5);
  }
  child.kill('SIGKILL');
  throw new Error(`${command} ${args.join(' ')} did not start:\n${readFileSync(output, 'utf8').slice(-2000)}`);
}

/** A command that may use one core alone. @param {number | undefined} core undefined for all of them */
export function pinned(command, core) {
  return core === undefined ? command : ['taskset', '-c', String(core), ...command];
}

/** Moves a running process with all its threads to one core, or back to all. @returns what undoes it */
export function pinRunning(pid, core) {
  const mask = (list) => spawnSync('taskset', ['-a', '-c', '-p', list, String(pid)], { encoding: 'utf8' });
  const { status, stderr } = mask(String(core));
  if (status !== 0) throw new Error(`process ${pid} could not be moved to core ${core}: ${stderr}`);
  return () => void mask(`0-${availableParallelism() - 1}`);
}

/** The process that listens at a TCP port of this machine. */
export function processAtPort(port) {
  const { stdout } = spawnSync('ss', ['-H', '-l', '-t', '-n', '-p', `sport = :${port}`], { encoding: 'utf8' });
  const pid = /pid=(\d+)/.exec(stdout ?? '')?.[1];
  if (pid === undefined) throw new Error(`no process of this user listens at port ${port}`);
  return Number(pid);
}

async function stopServer(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await exited;
  clearTimeout(timer);
}

/** Whether a server responds at the address, with any response. */
export async function isResponding(url) {
  try {
    await (await fetch(url)).arrayBuffer();
    return true;
  } catch {
    return undefined;
  }
}

/** Seconds of processor time, user and system, of all threads. */
export function cpuSeconds(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** The process and those that it has started. */
export function family(pid) {
  const { stdout } = spawnSync('ps', ['-o', 'pid=', '--ppid', String(pid)], { encoding: 'utf8' });
  return [pid, ...stdout.trim().split(/\s+/).filter(Boolean).map(Number)];
}

/** Resident memory in MB (10^6 bytes), now and at its highest. */
export function memory(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const read = (name) => (Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) * 1024) / 1e6;
  return { rss: read('VmRSS'), peak: read('VmHWM') };
}
