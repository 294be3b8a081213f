/** A Redis of its own for the gateway that is fuzzed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, installedFrom } from '../../test/fixtures/debian-package.mjs';

const find = () =>
  (process.env.PATH ?? '')
    .split(':')
    .map((folder) => join(folder, 'redis-server'))
    .find((path) => existsSync(path));

/**
 * Starts Redis without persistence, and waits until it takes connections.
 *
 * @param {string} folder of its data
 * @returns {Promise<{ url: string, stop: () => Promise<void> }>}
 * @throws {Error} where it is missing and cannot be installed, or ends at once
 */
export async function startRedis(folder) {
  const command = installedFrom('redis-server', 'Install Redis (apt-get install redis-server).', find);
  const port = await freePort();
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', folder];
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  await new Promise((resolve, reject) => {
    let output = '';
    child.once('exit', () => reject(new Error(`Redis ended:\n${output}`)));
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
      if (output.includes('Ready to accept connections')) resolve(undefined);
    });
  });
  child.removeAllListeners('exit');
  return {
    url: `redis://127.0.0.1:${port}`,
    stop: async () => {
      if (child.exitCode !== null) return;
      const exited = once(child, 'exit');
      child.kill();
      await exited;
    },
  };
}
