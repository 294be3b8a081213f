/** The built gateway with every scripted upstream as a provider. */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startGatewayProcess } from '../gateway-process.mjs';
import { AGENTS } from './agents.mjs';
import { UPSTREAMS } from './upstreams/index.mjs';

/** How names of models begin. */
const PREFIXES = ['', ...new Set(AGENTS.flatMap(({ modelPrefixes = {} }) => Object.values(modelPrefixes)))];

/** Of one play. */
const MAX_RECORDS = 100;

/** @typedef {{ id: string, status: string, wire_format: string, provider: string | null, prompt_tokens: number, completion_tokens: number }} UsageRecord */

const root = fileURLToPath(new URL('../..', import.meta.url));

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
  const { url, child } = await startGatewayProcess({
    application,
    folder,
    adminKey: key,
    env: { GATEWAY_CONFIG: join(folder, 'gateway.yaml') },
  });
  return {
    url,
    key,
    /** What a client needs to reach this upstream. */
    targetOf: (name, prefix = '') => ({ url, key, model: `${prefix}agent-${name}`, provider: name }),
    /**
     * Usage records of a model that the gateway was asked for, the newest first.
     * @param {string} model
     * @returns {Promise<UsageRecord[]>}
     */
    recordsOf: async (model) => {
      const query = new URLSearchParams({ model, limit: String(MAX_RECORDS) });
      const response = await fetch(`${url}/v1/admin/usage/records?${query}`, {
        headers: { authorization: `Bearer ${key}` },
      });
      if (!response.ok) throw new Error(`no usage records: ${response.status} ${await response.text()}`);
      return /** @type {any} */ (await response.json()).data;
    },
    close: async () => {
      child.removeAllListeners('exit');
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.kill();
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
