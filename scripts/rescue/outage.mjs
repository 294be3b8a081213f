/**
 * Prints what an outage of a model's first deployment costs: how many requests were sent to it without success, and how long after its end it
 * is used again. Needs a build. Fails where an outage of 6 s is felt by more than three requests or lasts 5 s longer.
 *
 *     node scripts/rescue/outage.mjs [seconds of the outage, 6 by default]
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startGatewayProcess } from '../gateway-process.mjs';

const ADMIN_KEY = 'outage-admin-key-0123456789abcdef';
const OUTAGE_MS = Number(process.argv[2] ?? 6) * 1_000;
/** Longest that the end is waited for after the outage, in milliseconds. */
const WATCHED_MS = 60_000;
const MAX_FELT = 3;
const MAX_LATE_MS = 5_000;
/** Between two requests, in milliseconds. */
const INTERVALS_MS = [100, 250, 1_000];

/** How the provider fails. */
const OUTAGES = {
  chat: 'chat fails, the list of models works',
  all: 'every request fails',
  closed: 'connections are refused',
  reset: 'connections are reset',
};

const RESPONSE = JSON.stringify({
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'ok' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
});

/** @param {keyof typeof OUTAGES | 'none'} kind */
async function startProvider(kind) {
  let isDown = false;
  let failed = 0;
  /** @type {number[]} */
  const served = [];
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      const isList = request.method === 'GET';
      if (isDown && !isList) failed += 1;
      if (isDown && kind === 'reset') request.socket.destroy();
      else if (isDown && !(isList && kind === 'chat')) response.writeHead(500).end('{"error":{"message":"down"}}');
      else {
        if (!isList) served.push(performance.now());
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(isList ? '{"object":"list","data":[]}' : RESPONSE);
      }
    });
  });
  /** @param {number} port */
  const listen = (port) => new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve(undefined)));
  const close = () => {
    const closed = new Promise((resolve) => server.close(resolve));
    server.closeAllConnections();
    return closed;
  };
  await listen(0);
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${port}/v1`,
    served,
    failed: () => failed,
    fail: async () => {
      isDown = true;
      if (kind === 'closed') await close();
    },
    recover: async () => {
      if (kind === 'closed') await listen(port);
      isDown = false;
    },
    stop: close,
  };
}

/** @param {number} milliseconds */
const delay = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

const cells = Object.keys(OUTAGES).flatMap((kind) =>
  INTERVALS_MS.map((intervalMs) => ({ kind: /** @type {keyof typeof OUTAGES} */ (kind), intervalMs })),
);
const folder = mkdtempSync(join(tmpdir(), 'outage-'));
const providers = await Promise.all(cells.map(({ kind }) => startProvider(kind)));
const other = await startProvider('none');
const config = {
  providers: Object.fromEntries([
    ['other', { type: 'openai', base_url: other.url }],
    ...providers.map(({ url }, index) => [`p${index}`, { type: 'openai', base_url: url }]),
  ]),
  models: cells.map((_, index) => ({
    id: `m${index}`,
    strategy: 'priority',
    deployments: [
      { provider: `p${index}`, model: 'm' },
      { provider: 'other', model: `m${index}` },
    ],
  })),
};
writeFileSync(join(folder, 'gateway.yaml'), JSON.stringify(config));
const { url, child } = await startGatewayProcess({ application: process.cwd(), folder, adminKey: ADMIN_KEY });

/** @param {number} index of the cell */
async function watch(index) {
  const { intervalMs = 0 } = cells[index] ?? {};
  const provider = providers[index];
  if (provider === undefined) throw new Error('There is no such cell.');
  let tried = 0;
  let errors = 0;
  let slowest = 0;
  const ask = async () => {
    const started = performance.now();
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: `m${index}`, messages: [{ role: 'user', content: 'a' }] }),
    });
    await response.text();
    slowest = Math.max(slowest, performance.now() - started);
    if (response.status !== 200) errors += 1;
    if (Number(response.headers.get('x-gateway-attempts')) > 1) tried += 1;
  };
  for (let round = 0; round < 10; round += 1) await ask();
  slowest = 0;
  await provider.fail();
  const recovery = delay(OUTAGE_MS).then(async () => {
    await provider.recover();
    return performance.now();
  });
  let wellAt = Infinity;
  void recovery.then((at) => (wellAt = at));
  const before = provider.served.length;
  const deadline = performance.now() + OUTAGE_MS + WATCHED_MS;
  while (provider.served.length === before && performance.now() < deadline) {
    const next = performance.now() + intervalMs;
    await ask();
    await delay(Math.max(0, next - performance.now()));
  }
  return { tried, errors, slowest, lateMs: (provider.served[before] ?? Infinity) - wellAt };
}

let isGood = true;
try {
  const results = await Promise.all(cells.map((_, index) => watch(index)));
  const lines = results.map(({ tried, errors, slowest, lateMs }, index) => {
    const { kind = 'all', intervalMs = 0 } = cells[index] ?? {};
    isGood &&= errors === 0 && (OUTAGE_MS > 6_000 || (tried <= MAX_FELT && lateMs <= MAX_LATE_MS));
    const used = `${(lateMs / 1_000).toFixed(1)} s`;
    return `${OUTAGES[kind].padEnd(40)}${String(intervalMs).padEnd(14)}${String(tried).padEnd(10)}${String(errors).padEnd(10)}${slowest.toFixed(0).padEnd(14)}${used}`;
  });
  process.stdout.write(
    [
      `outage of ${OUTAGE_MS / 1_000} s${' '.repeat(40 - `outage of ${OUTAGE_MS / 1_000} s`.length)}every (ms)    felt      failed    slowest (ms)  used again after`,
      ...lines,
      '',
    ].join('\n'),
  );
} finally {
  child.kill('SIGTERM');
  await Promise.all([...providers, other].map(({ stop }) => stop()));
  rmSync(folder, { recursive: true, force: true });
}
if (!isGood) process.exitCode = 1;
