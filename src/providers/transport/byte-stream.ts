import type { ResponseLimits } from './response-text.js';
import { type StreamProgress, UpstreamItemStream } from './upstream-item-stream.js';
import type { UpstreamPool } from './upstream-pool.js';
import type { UpstreamRequest } from './upstream-request.js';

/** Bytes that wait for the reader, at which the upstream is held back. */
const HIGH_WATER_BYTES = 65_536;

/** The body of a successful response while it comes: a sound, or events of another operation than chat. */
export class UpstreamByteStream extends UpstreamItemStream<Buffer> {
  /** @param limits `maxResponseBytes` is the most bytes of the whole stream */
  constructor(pool: UpstreamPool, request: UpstreamRequest, { maxResponseBytes, redact }: ResponseLimits) {
    super(pool, request, { maxBytes: maxResponseBytes, highWaterBytes: HIGH_WATER_BYTES, redact });
  }

  protected override read(bytes: Buffer, items: Buffer[]): StreamProgress {
    items.push(bytes);
    return 'begun';
  }

  /** The end of the body is the end of the stream. */
  protected override readEnd(): void {}
}
