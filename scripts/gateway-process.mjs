/** A built gateway as a process, for scripts that send requests to one. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';

/** Only ends a boot that would never end. */
const START_TIMEOUT_MS = 90_000;

/**
 * Starts a gateway with a database and data of its own, and waits until it listens.
 *
 * @param {object} options
 * @param {string} options.application folder of the built gateway
 * @param {string} options.folder of its data
 * @param {string} options.adminKey
 * @param {Record<string, string>} [options.env] further variables
 */
export async function startGatewayProcess({ application, folder, adminKey, env = {} }) {
  const child = spawn(process.execPath, [join(application, 'dist/main.js')], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      PORT: '0',
      LOG_FORMAT: 'json',
      GATEWAY_DATA_DIR: folder,
      DATABASE_URL: `sqlite:${join(folder, 'gateway.sqlite')}`,
      GATEWAY_ADMIN_KEY: adminKey,
      ...env,
    },
  });
  /** @type {string} */
  const url = await new Promise((resolve, reject) => {
    let output = '';
    const timer = setTimeout(() => reject(new Error(`the gateway does not start:\n${output}`)), START_TIMEOUT_MS);
    child.once('exit', () => reject(new Error(`the gateway ended:\n${output}`)));
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
      const line = output.split('\n').find((each) => each.includes('"msg":"listening"') && each.endsWith('}'));
      if (line === undefined) return;
      clearTimeout(timer);
      resolve(JSON.parse(line).url);
    });
  });
  return { url, child };
}
