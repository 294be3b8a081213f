import { isUtf8 } from 'node:buffer';
import { invalidRequest } from '../../errors/gateway-error.js';
import { invalidMultipart } from './invalid-multipart.js';
import { readPartHead, type PartHead } from './part-head.js';

/** A part of a form, and where its content is in the body. */
export interface MultipartPart extends PartHead {
  /** Offset of the first byte of the content. */
  readonly start: number;
  /** Offset behind its last byte. */
  readonly end: number;
  /** The text of a field that is kept; undefined for files and other fields. */
  readonly value: string | undefined;
}

/** Options of reading a form. */
export interface MultipartOptions {
  readonly boundary: string;
  /** Fields whose text is wanted. Each of them may be given once. */
  readonly keep: ReadonlySet<string>;
  readonly bounds?: Partial<MultipartBounds>;
}

/** Bounds of a form. */
export interface MultipartBounds {
  /** Parts of the form, fields and files together. */
  readonly maxParts: number;
  /** Bytes of the header lines of one part. */
  readonly maxHeaderBytes: number;
  /** Bytes of one field that is kept. */
  readonly maxFieldBytes: number;
}

const BOUNDS: MultipartBounds = { maxParts: 200, maxHeaderBytes: 8 * 1024, maxFieldBytes: 256 * 1024 };
/** Spaces that may follow a boundary on its line. */
const MAX_PADDING_BYTES = 64;
/** Empty lines before the first boundary. */
const MAX_PREAMBLE_BYTES = 64;
/** Most bytes after the last boundary. */
const MAX_EPILOGUE_BYTES = 64;

const CR = 0x0d;
const LF = 0x0a;
const DASH = 0x2d;
const SPACE = 0x20;
const TAB = 0x09;
const END_OF_LINE_BYTES = 2;
const END_OF_HEAD = Buffer.from('\r\n\r\n');

type State = 'preamble' | 'boundary' | 'head' | 'content' | 'epilogue';

/**
 * Finds the parts of a `multipart/form-data` body (RFC 7578) while it arrives, without holding any of it but the fields that
 * are kept: it notes where each part is, so that the body can be sent on byte for byte.
 *
 * It is strict where parsers differ (line ends, text around a boundary, fields that are given twice), so that no provider can
 * read another model or another number of images out of the body than the gateway has.
 */
export class MultipartReader {
  readonly parts: MultipartPart[] = [];
  /** Bytes that have been read. */
  size = 0;
  /** Offset of the first boundary line. */
  firstBoundary = 0;
  private state: State = 'preamble';
  /** Bytes that are not decided yet. */
  private rest: Buffer = Buffer.alloc(0);
  private readonly delimiter: Buffer;
  private readonly bounds: MultipartBounds;
  private readonly keep: ReadonlySet<string>;
  private head: PartHead | undefined;
  private start = 0;
  /** Offset of the first byte of the content that has not been taken. */
  private taken = 0;
  private epilogueBytes = 0;
  /** Where the bytes of a chunk begin that need the next one to be decided. */
  private undecided = 0;
  private value: Buffer[] | undefined;
  private valueBytes = 0;

  constructor({ boundary, keep, bounds }: MultipartOptions) {
    this.delimiter = Buffer.from(`\n--${boundary}`, 'latin1');
    this.keep = keep;
    this.bounds = { ...BOUNDS, ...bounds };
  }

  /** @throws GatewayError 400 that names the part and the fault */
  write(chunk: Buffer): void {
    const bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    const offset = this.size - this.rest.length;
    this.size += chunk.length;
    let at: number | undefined = 0;
    while (at !== undefined) {
      this.undecided = at;
      at = this.step(bytes, at, offset);
    }
    this.rest = bytes.subarray(this.undecided);
    // A rest that is a view would hold the memory of the whole chunk.
    if (this.rest.length < bytes.length) this.rest = Buffer.from(this.rest);
  }

  /** @throws GatewayError 400 when the body ended before the form did */
  end(): void {
    if (this.state === 'epilogue') return;
    throw invalidMultipart(
      this.state === 'preamble'
        ? 'The body does not begin with the boundary that the content type names.'
        : `The body ends within part ${this.parts.length + 1}, before the closing boundary.`,
    );
  }

  /** @returns the next position; undefined if more bytes are needed */
  private step(bytes: Buffer, at: number, offset: number): number | undefined {
    switch (this.state) {
      case 'preamble':
        return this.preamble(bytes, offset);
      case 'boundary':
        return this.boundary(bytes, at);
      case 'head':
        return this.headLines(bytes, at, offset);
      case 'content':
        return this.content(bytes, offset);
      case 'epilogue':
        this.epilogue(bytes, at);
        return undefined;
    }
  }

  /** Only empty lines may come before the first boundary, so the whole preamble is kept. */
  private preamble(bytes: Buffer, offset: number): number | undefined {
    let at = 0;
    while (bytes[at] === CR && bytes[at + 1] === LF) at += 2;
    const needed = this.delimiter.length - 1;
    const line = bytes.subarray(at, at + needed);
    const isPrefix = this.delimiter.subarray(1, 1 + line.length).equals(line) || (line.length === 1 && line[0] === CR);
    if (!isPrefix || at > MAX_PREAMBLE_BYTES) {
      throw invalidMultipart('The body does not begin with the boundary that the content type names.');
    }
    if (line.length < needed) return undefined;
    this.firstBoundary = offset + at;
    this.state = 'boundary';
    return at + needed;
  }

  /** The bytes after a boundary: a line end before the next part, or two dashes at the end of the form. */
  private boundary(bytes: Buffer, at: number): number | undefined {
    if (bytes.length < at + 2) return undefined;
    if (bytes[at] === DASH && bytes[at + 1] === DASH) {
      this.state = 'epilogue';
      return at + 2;
    }
    let end = at;
    while (bytes[end] === SPACE || bytes[end] === TAB) end += 1;
    if (end - at <= MAX_PADDING_BYTES) {
      if (bytes.length < end + 2) return undefined;
      if (bytes[end] === CR && bytes[end + 1] === LF) {
        if (this.parts.length === this.bounds.maxParts) {
          throw invalidMultipart(`The form has more than ${this.bounds.maxParts} parts. Send fewer.`);
        }
        this.state = 'head';
        return end + 2;
      }
    }
    throw invalidMultipart(
      `The boundary before part ${this.parts.length + 1} is followed by other text on its line. End the line with CR LF.`,
    );
  }

  private headLines(bytes: Buffer, at: number, offset: number): number | undefined {
    const { maxHeaderBytes } = this.bounds;
    const end = bytes.indexOf(END_OF_HEAD, at);
    if ((end === -1 ? bytes.length : end) - at > maxHeaderBytes) {
      throw invalidMultipart(
        `The header lines of part ${this.parts.length + 1} are longer than ${maxHeaderBytes} bytes. Send shorter names.`,
      );
    }
    if (end === -1) return undefined;
    const head = readPartHead(bytes.toString('utf8', at, end), this.parts.length + 1);
    const start = end + END_OF_HEAD.length;
    this.head = head;
    this.start = offset + start;
    this.taken = this.start;
    this.valueBytes = 0;
    this.value = undefined;
    if (this.keep.has(head.name)) this.beginField(head);
    this.state = 'content';
    return start;
  }

  private beginField({ name, isFile, charset }: PartHead): void {
    if (isFile) {
      throw invalidRequest(`'${name}' is a field, not a file. Send it without a file name.`, name, 'invalid_type');
    }
    if (charset !== undefined && charset !== 'utf-8' && charset !== 'us-ascii') {
      throw invalidRequest(`'${name}' has another charset than UTF-8. Send it as UTF-8.`, name, 'invalid_value');
    }
    if (this.parts.some((part) => part.name === name)) {
      throw invalidRequest(`'${name}' is given twice. Send it once.`, name, 'duplicate_field');
    }
    this.value = [];
  }

  private content(bytes: Buffer, offset: number): number | undefined {
    // The search begins at the line end of the head, so that a boundary directly after it is found.
    const headEnd = this.start - END_OF_LINE_BYTES - offset;
    const found = bytes.indexOf(this.delimiter, Math.max(0, headEnd + 1));
    if (found === -1) {
      // The last bytes may be the start of a boundary and the CR before it.
      this.undecided = Math.max(0, headEnd, bytes.length - this.delimiter.length);
      this.take(bytes, offset, offset + this.undecided);
      return undefined;
    }
    const end = offset + found - 1;
    if (end < this.start || bytes[found - 1] !== CR) {
      throw invalidMultipart(
        `The boundary behind part ${this.parts.length + 1} is not on a line of its own. Put CR LF before it.`,
      );
    }
    this.take(bytes, offset, end);
    this.endPart(end);
    this.state = 'boundary';
    return found + this.delimiter.length;
  }

  /** Keeps the content of a field up to an offset. */
  private take(bytes: Buffer, offset: number, to: number): void {
    const from = this.taken;
    if (to <= from) return;
    this.taken = to;
    if (this.value === undefined) return;
    this.valueBytes += to - from;
    const { maxFieldBytes } = this.bounds;
    if (this.valueBytes > maxFieldBytes) {
      const name = this.head?.name ?? '';
      throw invalidRequest(`'${name}' is longer than ${maxFieldBytes} bytes.`, name, 'string_above_max_length');
    }
    this.value.push(Buffer.from(bytes.subarray(from - offset, to - offset)));
  }

  private endPart(end: number): void {
    const { head, start } = this;
    if (head === undefined) return;
    let value: string | undefined;
    if (this.value !== undefined) {
      const bytes = Buffer.concat(this.value);
      if (!isUtf8(bytes)) throw invalidRequest(`'${head.name}' is not valid UTF-8.`, head.name, 'invalid_value');
      value = bytes.toString('utf8');
    }
    this.parts.push({ ...head, start, end, value });
    this.head = undefined;
    this.value = undefined;
  }

  private epilogue(bytes: Buffer, at: number): void {
    for (let index = at; index < bytes.length; index += 1) {
      const byte = bytes[index];
      this.epilogueBytes += 1;
      const isBlank = byte === CR || byte === LF || byte === SPACE || byte === TAB;
      if (!isBlank || this.epilogueBytes > MAX_EPILOGUE_BYTES) {
        throw invalidMultipart('The body goes on behind the closing boundary. End it there.');
      }
    }
    this.undecided = bytes.length;
  }
}
