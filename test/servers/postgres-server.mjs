import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { freePort, installedFrom } from './debian-package.mjs';
const FIX =
  'Install PostgreSQL (apt-get install postgresql), or set TEST_POSTGRES_URL to a superuser of a server that tests may use.';
function binaries() {
  const debian = '/usr/lib/postgresql';
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...versions.map((version) => join(debian, version, 'bin')),
    ...(process.env['PATH'] ?? '').split(':'),
  ];
  return folders.find((folder) => existsSync(join(folder, 'initdb')) && existsSync(join(folder, 'postgres')));
}
/** PostgreSQL refuses to run as root, so root hands it to the user that Debian's package makes. */
function asServerUser(command, args) {
  return process.getuid?.() === 0 ? ['runuser', ['-u', 'postgres', '--', command, ...args]] : [command, [...args]];
}
export async function startPostgres() {
  const bin = installedFrom('postgresql', FIX, binaries);
  const folder = mkdtempSync(join(tmpdir(), 'gateway-postgres-'));
  chmodSync(folder, 0o777);
  const data = join(folder, 'data');
  execFileSync(
    ...asServerUser(join(bin, 'initdb'), ['-D', data, '-U', 'gateway', '-A', 'trust', '-E', 'UTF8', '--no-sync']),
    { cwd: folder, stdio: 'pipe' },
  );
  const port = await freePort();
  const settings = [
    'fsync=off',
    'synchronous_commit=off',
    'full_page_writes=off',
    'max_connections=300',
    `unix_socket_directories=${folder}`,
  ];
  const [command, args] = asServerUser(join(bin, 'postgres'), [
    '-D',
    data,
    '-h',
    '127.0.0.1',
    '-p',
    String(port),
    ...settings.flatMap((setting) => ['-c', setting]),
  ]);
  const server = spawn(command, args, { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  server.stderr.setEncoding('utf8').on('data', (text) => (log += text));
  const url = `postgres://gateway@127.0.0.1:${port}/postgres`;
  for (let attempt = 0; !(await answers(url)); attempt += 1) {
    if (attempt > 150 || server.exitCode !== null) throw new Error(`PostgreSQL did not start:\n${log}`);
    await sleep(100);
  }
  return {
    url,
    pid: server.pid ?? 0,
    stop: async () => {
      await stop(server, data, bin);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
async function stop(server, data, bin) {
  const exited = once(server, 'exit');
  execFileSync(...asServerUser(join(bin, 'pg_ctl'), ['-D', data, '-m', 'immediate', 'stop']), {
    cwd: tmpdir(),
    stdio: 'ignore',
  });
  // Where a test froze the server, runuser has stopped itself along with it, and sees the end only when it goes on.
  server.kill('SIGCONT');
  await exited;
}
async function answers(url) {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
  try {
    await client.connect();
    await client.end();
    return true;
  } catch {
    return false;
  }
}
