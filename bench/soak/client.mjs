/** One request of the soak, and what came of it as its client saw it. */
import { request } from 'node:http';
import { MAX_BODY_BYTES } from './kinds.mjs';

/** Milliseconds after which a request counts as hung: the gateway's own bounds and what a busy machine may add. */
const TIMEOUT_MS = 30_000;

function bodyOf(kind, text) {
  const { model, stream = false, breaks } = kind;
  const messages = breaks === 'messages' ? undefined : [{ role: 'user', content: text }];
  const options = stream ? { stream, stream_options: { include_usage: true } } : {};
  const body = JSON.stringify({ model, max_tokens: 100, ...options, messages });
  if (breaks === 'json') return body.slice(0, -3);
  if (breaks === 'size') return body.replace(text, text.padEnd(MAX_BODY_BYTES + 100_000, ' padding'));
  return body;
}

/** What a whole answer says. */
function truth({ name, models }, text) {
  if (name === 'stream') return Array.from({ length: 40 }, (_, index) => `word${index}`).join(' ');
  return models?.[0] === 'tools' ? '' : text;
}

function judgeStream(text, expected) {
  const events = text.split('\n\n').filter((event) => event !== '' && !event.startsWith(':'));
  const isDone = events.at(-1) === 'data: [DONE]';
  if (isDone) events.pop();
  let content = '';
  let finish;
  let usage;
  for (const [index, event] of events.entries()) {
    let chunk;
    try {
      chunk = JSON.parse(event.slice('data: '.length));
    } catch {
      return `an event that is no JSON: ${event.slice(0, 100)}`;
    }
    if (chunk.error !== undefined) {
      if (isDone || index < events.length - 1) return 'an error event, and more after it';
      return finish === undefined ? `error event ${chunk.error.code}` : 'an error event after the finish reason';
    }
    content += chunk.choices[0]?.delta.content ?? '';
    finish ??= chunk.choices[0]?.finish_reason ?? undefined;
    usage ??= chunk.usage ?? undefined;
  }
  if (!isDone) return 'the stream ended without [DONE] or an error event';
  if (finish === undefined) return 'called whole without a finish reason';
  if (usage === undefined) return 'called whole without its usage';
  return content === expected ? 'whole' : `called whole with ${content.length} of ${expected.length} characters`;
}

/**
 * @param {{ statusCode?: number, headers: import('node:http').IncomingHttpHeaders }} response
 * @param {string} text
 * @param {any} expected
 */
function judge({ statusCode, headers }, text, expected) {
  if (statusCode === 200 && headers['content-type']?.startsWith('text/event-stream'))
    return judgeStream(text, expected);
  let body;
  try {
    body = JSON.parse(text);
  } catch {
    return `${statusCode} and no JSON: ${text.slice(0, 100)}`;
  }
  if (statusCode !== 200) return `${statusCode} ${body.error?.code ?? 'without an error body'}`;
  return body.choices?.[0]?.message.content === expected ? 'whole' : 'another answer than the provider gave';
}

/**
 * @param random of this request alone, so that a run can be repeated
 * @returns the outcome in words, and milliseconds to it
 */
export function send({ base, key, agent, kind, id, random }) {
  const started = performance.now();
  const text = `This is request ${id} of the soak, which says ${Math.floor(random() * 1e9)}.`;
  const body = bodyOf(kind, text);
  const between = (least, most) => least + random() * (most - least);
  return new Promise((resolve) => {
    const timers = [];
    let hasEnded = false;
    const sent = request(`${base}/v1/chat/completions`, {
      method: 'POST',
      agent,
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(body),
        authorization: `Bearer ${kind.breaks === 'key' ? `${key.slice(0, -8)}aaaaaaaa` : key}`,
        'x-request-id': id,
      },
    });
    const end = (outcome) => {
      if (hasEnded) return;
      hasEnded = true;
      for (const timer of timers) clearTimeout(timer);
      resolve({ outcome, milliseconds: performance.now() - started });
    };
    const later = (milliseconds, act) => timers.push(setTimeout(act, milliseconds));
    const leave = (outcome = 'left') => {
      // Half of the clients close, half of them reset.
      if (random() < 0.5) sent.socket?.resetAndDestroy();
      sent.destroy();
      end(outcome);
    };
    later(TIMEOUT_MS, () => leave(`no end within ${TIMEOUT_MS / 1000} s`));
    sent.on('error', () => end('connection lost'));
    sent.on('response', (response) => {
      let received = '';
      response.setEncoding('utf8');
      response.on('error', () => end('connection lost'));
      response.on('aborted', () => end('connection lost'));
      response.on('end', () => end(judge(response, received, truth(kind, text))));
      const read = () => response.on('data', (piece) => (received += piece));
      if (kind.leaves === 'midway') response.once('data', () => later(between(0, 1500), leave));
      else if (kind.leaves === 'unread') later(between(500, 3000), leave);
      else if (kind.pausesFor !== undefined) later(between(...kind.pausesFor), read);
      else read();
    });
    if (kind.leaves === 'early') later(between(0, 800), leave);
    if (kind.leaves === 'request') {
      sent.write(body.slice(0, body.length / 2));
      later(between(50, 500), leave);
    } else sent.end(body);
  });
}
