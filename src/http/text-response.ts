import { once } from 'node:events';
import type { ServerResponse } from 'node:http';

/**
 * Streams a text, no faster than the client reads. The first piece is made before the head is written, so that a fault that it
 * finds still has its status; a later error closes the connection, so that the client notices it.
 */
export async function sendText(
  response: ServerResponse,
  contentType: string,
  pieces: AsyncIterable<string>,
): Promise<void> {
  let hasBegun = false;
  try {
    for await (const piece of pieces) {
      if (response.destroyed) return;
      if (!hasBegun) response.setHeader('content-type', contentType);
      hasBegun = true;
      // The head alone: what follows would be read for nothing.
      if (response.req.method === 'HEAD') break;
      if (!response.write(piece) && !(await drained(response))) return;
    }
    response.end();
  } catch (error) {
    if (!hasBegun) throw error;
    response.destroy();
  }
}

/** @returns false when the client has disconnected */
async function drained(response: ServerResponse): Promise<boolean> {
  const gone = new AbortController();
  try {
    await Promise.race([
      once(response, 'drain', { signal: gone.signal }),
      once(response, 'close', { signal: gone.signal }),
    ]);
    return !response.destroyed;
  } finally {
    gone.abort();
  }
}
