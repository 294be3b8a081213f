import { StringDecoder } from 'node:string_decoder';

/** A server-sent event. */
export interface SseEvent {
  /** The `event:` field; empty when there was none. */
  readonly event: string;
  /** The `data:` lines, joined by line feeds. */
  readonly data: string;
}

/** Thrown when one event is larger than the parser's limit. */
export class SseEventTooLargeError extends Error {
  constructor(limit: number) {
    super(`one event of the stream is larger than ${limit} bytes`);
    this.name = 'SseEventTooLargeError';
  }
}

/**
 * An incremental parser of `text/event-stream` as the HTML standard defines it. Bytes may be split anywhere, inside a character or
 * between CR and LF; the events are the same. Comments, `id:` and `retry:` are dropped. Time is linear in the bytes, for pieces of
 * any size.
 */
export class SseParser {
  private readonly decoder = new StringDecoder('utf8');
  /** Pieces of the line that has not ended yet; joined once, when it does. */
  private pieces: string[] = [];
  private data: string[] = [];
  private event = '';
  private hasData = false;
  /** Characters of the event that has not ended yet; at most its bytes. */
  private size = 0;
  private skipLineFeed = false;
  private isFirstLine = true;

  /** @param limit largest event, in characters of its lines */
  constructor(private readonly limit: number = Number.MAX_SAFE_INTEGER) {}

  /** @returns the events that these bytes complete, in order */
  push(bytes: Uint8Array): SseEvent[] {
    return this.feed(this.decoder.write(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)));
  }

  /**
   * The stream has ended. An event without its empty line is incomplete by the standard, but many servers leave the last
   * line end out after `[DONE]`, so what is complete as a line is given.
   */
  end(): SseEvent[] {
    return this.feed(`${this.decoder.end()}\n\n`);
  }

  private feed(text: string): SseEvent[] {
    const events: SseEvent[] = [];
    let start = 0;
    if (this.skipLineFeed && text.length > 0) {
      this.skipLineFeed = false;
      if (text.charCodeAt(0) === LINE_FEED) start = 1;
    }
    let carriageReturn = text.indexOf('\r', start);
    for (;;) {
      let end = text.indexOf('\n', start);
      if (carriageReturn !== -1 && carriageReturn < start) carriageReturn = text.indexOf('\r', start);
      let next = end + 1;
      if (carriageReturn !== -1 && (end === -1 || carriageReturn < end)) {
        end = carriageReturn;
        next = end + 1;
        if (next === text.length) this.skipLineFeed = true;
        else if (text.charCodeAt(next) === LINE_FEED) next += 1;
      }
      if (end === -1) break;
      this.endLine(text.slice(start, end), events);
      start = next;
    }
    if (start < text.length) {
      this.pieces.push(text.slice(start));
      this.grow(text.length - start);
    }
    return events;
  }

  private grow(characters: number): void {
    this.size += characters;
    if (this.size > this.limit) throw new SseEventTooLargeError(this.limit);
  }

  private endLine(last: string, events: SseEvent[]): void {
    let line = last;
    if (this.pieces.length > 0) {
      this.pieces.push(last);
      line = this.pieces.join('');
      this.pieces = [];
    }
    this.grow(last.length);
    if (this.isFirstLine) {
      this.isFirstLine = false;
      if (line.charCodeAt(0) === BYTE_ORDER_MARK) line = line.slice(1);
    }
    if (line === '') {
      if (this.hasData) events.push({ event: this.event, data: this.data.join('\n') });
      this.data = [];
      this.event = '';
      this.hasData = false;
      this.size = 0;
      return;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return;
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(line.charCodeAt(colon + 1) === SPACE ? colon + 2 : colon + 1);
    if (field === 'data') {
      this.data.push(value);
      this.hasData = true;
    } else if (field === 'event') this.event = value;
  }
}

const LINE_FEED = 0x0a;
const SPACE = 0x20;
const BYTE_ORDER_MARK = 0xfeff;
