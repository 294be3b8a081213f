import type { GatewayError } from '../../errors/gateway-error.js';

/** Ends every whole stream, and only a whole one. */
export const DONE_FRAME = 'data: [DONE]\n\n';

/** Keeps proxies and clients from giving up on a silent stream; parsers drop it. */
export const PING_COMMENT = ': ping\n\n';

/**
 * One frame. Never with `id:`, `event:` or `retry:` lines: some clients' parsers break on them.
 *
 * @param chunk an object, or its JSON; JSON that somebody spread over lines becomes several `data:` lines
 */
export function encodeChunk(chunk: string | object): string {
  if (typeof chunk !== 'string') return `data: ${JSON.stringify(chunk)}\n\n`;
  if (chunk.includes('\n') || chunk.includes('\r')) return `data: ${chunk.replace(/\r\n|\r|\n/g, '\ndata: ')}\n\n`;
  return `data: ${chunk}\n\n`;
}

/** The frame that ends a broken stream; no `[DONE]` follows it. */
export function encodeError(error: GatewayError): string {
  return encodeChunk(error.toBody());
}
