/**
 * A provider that fails on purpose, in four wire formats. The model's name chooses the fault: `s08`, or `cut-20-7-reset` for a stream that
 * ends after 20 words and 7 bytes of the next event, by a reset or, with `cut-20-7-end`, as if it were whole.
 */
import { createServer } from 'node:http';

/** The whole response to every request: sixty words. */
export const RESPONSE = Array.from({ length: 60 }, (_, at) => `word${at + 1}`).join(' ');

const CUT_AFTER = 40;
const STALL_AFTER = 20;
const MALFORMED_AT = 10;
const RETRY_AFTER_SECONDS = 2;

/** Milliseconds of each fault. */
export const TIMES = { slow: 3_000, stall: 4_000, silence: 15_000, outage: 6_000, betweenTokens: 3 };

/**
 * @typedef {object} Seen
 * @property {string} model
 * @property {number} at milliseconds since the first request of this model
 * @property {string} action
 */

/** @param {number} milliseconds */
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Starts it. `seen` has every request in order. @param {{ text?: string }} [options] the whole response to every request */
export async function startFaultyProvider({ text: whole = RESPONSE } = {}) {
  /** @type {Seen[]} */
  const seen = [];
  /** @type {Map<string, number>} */
  const first = new Map();
  const server = createServer((request, response) => {
    let text = '';
    request.setEncoding('utf8').on('data', (piece) => (text += piece));
    request.on('end', () => {
      const body = JSON.parse(text === '' ? '{}' : text);
      const model = String(body.model ?? /models\/([^:]+):/.exec(request.url ?? '')?.[1] ?? '');
      const now = performance.now();
      if (!first.has(model)) first.set(model, now);
      const at = now - (first.get(model) ?? now);
      const entry = { model, at, action: '' };
      const attempt = seen.filter((each) => each.model === model).length + 1;
      seen.push(entry);
      void respond({ path: request.url ?? '', body, response, entry, attempt, at, whole }).catch(() =>
        response.destroy(),
      );
    });
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    seen,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/**
 * @typedef {object} Exchange
 * @property {string} path
 * @property {any} body
 * @property {import('node:http').ServerResponse} response
 * @property {Seen} entry
 * @property {number} attempt
 * @property {number} at
 * @property {string} whole the text of the whole response
 */

/** @param {Exchange} exchange */
async function respond({ path, body, response, entry, attempt, at, whole }) {
  const fault = /s\d\d|cut-\d+-\d+-(?:reset|end)|ok-noprefill|ok/.exec(entry.model)?.[0] ?? 'ok';
  const format = formatOf(path);
  /** @param {number} status @param {string} code @param {string} message @param {Record<string, string>} [headers] */
  const refuse = (status, code, message, headers = {}) => {
    entry.action = `${status} ${code}`;
    const type = status < 500 ? 'invalid_request_error' : 'server_error';
    const error = { message, type, param: null, code };
    const text = JSON.stringify(ERRORS[format](error, status));
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text);
  };
  const sent = prefillOf(body);
  let words = whole.split(' ');
  if (sent !== undefined) {
    if (fault === 'ok-noprefill') {
      return refuse(400, 'invalid_prefill', 'This model does not support assistant message prefill.');
    }
    if (whole.startsWith(sent)) words = whole.slice(sent.length).trim().split(' ');
    if (whole === sent) words = [];
  }
  switch (fault) {
    case 's01':
      if (attempt > 1) break;
      return refuse(429, 'rate_limit_exceeded', 'Rate limit reached.', { 'retry-after': String(RETRY_AFTER_SECONDS) });
    case 's02':
      return refuse(429, 'rate_limit_exceeded', 'Rate limit reached.');
    case 's03':
      if (attempt > 1) break;
      return refuse(500, 'server_error', 'The server had an error.');
    case 's04':
    case 's16':
      return refuse(503, 'overloaded', 'The engine is overloaded.');
    case 's05':
      if (attempt > 1) break;
      entry.action = 'reset';
      response.socket?.resetAndDestroy();
      return;
    case 's06':
      entry.action = 'silence';
      await pause(TIMES.silence);
      response.destroy();
      return;
    case 's12':
      return refuse(
        400,
        'context_length_exceeded',
        "This model's maximum context length is 8192 tokens. However, your messages resulted in 9631 tokens.",
      );
    case 's13':
      if (format === 'gemini') {
        entry.action = '200 blocked';
        const blocked = { promptFeedback: { blockReason: 'SAFETY' }, usageMetadata: { promptTokenCount: 20 } };
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        response.end(`data: ${JSON.stringify(blocked)}\n\n`);
        return;
      }
      return refuse(400, 'content_policy_violation', 'Your request was rejected as a result of our safety system.');
    case 's15':
      if (at >= TIMES.outage) break;
      return refuse(503, 'overloaded', 'The engine is overloaded.');
  }
  entry.action = sent === undefined ? '200' : '200 goes on';
  await stream({ fault, format, model: entry.model, words, isRest: sent !== undefined, response });
}

/** @param {string} path @returns {keyof typeof FORMATS} */
function formatOf(path) {
  if (path.includes('/messages')) return 'messages';
  if (path.includes('/responses')) return 'responses';
  return path.includes(':streamGenerateContent') ? 'gemini' : 'chat';
}

const GOOGLE_STATUSES = new Map([
  [400, 'INVALID_ARGUMENT'],
  [429, 'RESOURCE_EXHAUSTED'],
  [500, 'INTERNAL'],
  [503, 'UNAVAILABLE'],
]);

/** @type {Record<keyof typeof FORMATS, (error: { message: string }, status: number) => object>} */
const ERRORS = {
  chat: (error) => ({ error }),
  messages: (error) => ({ type: 'error', error }),
  responses: (error) => ({ error }),
  gemini: ({ message }, status) => ({ error: { code: status, message, status: GOOGLE_STATUSES.get(status) } }),
};

/** The text of a last turn of the assistant. @param {any} body @returns {string | undefined} */
function prefillOf(body) {
  const last = [body.messages, body.input, body.contents].find(Array.isArray)?.at(-1);
  if (last?.role !== 'assistant' && last?.role !== 'model') return undefined;
  const content = last.content ?? last.parts;
  return typeof content === 'string' ? content : content.map((/** @type {any} */ part) => part.text).join('');
}

/**
 * @param {{ fault: string, format: string, model: string, words: string[], isRest: boolean,
 *   response: import('node:http').ServerResponse }} options
 */
async function stream({ fault, format, model, words, isRest, response }) {
  const events = FORMATS[/** @type {keyof typeof FORMATS} */ (format)](model);
  /** @param {object} event */
  const send = (event) => response.write(frameOf(event));
  if (fault.startsWith('cut-')) return cut({ fault, events, words, isRest, response });
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
  events.begin.forEach(send);
  if (fault === 's07') await pause(TIMES.slow);
  for (const [at, word] of words.entries()) {
    if ((fault === 's08' || fault === 's14') && at === CUT_AFTER) {
      response.destroy();
      return;
    }
    if (fault === 's09' && at === STALL_AFTER) {
      await pause(TIMES.stall);
      response.destroy();
      return;
    }
    if (fault === 's10' && at === MALFORMED_AT) response.write('data: {"id":"x","choices":[{"delta":{"content": \n\n');
    send(events.delta(at > 0 || isRest ? ` ${word}` : word));
    await pause(TIMES.betweenTokens);
  }
  const whole = words.join(' ');
  const last = events.end(isRest && whole !== '' ? ` ${whole}` : whole, words.length);
  last.filter((event) => fault !== 's11' || !('type' in event) || event.type !== 'message_stop').forEach(send);
  response.end(format === 'chat' && fault !== 's11' ? 'data: [DONE]\n\n' : '');
}

/** @param {object} event */
function frameOf(event) {
  const name = 'type' in event ? `event: ${String(event.type)}\n` : '';
  return `${name}data: ${JSON.stringify(event)}\n\n`;
}

/** The event of a word that is not the first one. @param {keyof typeof FORMATS} format @param {string} model @param {string} word */
export function eventOf(format, model, word) {
  return frameOf(FORMATS[format](model).delta(` ${word}`));
}

/**
 * A stream that ends early, without a pause between its words.
 *
 * @param {{ fault: string, events: Events, words: string[], isRest: boolean, response: import('node:http').ServerResponse }} options
 */
function cut({ fault, events, words, isRest, response }) {
  const [, after = '0', bytes = '0', ending] = fault.split('-');
  const frames = words.map((word, at) => frameOf(events.delta(at > 0 || isRest ? ` ${word}` : word)));
  const begin = events.begin.map(frameOf).join('');
  const next = Buffer.from(frames[Number(after)] ?? '').subarray(0, Number(bytes));
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(Buffer.concat([Buffer.from(begin + frames.slice(0, Number(after)).join('')), next]), () =>
    ending === 'end' ? response.end() : response.destroy(),
  );
}

/** @typedef {{ begin: object[], delta: (text: string) => object, end: (text: string, tokens: number) => object[] }} Events */

/** @type {Record<'chat' | 'messages' | 'responses' | 'gemini', (model: string) => Events>} */
const FORMATS = {
  chat: (model) => {
    /** @param {object} delta @param {string | null} [reason] */
    const chunk = (delta, reason = null) => ({
      id: `chatcmpl-${model}`,
      object: 'chat.completion.chunk',
      created: 1_700_000_000,
      model,
      choices: [{ index: 0, delta, finish_reason: reason }],
    });
    return {
      begin: [chunk({ role: 'assistant', content: '' })],
      delta: (content) => chunk({ content }),
      end: (_text, tokens) => [
        chunk({}, 'stop'),
        {
          ...chunk({}),
          choices: [],
          usage: { prompt_tokens: 20, completion_tokens: tokens, total_tokens: tokens + 20 },
        },
      ],
    };
  },
  messages: (model) => ({
    begin: [
      {
        type: 'message_start',
        message: {
          id: `msg_${model}`,
          type: 'message',
          role: 'assistant',
          model,
          content: [],
          stop_reason: null,
          stop_sequence: null,
          usage: { input_tokens: 20, output_tokens: 1 },
        },
      },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'ping' },
    ],
    delta: (text) => ({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } }),
    end: (_text, tokens) => [
      { type: 'content_block_stop', index: 0 },
      {
        type: 'message_delta',
        delta: { stop_reason: 'end_turn', stop_sequence: null },
        usage: { output_tokens: tokens },
      },
      { type: 'message_stop' },
    ],
  }),
  gemini: (model) => {
    /** @param {string} text @param {object} [members] */
    const event = (text, members = {}) => ({
      candidates: [{ index: 0, content: { role: 'model', parts: [{ text }] }, ...members }],
      modelVersion: model,
      responseId: `gemini-${model}`,
    });
    return {
      begin: [],
      delta: (text) => event(text),
      end: (_text, tokens) => [
        {
          ...event('', { finishReason: 'STOP' }),
          usageMetadata: { promptTokenCount: 20, candidatesTokenCount: tokens, totalTokenCount: tokens + 20 },
        },
      ],
    };
  },
  responses: (model) => {
    let sequence = 0;
    const place = { item_id: `msg_${model}`, output_index: 0, content_index: 0 };
    /** @param {string} type @param {object} members */
    const event = (type, members) => ({ type, ...members, sequence_number: sequence++ });
    const head = { id: `resp_${model}`, object: 'response', created_at: 1_700_000_000, model, output: [], usage: null };
    const item = { id: place.item_id, type: 'message', role: 'assistant', status: 'in_progress', content: [] };
    const part = { type: 'output_text', text: '', annotations: [], logprobs: [] };
    return {
      begin: [
        event('response.created', { response: { ...head, status: 'in_progress' } }),
        event('response.in_progress', { response: { ...head, status: 'in_progress' } }),
        event('response.output_item.added', { output_index: 0, item }),
        event('response.content_part.added', { ...place, part }),
      ],
      delta: (delta) => event('response.output_text.delta', { ...place, delta, logprobs: [] }),
      end: (text, tokens) => {
        const whole = { ...item, status: 'completed', content: [{ ...part, text }] };
        const usage = {
          input_tokens: 20,
          input_tokens_details: { cached_tokens: 0 },
          output_tokens: tokens,
          output_tokens_details: { reasoning_tokens: 0 },
          total_tokens: tokens + 20,
        };
        return [
          event('response.output_text.done', { ...place, text, logprobs: [] }),
          event('response.content_part.done', { ...place, part: { ...part, text } }),
          event('response.output_item.done', { output_index: 0, item: whole }),
          event('response.completed', { response: { ...head, status: 'completed', output: [whole], usage } }),
        ];
      },
    };
  },
};
