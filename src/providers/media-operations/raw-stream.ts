import {
  isEventStream,
  isJson,
  readJsonObject,
  type RawChunk,
  type RawHead,
} from '../../operations/media/raw-response.js';
import { isObject } from '../../runtime/json-value.js';
import { mapErrorObject } from '../../wire/errors/map-error.js';
import type { Redact } from '../../wire/errors/redact.js';
import { frameData, SseFrames } from '../../wire/sse/sse-frames.js';
import { SseEventTooLargeError } from '../../wire/sse/sse-parser.js';
import { responseTooLarge } from '../transport/response-text.js';

type Group = readonly RawChunk[];

/** The chunks of a response: whole events, a whole JSON body, or sound as it comes. */
interface RawStream extends AsyncIterable<Group> {
  readonly head: RawHead;
}

/** @param maxEventBytes most bytes of an event, or of a JSON body where no stream was made */
export function rawStream(
  source: AsyncIterableIterator<readonly Buffer[]>,
  head: RawHead,
  maxEventBytes: number,
  redact: Redact,
): RawStream {
  const groups = isEventStream(head)
    ? events(source, maxEventBytes, redact)
    : isJson(head)
      ? wholeBody(source, maxEventBytes, redact)
      : sound(source);
  return {
    head,
    [Symbol.asyncIterator]: () => ({
      next: () => groups.next(),
      // A generator that waits for bytes cannot be made to return before they come, so the source is ended.
      return: async () => {
        await source.return?.();
        return { done: true, value: undefined };
      },
    }),
  };
}

async function* sound(source: AsyncIterable<readonly Buffer[]>): AsyncGenerator<Group> {
  for await (const group of source) yield group.map((bytes) => ({ bytes, event: undefined }));
}

async function* events(
  source: AsyncIterable<readonly Buffer[]>,
  maxBytes: number,
  redact: Redact,
): AsyncGenerator<Group> {
  const frames = new SseFrames(maxBytes);
  for await (const received of source) {
    const group: RawChunk[] = [];
    try {
      for (const bytes of received) {
        for (const frame of framesOf(frames, bytes, maxBytes)) group.push(toChunk(frame, redact));
      }
    } finally {
      // Events that came before a faulty one are delivered before its error is thrown.
      if (group.length > 0) yield group;
    }
  }
  const rest = frames.end();
  if (rest !== undefined) yield [toChunk(Buffer.concat([rest, Buffer.from('\n\n')]), redact)];
}

function framesOf(frames: SseFrames, bytes: Buffer, maxBytes: number): Buffer[] {
  try {
    return frames.push(bytes);
  } catch (error) {
    if (!(error instanceof SseEventTooLargeError)) throw error;
    throw responseTooLarge(maxBytes, 'an event');
  }
}

/** @throws GatewayError for an event that is an error */
function toChunk(bytes: Buffer, redact: Redact): RawChunk {
  const data = frameData(bytes);
  const event = data === undefined ? undefined : readJsonObject(data);
  if (event !== undefined && isObject(event['error'])) throw mapErrorObject(event, redact);
  return { bytes, event };
}

/** A provider that does not stream responds with JSON. */
async function* wholeBody(
  source: AsyncIterable<readonly Buffer[]>,
  maxBytes: number,
  redact: Redact,
): AsyncGenerator<Group> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const group of source) {
    for (const bytes of group) size += bytes.length;
    if (size > maxBytes) throw responseTooLarge(maxBytes);
    chunks.push(...group);
  }
  const bytes = Buffer.concat(chunks);
  const event = readJsonObject(bytes);
  if (event !== undefined && isObject(event['error'])) throw mapErrorObject(event, redact);
  yield [{ bytes, event }];
}
