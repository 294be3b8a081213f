/**
 * `npm run bench:files`: a large file is uploaded and becomes a batch, on SQLite. Prints how long both take and how much the memory of the
 * gateway grows, and ends with 1 where it grows by more than 150 MB.
 *
 * Usage: node bench/file-batch.mjs [megabytes, 2000] [lines, 1000000]
 */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { request } from 'undici';
import { startGatewayProcess } from '../scripts/gateway-process.mjs';

const MEGABYTE = 1024 * 1024;
const MAX_GROWTH_BYTES = 150 * MEGABYTE;
const POLL_MS = 500;
const SAMPLE_MS = 50;
const BOUNDARY = 'bench-boundary';
const ADMIN_KEY = 'bench-admin-key-0123456789abcdef';

const megabytes = Number(process.argv[2] ?? 2_000);
const lines = Number(process.argv[3] ?? 1_000_000);
const lineBytes = Math.floor((megabytes * MEGABYTE) / lines);
const root = new URL('..', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'gateway-file-bench-'));

/** The form, made while it is sent. */
function* form() {
  const part = (/** @type {string} */ head) => `--${BOUNDARY}\r\ncontent-disposition: form-data; ${head}\r\n\r\n`;
  yield Buffer.from(`${part('name="purpose"')}batch\r\n${part('name="file"; filename="requests.jsonl"')}`);
  let piece = '';
  for (let index = 0; index < lines; index += 1) {
    const start = `{"custom_id":"request-${index}","method":"POST","url":"/v1/chat/completions","body":{"model":"sandbox/echo","max_tokens":1,"messages":[{"role":"user","content":"`;
    piece += `${start.padEnd(lineBytes - 6, 'x')}"}]}}\n`;
    if (piece.length < MEGABYTE && index < lines - 1) continue;
    yield Buffer.from(piece);
    piece = '';
  }
  yield Buffer.from(`\r\n--${BOUNDARY}--\r\n`);
}

/** @param {number} pid @returns {number} bytes of memory that are resident */
function residentBytes(pid) {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1_024;
}

writeFileSync(join(folder, 'gateway.yaml'), 'sandbox: true\nfiles: { max_size: 4GB }\n');
const { url, child } = await startGatewayProcess({ application: root, folder, adminKey: ADMIN_KEY });
const headers = { authorization: `Bearer ${ADMIN_KEY}` };
/** @param {string} path @param {object} [body] @returns {Promise<any>} */
const call = async (path, body) => {
  const response = await request(`${url}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.body.text();
  if (response.statusCode >= 300) throw new Error(`${path}: ${response.statusCode} ${text}`);
  return JSON.parse(text);
};
let peak = 0;
const pid = child.pid ?? 0;
const sampler = setInterval(() => (peak = Math.max(peak, residentBytes(pid))), SAMPLE_MS);
try {
  // What the start of the process does in the background ends by then.
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  const before = residentBytes(pid);
  let started = performance.now();
  const sent = await request(`${url}/v1/files`, {
    method: 'POST',
    headers: { ...headers, 'content-type': `multipart/form-data; boundary=${BOUNDARY}` },
    body: Readable.from(form()),
    headersTimeout: 0,
  });
  const file = /** @type {any} */ (await sent.body.json());
  if (sent.statusCode !== 200) throw new Error(JSON.stringify(file));
  const report = (/** @type {string} */ what) => {
    const seconds = ((performance.now() - started) / 1_000).toFixed(1);
    const growth = Math.round((peak - before) / MEGABYTE);
    console.log(`${what}: ${seconds} s, memory ${Math.round(before / MEGABYTE)} MB and at most ${growth} MB more`);
    started = performance.now();
  };
  report(`upload of ${Math.round(file.bytes / MEGABYTE)} MB`);
  const made = { input_file_id: file.id, endpoint: '/v1/chat/completions', completion_window: '24h' };
  let batch = await call('/v1/batches', made);
  while (batch.status === 'validating') {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    batch = await call(`/v1/batches/${batch.id}`);
  }
  report(`import of ${batch.request_counts.total} requests, then ${batch.status}`);
  if (batch.request_counts.total !== lines) process.exitCode = 1;
  if (peak - before > MAX_GROWTH_BYTES) process.exitCode = 1;
} finally {
  clearInterval(sampler);
  child.kill('SIGKILL');
  await once(child, 'exit').catch(() => undefined);
  rmSync(folder, { recursive: true, force: true });
}
