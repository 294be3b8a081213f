import { EventStreamCodec } from '@smithy/eventstream-codec';
import { type GatewayError, upstreamError } from '../../errors/gateway-error.js';
import { encodeEvent } from '../../wire/sse/sse-encoder.js';
import { SseEventTooLargeError, SseParser } from '../../wire/sse/sse-parser.js';
import { SseFrames } from '../../wire/sse/sse-frames.js';
import { eventTooLarge } from '../transport/chat-stream-form.js';
import type { WireEvent } from '../../wire/wire-format.js';

/** One event of a stream, with its bytes as a frame of server-sent events. */
export interface FramedEvent extends WireEvent {
  /** As the provider sent it, or made of the event where the provider frames events in another way. */
  readonly frame: string;
}

/** Cuts the bytes of a response into events. Bytes may be split anywhere. */
export interface EventFraming {
  push(bytes: Buffer): readonly FramedEvent[];
  /** The items that are complete when the response has ended. */
  end(): readonly FramedEvent[];
}

/** How a provider frames the events of a stream. */
export type FramingName = 'sse' | 'aws-event-stream';

/** @param maxBytes of one event */
export function framingOf(name: FramingName, maxBytes: number): EventFraming {
  return name === 'sse' ? new SseFraming(maxBytes) : new AwsFraming(maxBytes);
}

/** `text/event-stream`. Frames keep their bytes, comments included. */
class SseFraming implements EventFraming {
  private readonly frames: SseFrames;
  private readonly parser: SseParser;

  constructor(private readonly maxBytes: number) {
    this.frames = new SseFrames(maxBytes);
    this.parser = new SseParser(maxBytes);
  }

  push(bytes: Buffer): readonly FramedEvent[] {
    try {
      return this.frames.push(bytes).map((frame) => this.read(frame));
    } catch (cause) {
      if (cause instanceof SseEventTooLargeError) throw eventTooLarge(this.maxBytes, cause);
      throw cause;
    }
  }

  end(): readonly FramedEvent[] {
    const rest = this.frames.end();
    if (rest === undefined) return [];
    const frame = `${rest.toString('utf8').trimEnd()}\n\n`;
    const [event] = [...this.parser.push(rest), ...this.parser.end()];
    return event === undefined ? [] : [{ ...event, frame }];
  }

  /** A frame of comments alone has an event without data. */
  private read(bytes: Buffer): FramedEvent {
    const [event] = this.parser.push(bytes);
    return { event: event?.event ?? '', data: event?.data ?? '', frame: bytes.toString('utf8') };
  }
}

/** Bytes of the total length in front of each message. */
const LENGTH_BYTES = 4;
/** Prelude and checksum of a message without headers and payload. */
const MIN_MESSAGE_BYTES = 16;
const CODEC = new EventStreamCodec(
  (bytes) => (typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8')),
  (text) => Buffer.from(text, 'utf8'),
);

/** `application/vnd.amazon.eventstream`: messages with a length, headers and checksums. An exception is an event of its name. */
class AwsFraming implements EventFraming {
  private rest: Buffer = Buffer.alloc(0);

  constructor(private readonly maxBytes: number) {}

  push(bytes: Buffer): readonly FramedEvent[] {
    let rest = this.rest.length === 0 ? bytes : Buffer.concat([this.rest, bytes]);
    const events: FramedEvent[] = [];
    while (rest.length >= LENGTH_BYTES) {
      const length = rest.readUInt32BE(0);
      if (length > this.maxBytes) throw eventTooLarge(this.maxBytes);
      if (length < MIN_MESSAGE_BYTES) throw malformed();
      if (rest.length < length) break;
      events.push(read(rest.subarray(0, length)));
      rest = rest.subarray(length);
    }
    this.rest = rest;
    return events;
  }

  end(): readonly FramedEvent[] {
    return [];
  }
}

function read(message: Buffer): FramedEvent {
  let decoded: ReturnType<EventStreamCodec['decode']>;
  try {
    decoded = CODEC.decode(message);
  } catch (cause) {
    throw malformed(cause);
  }
  const header = (name: string): string => {
    const value = decoded.headers[name]?.value;
    return typeof value === 'string' ? value : '';
  };
  const event = header(':event-type') || header(':exception-type') || header(':error-code');
  const data = Buffer.from(decoded.body).toString('utf8') || JSON.stringify({ message: header(':error-message') });
  return { event, data, frame: encodeEvent(event, data) };
}

function malformed(cause?: unknown): GatewayError {
  return upstreamError({ message: 'The upstream provider sent a malformed event stream.', cause });
}
