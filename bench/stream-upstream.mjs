/**
 * An upstream that streams: `bench_tokens` chunks for each request, one each `bench_interval` milliseconds (0: all at once).
 * A chunk says when it was written, by the clock that all processes of a machine share.
 */
import { createServer } from 'node:http';

const TICK_MS = 1;
const HEAD = { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' };
const streams = new Set();

function frame(delta, finish) {
  const choice = { index: 0, delta, logprobs: null, finish_reason: finish };
  return `data: ${JSON.stringify({ id: 'chatcmpl-bench', object: 'chat.completion.chunk', created: 1750000000, model: 'bench', choices: [choice] })}\n\n`;
}

const [before, after] = frame({ content: '@' }, null).split('@');
const LAST =
  frame({}, 'stop') +
  'data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1750000000,"model":"bench","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":50,"total_tokens":59}}\n\n' +
  'data: [DONE]\n\n';

function token() {
  return `${before}t${process.hrtime.bigint() / 1000n};${after}`;
}

function advance(stream, now) {
  if (stream.left === stream.tokens) stream.response.write(frame({ role: 'assistant', content: '' }, null) + token());
  else stream.response.write(token());
  stream.left -= 1;
  stream.next = Math.max(stream.next + stream.interval, now);
  if (stream.left > 0) return;
  streams.delete(stream);
  stream.response.end(LAST);
}

setInterval(() => {
  const now = performance.now();
  for (const stream of streams) if (stream.next <= now) advance(stream, now);
}, TICK_MS);

createServer(async (request, response) => {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const { bench_tokens: tokens = 50, bench_interval: interval = 20 } = JSON.parse(Buffer.concat(chunks).toString());
  response.writeHead(200, HEAD);
  const stream = { response, tokens, left: tokens, interval, next: performance.now() + Math.random() * interval };
  if (interval === 0) {
    while (stream.left > 0) advance(stream, 0);
    return;
  }
  streams.add(stream);
  response.on('close', () => streams.delete(stream));
}).listen(Number(process.argv[2]), '127.0.0.1', () => console.log('listening'));
