/** What clients, operators and monitoring ask for while the backlog waits, and a large submission beside it. */
import { ADMIN_KEY, loadAverage } from './servers.mjs';

const ROUNDS = 15;
const SUBMITTED_TASKS = 50_000;

export async function measureBacklog({ api, key, waiting }) {
  console.log(`\nwith ${waiting} tasks waiting; load average ${loadAverage()}`);
  const routes = [
    ['GET /v1/batch', '/v1/batch', key],
    ['GET /v1/batch/{id}', '/v1/batch/large_0', key],
    ['GET /v1/admin/batches', '/v1/admin/batches', ADMIN_KEY],
    ['GET /v1/admin/batches?status=queued', '/v1/admin/batches?status=queued', ADMIN_KEY],
    ['GET /metrics', '/metrics', ADMIN_KEY],
  ];
  for (const [name, path, apiKey] of routes) {
    const times = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const started = performance.now();
      const response = await fetch(`${api.url}${path}`, { headers: { 'x-api-key': apiKey } });
      await response.arrayBuffer();
      if (response.status !== 200) throw new Error(`${name} answered ${response.status}`);
      times.push(performance.now() - started);
    }
    times.sort((a, b) => a - b);
    console.log(`${name}: median ${times[ROUNDS >> 1].toFixed(1)} ms, most ${times.at(-1).toFixed(1)} ms`);
  }
  const tasks = Array.from({ length: SUBMITTED_TASKS }, (_, index) => ({
    custom_id: `line-${index}`,
    messages: [{ role: 'user', content: `line ${index}` }],
  }));
  const body = JSON.stringify({ model: 'sandbox/echo', tasks });
  const started = performance.now();
  const response = await fetch(`${api.url}/v1/batch/generate`, {
    method: 'POST',
    headers: { 'x-api-key': key, 'content-type': 'application/json' },
    body,
  });
  const reply = /** @type {{ job_id?: string }} */ (await response.json());
  if (response.status !== 202) {
    throw new Error(`the submission was answered ${response.status}: ${JSON.stringify(reply).slice(0, 500)}`);
  }
  const { job_id: id } = reply;
  console.log(`a submission of ${SUBMITTED_TASKS} tasks: 202 after ${(performance.now() - started).toFixed(0)} ms`);
  const cancelling = performance.now();
  const cancelled = await fetch(`${api.url}/v1/batch/${id}/cancel`, { method: 'POST', headers: { 'x-api-key': key } });
  await cancelled.arrayBuffer();
  console.log(`its cancellation: ${cancelled.status} after ${(performance.now() - cancelling).toFixed(0)} ms`);
}
