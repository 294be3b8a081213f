import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import { goneSignal } from '../http/client-gone.js';

/** How long a client may read nothing before its connection is closed. */
const STALLED_MS = 60_000;

/** Content to send. */
export interface SentContent {
  /** Undefined where the length is not known before. */
  readonly bytes: number | undefined;
  readonly isHead: boolean;
  /** Opens the content; called only where it is sent. */
  readonly content: () => AsyncIterable<Buffer>;
}

/**
 * Sends the content of a file as fast as the client reads it, with its length, so that a connection that breaks is noticed. It never
 * runs in a browser: the type is bytes, and it is an attachment.
 *
 * @throws what the first read throws; after it, the connection is closed
 */
export async function sendContent(response: ServerResponse, { bytes, isHead, content }: SentContent): Promise<void> {
  const headers = {
    'content-type': 'application/octet-stream',
    ...(bytes !== undefined && { 'content-length': bytes }),
    'content-disposition': 'attachment',
    'x-content-type-options': 'nosniff',
  };
  if (isHead) {
    response.writeHead(200, headers).end();
    return;
  }
  const left = goneSignal(response);
  try {
    for await (const chunk of content()) {
      if (!response.headersSent) {
        response.writeHead(200, headers);
        response.socket?.setTimeout(STALLED_MS);
      }
      if (left.aborted) return;
      if (!response.write(chunk)) await once(response, 'drain', { signal: left });
    }
    if (!response.headersSent) response.writeHead(200, headers);
    response.end();
  } catch (error) {
    if (left.aborted) return;
    if (!response.headersSent) throw error;
    response.destroy();
  }
}
