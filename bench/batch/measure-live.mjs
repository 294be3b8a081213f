/** What a full batch adds to the time to the first token of live streams, in turns of one process with the batch and without. */
import { request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadAverage } from './servers.mjs';

/** Turns of each kind, milliseconds of one, and of the time before it that is not counted. */
const TURNS = 10;
const TURN_MS = 6_000;
const SETTLE_MS = 1_500;
/** Milliseconds between two live streams. */
const STREAM_EVERY_MS = 40;
const TASKS = 40_000;
/** The most that a batch may add, as a part of the time without it. */
export const MAX_ADDED = 0.05;

/**
 * @param {{ gateway: { url: string }, key: string, concurrency: number }} options
 * @returns {Promise<number>} the added part at p99
 */
export async function measureLive({ gateway, key, concurrency }) {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const post = async (path, body) => {
    const response = await fetch(`${gateway.url}${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
    return /** @type {Promise<any>} */ (response.json());
  };
  const tasks = Array.from({ length: TASKS }, (_, index) => `task ${index} ${'text '.repeat(60)}`);
  const { job_id: id } = await post('/v1/batch/generate', { model: 'upstream/live', tasks });
  await post(`/v1/batch/${id}/pause`, {});
  const counted = async () => {
    const response = await fetch(`${gateway.url}/v1/batch/${id}?results=false`, { headers });
    return /** @type {any} */ (await response.json()).completed_count;
  };
  const without = [];
  const within = [];
  let ran = 0;
  for (let turn = 0; turn < 2 * TURNS; turn += 1) {
    const hasBatch = turn % 2 === 1;
    await post(`/v1/batch/${id}/${hasBatch ? 'resume' : 'pause'}`, {});
    await streams(gateway.url, key, SETTLE_MS);
    const before = hasBatch ? await counted() : 0;
    (hasBatch ? within : without).push(...(await streams(gateway.url, key, TURN_MS)));
    if (hasBatch) ran += (await counted()) - before;
  }
  await post(`/v1/batch/${id}/cancel`, {});
  const [alone, beside] = [summaryOf(without), summaryOf(within)];
  const added = (name) => beside[name] / alone[name] - 1;
  const print = ({ p50, p90, p99 }) => `p50 ${p50.toFixed(1)}, p90 ${p90.toFixed(1)}, p99 ${p99.toFixed(1)} ms`;
  console.log(
    `\nTime to the first token of ${1_000 / STREAM_EVERY_MS} live streams a second, ${TURNS} turns each, ${without.length} and ${within.length} streams; load average ${loadAverage()}`,
  );
  console.log(`without a batch: ${print(alone)}`);
  console.log(
    `with a batch of ${concurrency} slots, ${((ran * 1_000) / (TURNS * TURN_MS)).toFixed(0)} tasks/s: ${print(beside)}`,
  );
  console.log(`added: p50 ${percent(added('p50'))}, p90 ${percent(added('p90'))}, p99 ${percent(added('p99'))}`);
  return added('p99');
}

/** Milliseconds to the first token of each stream that was started in that time. */
async function streams(url, key, milliseconds) {
  const times = [];
  const end = performance.now() + milliseconds;
  for (let next = performance.now(); next < end; next += STREAM_EVERY_MS) {
    const wait = next - performance.now();
    if (wait > 0) await sleep(wait);
    times.push(firstToken(url, key));
  }
  return Promise.all(times);
}

function firstToken(url, key) {
  return new Promise((resolve, reject) => {
    const started = performance.now();
    const sent = request(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    });
    let time;
    let text = '';
    sent.on('error', reject);
    sent.on('response', (response) => {
      response.setEncoding('utf8');
      response.on('error', reject);
      response.on('data', (part) => {
        if (time !== undefined) return;
        text += part;
        if (text.includes('"content":"t"')) time = performance.now() - started;
      });
      response.on('end', () => {
        if (time === undefined)
          reject(new Error(`a stream without a token: ${response.statusCode} ${text.slice(0, 200)}`));
        else resolve(time);
      });
    });
    sent.end(JSON.stringify({ model: 'upstream/live', stream: true, messages: [{ role: 'user', content: 'hello' }] }));
  });
}

function summaryOf(times) {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))];
  return { p50: at(0.5), p90: at(0.9), p99: at(0.99) };
}

function percent(part) {
  return `${(part * 100).toFixed(1)} %`;
}
