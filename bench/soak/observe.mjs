/** What can be seen of a process from outside: /proc, and /metrics over a connection that is closed at once. Linux only. */
import { readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { memory } from '../process.mjs';

const TCP_STATES = {
  '01': 'established',
  '02': 'syn_sent',
  '03': 'syn_received',
  '04': 'fin_wait_1',
  '05': 'fin_wait_2',
  '06': 'time_wait',
  '07': 'closed',
  '08': 'close_wait',
  '09': 'last_ack',
  '0A': 'listen',
  '0B': 'closing',
};

const add = (counts, name) => (counts[name] = (counts[name] ?? 0) + 1);

/** Open descriptors by kind, and TCP sockets by state. */
export function descriptors(pid) {
  const byKind = {};
  const inodes = new Set();
  for (const fd of readdirSync(`/proc/${pid}/fd`)) {
    let target;
    try {
      target = readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      continue; // Closed meanwhile.
    }
    const [, kind, inode] = /^(socket|pipe|anon_inode):\[?([^\]]*)/.exec(target) ?? [undefined, 'file', ''];
    if (kind === 'socket') inodes.add(inode);
    add(byKind, kind);
  }
  const sockets = {};
  for (const table of ['tcp', 'tcp6']) {
    for (const line of readFileSync(`/proc/${pid}/net/${table}`, 'utf8').trim().split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/);
      if (inodes.has(fields[9])) add(sockets, TCP_STATES[fields[3]] ?? fields[3]);
    }
  }
  return { byKind, sockets };
}

function fetchText(url) {
  return new Promise((resolve, reject) => {
    get(url, { agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece) => (text += piece));
      response.on('end', () => resolve(text)).on('error', reject);
    }).on('error', reject);
  });
}

/** Values of a metric, those of its series added up. */
function sum(text, name) {
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    .reduce((total, line) => total + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

export async function readMetrics(url) {
  const text = await fetchText(url);
  return {
    heap: sum(text, 'nodejs_heap_size_used_bytes') / 1e6,
    external: sum(text, 'nodejs_external_memory_bytes') / 1e6,
    lagP99: sum(text, 'nodejs_eventloop_lag_p99_seconds') * 1000,
    lagMost: sum(text, 'nodejs_eventloop_lag_max_seconds') * 1000,
    inFlight: sum(text, 'gateway_requests_in_flight'),
    deploymentInFlight: sum(text, 'gateway_deployment_in_flight'),
    queued: sum(text, 'gateway_queue_waiting'),
    recordsDropped: sum(text, 'gateway_usage_records_dropped_total'),
  };
}

/** One look at the gateway; `at` is in seconds since `started`. */
export async function sample(gateway, started) {
  const { byKind, sockets } = descriptors(gateway.pid);
  const metrics = await readMetrics(gateway.metricsUrl);
  const threads = Number(/Threads:\s+(\d+)/.exec(readFileSync(`/proc/${gateway.pid}/status`, 'utf8'))?.[1]);
  return {
    at: (performance.now() - started) / 1000,
    rss: memory(gateway.pid).rss,
    threads,
    byKind,
    sockets,
    ...metrics,
  };
}

/** @returns MB of the heap, and outside of it, after all garbage has been collected */
export async function collected(gateway) {
  rmSync(gateway.heapReport, { force: true });
  process.kill(gateway.pid, 'SIGUSR2');
  for (;;) {
    try {
      return JSON.parse(readFileSync(gateway.heapReport, 'utf8'));
    } catch {
      await delay(50);
    }
  }
}
