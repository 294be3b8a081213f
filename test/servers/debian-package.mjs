import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * What `find` gives, after an installation of the Debian package where it gives nothing at first and this user may install.
 *
 * @template Found
 * @param {string} name of the package
 * @param {string} fix what a person is told to do
 * @param {() => Found | undefined} find
 * @returns {Found}
 */
export function installedFrom(name, fix, find) {
  const there = find();
  if (there !== undefined) return there;
  if (process.getuid?.() !== 0 || spawnSync('which', ['apt-get']).status !== 0) {
    throw new Error(`${name} is missing. ${fix}`);
  }
  console.error(`${name} is missing: installing it from Debian packages`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  spawnSync('apt-get', ['update', '-q'], { env, stdio: 'ignore' });
  spawnSync('apt-get', ['install', '-y', '-q', name], { env, stdio: 'ignore' });
  const found = find();
  if (found === undefined) throw new Error(`${name} could not be installed. ${fix}`);
  return found;
}

/** @returns {Promise<number>} a port of this machine that nobody uses now */
export async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  probe.close();
  await once(probe, 'close');
  return port;
}
