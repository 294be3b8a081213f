import { SseEventTooLargeError } from './sse-parser.js';

const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;
const SPACE = 0x20;
const DATA = Buffer.from('data');

/**
 * Cuts a stream of server-sent events into whole frames, whose bytes are passed on as they are: no client gets half of an event,
 * wherever the stream breaks. Bytes may be split anywhere.
 */
export class SseFrames {
  private chunks: Buffer[] = [];
  private size = 0;
  /** Whether the current line has only a line end so far, or a part of one. */
  private isLineEmpty = true;

  /** @param limit bytes of the largest frame */
  constructor(private readonly limit: number = Number.MAX_SAFE_INTEGER) {}

  /** @returns the frames that these bytes complete, each with the empty line at its end */
  push(bytes: Buffer): Buffer[] {
    const frames: Buffer[] = [];
    let start = 0;
    let line = 0;
    for (let end = bytes.indexOf(LF); end !== -1; end = bytes.indexOf(LF, line)) {
      const isEmpty = this.isLineEmpty && (end === line || (end === line + 1 && bytes[line] === CR));
      line = end + 1;
      this.isLineEmpty = true;
      if (!isEmpty) continue;
      frames.push(this.frame(bytes.subarray(start, line)));
      start = line;
    }
    if (line < bytes.length && !(bytes.length === line + 1 && bytes[line] === CR)) this.isLineEmpty = false;
    if (start < bytes.length) this.keep(bytes.subarray(start));
    return frames;
  }

  /** The bytes of an incomplete frame. Some servers omit the empty line after the last frame. */
  end(): Buffer | undefined {
    const rest = this.frame(Buffer.alloc(0));
    return rest.length === 0 ? undefined : rest;
  }

  private frame(last: Buffer): Buffer {
    if (this.chunks.length === 0) return last;
    this.keep(last);
    const frame = Buffer.concat(this.chunks);
    this.chunks = [];
    this.size = 0;
    return frame;
  }

  private keep(bytes: Buffer): void {
    this.size += bytes.length;
    if (this.size > this.limit) throw new SseEventTooLargeError(this.limit);
    this.chunks.push(bytes);
  }
}

/** The `data` of a frame, its lines joined by line feeds; undefined for one without, such as a comment. */
export function frameData(frame: Buffer): Buffer | undefined {
  const lines: Buffer[] = [];
  for (let start = 0; start < frame.length;) {
    const lineFeed = frame.indexOf(LF, start);
    const next = lineFeed === -1 ? frame.length : lineFeed + 1;
    let end = lineFeed === -1 ? frame.length : lineFeed;
    if (end > start && frame[end - 1] === CR) end -= 1;
    if (frame.subarray(start, Math.min(end, start + DATA.length)).equals(DATA)) {
      const colon = start + DATA.length;
      if (colon === end) lines.push(Buffer.alloc(0));
      else if (frame[colon] === COLON)
        lines.push(frame.subarray(frame[colon + 1] === SPACE ? colon + 2 : colon + 1, end));
    }
    start = next;
  }
  if (lines.length <= 1) return lines[0];
  return Buffer.concat(lines.flatMap((line, index) => (index === 0 ? [line] : [Buffer.from('\n'), line])));
}
