/**
 * `npm run bench:output`: the results of a batch are written to a bucket, on SQLite. Prints how long that takes and how much the memory of
 * the gateway grows meanwhile, and ends with 1 where it grows by more than 150 MB, or where the bucket has other bytes than the gateway.
 *
 * Usage: node bench/batch-output.mjs [megabytes, 1024] [kilobytes of a result, 256]
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { request } from 'undici';
import { startGatewayProcess } from '../scripts/gateway-process.mjs';

const KILOBYTE = 1024;
const MEGABYTE = 1024 * KILOBYTE;
const MAX_GROWTH_BYTES = 150 * MEGABYTE;
const POLL_MS = 500;
const SAMPLE_MS = 50;
/** What the start of a process does in the background ends by then. */
const SETTLE_MS = 3_000;
const ADMIN_KEY = 'bench-admin-key-0123456789abcdef';
const BUCKET = 'results';

const megabytes = Number(process.argv[2] ?? 1_024);
const resultBytes = Number(process.argv[3] ?? 256) * KILOBYTE;
const tasks = Math.ceil((megabytes * MEGABYTE) / resultBytes);
const root = new URL('..', import.meta.url).pathname;
const folder = mkdtempSync(join(tmpdir(), 'gateway-output-bench-'));

/** The object, of which the parts come one after the other. */
const written = { bytes: 0, hash: createHash('sha256'), isComplete: false };
let isOpen = false;

/** A bucket that counts the bytes of its one object, and keeps none of them. It refuses everything until it is open. */
const bucket = createServer((incoming, response) => {
  const { searchParams } = new URL(incoming.url ?? '/', 'http://bucket');
  const isPart = isOpen && incoming.method === 'PUT';
  incoming.on('data', (/** @type {Buffer} */ chunk) => {
    if (!isPart) return;
    written.bytes += chunk.length;
    written.hash.update(chunk);
  });
  incoming.on('end', () => {
    if (!isOpen) response.writeHead(503).end('<Error><Code>SlowDown</Code></Error>');
    else if (isPart) response.writeHead(200, { etag: `"${searchParams.get('partNumber') ?? 'whole'}"` }).end();
    else if (searchParams.has('uploads')) response.end('<R><UploadId>upload-1</UploadId></R>');
    else {
      written.isComplete = true;
      response.end('<CompleteMultipartUploadResult></CompleteMultipartUploadResult>');
    }
  });
});
bucket.listen(0, '127.0.0.1');
await once(bucket, 'listening');
const address = /** @type {import('node:net').AddressInfo} */ (bucket.address());

/** A provider whose responses have as many bytes as were asked for. */
const text = 'lorem ipsum '.repeat(Math.ceil(resultBytes / 12)).slice(0, resultBytes);
const provider = createServer((incoming, response) => {
  incoming.resume().on('end', () => {
    const message = { role: 'assistant', content: text };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({
        id: 'chatcmpl-1',
        object: 'chat.completion',
        created: 0,
        model: 'large',
        choices: [{ index: 0, message, finish_reason: 'stop' }],
        usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
      }),
    );
  });
});
provider.listen(0, '127.0.0.1');
await once(provider, 'listening');
const providerAddress = /** @type {import('node:net').AddressInfo} */ (provider.address());

/** @param {number} pid @returns {number} bytes of memory that are resident */
function residentBytes(pid) {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * KILOBYTE;
}

writeFileSync(
  join(folder, 'gateway.yaml'),
  `providers:
  fake: { type: openai, base_url: http://127.0.0.1:${providerAddress.port}/v1, api_key: none }
batch:
  output_buckets:
    - { bucket: ${BUCKET}, endpoint: http://127.0.0.1:${address.port}, path_style: true, region: us-east-1, access_key_id: a, secret_access_key: b }
`,
);
const start = () => startGatewayProcess({ application: root, folder, adminKey: ADMIN_KEY });
const headers = { authorization: `Bearer ${ADMIN_KEY}`, 'content-type': 'application/json' };
/** @param {string} url @param {object} [options] */
async function call(url, options = {}) {
  const response = await request(url, { headers, ...options });
  const body = await response.body.text();
  if (response.statusCode >= 300) throw new Error(`${url}: ${response.statusCode} ${body}`);
  return JSON.parse(body);
}
const wait = () => new Promise((resolve) => setTimeout(resolve, POLL_MS));
/** @param {import('node:child_process').ChildProcess} child */
async function end(child) {
  child.kill('SIGTERM');
  await once(child, 'exit');
}

let gateway = await start();
try {
  // The results are made while the bucket refuses them, by another process than the one that writes them.
  const { job_id: id } = await call(`${gateway.url}/v1/batch/generate`, {
    method: 'POST',
    body: Readable.from(
      (function* () {
        yield `{"model":"fake/large","output":{"s3":{"bucket":"${BUCKET}","key":"results.jsonl"}},"tasks":["task 0"`;
        for (let index = 1; index < tasks; index += 1) yield `,"task ${index}"`;
        yield ']}';
      })(),
    ),
  });
  const status = () => call(`${gateway.url}/v1/batch/${id}?results=false`);
  for (let job = await status(); job.status !== 'completed'; job = await status()) await wait();
  await end(gateway.child);

  gateway = await start();
  const pid = gateway.child.pid ?? 0;
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const before = residentBytes(pid);
  let peak = before;
  const sampler = setInterval(() => (peak = Math.max(peak, residentBytes(pid))), SAMPLE_MS);
  const started = performance.now();
  isOpen = true;
  let job = await status();
  for (; job.output.state !== 'written'; job = await status()) await wait();
  clearInterval(sampler);
  const seconds = (performance.now() - started) / 1_000;
  const growth = peak - before;
  console.log(
    `output of ${tasks} results, ${Math.round(written.bytes / MEGABYTE)} MB: ${seconds.toFixed(1)} s with the wait for the next attempt, ` +
      `memory ${Math.round(before / MEGABYTE)} MB and at most ${Math.round(growth / MEGABYTE)} MB more`,
  );
  const expected = createHash('sha256');
  const { body: results } = await request(`${gateway.url}/v1/batch/${id}/results`, { headers });
  for await (const chunk of results) expected.update(chunk);
  const isSame = written.hash.digest('hex') === expected.digest('hex');
  if (!isSame || !written.isComplete || job.output.bytes !== written.bytes) {
    console.log('the bucket has OTHER BYTES than the gateway');
    process.exitCode = 1;
  }
  if (growth > MAX_GROWTH_BYTES) process.exitCode = 1;
} finally {
  gateway.child.kill('SIGKILL');
  for (const server of [bucket, provider]) {
    server.closeAllConnections();
    server.close();
  }
  rmSync(folder, { recursive: true, force: true });
}
