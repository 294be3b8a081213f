/** Targets that are measured in turns, round by round: the floor, this gateway, and its peers. */
import { median, percentile, streamClient, writeWrkScript, wrk } from './load.mjs';
import { cpuSeconds, memory } from './process.mjs';
import { PLAIN_BODY, startFloor, startGateway, startPortkey } from './targets.mjs';

/** Tokens of a measured stream, 20 ms apart, and the events around them. */
const STREAM_TOKENS = 50;
const STREAM_EVENTS = STREAM_TOKENS + 3;

export async function stopAll(servers) {
  for (const server of servers) await server.stop();
}

/** @param core the only core that they may use; undefined for all */
export async function startTargets({ folder, node, tree, portkey, peers = [] }, origin, core) {
  const targets = [
    await startFloor(folder, node, origin, core),
    await startGateway(folder, node, origin, { tree, core }),
  ];
  if (portkey !== undefined) targets.push(await startPortkey(folder, node, origin, portkey, core));
  return [...targets, ...peers];
}

const modelOf = (target) => target.model ?? PLAIN_BODY.model;

/** Plain requests for wrk, by the name of the target. */
export function writeScripts(folder, targets) {
  const scripts = new Map();
  for (const target of targets) {
    const body = JSON.stringify({ ...PLAIN_BODY, model: modelOf(target) });
    scripts.set(target.name, writeWrkScript(folder, target.name, target.headers, body));
  }
  return scripts;
}

/** @param interval milliseconds between tokens */
export function streamBody(tokens, interval, model = PLAIN_BODY.model) {
  return JSON.stringify({ ...PLAIN_BODY, model, stream: true, bench_tokens: tokens, bench_interval: interval });
}

/** One round of plain requests over 32 connections, by target. @param core the only core that wrk may use */
export async function measureWrk(targets, scripts, seconds, core) {
  const row = {};
  for (const target of targets) {
    const before = cpuSeconds(target.pid);
    const { requests, rate, p50, p99, failures } = await wrk(target.url, scripts.get(target.name), 32, seconds, core);
    const cpu = cpuSeconds(target.pid) - before;
    if (failures > 0) throw new Error(`${target.name}: ${failures} of ${requests} requests failed`);
    row[target.name] = { rate, perCpuSecond: requests / cpu, cpu, p50, p99, peakRss: memory(target.pid).peak };
  }
  return row;
}

/** One round of streams at 50 tokens a second, `count` on each connection, by target. */
export async function measureStreams(targets, { streams, count }) {
  const row = {};
  for (const target of targets) {
    const delays = [];
    const body = streamBody(STREAM_TOKENS, 20, modelOf(target));
    const onDelay = (milliseconds) => delays.push(milliseconds);
    const before = cpuSeconds(target.pid);
    await Promise.all(
      Array.from({ length: streams }, () => streamClient(target.url, target.headers, body, { count, onDelay })),
    );
    const cpu = cpuSeconds(target.pid) - before;
    row[target.name] = {
      cpuMsPer1000Chunks: (cpu * 1000) / ((streams * count * STREAM_EVENTS) / 1000),
      delayP99: percentile(delays, 0.99),
      peakRss: memory(target.pid).peak,
    };
  }
  return row;
}

/** Rows of rounds to one object of medians, by target; the ratios of `figures` are taken round by round. */
export function summarise(rounds, figures, targets) {
  const summary = {};
  const names = targets.map(({ name }) => name);
  for (const name of names) {
    const rows = rounds.map((round) => round[name]);
    summary[name] = Object.fromEntries(
      Object.keys(rows[0]).map((field) => [field, median(rows.map((row) => row[field]))]),
    );
    for (const other of names) {
      if (other === name || other === 'gateway') continue;
      const label = `To${other[0]?.toUpperCase()}${other.slice(1)}`;
      for (const figure of figures) {
        const field = figure === figures[0] ? `ratio${label}` : `${figure}Ratio${label}`;
        summary[name][field] = median(rounds.map((round) => round[name][figure] / round[other][figure]));
      }
    }
  }
  return summary;
}
