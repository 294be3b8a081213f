/** The built gateway with every scripted upstream as a provider. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AGENTS } from './agents.mjs';
import { UPSTREAMS } from './upstreams/index.mjs';

/** Only ends a boot that would never end. */
const START_TIMEOUT_MS = 90_000;

/** How names of models begin. */
const PREFIXES = ['', ...new Set(AGENTS.flatMap(({ modelPrefixes = {} }) => Object.values(modelPrefixes)))];

const root = fileURLToPath(new URL('../..', import.meta.url));

/** @param {import('node:child_process').ChildProcess} child @returns {Promise<string>} the address that it listens on */
function listening(child) {
  return new Promise((resolve, reject) => {
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
}

/**
 * @param {Map<string, { url: string }>} servers by the name of the upstream
 * @param {string} [application] folder of a built gateway. Default: this one
 */
export async function startGateway(servers, application = root) {
  const folder = mkdtempSync(join(tmpdir(), 'compat-gateway-'));
  const key = randomBytes(24).toString('base64url');
  const used = UPSTREAMS.filter(({ name }) => servers.has(name));
  const config = {
    providers: Object.fromEntries(used.map(({ name, provider }) => [name, provider(servers.get(name).url)])),
    models: used.flatMap(({ name, model }) =>
      PREFIXES.map((prefix) => ({ id: `${prefix}agent-${name}`, deployments: [{ provider: name, model }] })),
    ),
  };
  // YAML takes JSON.
  writeFileSync(join(folder, 'gateway.yaml'), JSON.stringify(config, undefined, 1));
  const child = spawn(process.execPath, [join(application, 'dist/main.js')], {
    cwd: folder,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      PATH: process.env.PATH,
      HOME: folder,
      PORT: '0',
      LOG_FORMAT: 'json',
      GATEWAY_DATA_DIR: folder,
      GATEWAY_CONFIG: join(folder, 'gateway.yaml'),
      DATABASE_URL: `sqlite:${join(folder, 'gateway.sqlite')}`,
      GATEWAY_ADMIN_KEY: key,
    },
  });
  const url = await listening(child);
  return {
    url,
    key,
    /** What a client needs to reach this upstream. */
    targetOf: (name, prefix = '') => ({ url, key, model: `${prefix}agent-${name}` }),
    close: async () => {
      child.removeAllListeners('exit');
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill();
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
