/** `npm run bench`: measures, prints, appends to bench/results/ and draws bench/results/latest.svg. */
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { drawChart } from './chart.mjs';
import * as scenarios from './scenarios.mjs';
import { installPortkey, makeFolder, readPeer, root } from './targets.mjs';

const USAGE = `Usage: npm run bench -- [options]
  --quick          one short round of each; for a first look, not for the table
  --only <names>   of ${Object.keys(scenarios).join(', ')}, separated by commas
  --rounds <n>     rounds of each target, by default 5
  --seconds <n>    length of a round, by default 5
  --node <path>    the Node.js that runs the servers
  --tree <path>    a checkout with dist and node_modules of that Node.js, by default this one
  --no-portkey     without Portkey
  --peer <text>    a gateway that runs on this machine, beside ours in the rows plain, streams and oneCore, as often as wanted:
                   NAME=URL,header:value,... with model:NAME for its model in place of "bench"
  --upstream-port <n>  port of the provider in these rows, which peers call as http://127.0.0.1:<n>/v1
  --no-save        without a line in bench/results`;

function fail(message) {
  console.error(message);
  process.exit(1);
}

/** @returns {Record<string, any>} */
function readOptions() {
  const names = ['only', 'rounds', 'seconds', 'node', 'tree', 'upstream-port'];
  const flags = ['quick', 'no-portkey', 'no-save', 'help'];
  /** @type {import('node:util').ParseArgsConfig['options']} */
  const options = Object.fromEntries([
    ...names.map((name) => [name, { type: 'string' }]),
    ...flags.map((name) => [name, { type: 'boolean', default: false }]),
    ['peer', { type: 'string', multiple: true, default: [] }],
  ]);
  try {
    const { values } = parseArgs({ options });
    if (!values.help) return values;
  } catch (error) {
    fail(`${error.message}\n${USAGE}`);
  }
  console.log(USAGE);
  return process.exit(0);
}

function positive(name, text, fallback) {
  const value = Number(text ?? fallback);
  if (!Number.isInteger(value) || value < 1) fail(`--${name} must be a whole number of 1 or more, not ${text}`);
  return value;
}

const values = readOptions();
for (const [tool, flag] of [
  ['wrk', '-v'],
  ['nginx', '-v'],
]) {
  if (spawnSync(tool, [flag]).error) fail(`${tool} is missing. Install it with: apt-get install wrk nginx`);
}
const chosen = values.only?.split(',') ?? Object.keys(scenarios);
const unknown = chosen.filter((name) => !(name in scenarios));
if (unknown.length > 0) fail(`unknown: ${unknown.join(', ')}\n${USAGE}`);
const tree = values.tree ?? root;
if (!existsSync(join(tree, 'dist/main.js'))) fail(`${tree} is not built. Run: npm run build`);

const ofPeers = (read) => {
  try {
    return values.peer.map(read);
  } catch (error) {
    return fail(error.message);
  }
};
const node = values.node ?? process.execPath;
const needsPeer = !values['no-portkey'] && chosen.some((name) => ['plain', 'streams', 'oneCore'].includes(name));
const options = {
  folder: makeFolder(),
  node,
  tree,
  rounds: positive('rounds', values.rounds, values.quick ? 1 : 5),
  seconds: positive('seconds', values.seconds, values.quick ? 2 : 5),
  warmUp: values.quick ? 2 : 5,
  streamCount: values.quick ? 200 : 1000,
  requests: values.quick ? 10_000 : 100_000,
  tasks: values.quick ? 1000 : 10_000,
  peers: ofPeers(readPeer),
  upstreamPort: values['upstream-port'] && positive('upstream-port', values['upstream-port'], 0),
  portkey: needsPeer ? installPortkey() : undefined,
};
const say = (command, args) => spawnSync(command, args, { cwd: root, encoding: 'utf8' }).stdout.trim();
const result = {
  at: new Date().toISOString(),
  commit: say('git', ['rev-parse', '--short', 'HEAD']),
  changed: say('git', ['status', '--porcelain', '--', 'src']) !== '',
  node: say(node, ['--version']),
  machine: `${availableParallelism()} x ${cpus()[0]?.model ?? 'unknown'}`,
  quick: values.quick,
  rounds: options.rounds,
  figures: {},
};
const round3 = (_key, value) => (typeof value === 'number' ? Math.round(value * 1000) / 1000 : value);
console.log(
  `commit ${result.commit}${result.changed ? ' with changes' : ''}, Node.js ${result.node}, ${result.machine}`,
);
for (const name of chosen) {
  try {
    result.figures[name] = await scenarios[name](options);
  } catch (error) {
    result.figures[name] = { error: String(error.message).slice(0, 300) };
    process.exitCode = 1;
  }
  console.log(`${name} ${JSON.stringify(result.figures[name], round3)}`);
}
if (!values['no-save']) {
  const line = JSON.stringify(result, round3);
  mkdirSync(join(root, 'bench/results'), { recursive: true });
  appendFileSync(join(root, 'bench/results/results.jsonl'), `${line}\n`);
  if (result.figures.plain?.gateway && !values.quick) {
    writeFileSync(join(root, 'bench/results/latest.svg'), drawChart(JSON.parse(line)));
  }
}
