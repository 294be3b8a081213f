/** Everything on one core, as in a container with one CPU; load and provider use another. */
import { availableParallelism } from 'node:os';
import { median, wrk } from './load.mjs';
import { PLAIN_BODY, startFloor, startGateway, startNginx, startStreamUpstream } from './targets.mjs';
import { measureStreams, measureWrk, startTargets, stopAll, summarise, writeScripts } from './turns.mjs';

/** The core of what is measured, and that of everything else. */
const TARGET_CORE = 0;
const LOAD_CORE = 1;
/** Seconds of load after which the code counts as warm. */
const WARM_SECONDS = 15;
/** Seconds after the start whose requests count as cold. */
const COLD_SECONDS = 5;

export async function oneCore(options) {
  if (availableParallelism() < 2) throw new Error('this row needs a second core for the load and the provider');
  const restore = (options.peers ?? []).map((peer) => peer.pin(TARGET_CORE));
  try {
    return {
      ...(await plainOnOneCore(options)),
      ...(await streamsOnOneCore(options)),
      ...(await coldOnOneCore(options)),
    };
  } finally {
    for (const undo of restore) undo();
  }
}

async function plainOnOneCore(options) {
  const { folder, rounds, seconds, warmUp } = options;
  const upstream = await startNginx(folder, { port: options.upstreamPort, core: LOAD_CORE });
  const targets = await startTargets(options, upstream.origin, TARGET_CORE);
  const scripts = writeScripts(folder, targets);
  const measured = [];
  try {
    const warm = warmUp < COLD_SECONDS ? warmUp : WARM_SECONDS;
    for (const target of targets) await wrk(target.url, scripts.get(target.name), 32, warm, LOAD_CORE);
    for (let round = 0; round < rounds; round += 1) {
      measured.push(await measureWrk(targets, scripts, seconds, LOAD_CORE));
    }
  } finally {
    await stopAll([...targets, upstream]);
  }
  return { plain: summarise(measured, ['perCpuSecond', 'p99'], targets) };
}

/** 50 streams of 50 tokens a second: processor time of a chunk, and the delay that each target adds to the provider's. */
async function streamsOnOneCore(options) {
  const { folder, rounds, seconds } = options;
  const upstream = await startStreamUpstream(folder, { port: options.upstreamPort, core: LOAD_CORE });
  const targets = await startTargets(options, upstream.origin, TARGET_CORE);
  const direct = {
    name: 'direct',
    pid: upstream.pid,
    url: `${upstream.origin}/v1/chat/completions`,
    headers: { 'content-type': 'application/json' },
  };
  const measured = [];
  try {
    await measureStreams(targets, { streams: 50, count: 10 });
    for (let round = 0; round < rounds; round += 1) {
      const row = await measureStreams([direct, ...targets], { streams: 50, count: Math.max(2, seconds) });
      for (const { name } of targets) row[name].addedP99 = row[name].delayP99 - row.direct.delayP99;
      measured.push(row);
    }
  } finally {
    await stopAll([...targets, upstream]);
  }
  return { streams: summarise(measured, ['cpuMsPer1000Chunks'], targets) };
}

/** From the start to the first response, and the requests of the first seconds. */
async function coldOnOneCore({ folder, node, tree, rounds }) {
  const upstream = await startNginx(folder, { core: LOAD_CORE });
  const starts = {
    floor: () => startFloor(folder, node, upstream.origin, TARGET_CORE),
    gateway: () => startGateway(folder, node, upstream.origin, { tree, core: TARGET_CORE }),
  };
  const cold = {};
  try {
    for (const [name, start] of Object.entries(starts)) {
      const rows = [];
      for (let round = 0; round < Math.min(rounds, 3); round += 1) {
        const began = performance.now();
        const target = await start();
        const response = await fetch(target.url, {
          method: 'POST',
          headers: target.headers,
          body: JSON.stringify(PLAIN_BODY),
        });
        if (!response.ok) throw new Error(`${name} refused the first request: ${await response.text()}`);
        await response.arrayBuffer();
        const startMs = performance.now() - began;
        const script = writeScripts(folder, [target]).get(target.name);
        const { p99, failures } = await wrk(target.url, script, 32, COLD_SECONDS, LOAD_CORE);
        await target.stop();
        if (failures > 0) throw new Error(`${name}: ${failures} requests failed after the start`);
        rows.push({ startMs, p99 });
      }
      cold[name] = { startMs: median(rows.map((row) => row.startMs)), p99: median(rows.map((row) => row.p99)) };
    }
  } finally {
    await upstream.stop();
  }
  return { cold };
}
