/** The bounds of the soak; docs/performance.md says why they are what they are. */
import { KINDS, TIMEOUTS } from './kinds.mjs';

export const BOUNDS = {
  /** MB that are left after all garbage was collected, at rest, more than before the load. */
  heapGrowth: 5,
  /** MB of resident memory at rest, more than before the load: what V8 and malloc have not released. */
  restGrowth: 80,
  /** MB that RSS rises over the second half of the load, by the least slope that its samples allow. */
  rssRise: 20,
  /** MB at any sample under load. */
  rss: 550,
  /** Milliseconds that a call to the provider may last longer than its total timeout. */
  overtime: 2000,
  /** Percent of the requests that may be left out because too many are in flight. */
  leftOut: 1,
};

/**
 * @returns slope of the line through the samples, in MB an hour, and how far off it may be: three standard errors, since
 * garbage comes and goes in waves longer than the time between two samples
 */
export function slope(samples) {
  const count = samples.length;
  if (count < 3) return { perHour: 0, error: Infinity };
  const mean = (values) => values.reduce((total, value) => total + value, 0) / count;
  const times = samples.map(({ at }) => at / 3600);
  const sizes = samples.map(({ rss }) => rss);
  const [middle, level] = [mean(times), mean(sizes)];
  const spread = times.reduce((total, time) => total + (time - middle) ** 2, 0);
  const perHour = times.reduce((total, time, index) => total + (time - middle) * (sizes[index] - level), 0) / spread;
  const residue = times.reduce(
    (total, time, index) => total + (sizes[index] - level - perHour * (time - middle)) ** 2,
    0,
  );
  return { perHour, error: 3 * Math.sqrt(residue / (count - 2) / spread) };
}

/** Usage records against what clients and the provider saw. */
export function judgeRecords(records, requests, seen) {
  const faults = [];
  const fault = (text) => faults.length < 5 && faults.push(text);
  // An abandoned attempt before the one that counts has its own record.
  const last = records.filter(({ status }) => status !== 'retried');
  const ids = new Map(last.map((record) => [record.request_id, record]));
  if (ids.size < last.length) fault(`${last.length - ids.size} requests have more than one usage record`);
  const unrecorded = [...seen.keys()].filter((id) => !ids.has(id));
  if (unrecorded.length > 0) fault(`${unrecorded.length} requests have no usage record, such as ${unrecorded[0]}`);
  for (const [id, { status, source }] of ids) {
    const { kind } = requests.get(id) ?? {};
    if (kind === undefined && source === 'live') fault(`a usage record of a request that was not sent: ${id}`);
    // A client may leave between the gateway's decision to call and the call.
    const mayBeUnseen = kind?.leaves !== undefined || kind?.models?.[0] === 'refused';
    if (!seen.has(id) && !mayBeUnseen) fault(`a usage record of a call that the provider never saw: ${id}`);
    const isHonest = kind?.honest.includes(requests.get(id).outcome);
    if (isHonest && kind.record !== undefined && kind.record !== status)
      fault(`${kind.name} (${id}) is recorded as ${status}`);
  }
  for (const [id, { kind, outcome }] of requests) {
    if (kind.models?.[0] === 'refused' && kind.honest.includes(outcome) && !ids.has(id))
      fault(`${kind.name} (${id}) has no usage record`);
  }
  return faults;
}

/** @returns every bound that was broken, in words; none is a pass */
export function judge({ load, batches, samples, before, after, upstream, recordFaults, burst, exitCode, errorLines }) {
  const broken = [...batches.faults, ...recordFaults];
  const bound = (isKept, text) => isKept || broken.push(text);
  const { dishonest, leftOut, requests } = load;
  bound(dishonest.count === 0, `${dishonest.count} outcomes are not honest: ${dishonest.examples.join('; ')}`);
  const unasked = KINDS.filter(({ name }) => Object.keys(load.outcomes[name]).length === 0).map(({ name }) => name);
  bound(unasked.length === 0, `the run was too short to ask for: ${unasked.join(', ')}`);
  bound(leftOut <= (requests.size * BOUNDS.leftOut) / 100, `${leftOut} requests were left out: the rate is too high`);
  const late = samples.slice(samples.length / 2);
  const { perHour, error } = slope(late);
  const hours = (late.at(-1).at - late[0].at) / 3600;
  bound((perHour - error) * hours <= BOUNDS.rssRise, `RSS grows by ${perHour.toFixed(0)} ± ${error.toFixed(0)} MB/h`);
  const most = Math.max(...samples.map(({ rss }) => rss));
  bound(most <= BOUNDS.rss, `RSS reached ${most.toFixed(0)} MB`);
  const kept = after.rss - before.rss;
  bound(kept <= BOUNDS.restGrowth, `at rest RSS is ${kept.toFixed(0)} MB more than before`);
  const grown = after.collected.heap + after.collected.external - before.collected.heap - before.collected.external;
  bound(grown <= BOUNDS.heapGrowth, `the heap holds ${grown.toFixed(1)} MB more than before`);
  for (const part of ['byKind', 'sockets']) {
    for (const [name, count] of Object.entries(after[part])) {
      const earlier = before[part][name] ?? 0;
      bound(count <= earlier, `${name}: ${count} at rest after the load, ${earlier} before`);
    }
  }
  bound(after.threads <= before.threads, `${after.threads} threads at rest after the load, ${before.threads} before`);
  for (const gauge of ['inFlight', 'deploymentInFlight', 'queued', 'recordsDropped']) {
    bound(after[gauge] === 0, `${gauge} is ${after[gauge]} at rest`);
  }
  bound(upstream.openSockets === 0, `${upstream.openSockets} connections to the provider are left`);
  const longest = upstream.longestCall;
  bound(longest <= TIMEOUTS.total + BOUNDS.overtime, `a call to the provider lasted ${(longest / 1000).toFixed(1)} s`);
  bound(burst.refused === 0, `${burst.refused} of ${burst.count} streams found the key's places taken`);
  bound(errorLines.count === 0, `${errorLines.count} errors in the log: ${errorLines.example}`);
  bound(exitCode === 0, `the gateway ended with code ${exitCode}`);
  return broken;
}
