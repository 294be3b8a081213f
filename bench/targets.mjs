/** What is measured: the upstreams themselves, the floor, this gateway, and Portkey. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isResponding, freePort, pinRunning, processAtPort, startServer } from './process.mjs';

const here = new URL('.', import.meta.url).pathname;
export const root = new URL('..', import.meta.url).pathname;

const COMPLETION = JSON.stringify({
  id: 'chatcmpl-bench',
  object: 'chat.completion',
  created: 1_750_000_000,
  model: 'bench',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: 'Hello Ada. '.repeat(20), refusal: null, annotations: [] },
      logprobs: null,
      finish_reason: 'stop',
    },
  ],
  usage: { prompt_tokens: 25, completion_tokens: 80, total_tokens: 105 },
});

/** Node's own flags of `npm start`. */
const START_FLAGS = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  .scripts.start.split(' ')
  .slice(1, -1);

export const PLAIN_BODY = {
  model: 'bench',
  max_tokens: 200,
  temperature: 0.5,
  messages: [
    { role: 'system', content: 'You are a helpful assistant who answers briefly.' },
    { role: 'user', content: 'Say hello to Ada, twenty times over, without any punctuation but the full stop.' },
  ],
};

export function makeFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'gateway-bench-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/**
 * nginx with one fixed completion: of all upstreams the cheapest.
 * @param {string} folder
 * @param {{ replies?: Record<string, object>, port?: number | undefined, core?: number }} [options] `replies` are other responses, by the
 *   first part of the path; `core` is the only core that it may use
 */
export async function startNginx(folder, { replies = {}, port: wanted, core } = {}) {
  const port = wanted ?? (await freePort());
  const path = join(folder, 'nginx.conf');
  writeFileSync(
    path,
    `worker_processes 1; daemon off; pid ${folder}/nginx.pid; error_log ${folder}/nginx-error.log;
events { worker_connections 8192; }
http { access_log off; keepalive_requests 100000000; client_max_body_size 64m; client_body_temp_path ${folder}/body;
  proxy_temp_path ${folder}/p; fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  server { listen 127.0.0.1:${port}; default_type application/json;
    location / { return 200 '${COMPLETION}'; }
    ${Object.entries(replies)
      .map(([name, reply]) => `location /${name}/ { return 200 '${JSON.stringify(reply)}'; }`)
      .join('\n    ')} } }
`,
  );
  const isReady = () => isResponding(`http://127.0.0.1:${port}/`);
  const output = join(folder, 'nginx.log');
  const server = await startServer('nginx', ['-c', path, '-p', folder], { core, output, isReady });
  return { ...server, origin: `http://127.0.0.1:${port}` };
}

const isListening = (output) => (output.includes('listening') ? true : undefined);

/**
 * @param {string} folder
 * @param {{ port?: number | undefined, core?: number }} [options] `core` is the only core that it may use
 */
export async function startStreamUpstream(folder, { port: wanted, core } = {}) {
  const port = wanted ?? (await freePort());
  const output = join(folder, `upstream-${port}.log`);
  const args = [join(here, 'stream-upstream.mjs'), String(port)];
  const server = await startServer(process.execPath, args, { core, output, isReady: isListening });
  return { ...server, origin: `http://127.0.0.1:${port}` };
}

export async function startFloor(folder, node, origin, core) {
  const port = await freePort();
  const output = join(folder, `floor-${port}.log`);
  const server = await startServer(node, [join(here, 'floor.mjs'), String(port), origin], {
    core,
    output,
    isReady: isListening,
  });
  const url = `http://127.0.0.1:${port}/v1/chat/completions`;
  return { ...server, name: 'floor', url, headers: { 'content-type': 'application/json' } };
}

/** Limits that are never reached, so that they are counted. */
const UNREACHED = { rpm: 1_000_000_000, tpm: 1_000_000_000, concurrency: 10_000 };

const oneModel = (origin) => `providers:
  bench: { type: openai, base_url: ${origin}/v1, api_key: bench-key }
models:
  - { id: bench, deployments: [{ provider: bench, model: bench }], price: { input_per_million: 1, output_per_million: 2 } }
`;

/**
 * The production build with everything on: a key with limits, validation, usage, metrics, a request log line.
 *
 * @param {string} folder
 * @param {string} node
 * @param {string | undefined} origin of the provider
 * @param {{ tree?: string, nodeArgs?: readonly string[], env?: NodeJS.ProcessEnv, core?: number, limits?: object | null, config?: string }} [options]
 *   `tree` is where dist and node_modules are, another than this checkout for another major of Node; `core` the only core that it may
 *   use; `limits` those of the key; `config` gateway.yaml
 */
export async function startGateway(
  folder,
  node,
  origin,
  { tree = root, nodeArgs = [], env = {}, core, limits = UNREACHED, config = origin && oneModel(origin) } = {},
) {
  const data = mkdtempSync(join(folder, 'data-'));
  const adminKey = randomBytes(24).toString('base64url');
  if (config !== undefined) writeFileSync(join(data, 'gateway.yaml'), config);
  const isReady = (output) => {
    const line = output.split('\n').find((each) => each.includes('"msg":"listening"') && each.endsWith('}'));
    return line === undefined ? undefined : JSON.parse(line).url;
  };
  const started = performance.now();
  const server = await startServer(node, [...START_FLAGS, ...nodeArgs, join(tree, 'dist/main.js')], {
    cwd: data,
    core,
    output: join(data, 'output.log'),
    isReady,
    env: {
      NODE_ENV: 'production',
      PORT: '0',
      LOG_FORMAT: 'json',
      GATEWAY_DATA_DIR: data,
      DATABASE_URL: `sqlite:${join(data, 'gateway.sqlite')}`,
      GATEWAY_ADMIN_KEY: adminKey,
      ...env,
    },
  });
  const base = server.ready;
  const key = await makeKey(base, adminKey, limits);
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${key}` };
  return { ...server, name: 'gateway', base, adminKey, started, url: `${base}/v1/chat/completions`, headers };
}

/** @param limits null for none */
export async function makeKey(base, adminKey, limits) {
  const response = await fetch(`${base}/v1/admin/keys`, {
    method: 'POST',
    headers: { authorization: `Bearer ${adminKey}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'bench', limits }),
  });
  const body = /** @type {{ key?: string }} */ (await response.json());
  if (!response.ok) throw new Error(`the gateway made no key: ${JSON.stringify(body)}`);
  return body.key;
}

/** Portkey from npm, never a dependency of this project. Its fresh install breaks streams without these versions. */
export function installPortkey() {
  const folder = process.env.BENCH_PORTKEY ?? join(tmpdir(), 'gateway-bench-portkey');
  if (existsSync(join(folder, 'node_modules/@portkey-ai/gateway/build/start-server.js'))) return folder;
  mkdirSync(folder, { recursive: true });
  const overrides = { hono: '4.9.7', '@hono/node-server': '1.13.8' };
  const dependencies = { '@portkey-ai/gateway': '1.15.2' };
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: 'peer', private: true, overrides, dependencies }));
  const { status } = spawnSync('npm', ['install', '--no-audit', '--no-fund'], { cwd: folder, stdio: 'inherit' });
  if (status !== 0) throw new Error('Portkey could not be installed; leave it out with --no-portkey');
  return folder;
}

export async function startPortkey(folder, node, origin, peer, core) {
  const port = await freePort();
  const entry = join(peer, 'node_modules/@portkey-ai/gateway/build/start-server.js');
  const server = await startServer(node, [entry, `--port=${port}`, '--headless'], {
    cwd: peer,
    core,
    env: { NODE_ENV: 'production' },
    output: join(folder, `portkey-${port}.log`),
    isReady: () => isResponding(`http://127.0.0.1:${port}/`),
  });
  const headers = {
    'content-type': 'application/json',
    authorization: 'Bearer bench-key',
    'x-portkey-provider': 'openai',
    'x-portkey-custom-host': `${origin}/v1`,
  };
  return { ...server, name: 'portkey', url: `http://127.0.0.1:${port}/v1/chat/completions`, headers };
}

/**
 * A gateway that someone else has started, from `--peer NAME=URL,header:value,...`. `model:NAME` is its model in place of `bench`.
 *
 * @param {string} text
 */
export function readPeer(text) {
  const [, name, rest] = /^([\w.-]+)=(https?:\/\/.+)$/.exec(text) ?? [];
  if (name === undefined || rest === undefined) {
    throw new Error(
      `--peer must be NAME=URL,header:value, such as other=http://127.0.0.1:8080/v1/chat/completions,authorization:Bearer key; not ${text}`,
    );
  }
  const [address = '', ...fields] = rest.split(',');
  const url = new URL(address);
  /** @type {Record<string, string>} */
  const headers = { 'content-type': 'application/json' };
  let model;
  for (const field of fields) {
    const colon = field.indexOf(':');
    if (colon < 1) throw new Error(`--peer ${name}: ${field} must be header:value`);
    const value = field.slice(colon + 1).trim();
    if (field.startsWith('model:')) model = value;
    else headers[field.slice(0, colon).toLowerCase()] = value;
  }
  const pid = processAtPort(url.port || (url.protocol === 'https:' ? '443' : '80'));
  return {
    name,
    url: url.href,
    headers,
    model,
    pid,
    stop: async () => undefined,
    pin: (core) => pinRunning(pid, core),
  };
}
