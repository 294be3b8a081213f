import { type GatewayError, upstreamError } from '../../errors/gateway-error.js';
import type { ResponseLimits } from './response-text.js';
import type { ItemStreamOptions } from './upstream-item-stream.js';

/**
 * A stream may have this many times the cap of a plain response: around the same text it repeats ids, dates and names for every
 * token. It bounds streams that never end; none of it is held in memory.
 */
const STREAM_SIZE_FACTOR = 4;
/** Bytes taken in and not yet read by the client, at which the upstream is held back. */
const HIGH_WATER_BYTES = 16_384;

/** Bounds of a streamed completion, in any format. */
export function chatStreamOptions({ maxResponseBytes, redact }: ResponseLimits): ItemStreamOptions {
  return { maxBytes: maxResponseBytes * STREAM_SIZE_FACTOR, highWaterBytes: HIGH_WATER_BYTES, redact };
}

/**
 * Some servers respond in JSON although a stream was requested, errors with status 200 among them; some name the wrong
 * content-type. The first character decides: an event stream begins with a field name, a comment or a blank line.
 *
 * @returns undefined where these bytes have no such character
 * @throws GatewayError for a web page
 */
export function formOf(bytes: Buffer): 'events' | 'json' | undefined {
  for (const byte of bytes) {
    if (byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09) continue;
    // The bytes of a byte order mark, which may come before either.
    if (byte === 0xef || byte === 0xbb || byte === 0xbf) continue;
    if (byte === 0x3c) throw upstreamError({ message: 'The upstream provider answered with a web page.' });
    return byte === 0x7b || byte === 0x5b ? 'json' : 'events';
  }
  return undefined;
}

/** @param maxBytes of one event */
export function eventTooLarge(maxBytes: number, cause?: unknown): GatewayError {
  return upstreamError({
    message: `The upstream provider sent an event larger than the gateway takes (${maxBytes} bytes).`,
    cause,
  });
}
