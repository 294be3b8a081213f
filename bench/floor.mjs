/** The floor: what a proxy costs that parses the request and the answer and does nothing else. */
import { createServer } from 'node:http';
import { Pool } from 'undici';

const [port, origin] = process.argv.slice(2);
const pool = new Pool(origin, { connections: 2048, pipelining: 1 });

async function read(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString());
}

createServer(async (request, response) => {
  try {
    const body = await read(request);
    const reply = await pool.request({
      path: request.url,
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (body.stream === true) {
      response.writeHead(reply.statusCode, { 'content-type': 'text/event-stream' });
      reply.body.pipe(response);
    } else {
      const text = JSON.stringify(await read(reply.body));
      response.writeHead(reply.statusCode, { 'content-type': 'application/json' }).end(text);
    }
  } catch {
    response.writeHead(502).end('{}');
  }
}).listen(Number(port), '127.0.0.1', () => console.log('listening'));
