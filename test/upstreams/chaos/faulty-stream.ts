import { setTimeout as pause } from 'node:timers/promises';
import type { Serving } from './chaos-provider.js';
import { closed } from './failed-starts.js';
import type { Fault } from './faults.js';
import { FORMS, type Frame, type ProviderForm } from './provider-forms.js';

/** What an event of a call of a tool has. */
const CALL = /"tool_calls":\[|"type":"tool_use"|"functionCall"/;
const MALFORMED = 'data: {"id":"x","choices":[{"delta":{"content": \n\n';
/** Longest pause between two writes, in milliseconds. */
const LONGEST_PAUSE_MS = 8;
/** Most events of one write. */
const MOST_EVENTS = 6;
/** Longer than any timeout of the run. */
const STALL_MS = 20_000;

/** What a stream sends, and how it ends. */
interface Plan {
  readonly frames: readonly Frame[];
  /** Bytes after which it breaks; undefined where all are sent. */
  readonly cutAt: number | undefined;
  readonly ending: 'end' | 'destroy' | 'stall';
  readonly isReported: boolean;
}

/** Sends a stream with its fault, in writes that end at any byte. */
export async function sendStream(serving: Serving): Promise<void> {
  const { response, attempt, random, right, choices } = serving;
  const { frames, cutAt, ending, isReported } = planOf(serving);
  const fails = ending === 'end' && !isReported;
  attempt.promptTokens = fails ? 0 : right.usage.prompt;
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.flushHeaders();
  const bytes = Buffer.from(frames.map(({ data }) => data).join(''));
  const last = cutAt ?? bytes.length;
  const ends = endsOf(frames);
  const { reasons } = FORMS[serving.options.form];
  const reportAt = frames.findLastIndex(
    ({ data }) => /"usage/.test(data) || data.includes(reasons[endOf(attempt.fault)]),
  );
  /** Bytes after which a caller knows the end and the usage, and needs no more. */
  const enough = ends[reportAt] ?? last;
  let at = 0;
  while (at < last && !response.destroyed) {
    const target = ends[Math.floor(random() * ends.length)] ?? last;
    const isAtEvent = random() < 0.5 && target > at;
    const most = ends[Math.min(ends.length - 1, ends.findIndex((end) => end > at) + MOST_EVENTS)] ?? last;
    const next = Math.min(last, isAtEvent ? Math.min(target, most) : at + 1 + Math.floor(random() * (most - at)));
    response.write(bytes.subarray(at, next));
    at = next;
    // Billed is what was generated, also where the caller does not get it any more.
    attempt.completionTokens = frames.reduce(
      (tokens, frame, index) => ((ends[index] ?? 0) <= at ? frame.tokens : tokens),
      0,
    );
    // Providers do not bill what they fail to begin.
    attempt.promptTokens = fails && attempt.completionTokens === 0 ? 0 : right.usage.prompt;
    // Before the pause: a caller that has all it needs may close the connection meanwhile.
    if (isReported && at >= enough) {
      attempt.isReported = true;
      attempt.completionTokens = right.usage.completion * choices;
      attempt.end = endOf(attempt.fault);
    }
    await pause(random() * LONGEST_PAUSE_MS);
  }
  if (response.destroyed) return;
  if (ending === 'stall') await Promise.race([pause(STALL_MS, undefined, { ref: false }), closed(response)]);
  if (ending === 'end') response.end();
  else if (random() < 0.5) response.destroy();
  else response.socket?.resetAndDestroy();
}

function planOf({ attempt, random, options, asked, right, choices }: Serving): Plan {
  const { form } = options;
  const { fault } = attempt;
  const { format, reasons, comment, frames: framesOf } = FORMS[form];
  const end = endOf(fault);
  const single = framesOf(right, asked).map(({ data, tokens }) => ({
    data: data.replace(reasons.stop, reasons[end]),
    tokens,
  }));
  const frames = choices > 1 ? doubled(single, right.usage) : single;
  const finish = frames.findIndex(({ data }) => data.includes(reasons[end]));
  const before = (most: number): number => Math.floor(random() * Math.max(1, most));
  const whole: Plan = { frames, cutAt: undefined, ending: 'end', isReported: true };
  const extra = (data: string, at: number): Frame => ({ data, tokens: frames[at - 1]?.tokens ?? 0 });
  switch (fault) {
    case 'cut at any byte': {
      // A stream that has said its finish is whole, with anything missing behind it.
      const bytes = Buffer.byteLength(
        frames
          .slice(0, finish)
          .map(({ data }) => data)
          .join(''),
      );
      return { ...whole, cutAt: before(bytes), ending: 'destroy', isReported: false };
    }
    case 'no finish':
      return { ...whole, frames: frames.slice(0, 1 + before(finish)).slice(0, finish), isReported: false };
    case 'stall':
      return { ...whole, frames: frames.slice(0, before(finish)), ending: 'stall', isReported: false };
    case 'one malformed event':
    case 'two malformed events': {
      const malformed = withMalformed(frames, fault === 'one malformed event' ? 1 : 2, finish, random);
      return { ...whole, ...untilUnreadable(malformed) };
    }
    case 'error event': {
      const at = before(finish);
      const error = extra(format.errorFrame('The engine is overloaded.').toString(), at);
      return { ...whole, frames: [...frames.slice(0, at), error], isReported: false };
    }
    case 'no end marker':
      return { ...whole, frames: withoutEndMarker(frames, form) };
    case 'finish twice': {
      const twice = frames[finish];
      return form === 'chat' && twice !== undefined
        ? { ...whole, frames: [...frames.slice(0, finish), twice, ...frames.slice(finish)] }
        : whole;
    }
    case 'comments and pings':
      return {
        ...whole,
        frames: frames.flatMap((frame) => [
          { ...frame, data: form === 'messages' ? frame.data : comment + frame.data },
        ]),
      };
    default:
      return whole;
  }
}

function endsOf(frames: readonly Frame[]): number[] {
  let end = 0;
  return frames.map(({ data }) => (end += Buffer.byteLength(data)));
}

/** Of one choice as of two with the same text; the usage is that of both. */
function doubled(frames: readonly Frame[], { prompt, completion }: Serving['right']['usage']): Frame[] {
  const usage = `"completion_tokens":${completion},"total_tokens":${prompt + completion}`;
  const both = `"completion_tokens":${2 * completion},"total_tokens":${prompt + 2 * completion}`;
  return frames.flatMap(({ data, tokens }) => {
    if (!data.includes('"index":0,"delta"')) return [{ data, tokens: 2 * tokens }];
    const second = data.replace('"index":0,"delta"', '"index":1,"delta"').replace(usage, both);
    const first = data.includes(usage) ? data.replace(/,"usage":\{.*\}(?=\}\n)/, '') : data;
    return [first, second].map((each) => ({ data: each, tokens: 2 * tokens }));
  });
}

function withMalformed(frames: readonly Frame[], count: number, finish: number, random: () => number): Frame[] {
  const result = [...frames];
  for (let added = 0; added < count; added += 1) {
    const at = 1 + Math.floor(random() * Math.max(1, finish - 1));
    result.splice(at, 0, { data: MALFORMED, tokens: result[at - 1]?.tokens ?? 0 });
  }
  return result;
}

/**
 * A second malformed event, and one that may have held a part of a call of a tool, end a response for its caller: what would come
 * behind it is not generated.
 */
function untilUnreadable(frames: readonly Frame[]): Pick<Plan, 'frames' | 'isReported'> {
  let hasSkipped = false;
  let hasCalls = false;
  for (const [index, { data, tokens }] of frames.entries()) {
    if (data !== MALFORMED) hasCalls ||= CALL.test(data);
    else if (hasSkipped || hasCalls) {
      const generated = frames.map((frame, at) => (at > index ? { ...frame, tokens } : frame));
      return { frames: generated, isReported: false };
    } else hasSkipped = true;
  }
  return { frames, isReported: true };
}

function endOf(fault: Fault): 'stop' | 'content filter' | 'length' {
  return fault === 'content filter' || fault === 'length' ? fault : 'stop';
}

function withoutEndMarker(frames: readonly Frame[], form: ProviderForm): readonly Frame[] {
  return form === 'gemini' ? frames : frames.slice(0, -1);
}
