/** A scripted model behind a real HTTP server, in one wire format. It plays one play at a time. */
import { createServer } from 'node:http';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { Refusal } from './refusal.mjs';

/**
 * A wire format as a provider speaks it.
 * @typedef {object} Format
 * @property {string} name
 * @property {(request: { method: string, path: string, query: URLSearchParams, headers: any, body: any }) => Route | undefined} route
 * @property {(body: any, context: Context) => void} check throws a Refusal for what the provider refuses
 * @property {(body: any, context: Context) => import('./play.mjs').Conversation} read
 * @property {(custom: boolean) => string} newId
 * @property {(response: import('./play.mjs').ModelResponse, context: Context) => object} write a plain response
 * @property {(response: import('./play.mjs').ModelResponse, context: Context) => Iterable<string | Buffer>} stream
 * @property {string} streamType the content type of a stream
 * @property {(refusal: Refusal) => { headers?: Record<string, string>, body: object }} error
 * @property {Record<'overflow' | 'rate-limit' | 'overload', () => Refusal>} faults in the provider's own words
 * @property {(refusal: Refusal, context: Context) => Iterable<string>} [streamedError] where an error comes inside a stream of status 200
 *
 * @typedef {object} Route
 * @property {'generate' | 'other'} kind
 * @property {object} [response] of a request that is none for an answer
 * @property {boolean} [stream]
 * @property {string} [model]
 *
 * @typedef {object} Context
 * @property {import('./play.mjs').Play} play
 * @property {any} headers
 * @property {any} body
 * @property {string} model
 * @property {boolean} stream
 * @property {Map<string, any>} stored what the provider keeps between requests
 *
 * @typedef {object} Exchange a request and what it got
 * @property {string} method
 * @property {string} path
 * @property {any} headers
 * @property {any} body
 * @property {number} status
 * @property {string} response
 */

function decode(bytes, encoding) {
  if (encoding === 'gzip') return gunzipSync(bytes);
  if (encoding === 'br') return brotliDecompressSync(bytes);
  return bytes;
}

async function readJson(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const text = decode(Buffer.concat(chunks), request.headers['content-encoding']).toString();
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new Refusal('We could not parse the JSON body of your request.');
  }
}

/** Turns of the event loop let each event of a stream arrive by itself. */
const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/**
 * @param {Format} format
 * @returns {Promise<{ url: string, format: Format, exchanges: Exchange[], begin: (play: import('./play.mjs').Play) => void, close: () => void }>}
 */
export async function startUpstream(format) {
  /** @type {Exchange[]} */
  const exchanges = [];
  /** @type {import('./play.mjs').Play | undefined} */
  let play;
  let stored = new Map();

  async function serve(request, response) {
    const url = new URL(request.url, 'http://upstream');
    /** @type {Exchange} */
    const exchange = {
      method: request.method,
      path: request.url,
      headers: request.headers,
      body: undefined,
      status: 0,
      response: '',
    };
    exchanges.push(exchange);
    const send = (status, headers, body) => {
      exchange.status = status;
      exchange.response = JSON.stringify(body);
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(exchange.response);
    };
    const refuse = (refusal) => {
      const { headers = {}, body } = format.error(refusal);
      if (refusal.retryAfterSeconds !== undefined) headers['retry-after'] = String(refusal.retryAfterSeconds);
      send(refusal.status, headers, body);
    };
    /** @type {Refusal | undefined} the error that the play asks for */
    let planned;
    try {
      const body = await readJson(request);
      exchange.body = body;
      const { method, headers } = request;
      const route = format.route({ method, path: url.pathname, query: url.searchParams, headers, body });
      if (route === undefined) throw new Refusal(`Invalid URL (${method} ${url.pathname})`, { status: 404 });
      if (route.kind === 'other') return send(200, {}, route.response);
      if (play === undefined) throw new Error('no play has begun');
      const context = { play, headers, body, model: route.model, stream: route.stream === true, stored };
      format.check(body, context);
      const conversation = format.read(body, context);
      const fault = play.fault(conversation);
      if (fault === 'abort') {
        const response = play.respond(conversation, format.newId);
        return await sendHalf(context.stream ? format.stream(response, context) : []);
      }
      if (fault !== undefined) {
        planned = format.faults[fault]();
        if (fault !== 'overflow' || format.streamedError === undefined || !context.stream) throw planned;
        return await sendStream(format.streamedError(planned, context));
      }
      const response = play.respond(conversation, format.newId);
      if (!context.stream) return send(200, {}, format.write(response, context));
      await sendStream(format.stream(response, context));
    } catch (error) {
      if (!(error instanceof Refusal)) {
        play?.problems.push(`the scripted upstream failed: ${error.stack}`);
        return refuse(new Refusal('Internal error', { status: 500 }));
      }
      if (error !== planned) play?.refusals.push(`${format.name} refused: ${error.message}`);
      refuse(error);
    }

    /** And nothing more, until the client goes away. */
    async function sendHalf(events) {
      const all = [...events];
      exchange.status = 200;
      response.writeHead(200, { 'content-type': format.streamType });
      for (const event of all.slice(0, Math.ceil(all.length / 2))) {
        response.write(event);
        await nextTurn();
      }
      play?.hold(response);
    }

    async function sendStream(events) {
      exchange.status = 200;
      response.writeHead(200, { 'content-type': format.streamType });
      for (const event of events) {
        exchange.response += event.toString();
        response.write(event);
        await nextTurn();
      }
      response.end();
    }
  }

  const server = createServer((request, response) => void serve(request, response));
  server.on('upgrade', (_request, socket) => socket.end('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n'));
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const address = /** @type {import('node:net').AddressInfo} */ (server.address());
  return {
    url: `http://127.0.0.1:${address.port}`,
    format,
    exchanges,
    begin: (next) => {
      play = next;
      stored = new Map();
      exchanges.length = 0;
    },
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
