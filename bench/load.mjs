/** Load: wrk for plain answers, clients on bare sockets for streams. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { pinned } from './process.mjs';

/** The request as wrk's script; it prints what it saw as one line of JSON. */
export function writeWrkScript(folder, name, headers, body) {
  const path = join(folder, `${name}.lua`);
  const lines = Object.entries(headers).map(
    ([header, value]) => `wrk.headers[${JSON.stringify(header)}] = ${JSON.stringify(value)}`,
  );
  writeFileSync(
    path,
    `wrk.method = "POST"
wrk.body = [==[${body}]==]
${lines.join('\n')}
function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('RESULT {"requests":%d,"microseconds":%d,"p50":%d,"p99":%d,"failures":%d}\\n', summary.requests,
    summary.duration, latency:percentile(50), latency:percentile(99),
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
`,
  );
  return path;
}

/**
 * @param {number} [core] the only core that it may use
 * @returns requests, rate in 1/s, p50 and p99 in milliseconds, failures
 */
export async function wrk(url, script, connections, seconds, core) {
  const [program, ...args] = pinned(
    ['wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', '10s', '-s', script, url],
    core,
  );
  const child = spawn(program, args);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
  await new Promise((resolve) => child.once('close', resolve));
  const line = /RESULT (.*)/.exec(output)?.[1];
  if (line === undefined) throw new Error(`wrk failed: ${output}`);
  const { requests, microseconds, p50, p99, failures } = JSON.parse(line);
  return { requests, rate: requests / (microseconds / 1e6), p50: p50 / 1000, p99: p99 / 1000, failures };
}

function requestText(url, headers, body) {
  const { host, pathname } = new URL(url);
  const head = Object.entries({ host, 'content-length': Buffer.byteLength(body), ...headers });
  return `POST ${pathname} HTTP/1.1\r\n${head.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`;
}

function connectTo(url) {
  const { hostname, port } = new URL(url);
  return connect(Number(port), hostname).setNoDelay(true);
}

/**
 * One client on a keep-alive socket that runs `count` streams after each other. Delays are from the upstream's writing of
 * a chunk to its arrival here.
 *
 * @param {string} url
 * @param {Record<string, string>} headers
 * @param {string} body
 * @param {{ count: number, onDelay?: (milliseconds: number) => void, onFirst?: (milliseconds: number) => void, pauseMs?: number }} options
 */
export function streamClient(url, headers, body, { count, onDelay, onFirst, pauseMs = 0 }) {
  const text = requestText(url, headers, body);
  return new Promise((resolve, reject) => {
    const socket = connectTo(url);
    let left = count;
    let tail = '';
    let sentAt = 0;
    let isFirst = true;
    let isFinished = false;
    const send = () => {
      isFirst = true;
      tail = '';
      sentAt = performance.now();
      socket.write(text);
    };
    socket.once('connect', send);
    socket.on('data', (bytes) => {
      const now = Number(process.hrtime.bigint() / 1000n);
      const received = tail + bytes.toString('latin1');
      const stamp = /"t(\d+);"/g;
      let seen = 0;
      for (let match = stamp.exec(received); match !== null; match = stamp.exec(received)) {
        onDelay?.((now - Number(match[1])) / 1000);
        seen = stamp.lastIndex;
        if (isFirst) {
          isFirst = false;
          onFirst?.(performance.now() - sentAt);
        }
      }
      tail = received.slice(Math.max(seen, received.length - 200));
      if (isFirst && received.startsWith('HTTP/1.1') && !received.startsWith('HTTP/1.1 200')) {
        reject(new Error(`a stream was refused: ${received.slice(0, 600)}`));
        socket.destroy();
        return;
      }
      if (!tail.endsWith('0\r\n\r\n')) return;
      if (!tail.includes('[DONE]')) {
        reject(new Error(`a stream broke: ${tail}`));
        socket.destroy();
        return;
      }
      left -= 1;
      if (left > 0) {
        if (pauseMs === 0) send();
        else setTimeout(send, pauseMs);
        return;
      }
      isFinished = true;
      socket.end();
      resolve();
    });
    socket.once('error', reject);
    socket.once('close', () => {
      if (!isFinished) reject(new Error(`the connection closed within a stream: ${tail}`));
    });
  });
}

/** One client on a keep-alive socket that asks `count` times, one after the other, and leaves nothing unanswered. */
export function plainClient(url, headers, body, count) {
  const text = requestText(url, headers, body);
  return new Promise((resolve, reject) => {
    const socket = connectTo(url);
    let left = count;
    let received = '';
    socket.once('connect', () => socket.write(text));
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1');
      const end = received.indexOf('\r\n\r\n');
      if (end === -1) return;
      const length = Number(/content-length: (\d+)/i.exec(received)?.[1]);
      if (received.length < end + 4 + length) return;
      if (!received.startsWith('HTTP/1.1 200')) {
        reject(new Error(`a request was refused: ${received.slice(0, 600)}`));
        socket.destroy();
        return;
      }
      received = '';
      left -= 1;
      if (left > 0) socket.write(text);
      else socket.end();
    });
    socket.once('error', reject);
    socket.once('close', () => (left === 0 ? resolve() : reject(new Error('the connection closed within an answer'))));
  });
}

export function percentile(values, share) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

export function median(values) {
  return percentile(values, 0.5);
}
