/**
 * An OpenAI-compatible server that misbehaves on demand, as a process of its own: real sockets, real resets. What it does
 * is chosen by the request's model, `<behaviour>?<name>=<value>&...`, such as `echo?split=byte&eol=crlf`, or by a script
 * that was posted to its control port (`POST /__script`). Everything it does is deterministic.
 *
 * Started as `node fake-upstream.mjs`, it prints one line of JSON, `{"url","control"}`, and ends when its standard input
 * does. fake-upstream-client.ts starts it and lists the behaviours.
 */
import { createServer } from 'node:http';
import { brotliCompressSync, createGzip, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';

const CREATED = 1_700_000_000;
const MEGABYTE = 1_048_576;

/** @type {object[]} */
let recorded = [];
/** What each completion would be billed for, whether or not its answer arrived. @type {TokenLog[]} */
let billed = [];
let tokenizer;
/** @type {{ behaviour: string, model?: string, times: number }[]} */
let script = [];
let requestCount = 0;
let socketCount = 0;
/** While set, requests with the parameter `gate` or `gate=end` wait for it. @type {{ opened: Promise<void>, open: () => void } | undefined} */
let gate;
/** @type {Set<import('node:net').Socket>} */
const sockets = new Set();

const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const turn = () => new Promise((resolve) => setImmediate(resolve));

function closeGate() {
  if (gate !== undefined) return;
  let open;
  const opened = new Promise((resolve) => (open = resolve));
  gate = { opened, open };
}

/** With `gate=end`: until the reader has said that it has what was sent. @param {URLSearchParams} params */
const untilRead = async (params) => (params.get('gate') === 'end' ? gate?.opened : pause(20));

function openGate() {
  gate?.open();
  gate = undefined;
}

// ---- what an honest server says ------------------------------------------------------------------------------------

function lastUserText(body) {
  const content = body.messages?.findLast?.((message) => message.role === 'user')?.content ?? 'nothing';
  if (typeof content === 'string') return content;
  return content.map((part) => part.text ?? `[${part.type}]`).join(' ');
}

/** Words with the spaces before them, so that they join to the same text. */
function words(text) {
  return text.match(/\s*\S+|\s+$/g) ?? [text];
}

function promptTokens(body, params) {
  if (params.get('tokens') === 'o200k') return tokenizer.encodeChat(body.messages).length;
  return words(JSON.stringify(body.messages ?? [])).length;
}

function textTokens(text, params) {
  if (params.get('tokens') === 'o200k') return tokenizer.encode(text).length;
  return text === '' ? 0 : words(text).length;
}

/** The server's own book: the prompt from when it is at work, and of the answer what it has sent. */
class TokenLog {
  hasBegun = false;
  text = '';

  constructor(request, params) {
    this.request = request;
    this.params = params;
  }

  begin() {
    this.hasBegun = true;
  }

  sent(text) {
    this.text += text;
  }

  sentChunk({ choices }) {
    for (const { delta } of choices) this.sent(delta.content ?? '');
  }

  toJSON() {
    const { headers, body } = this.request;
    return {
      request_id: headers['x-request-id'] ?? null,
      model: body.model ?? null,
      user: body.user ?? null,
      prompt_tokens: this.hasBegun ? promptTokens(body, this.params) : 0,
      completion_tokens: textTokens(this.text, this.params),
    };
  }
}

function usageOf(body, text, params) {
  const prompt = promptTokens(body, params);
  const completion = params.get('tokens') === 'o200k' ? textTokens(text, params) : words(text).length;
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    prompt_tokens_details: { cached_tokens: 0 },
  };
}

/** An instance of a JSON schema, the smallest that is easy to find. */
function instanceOf(schema = {}) {
  if (schema.const !== undefined) return schema.const;
  if (schema.enum) return schema.enum[0];
  if (schema.anyOf) return instanceOf(schema.anyOf[0]);
  switch (Array.isArray(schema.type) ? schema.type[0] : schema.type) {
    case 'string':
      return 'text'.padEnd(schema.minLength ?? 0, '.');
    case 'integer':
    case 'number':
      return schema.minimum ?? 1;
    case 'boolean':
      return true;
    case 'null':
      return null;
    case 'array':
      return Array.from({ length: Math.max(1, schema.minItems ?? 0) }, () => instanceOf(schema.items));
    default:
      return Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([name, property]) => [name, instanceOf(property)]),
      );
  }
}

/** Calls every tool of the request, or two made-up ones. */
function toolCallsOf(body) {
  const tools = body.tools?.length
    ? body.tools.map((tool) => tool.function)
    : [
        { name: 'get_weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } },
        { name: 'get_time' },
      ];
  return tools.map((tool, index) => ({
    id: `call_${index + 1}`,
    type: 'function',
    function: { name: tool.name, arguments: JSON.stringify(instanceOf(tool.parameters ?? { type: 'object' })) },
  }));
}

/** What is to be said, before any fault. */
function contentOf(name, params, request) {
  const { body } = request;
  if (name === 'tools') return { text: null, calls: toolCallsOf(body), finish: 'tool_calls' };
  if (name === 'json-schema' || (name === 'echo' && body.response_format?.type === 'json_schema')) {
    return { text: JSON.stringify(instanceOf(body.response_format?.json_schema?.schema)), finish: 'stop' };
  }
  if (name === 'received') {
    return { text: JSON.stringify({ headers: request.headers, url: request.url, body }), finish: 'stop' };
  }
  if (name === 'words') {
    const count = Number(params.get('count') ?? 100);
    return { text: Array.from({ length: count }, (_, index) => `word${index}`).join(' '), finish: 'stop' };
  }
  return { text: params.get('text') ?? lastUserText(body), finish: params.get('finish') ?? 'stop' };
}

/**
 * @param {{ text: string, calls?: any, finish: string }} content
 * @param {URLSearchParams} params
 * @param {any} body
 */
function plainResponse(content, params, body) {
  const { text, calls, finish } = content;
  const choices = Array.from({ length: body.n ?? 1 }, (_, index) => ({
    index,
    message: { role: 'assistant', content: text, refusal: null, ...(calls && { tool_calls: calls }) },
    logprobs: null,
    finish_reason: finish,
  }));
  const response = {
    id: 'chatcmpl-fake',
    object: 'chat.completion',
    created: CREATED,
    model: 'fake-model-2026',
    choices,
    usage: usageOf(body, text ?? '', params),
    system_fingerprint: 'fp_fake',
    vendor_field: { kept: true },
  };
  for (const field of (params.get('without') ?? '').split(',')) {
    if (field === 'finish_reason') for (const choice of choices) delete choice.finish_reason;
    else if (field === 'role') for (const choice of choices) choice.message.role = null;
    else delete response[field];
  }
  return response;
}

/**
 * The chunks of a stream, with the quirks that `params` names.
 *
 * @param {{ text: string, calls?: any, finish: string }} content
 * @param {URLSearchParams} params
 * @param {any} body
 */
function chunksOf(content, params, body) {
  const { text, calls, finish } = content;
  const without = new Set((params.get('without') ?? '').split(','));
  const usageIn = params.get('usage') ?? 'last';
  const usage = usageOf(body, text ?? '', params);
  const envelope = (choices, position) => {
    const chunk = {
      id: params.get('id') === 'changing' ? `chatcmpl-${position}` : 'chatcmpl-fake',
      object: 'chat.completion.chunk',
      created: CREATED,
      model: 'fake-model-2026',
      system_fingerprint: 'fp_fake',
      choices,
      ...(usageIn === 'every' && { usage }),
    };
    for (const field of without) delete chunk[field];
    return chunk;
  };
  const chunks = [];
  for (let index = 0; index < (body.n ?? 1); index += 1) {
    const add = (delta, finishReason = null) =>
      chunks.push(envelope([{ index, delta, logprobs: null, finish_reason: finishReason }], chunks.length));
    const role = params.get('role');
    if (role === 'null') add({ role: null, content: '' });
    else if (role !== 'missing') add({ role: 'assistant', content: '' });
    for (const word of text === null ? [] : words(text)) {
      add({ ...(role === 'every' && { role: 'assistant' }), content: word });
    }
    for (const [position, call] of (calls ?? []).entries()) {
      for (const delta of callDeltas(call, position, params)) add({ tool_calls: [delta] });
    }
    if (without.has('finish_reason')) continue;
    if (params.get('finish-chunk') === 'merged') chunks.at(-1).choices[0].finish_reason = finish;
    else add({}, finish);
  }
  if (usageIn === 'merged') chunks.at(-1).usage = usage;
  else if (usageIn === 'last' && body.stream_options?.include_usage) {
    chunks.push({ ...envelope([], chunks.length), choices: [], usage });
  }
  return chunks;
}

function callDeltas(call, position, params) {
  const index = params.get('index') === 'missing' ? {} : { index: params.get('index') === 'zero' ? 0 : position };
  const id = params.get('ids') === 'missing' ? {} : { id: call.id };
  const { name, arguments: text } = call.function;
  const repeated = params.get('names') === 'repeated' ? { ...id, type: 'function' } : {};
  const half = Math.ceil(text.length / 2);
  return [
    { ...index, ...id, type: 'function', function: { name, arguments: '' } },
    ...[text.slice(0, half), text.slice(half)].map((part) => ({
      ...index,
      ...repeated,
      function: { ...(params.get('names') === 'repeated' && { name }), arguments: part },
    })),
  ];
}

// ---- how it is sent ------------------------------------------------------------------------------------------------

/** Writes bytes whole, byte by byte, or in pieces of a size; waits while the other side does not read. */
async function write(response, bytes, split) {
  const size = split === 'byte' ? 1 : split === undefined || split === null ? bytes.length : Number(split);
  for (let start = 0; start < bytes.length && !response.destroyed; start += size) {
    const more = response.write(bytes.subarray(start, start + size));
    if (!more) {
      await new Promise((resolve) => {
        const done = () => {
          response.off('drain', done).off('close', done);
          resolve();
        };
        response.on('drain', done).on('close', done);
      });
    } else if (size < bytes.length) await turn();
  }
}

function lineEnds(text, eol) {
  return eol === 'crlf' ? text.replaceAll('\n', '\r\n') : eol === 'cr' ? text.replaceAll('\n', '\r') : text;
}

function encoded(bytes, encoding) {
  if (encoding === 'gzip') return gzipSync(bytes);
  if (encoding === 'deflate') return deflateSync(bytes);
  if (encoding === 'deflate-raw') return deflateRawSync(bytes);
  if (encoding === 'br') return brotliCompressSync(bytes);
  return bytes;
}

function encodingHeaders(params) {
  const encoding = params.get('encoding');
  return encoding === null ? {} : { 'content-encoding': encoding.replace('-raw', '') };
}

async function sendPlain(response, reply, params, log) {
  const bytes = encoded(Buffer.from(JSON.stringify(reply)), params.get('encoding'));
  log.begin();
  await pause(Number(params.get('delay') ?? 0));
  if (params.has('gate')) await gate?.opened;
  if (response.destroyed) return;
  for (const { message } of reply.choices ?? []) log.sent(message.content ?? '');
  response.writeHead(200, { 'content-type': 'application/json', ...encodingHeaders(params) });
  await write(response, bytes, params.get('split'));
  response.end();
}

async function sendStream(response, chunks, params, log) {
  log.begin();
  const eol = params.get('eol');
  const comments = params.has('comments');
  const frames = chunks.map((chunk) => `${comments ? ': FAKE PROCESSING\n\n' : ''}data: ${JSON.stringify(chunk)}\n\n`);
  if (params.get('done') !== 'missing') frames.push('data: [DONE]\n\n');
  if (params.has('bom')) frames[0] = `\ufeff${frames[0]}`;
  if (params.has('gate') && params.get('gate') !== 'end') await gate?.opened;
  if (response.destroyed) return;
  if (params.has('fields')) frames[0] = `id: 1\nretry: 10\nunknown: field\n${frames[0]}`;
  response.writeHead(200, {
    'content-type': params.get('type') ?? 'text/event-stream; charset=utf-8',
    ...encodingHeaders(params),
  });
  if (params.has('encoding')) {
    for (const chunk of chunks) log.sentChunk(chunk);
    await write(response, encoded(Buffer.from(frames.join('')), params.get('encoding')), params.get('split'));
  } else {
    const delay = Number(params.get('delay') ?? 0);
    const finish = chunks.findIndex(({ choices }) => choices[0]?.finish_reason != null);
    const end = finish === -1 ? chunks.length - 1 : finish;
    for (const [position, frame] of frames.entries()) {
      if (delay > 0) await pause(delay);
      if (position === end && params.get('gate') === 'end') await gate?.opened;
      if (response.destroyed) return;
      if (position < chunks.length) log.sentChunk(chunks[position]);
      await write(response, Buffer.from(lineEnds(frame, eol)), params.get('split'));
    }
  }
  if (params.has('linger')) await pause(Number(params.get('linger')));
  response.end();
}

// ---- faults ----------------------------------------------------------------------------------------------------------

/** Sends the start of an answer and then does `act`: goes silent, resets, or closes. */
async function endEarly(response, request, params, act) {
  const at = params.get('at') ?? 'mid';
  const { body, log } = request;
  // A server that aborts before any response has not started working; one that stalls may have.
  if (at !== 'headers') log.begin();
  if (at === 'headers') return act();
  if (body.stream === true) {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.flushHeaders();
    if (at === 'comments') {
      for (let count = 0; count < 100_000 && !response.destroyed; count += 1) {
        response.write(': FAKE PROCESSING\n\n');
        await pause(20);
      }
      return act();
    }
    if (at !== 'first') {
      const chunks = chunksOf(contentOf('echo', params, request), params, body);
      const ends = chunks.findIndex((chunk) => chunk.choices[0]?.finish_reason != null);
      const until = at === 'finish' ? ends + 1 : Math.max(1, Math.floor(ends / 2));
      for (const chunk of chunks.slice(0, until)) log.sentChunk(chunk);
      const text = chunks
        .slice(0, until)
        .map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`)
        .join('');
      await write(response, Buffer.from(at === 'json' ? `${text}data: {"id":"chatcmpl-fa` : text));
    }
  } else {
    const text = JSON.stringify(plainResponse(contentOf('echo', params, request), params, body));
    response.writeHead(200, {
      'content-type': 'application/json',
      ...(params.has('length') && { 'content-length': Buffer.byteLength(text) }),
    });
    response.flushHeaders();
    if (at !== 'first') await write(response, Buffer.from(text.slice(0, text.length / 2)));
  }
  // What was written must have left before the connection breaks.
  await untilRead(params);
  return act();
}

const ERROR_BODIES = {
  openai: (code) => ({
    error: { message: `The fake refuses with ${code}.`, type: 'fake_error', param: 'messages', code: 'fake_code' },
  }),
  fastapi: () => ({ detail: [{ loc: ['body', 'messages', 0, 'content'], msg: 'Field required', type: 'missing' }] }),
  context: () => ({
    object: 'error',
    message: "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.",
    type: 'BadRequestError',
    param: null,
    code: 400,
  }),
  quota: () => ({
    error: {
      message: 'You exceeded your current quota.',
      type: 'insufficient_quota',
      param: null,
      code: 'insufficient_quota',
    },
  }),
  model: () => ({
    error: {
      message: 'The model `nope` does not exist',
      type: 'invalid_request_error',
      param: null,
      code: 'model_not_found',
    },
  }),
  key: (_code, request) => ({
    error: {
      message: `Incorrect API key provided: ${request.headers.authorization}`,
      type: 'invalid_request_error',
      param: null,
      code: 'invalid_api_key',
    },
  }),
};

function sendStatus(response, request, params) {
  const code = Number(params.get('code') ?? 500);
  const shape = params.get('body') ?? 'openai';
  const headers = {};
  for (const name of ['retry-after', 'retry-after-ms', 'location']) {
    if (params.has(name)) headers[name] = params.get(name);
  }
  if (shape === 'empty') return response.writeHead(code, headers).end();
  if (shape === 'stall') {
    response.writeHead(code, { ...headers, 'content-type': 'application/json' }).write('{"error":');
    return undefined;
  }
  if (shape === 'html') {
    return response
      .writeHead(code, { ...headers, 'content-type': 'text/html' })
      .end('<html><h1>fake proxy</h1></html>');
  }
  if (shape === 'text')
    return response.writeHead(code, { ...headers, 'content-type': 'text/plain' }).end('The fake says no.');
  const body = ERROR_BODIES[shape](code, request);
  return response.writeHead(code, { ...headers, 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** Status 200 with something that is no answer. */
function sendLie(response, request, params) {
  const stream = request.body.stream === true && params.get('type') !== 'json';
  const json = { 'content-type': stream ? 'text/event-stream' : 'application/json' };
  const frame = (data) => (stream ? `data: ${data}\n\n` : data);
  switch (params.get('with')) {
    case 'html':
      return response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>fake</title>');
    case 'empty':
      return response.writeHead(200, json).end();
    case 'done':
      return response.writeHead(200, json).end('data: [DONE]\n\n');
    case 'no-choices':
      return response.writeHead(200, json).end(frame('{"id":"a","choices":[]}'));
    case 'text':
      return response.writeHead(200, json).end(frame('this is no JSON'));
    case 'json':
      return response
        .writeHead(200, json)
        .end(frame('{"error":{"message":"overloaded","type":"server_error","code":null}}'));
    default:
      return response
        .writeHead(200, json)
        .end(frame('{"error":{"message":"overloaded at http://secret.internal","type":"server_error","code":null}}'));
  }
}

/** A gigabyte of valid beginnings, as fast as it is read. */
async function sendEndless(response, request, params) {
  const total = Number(params.get('mb') ?? 1024) * MEGABYTE;
  const filler = 'x'.repeat(Number(params.get('chunk') ?? 60_000));
  const stream = request.body.stream === true;
  const kind = params.get('kind') ?? 'chunks';
  response.writeHead(200, { 'content-type': stream ? 'text/event-stream' : 'application/json' });
  const [first] = chunksOf({ text: 'a', finish: 'stop' }, new URLSearchParams(), { messages: [] });
  first.choices[0].delta.content = filler;
  let piece = Buffer.from(filler);
  if (stream && kind === 'chunks') piece = Buffer.from(`data: ${JSON.stringify(first)}\n\n`);
  else if (stream && kind === 'comments') piece = Buffer.from(`: ${filler}\n\n`);
  if (!stream) response.write('{"choices":[{"message":{"content":"');
  else if (kind === 'event') response.write('data: {"a":"');
  for (let sent = 0; sent < total && !response.destroyed; sent += piece.length) await write(response, piece);
  response.end();
}

/** A gigabyte of zeros in about a megabyte. */
function sendBomb(response, request, params) {
  const stream = request.body.stream === true;
  response.writeHead(200, {
    'content-type': stream ? 'text/event-stream' : 'application/json',
    'content-encoding': 'gzip',
  });
  const gzip = createGzip();
  gzip.pipe(response);
  response.on('close', () => gzip.destroy());
  gzip.write(stream ? 'data: {"a":"' : '{"a":"');
  const zeros = Buffer.alloc(MEGABYTE, '0');
  let left = Number(params.get('mb') ?? 1024);
  const more = () => {
    while (left > 0 && !gzip.destroyed) {
      left -= 1;
      if (!gzip.write(zeros)) {
        gzip.once('drain', more);
        return;
      }
    }
    gzip.end();
  };
  more();
}

async function behave(name, params, request, response) {
  const { body, log } = request;
  const { socket } = request.raw;
  switch (name) {
    case 'stall':
      log.begin();
      return endEarly(response, request, params, () => undefined);
    case 'reset':
      return endEarly(response, request, params, () => socket.resetAndDestroy());
    case 'close':
      return endEarly(response, request, params, () => socket.destroy());
    case 'truncate':
      return endEarly(response, request, params, () => response.end());
    case 'status':
      return sendStatus(response, request, params);
    case 'lie':
      return sendLie(response, request, params);
    case 'endless':
      return sendEndless(response, request, params);
    case 'bomb':
      return sendBomb(response, request, params);
    case 'redirect':
      return response.writeHead(307, { location: params.get('to') ?? '/elsewhere' }).end();
    case 'stale':
      // Answers the first request of a socket. The socket looks alive until the next one is written to it.
      if (socket.fakeServed > 1) return params.has('reset') ? socket.resetAndDestroy() : socket.destroy();
      return behave('echo', params, request, response);
    case 'drop':
      return socket.destroy();
    case 'malformed': {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const [first, second] = chunksOf(contentOf('echo', params, request), params, body);
      response.write(`data: ${JSON.stringify(first)}\n\ndata: ${JSON.stringify(second)}\n\n`);
      await untilRead(params);
      return response.end('data: {"id": oops}\n\ndata: [DONE]\n\n');
    }
    case 'error-event': {
      const chunks = chunksOf(contentOf('echo', params, request), params, body);
      const error = {
        error: { message: 'the fake broke', type: 'server_error', param: null, code: params.get('code') },
      };
      const event = params.has('named') ? 'event: error\n' : '';
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(
        chunks
          .slice(0, 2)
          .map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`)
          .join(''),
      );
      await untilRead(params);
      return response.end(`${event}data: ${JSON.stringify(error)}\n\n`);
    }
    case 'huge-event': {
      const text = 'x'.repeat(Number(params.get('mb') ?? 2) * MEGABYTE);
      const [first, second, ...rest] = chunksOf({ text: 'a', finish: 'stop' }, params, body);
      second.choices[0].delta.content = text;
      return sendStream(response, [first, second, ...rest], params, log);
    }
    default: {
      const reply = contentOf(name, params, request);
      if (body.stream === true && params.get('stream') !== 'ignored') {
        return sendStream(response, chunksOf(reply, params, body), params, log);
      }
      return sendPlain(response, plainResponse(reply, params, body), params, log);
    }
  }
}

// ---- servers ---------------------------------------------------------------------------------------------------------

async function readBody(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function scripted(model) {
  const step = script.find((each) => each.times > 0 && (each.model === undefined || each.model === model));
  if (step === undefined) return model;
  step.times -= 1;
  return step.behaviour;
}

/** @typedef {import('node:net').Socket & { fakeId?: number, fakeServed?: number }} CountedSocket */

const server = createServer({ keepAliveTimeout: 0 }, (raw, response) => {
  const socket = /** @type {CountedSocket} */ (raw.socket);
  socket.fakeServed = (socket.fakeServed ?? 0) + 1;
  const record = {
    id: (requestCount += 1),
    method: raw.method,
    url: raw.url,
    headers: raw.headers,
    body: null,
    model: null,
    socket: socket.fakeId,
    startedAt: Date.now(),
    /** The other side went away before the answer was whole. */
    aborted: false,
    closedAt: null,
  };
  recorded.push(record);
  response.on('close', () => {
    record.aborted = !response.writableFinished;
    record.closedAt = Date.now();
  });
  response.on('error', () => undefined);
  void readBody(raw)
    .then(async (text) => {
      if (raw.method === 'GET') return sendGet(raw.url, response);
      const body = JSON.parse(text);
      record.body = body;
      record.model = body.model ?? null;
      const [name, query = ''] = scripted(String(body.model)).split('?');
      const status = /^status-(\d{3})$/.exec(name);
      const params = new URLSearchParams(status ? `code=${status[1]}&${query}` : query);
      if (params.get('tokens') === 'o200k') tokenizer ??= await import('gpt-tokenizer/model/gpt-4o');
      const request = { raw, headers: raw.headers, url: raw.url, body };
      request.log = new TokenLog(request, params);
      billed.push(request.log);
      await behave(status ? 'status' : name, params, request, response);
    })
    .catch(() => socket.destroy());
});

function sendGet(url, response) {
  const [path, query = ''] = url.split('?');
  if (!path.endsWith('/models'))
    return response.writeHead(404, { 'content-type': 'text/plain' }).end('404 page not found');
  const entries = ['echo', 'tools', 'words'].map((id) => ({ id, object: 'model', created: CREATED, owned_by: 'fake' }));
  const list =
    query === 'ollama' ? { models: entries.map(({ id }) => ({ name: id })) } : { object: 'list', data: entries };
  return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(list));
}

server.on('connection', (/** @type {CountedSocket} */ socket) => {
  socket.fakeId = socketCount += 1;
  socket.setNoDelay(true);
  sockets.add(socket);
  socket.on('close', () => sockets.delete(socket));
  socket.on('error', () => undefined);
});
server.requestTimeout = 0;

const control = createServer((request, response) => {
  void readBody(request).then((text) => {
    const reply = (body) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    switch (request.url) {
      case '/__requests':
        return reply(recorded);
      case '/__tokens':
        return reply(billed);
      case '/__take-ended': {
        const ended = recorded.filter(({ closedAt }) => closedAt !== null);
        recorded = recorded.filter(({ closedAt }) => closedAt === null);
        return reply(ended.map(({ body: _body, ...record }) => record));
      }
      case '/__sockets':
        return reply({ open: sockets.size, ever: socketCount });
      case '/__script':
        script = JSON.parse(text).map((step) => ({ times: Number.MAX_SAFE_INTEGER, ...step }));
        return reply({});
      case '/__close-idle':
        server.closeIdleConnections();
        return reply({});
      case '/__close-gate':
        closeGate();
        return reply({});
      case '/__open-gate':
        openGate();
        return reply({});
      case '/__reset':
        openGate();
        recorded = [];
        billed = [];
        script = [];
        for (const socket of sockets) socket.destroy();
        return reply({});
      default:
        return response.writeHead(404).end();
    }
  });
});

const listen = (each) => new Promise((resolve) => each.listen(0, '127.0.0.1', () => resolve(each.address().port)));
const [port, controlPort] = await Promise.all([listen(server), listen(control)]);
process.stdout.write(
  `${JSON.stringify({ url: `http://127.0.0.1:${port}`, control: `http://127.0.0.1:${controlPort}` })}\n`,
);
// The parent process may be killed; a server must not outlive its test.
process.stdin.resume();
process.stdin.on('end', () => process.exit(0));
