/** `npm run bench:soak`: a long run in which half of the requests fail, abort or stall; see docs/performance.md. */
import { spawnSync } from 'node:child_process';
import { appendFileSync, copyFileSync, createReadStream, existsSync, mkdirSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { freePort } from './process.mjs';
import { Batches } from './soak/batches.mjs';
import { gatewayConfig } from './soak/kinds.mjs';
import { Load, MAX_CONCURRENCY } from './soak/load.mjs';
import { collected, sample } from './soak/observe.mjs';
import { startUpstream } from './soak/upstream.mjs';
import { judge, judgeRecords, slope } from './soak/verdict.mjs';
import { makeFolder, root, startGateway } from './targets.mjs';

const USAGE = `Usage: npm run bench:soak -- [options]
  --minutes <n>  how long the load lasts, by default 10; warm-up and rests take about four more
  --rate <n>     requests a second, by default 50
  --seed <n>     decides every request, by default 1
  --node <path>  the Node.js that runs the gateway
  --tree <path>  a checkout with dist and node_modules of that Node.js, by default this one
  --snapshots <folder>  keeps heap snapshots of before and after; taking them adds to RSS
  --log <file>   keeps the gateway's log
  --no-save      without a line in bench/results`;

const WARM_UP_SECONDS = 45;
const SAMPLE_SECONDS = 5;
const BATCH_SECONDS = 15;
/** Longer than an idle connection to a provider (30 s) and the thread that counts tokens (60 s) are kept. */
const REST_SECONDS = 75;
/** Places of the key: what the load and the batches (32) take at most, and a few that close as others open. */
const MAX_CALLS_IN_FLIGHT = MAX_CONCURRENCY + 100;
const PAGE = 100;

/** @returns {any} */
function readOptions() {
  const options = { minutes: '10', rate: '50', seed: '1', node: process.execPath, tree: root };
  const declared = Object.fromEntries(
    Object.entries(options).map(([name, value]) => [name, { type: 'string', default: value }]),
  );
  try {
    const { values } = /** @type {{ values: Record<string, any> }} */ (
      parseArgs({
        options: {
          ...declared,
          snapshots: { type: 'string' },
          log: { type: 'string' },
          'no-save': { type: 'boolean', default: false },
        },
      })
    );
    const numbers = { minutes: Number(values.minutes), rate: Number(values.rate), seed: Number(values.seed) };
    for (const [name, value] of Object.entries(numbers)) {
      if (!(value > 0)) throw new Error(`--${name} must be a number above 0, not ${values[name]}`);
    }
    if (!existsSync(join(values.tree, 'dist/main.js')))
      throw new Error(`${values.tree} is not built. Run: npm run build`);
    return { ...values, ...numbers };
  } catch (error) {
    console.error(`${error.message}\n${USAGE}`);
    return process.exit(1);
  }
}

async function start({ node, tree, snapshots }, upstream) {
  const folder = makeFolder();
  if (snapshots !== undefined) mkdirSync(snapshots, { recursive: true });
  const heapReport = join(snapshots ?? folder, 'heap');
  const [metricsPort, closedPort] = [await freePort(), await freePort()];
  const gateway = await startGateway(folder, node, upstream.origin, {
    tree,
    nodeArgs: ['--expose-gc', '--import', new URL('soak/collect-garbage.mjs', import.meta.url).href],
    env: {
      METRICS_PORT: String(metricsPort),
      SOAK_HEAP_REPORT: heapReport,
      SOAK_SNAPSHOTS: String(snapshots !== undefined),
    },
    config: gatewayConfig(upstream.origin, closedPort),
    limits: { rpm: 1_000_000, tpm: 1_000_000_000, concurrency: MAX_CALLS_IN_FLIGHT },
  });
  return { ...gateway, heapReport, metricsUrl: `http://127.0.0.1:${metricsPort}/metrics` };
}

/** Waits until everything that is kept for a while has been let go of. */
async function atRest(gateway, started) {
  await delay(REST_SECONDS * 1000);
  const garbage = await collected(gateway);
  await delay(1000);
  return { ...(await sample(gateway, started)), collected: garbage };
}

function show({ at, rss, heap, lagP99, lagMost, inFlight, byKind, sockets }) {
  const counts = (object) => JSON.stringify(object).replaceAll('"', '');
  console.log(
    `${at.toFixed(0).padStart(5)} s  RSS ${rss.toFixed(0)} MB, heap ${heap.toFixed(0)} MB, loop p99 ${lagP99.toFixed(0)} max ${lagMost.toFixed(0)} ms, ${inFlight} in flight, fds ${counts(byKind)}, sockets ${counts(sockets)}`,
  );
}

/** The load with batches beside it and a look at the gateway every few seconds. */
async function soak({ gateway, load, batches, upstream }, { minutes, rate }, started) {
  const samples = [];
  let isOver = false;
  const every = async (seconds, act) => {
    while (!isOver) {
      await act();
      await Promise.race([delay(seconds * 1000), finished]);
    }
  };
  const finished = load.run(rate, minutes * 60).then(() => (isOver = true));
  const looks = every(SAMPLE_SECONDS, async () => {
    if (isOver) return;
    const seen = await sample(gateway, started);
    samples.push(seen);
    if (samples.length % 12 === 1) show(seen);
    await upstream.collect();
  });
  await Promise.all([finished, looks, every(BATCH_SECONDS, () => batches.submit())]);
  await batches.ended();
  return samples;
}

/** All places of the key at once: if the load has left one taken, the last stream is refused. */
async function takeAllPlaces(gateway) {
  const body = JSON.stringify({
    model: 'soak-stream',
    stream: true,
    max_tokens: 100,
    messages: [{ role: 'user', content: 'All at once.' }],
  });
  const statuses = await Promise.all(
    Array.from({ length: MAX_CALLS_IN_FLIGHT }, async () => {
      const response = await fetch(gateway.url, {
        method: 'POST',
        headers: { ...gateway.headers, connection: 'close' },
        body,
      });
      await response.text();
      return response.status;
    }),
  );
  return { count: MAX_CALLS_IN_FLIGHT, refused: statuses.filter((status) => status === 429).length };
}

async function usageRecords({ base, adminKey }) {
  const records = [];
  let after = '';
  do {
    const response = await fetch(`${base}/v1/admin/usage/records?limit=${PAGE}${after}`, {
      headers: { authorization: `Bearer ${adminKey}`, connection: 'close' },
    });
    if (!response.ok) throw new Error(`usage records were refused: ${await response.text()}`);
    const { data, next } = /** @type {any} */ (await response.json());
    records.push(...data);
    after = next === null ? undefined : `&after=${encodeURIComponent(next)}`;
  } while (after !== undefined);
  return records;
}

/** Lines of the log that are errors of the gateway's own; a provider's failure is one of its lines as well. */
async function errorLinesOf(path) {
  const found = { count: 0, example: '' };
  for await (const line of createInterface({ input: createReadStream(path) })) {
    const isOfProvider = /"(?:error_)?code":"upstream_(?:error|timeout|unavailable)"/.test(line);
    if (isOfProvider || !/"level":"(?:error|fatal)"|^(?!\{)./.test(line)) continue;
    found.count += 1;
    found.example ||= line.slice(0, 300);
  }
  return found;
}

const options = readOptions();
const upstream = await startUpstream();
const gateway = await start(options, upstream);
const started = performance.now();
const batches = new Batches(gateway.base, gateway.headers);
const load = new Load(gateway.base, gateway.headers.authorization.slice('Bearer '.length), options.seed);
const first = await sample(gateway, started);
show(first);
console.log(`warm-up of ${WARM_UP_SECONDS} s, and a rest of ${REST_SECONDS} s`);
await batches.submit();
await load.run(options.rate, WARM_UP_SECONDS);
await batches.ended();
const before = await atRest(gateway, started);
show(before);
console.log(`load for ${options.minutes} minutes: ${options.rate} requests a second, seed ${options.seed}`);
const samples = await soak({ gateway, load, batches, upstream }, options, started);
show(samples.at(-1));
console.log(`a rest of ${REST_SECONDS} s`);
const after = await atRest(gateway, started);
show(after);
await upstream.collect();
const records = await usageRecords(gateway);
const openSockets = await upstream.openSockets();
const burst = await takeAllPlaces(gateway);
await gateway.stop();
const outcome = {
  load,
  batches,
  samples,
  before,
  after,
  upstream: { openSockets, longestCall: upstream.longestCall },
  recordFaults: judgeRecords(records, load.requests, upstream.seen),
  burst,
  exitCode: gateway.child.exitCode,
  errorLines: await errorLinesOf(gateway.output),
};
await upstream.stop();
if (options.log !== undefined) copyFileSync(gateway.output, options.log);

const broken = judge(outcome);
const { perHour, error } = slope(samples.slice(samples.length / 2));
const say = (command, args) => spawnSync(command, args, { cwd: root, encoding: 'utf8' }).stdout.trim();
const most = (name) => Math.max(...samples.map((each) => each[name]));
const result = {
  at: new Date().toISOString(),
  commit: say('git', ['rev-parse', '--short', 'HEAD']),
  changed: say('git', ['status', '--porcelain', '--', 'src']) !== '',
  node: say(options.node, ['--version']),
  machine: `${availableParallelism()} x ${cpus()[0]?.model ?? 'unknown'}`,
  minutes: options.minutes,
  rate: options.rate,
  seed: options.seed,
  requests: load.requests.size,
  batches: batches.submitted,
  usageRecords: records.length,
  providerCalls: upstream.seen.size,
  rss: { start: first.rss, warm: before.rss, most: most('rss'), end: after.rss, slope: perHour, slopeError: error },
  heapAtRest: { before: before.collected, after: after.collected },
  loopLag: { p99: most('lagP99'), most: most('lagMost') },
  atRest: {
    before: { fds: before.byKind, sockets: before.sockets, threads: before.threads },
    after: { fds: after.byKind, sockets: after.sockets, threads: after.threads },
  },
  longestCall: upstream.longestCall,
  slowestRequest: load.slowest,
  /** Seconds, RSS and heap in MB, requests in flight, sockets. */
  samples: samples.map(({ at, rss, heap, inFlight, byKind }) => [at, rss, heap, inFlight, byKind.socket]),
  outcomes: load.outcomes,
  broken,
};
const rounded = JSON.parse(
  JSON.stringify(result, (_key, value) => (typeof value === 'number' ? Math.round(value * 10) / 10 : value)),
);
for (const [kind, counts] of Object.entries(rounded.outcomes))
  console.log(`${kind.padEnd(26)} ${JSON.stringify(counts)}`);
const { outcomes: _outcomes, samples: _samples, broken: _broken, ...figures } = rounded;
for (const [name, value] of Object.entries(figures)) console.log(`${name.padEnd(26)} ${JSON.stringify(value)}`);
if (!options['no-save']) {
  mkdirSync(join(root, 'bench/results'), { recursive: true });
  appendFileSync(join(root, 'bench/results/soak.jsonl'), `${JSON.stringify(rounded)}\n`);
}
console.log(broken.length === 0 ? 'PASS: every bound holds' : `FAIL:\n${broken.map((each) => `- ${each}`).join('\n')}`);
process.exit(broken.length === 0 ? 0 : 1);
