/**
 * An upstream for live streams and for batches at once: a stream has its first token after `FIRST_TOKEN_MS`, and a whole response
 * comes after `WHOLE_MS`. Argument: the port.
 */
import { createServer } from 'node:http';

const FIRST_TOKEN_MS = 250;
const TOKEN_MS = 20;
const TOKENS = 20;
const WHOLE_MS = 400;

const chunk = (delta, finish) =>
  `data: ${JSON.stringify({ id: 'chatcmpl-live', object: 'chat.completion.chunk', created: 1750000000, model: 'live', choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }] })}\n\n`;
const WHOLE = JSON.stringify({
  id: 'chatcmpl-live',
  object: 'chat.completion',
  created: 1750000000,
  model: 'live',
  choices: [
    { index: 0, message: { role: 'assistant', content: 'word '.repeat(100) }, logprobs: null, finish_reason: 'stop' },
  ],
  usage: { prompt_tokens: 40, completion_tokens: 100, total_tokens: 140 },
});

createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  if (JSON.parse(Buffer.concat(parts).toString()).stream !== true) {
    setTimeout(() => response.writeHead(200, { 'content-type': 'application/json' }).end(WHOLE), WHOLE_MS);
    return;
  }
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
  setTimeout(() => {
    response.write(chunk({ role: 'assistant', content: '' }, null) + chunk({ content: 't' }, null));
    let left = TOKENS - 1;
    const timer = setInterval(() => {
      left -= 1;
      if (left > 0) response.write(chunk({ content: 't' }, null));
      else {
        clearInterval(timer);
        response.end(`${chunk({}, 'stop')}data: [DONE]\n\n`);
      }
    }, TOKEN_MS);
    response.on('close', () => clearInterval(timer));
  }, FIRST_TOKEN_MS);
}).listen(Number(process.argv[2]), '127.0.0.1', () => console.log('listening'));
