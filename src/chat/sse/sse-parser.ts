import { upstreamError } from '../../errors/gateway-error.js';

/** One event of a stream: what its `data:` lines say, joined with line feeds, and its `event:` field. */
export interface SseEvent {
  /** Empty when the stream names none. */
  readonly event: string;
  readonly data: string;
}

const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;
const SPACE = 0x20;
const EMPTY = Buffer.alloc(0);

/**
 * Incremental parser of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html), for bytes
 * that are split anywhere. Line ends are LF, CR or CRLF; comments, `id:` and `retry:` are dropped.
 *
 * It works on bytes and decodes whole lines alone: a line end is never part of a UTF-8 sequence, so no character is ever
 * torn. Every byte is copied at most twice, whatever the split, so time is linear in the bytes.
 */
export class SseParser {
  /** The line that has not ended yet, in a buffer that doubles. */
  private line: Buffer = EMPTY;
  private lineLength = 0;
  /** The last chunk ended in CR: an LF at the start of the next one belongs to it. */
  private skipLineFeed = false;
  private firstLine = true;
  private data: string | undefined;
  private event = '';
  private eventSize = 0;

  /**
   * @param onEvent called for each event, synchronously; what it throws leaves `push`
   * @param maxEventSize bytes that one event's lines may have
   */
  constructor(
    private readonly onEvent: (event: SseEvent) => void,
    private readonly maxEventSize: number,
  ) {}

  /** @throws GatewayError `upstream_error` when an event is larger than the cap */
  push(bytes: Uint8Array): void {
    const length = bytes.length;
    if (length === 0) return;
    const chunk = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, length);
    let position = 0;
    if (this.skipLineFeed) {
      this.skipLineFeed = false;
      if (chunk[0] === LF) position = 1;
    }
    let nextLf = chunk.indexOf(LF, position);
    let nextCr = chunk.indexOf(CR, position);
    while (position < length) {
      if (nextLf !== -1 && nextLf < position) nextLf = chunk.indexOf(LF, position);
      if (nextCr !== -1 && nextCr < position) nextCr = chunk.indexOf(CR, position);
      const endsInCr = nextCr !== -1 && (nextLf === -1 || nextCr < nextLf);
      const end = endsInCr ? nextCr : nextLf;
      if (end === -1) {
        this.keep(chunk, position, length);
        return;
      }
      if (this.lineLength === 0) this.takeLine(chunk, position, end);
      else {
        this.keep(chunk, position, end);
        const lineLength = this.lineLength;
        this.lineLength = 0;
        this.takeLine(this.line, 0, lineLength);
        // One huge event does not hold its memory for the rest of the stream.
        if (this.line.length > 65_536) this.line = EMPTY;
      }
      position = end + 1;
      if (endsInCr) {
        if (position === length) this.skipLineFeed = true;
        else if (chunk[position] === LF) position += 1;
      }
    }
  }

  /**
   * The stream is over. An event that lacks its blank line is delivered all the same, as upstreams exist that close
   * right after their last line; an event that was really cut short is not whole JSON, which shows downstream.
   */
  end(): void {
    if (this.lineLength > 0) {
      const lineLength = this.lineLength;
      this.lineLength = 0;
      this.takeLine(this.line, 0, lineLength);
    }
    this.dispatch();
  }

  private keep(chunk: Buffer, start: number, end: number): void {
    const needed = this.lineLength + end - start;
    if (this.eventSize + needed > this.maxEventSize) throw this.tooLarge();
    if (needed > this.line.length) {
      const larger = Buffer.allocUnsafe(Math.max(needed, this.line.length * 2, 256));
      this.line.copy(larger, 0, 0, this.lineLength);
      this.line = larger;
    }
    chunk.copy(this.line, this.lineLength, start, end);
    this.lineLength = needed;
  }

  private takeLine(bytes: Buffer, start: number, end: number): void {
    if (this.firstLine) {
      this.firstLine = false;
      if (bytes[start] === 0xef && bytes[start + 1] === 0xbb && bytes[start + 2] === 0xbf && end - start >= 3)
        start += 3;
    }
    if (start === end) {
      this.dispatch();
      return;
    }
    // 'd', 'a', 't', 'a' and a colon or nothing: nearly every line.
    if (
      bytes[start] === 0x64 &&
      bytes[start + 1] === 0x61 &&
      bytes[start + 2] === 0x74 &&
      bytes[start + 3] === 0x61 &&
      end - start >= 4 &&
      (end - start === 4 || bytes[start + 4] === COLON)
    ) {
      this.eventSize += end - start;
      if (this.eventSize > this.maxEventSize) throw this.tooLarge();
      const value = fieldValue(bytes, start + 4, end);
      this.data = this.data === undefined ? value : `${this.data}\n${value}`;
      return;
    }
    if (bytes[start] === COLON) return;
    const colon = bytes.subarray(start, end).indexOf(COLON);
    const nameEnd = colon === -1 ? end : start + colon;
    if (nameEnd - start === 5 && bytes.toString('latin1', start, nameEnd) === 'event') {
      this.event = fieldValue(bytes, nameEnd, end);
    }
  }

  private dispatch(): void {
    const { event, data } = this;
    this.data = undefined;
    this.event = '';
    this.eventSize = 0;
    if (data !== undefined) this.onEvent({ event, data });
  }

  private tooLarge(): Error {
    return upstreamError({
      message: `The upstream provider sent an event larger than the gateway takes (${this.maxEventSize} bytes).`,
    });
  }
}

/** What follows the colon at `colon`, without one leading space; empty when the line ends there. */
function fieldValue(bytes: Buffer, colon: number, end: number): string {
  const start = bytes[colon + 1] === SPACE ? colon + 2 : colon + 1;
  return start < end ? bytes.toString('utf8', start, end) : '';
}
