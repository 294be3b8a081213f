/** The figure of GATEWAY_PROCESSES. */
import { median, writeWrkScript, wrk } from './load.mjs';
import { cpuSeconds, family } from './process.mjs';
import { makeKey, PLAIN_BODY, startGateway, startNginx } from './targets.mjs';

/**
 * Two processes against one, plain chat over 64 connections, in turns. Load and upstream share the cores, so `ratio` of the
 * rates says what this machine gives; `ratioFree` is what two cores of their own would give: two processes, each as
 * fast as one by processor time, with the primary's time counted to theirs. `limited`: the key has limits, which the primary counts.
 */
export async function processes({ folder, node, tree, rounds, seconds, warmUp }) {
  const upstream = await startNginx(folder);
  const start = (count) =>
    startGateway(folder, node, upstream.origin, { tree, env: { GATEWAY_PROCESSES: String(count) } });
  const targets = { one: await start(1), two: await start(2) };
  const body = JSON.stringify(PLAIN_BODY);
  const kinds = { limited: {}, free: {} };
  const measured = { limited: [], free: [] };
  try {
    for (const [name, target] of Object.entries(targets)) {
      const free = { ...target.headers, authorization: `Bearer ${await makeKey(target.base, target.adminKey, null)}` };
      kinds.limited[name] = writeWrkScript(folder, `${name}-limited`, target.headers, body);
      kinds.free[name] = writeWrkScript(folder, `${name}-free`, free, body);
      await wrk(target.url, kinds.free[name], 64, warmUp);
    }
    for (let round = 0; round < rounds; round += 1) {
      for (const kind of Object.keys(kinds)) {
        const row = {};
        for (const [name, target] of Object.entries(targets)) {
          const cpuOf = () => family(target.pid).reduce((sum, pid) => sum + cpuSeconds(pid), 0);
          const [before, primary] = [cpuOf(), cpuSeconds(target.pid)];
          const { requests, rate, p99, failures } = await wrk(target.url, kinds[kind][name], 64, seconds);
          if (failures > 0) throw new Error(`${name}: ${failures} of ${requests} requests failed`);
          const cpu = cpuOf() - before;
          row[name] = {
            rate,
            p99,
            perCpuSecond: requests / cpu,
            primaryShare: (cpuSeconds(target.pid) - primary) / cpu,
          };
        }
        measured[kind].push(row);
      }
    }
  } finally {
    for (const server of [...Object.values(targets), upstream]) await server.stop();
  }
  const summary = (rows) => ({
    ratio: median(rows.map(({ one, two }) => two.rate / one.rate)),
    ratioFree: median(rows.map(({ one, two }) => (2 * two.perCpuSecond) / one.perCpuSecond)),
    rateOfOne: median(rows.map(({ one }) => one.rate)),
    rateOfTwo: median(rows.map(({ two }) => two.rate)),
    primaryShare: median(rows.map(({ two }) => two.primaryShare)),
  });
  return { free: summary(measured.free), limited: summary(measured.limited) };
}
