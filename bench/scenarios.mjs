/** One function for each figure. Every one starts what it needs and stops it again. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { median, percentile, plainClient, streamClient, writeWrkScript, wrk } from './load.mjs';
import { memory } from './process.mjs';
import { PLAIN_BODY, startGateway, startNginx, startStreamUpstream } from './targets.mjs';
import { measureStreams, measureWrk, startTargets, stopAll, streamBody, summarise, writeScripts } from './turns.mjs';

export { formats } from './formats.mjs';
export { oneCore } from './one-core.mjs';
export { processes } from './several-processes.mjs';

/** Plain chat over 32 connections, in turns. `perCpuSecond`, requests for each second of processor time, is the figure per core. */
export async function plain(options) {
  const { folder, rounds, seconds } = options;
  const upstream = await startNginx(folder, { port: options.upstreamPort });
  const targets = await startTargets(options, upstream.origin);
  const scripts = writeScripts(folder, targets);
  const measured = [];
  try {
    for (const target of targets) await wrk(target.url, scripts.get(target.name), 32, options.warmUp);
    for (let round = 0; round < rounds; round += 1) measured.push(await measureWrk(targets, scripts, seconds));
  } finally {
    await stopAll([...targets, upstream]);
  }
  return summarise(measured, ['perCpuSecond', 'p99'], targets);
}

/** One connection: what a request takes longer than at the upstream itself, in milliseconds. */
export async function latency(options) {
  const { folder, node, tree, rounds, seconds } = options;
  const upstream = await startNginx(folder);
  const gateway = await startGateway(folder, node, upstream.origin, { tree });
  const body = JSON.stringify(PLAIN_BODY);
  const direct = writeWrkScript(folder, 'direct', { 'content-type': 'application/json' }, body);
  const through = writeWrkScript(folder, 'through', gateway.headers, body);
  const url = `${upstream.origin}/v1/chat/completions`;
  const added = [];
  try {
    await wrk(gateway.url, through, 8, options.warmUp);
    for (let round = 0; round < rounds; round += 1) {
      const base = await wrk(url, direct, 1, Math.min(seconds, 2));
      const seen = await wrk(gateway.url, through, 1, seconds);
      added.push({ p50: seen.p50 - base.p50, p99: seen.p99 - base.p99 });
    }
  } finally {
    await stopAll([gateway, upstream]);
  }
  return { addedP50: median(added.map(({ p50 }) => p50)), addedP99: median(added.map(({ p99 }) => p99)) };
}

/** 200 streams at 50 tokens a second, in turns: processor time of a thousand chunks. */
export async function streams(options) {
  const { folder, rounds, seconds } = options;
  const upstream = await startStreamUpstream(folder, { port: options.upstreamPort });
  const targets = await startTargets(options, upstream.origin);
  const measured = [];
  try {
    await measureStreams(targets, { streams: 200, count: 2 });
    for (let round = 0; round < rounds; round += 1) {
      measured.push(await measureStreams(targets, { streams: 200, count: Math.max(2, Math.round(seconds / 2)) }));
    }
  } finally {
    await stopAll([...targets, upstream]);
  }
  return summarise(measured, ['cpuMsPer1000Chunks'], targets);
}

/** 1,000 streams at once, 50 tokens a second each, against the same straight from the upstream. */
export async function manyStreams(options) {
  return streamsAtOnce(options, { interval: 20, tokens: 300 });
}

/** The same at 10 tokens a second, which leaves one core time to spare. */
export async function manySlowStreams(options) {
  return streamsAtOnce(options, { interval: 100, tokens: 80 });
}

async function streamsAtOnce({ folder, node, tree, streamCount }, { interval, tokens }) {
  const upstream = await startStreamUpstream(folder);
  const gateway = await startGateway(folder, node, upstream.origin, { tree });
  const run = async (url, headers) => {
    const delays = [];
    const body = streamBody(tokens, interval);
    const onDelay = (milliseconds) => delays.push(milliseconds);
    let peak = 0;
    const timer = setInterval(() => (peak = Math.max(peak, memory(gateway.pid).rss)), 500);
    await Promise.all(
      Array.from({ length: streamCount }, () => streamClient(url, headers, body, { count: 1, onDelay })),
    );
    clearInterval(timer);
    return { p50: percentile(delays, 0.5), p99: percentile(delays, 0.99), peak };
  };
  try {
    const warm = streamBody(50, 0);
    await Promise.all(
      Array.from({ length: 20 }, () => streamClient(gateway.url, gateway.headers, warm, { count: 100 })),
    );
    const idle = memory(gateway.pid).rss;
    const direct = await run(`${upstream.origin}/v1/chat/completions`, { 'content-type': 'application/json' });
    const through = await run(gateway.url, gateway.headers);
    return {
      streams: streamCount,
      directP99: direct.p99,
      addedP50: through.p50 - direct.p50,
      addedP99: through.p99 - direct.p99,
      rssPerStreamKb: ((through.peak - idle) * 1000) / streamCount,
    };
  } finally {
    await stopAll([gateway, upstream]);
  }
}

/** From the request to the first token, one after the other, in milliseconds over the upstream itself. */
export async function firstToken({ folder, node, tree, rounds }) {
  const upstream = await startStreamUpstream(folder);
  const gateway = await startGateway(folder, node, upstream.origin, { tree });
  const body = streamBody(5, 0);
  const run = async (url, headers, count) => {
    const times = [];
    await streamClient(url, headers, body, { count, onFirst: (milliseconds) => times.push(milliseconds) });
    return median(times);
  };
  const added = [];
  try {
    await run(gateway.url, gateway.headers, 2000);
    for (let round = 0; round < rounds; round += 1) {
      const direct = await run(`${upstream.origin}/v1/chat/completions`, { 'content-type': 'application/json' }, 500);
      added.push((await run(gateway.url, gateway.headers, 500)) - direct);
    }
  } finally {
    await stopAll([gateway, upstream]);
  }
  return { addedP50: median(added) };
}

/** How long a prompt of 1 MB in 200 messages holds up the event loop, in milliseconds; the median of the longest waits. */
export async function largePrompt({ folder, node, tree, rounds }) {
  const upstream = await startNginx(folder);
  const report = join(folder, 'loop.txt');
  const nodeArgs = ['--import', new URL('loop-watch.mjs', import.meta.url).href];
  const gateway = await startGateway(folder, node, upstream.origin, {
    tree,
    nodeArgs,
    env: { BENCH_LOOP_REPORT: report },
  });
  const messages = Array.from({ length: 200 }, (_, index) => ({
    role: index % 2 === 0 ? 'user' : 'assistant',
    content: 'A sentence of a long prompt, "quoted" and with an ümlaut.\n'.repeat(90),
  }));
  const body = JSON.stringify({ model: 'bench', messages });
  const send = async () => {
    const response = await fetch(gateway.url, { method: 'POST', headers: gateway.headers, body });
    if (!response.ok) throw new Error(`a large prompt was refused: ${await response.text()}`);
    await response.arrayBuffer();
  };
  const blocked = [];
  try {
    for (let warm = 0; warm < 20; warm += 1) await send();
    for (let round = 0; round < rounds * 6; round += 1) {
      process.kill(gateway.pid, 'SIGUSR2');
      await delay(30);
      await send();
      process.kill(gateway.pid, 'SIGUSR2');
      await delay(30);
      blocked.push(Number(readFileSync(report, 'utf8')));
    }
  } finally {
    await stopAll([gateway, upstream]);
  }
  return { bytes: Buffer.byteLength(body), blockedMs: median(blocked) };
}

/** The embedded default, from the start of the process to the first answer of the sandbox, in milliseconds. */
export async function startUp({ folder, node, tree, rounds }) {
  const times = [];
  for (let round = 0; round < rounds; round += 1) {
    const gateway = await startGateway(folder, node, undefined, { tree });
    await respondOnce(gateway);
    times.push(performance.now() - gateway.started);
    await gateway.stop();
  }
  return { milliseconds: median(times) };
}

async function respondOnce(gateway) {
  const body = JSON.stringify({ model: 'sandbox/echo', messages: [{ role: 'user', content: 'Say hello to Ada.' }] });
  const response = await fetch(gateway.url, { method: 'POST', headers: gateway.headers, body });
  if (!response.ok) throw new Error(`the sandbox did not answer: ${await response.text()}`);
  await response.arrayBuffer();
}

/** Resident memory in MB: idle after one answer, and after 100,000 requests. */
export async function memoryUse({ folder, node, tree, requests: wanted }) {
  const upstream = await startNginx(folder);
  const gateway = await startGateway(folder, node, upstream.origin, { tree });
  try {
    await delay(5000);
    const idle = memory(gateway.pid).rss;
    const clients = 32;
    const body = JSON.stringify(PLAIN_BODY);
    const each = Math.ceil(wanted / clients);
    await Promise.all(Array.from({ length: clients }, () => plainClient(gateway.url, gateway.headers, body, each)));
    const requests = clients * each;
    await delay(3000);
    const { rss, peak } = memory(gateway.pid);
    return { idleRss: idle, requests, afterRss: rss, peakRss: peak };
  } finally {
    await stopAll([gateway, upstream]);
  }
}

/** Tasks a second through the embedded queue and database, from the submission to the end of the job. */
export async function batch({ folder, node, tree, tasks: count }) {
  const gateway = await startGateway(folder, node, undefined, { tree });
  try {
    const tasks = Array.from({ length: count }, (_, index) => `Say hello to guest ${index}.`);
    const started = performance.now();
    const submitted = await fetch(`${gateway.base}/v1/batch/generate`, {
      method: 'POST',
      headers: gateway.headers,
      body: JSON.stringify({ model: 'sandbox/echo', tasks }),
    });
    if (submitted.status !== 202) throw new Error(`the batch was refused: ${await submitted.text()}`);
    const { job_id: id } = /** @type {{ job_id: string }} */ (await submitted.json());
    for (;;) {
      const response = await fetch(`${gateway.base}/v1/batch/${id}?results=false`, { headers: gateway.headers });
      const { status } = /** @type {{ status: string }} */ (await response.json());
      if (status === 'completed') break;
      if (status !== 'queued' && status !== 'in_progress') throw new Error(`the batch ended as ${status}`);
      await delay(50);
    }
    return { tasks: count, tasksPerSecond: count / ((performance.now() - started) / 1000) };
  } finally {
    await gateway.stop();
  }
}
