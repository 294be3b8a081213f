import { printExact } from '../../runtime/exact-integers.js';
import type { GatewayError } from '../../errors/gateway-error.js';
import { PreserializedChunk } from '../../operations/chat/preserialized-chunk.js';

/** Ends every whole stream, and only a whole one. */
export const DONE_FRAME = 'data: [DONE]\n\n';
/** A comment: every event-stream parser drops it. */
export const PING_COMMENT = ': ping\n\n';

/**
 * One frame. JSON text has no raw line ends, so one `data:` line always holds it. There is never an `id:`, `event:` or
 * `retry:` line: official clients mistake them for events.
 */
export function encodeChunk(chunk: object): string {
  return `data: ${chunk instanceof PreserializedChunk ? chunk.json : printExact(chunk)}\n\n`;
}

/**
 * One event of the formats that name their events. JSON text has no raw line ends.
 *
 * @param event empty for none
 * @param data JSON text
 */
export function encodeEvent(event: string, data: string): string {
  return event === '' ? `data: ${data}\n\n` : `event: ${event}\ndata: ${data}\n\n`;
}

/** The event that ends a failed stream. */
export function encodeError(error: GatewayError): string {
  return encodeChunk(error.toBody());
}
