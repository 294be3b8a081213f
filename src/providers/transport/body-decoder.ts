import type { Transform } from 'node:stream';
import { constants, createBrotliDecompress, createGunzip, createInflate, createInflateRaw } from 'node:zlib';

/** Receives the decoded bytes, the end and the errors of a body. */
export interface BodyDecoderEvents {
  readonly onData: (chunk: Buffer) => void;
  readonly onEnd: () => void;
  readonly onError: (error: Error) => void;
  /** The input that was taken in is used up: more may come. */
  readonly onDrain: () => void;
}

/** Whether a body with this content-encoding can be read, and whether it must be decoded for that. */
export function bodyEncoding(contentEncoding: unknown): 'identity' | 'encoded' | 'unknown' {
  const encoding = typeof contentEncoding === 'string' ? contentEncoding.trim().toLowerCase() : '';
  if (encoding === '' || encoding === 'identity') return 'identity';
  return ['gzip', 'x-gzip', 'deflate', 'br'].includes(encoding) ? 'encoded' : 'unknown';
}

/**
 * Decodes a body that is compressed although the gateway did not ask for it. Output comes in small pieces, so the reader can stop
 * at a cap before a decompression bomb has expanded.
 */
export class BodyDecoder {
  private stream: Transform | undefined;

  constructor(
    private readonly contentEncoding: string,
    private readonly events: BodyDecoderEvents,
  ) {}

  /** @returns false when enough is taken in, until `onDrain` */
  write(chunk: Buffer): boolean {
    this.stream ??= this.open(chunk);
    return this.stream.write(chunk);
  }

  end(): void {
    if (this.stream === undefined) this.events.onEnd();
    else this.stream.end();
  }

  pause(): void {
    this.stream?.pause();
  }

  resume(): void {
    this.stream?.resume();
  }

  destroy(): void {
    this.stream?.destroy();
  }

  private open(firstChunk: Buffer): Transform {
    const stream = createDecoder(this.contentEncoding.trim().toLowerCase(), firstChunk);
    stream.on('data', this.events.onData);
    stream.on('end', this.events.onEnd);
    stream.on('error', this.events.onError);
    stream.on('drain', this.events.onDrain);
    return stream;
  }
}

function createDecoder(encoding: string, firstChunk: Buffer): Transform {
  // Flushing after each input gives the events of a compressed stream as they come.
  const flush = constants.Z_SYNC_FLUSH;
  if (encoding === 'br') return createBrotliDecompress({ flush: constants.BROTLI_OPERATION_FLUSH });
  if (encoding !== 'deflate') return createGunzip({ flush });
  // Servers disagree on whether "deflate" has a zlib header; a header's first byte says method 8.
  return ((firstChunk[0] ?? 0) & 0x0f) === 8 ? createInflate({ flush }) : createInflateRaw({ flush });
}
