import { createGunzip } from 'node:zlib';
import { pipeline, Readable } from 'node:stream';

/** A line of a file, or why it could not be read. */
export type JsonlLine =
  | { readonly number: number; readonly text: string }
  | { readonly number: number; readonly fault: 'not_utf8' | 'too_long' };

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);
/** The first bytes of gzip (RFC 1952, 2.3.1). */
const GZIP = Buffer.from([0x1f, 0x8b]);
const BLANK = /^[ \t]*$/;

/**
 * Splits JSONL into its lines, numbered from 1 as editors do. Lines end with LF or CRLF, the last one may end with the file; a byte
 * order mark and blank lines are left out, and a file that is compressed with gzip is decompressed. U+2028 and its like are part of a
 * line. Memory is bounded by the largest line.
 *
 * @param maxLineBytes a longer line is a fault of that line alone
 * @throws what the content throws, and an error of zlib for data that is no gzip after all
 */
export async function* jsonlLines(content: AsyncIterable<Buffer>, maxLineBytes: number): AsyncGenerator<JsonlLine> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let number = 0;
  let parts: Buffer[] = [];
  let bytes = 0;
  const lineOf = (): JsonlLine | undefined => {
    number += 1;
    const isTooLong = bytes > maxLineBytes;
    let line = isTooLong ? Buffer.alloc(0) : Buffer.concat(parts);
    parts = [];
    bytes = 0;
    if (isTooLong) return { number, fault: 'too_long' };
    if (number === 1 && line.subarray(0, BYTE_ORDER_MARK.length).equals(BYTE_ORDER_MARK)) line = line.subarray(3);
    if (line.at(-1) === CARRIAGE_RETURN) line = line.subarray(0, -1);
    try {
      const text = decoder.decode(line);
      return BLANK.test(text) ? undefined : { number, text };
    } catch {
      return { number, fault: 'not_utf8' };
    }
  };
  const take = (piece: Buffer): void => {
    bytes += piece.length;
    // What is too long is counted and not kept.
    if (bytes <= maxLineBytes) parts.push(Buffer.from(piece));
    else parts = [];
  };
  for await (const chunk of await decompressed(content)) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end !== -1; end = chunk.indexOf(LINE_FEED, start)) {
      take(chunk.subarray(start, end));
      const line = lineOf();
      if (line !== undefined) yield line;
      start = end + 1;
    }
    if (start < chunk.length) take(chunk.subarray(start));
  }
  const last = bytes > 0 ? lineOf() : undefined;
  if (last !== undefined) yield last;
}

async function decompressed(content: AsyncIterable<Buffer>): Promise<AsyncIterable<Buffer>> {
  const iterator = content[Symbol.asyncIterator]();
  let start: Buffer = Buffer.alloc(0);
  let isEnd = false;
  while (start.length < GZIP.length && !isEnd) {
    const next = await iterator.next();
    if (next.done === true) isEnd = true;
    else start = Buffer.concat([start, next.value]);
  }
  const whole = async function* (): AsyncGenerator<Buffer> {
    try {
      if (start.length > 0) yield start;
      while (!isEnd) {
        const next = await iterator.next();
        if (next.done === true) return;
        yield next.value;
      }
    } finally {
      await iterator.return?.();
    }
  };
  if (!start.subarray(0, GZIP.length).equals(GZIP)) return whole();
  const gunzip = createGunzip();
  // An error of the content destroys the decompression, whose reader gets it.
  pipeline(Readable.from(whole(), { objectMode: false }), gunzip, () => undefined);
  return gunzip as AsyncIterable<Buffer>;
}
