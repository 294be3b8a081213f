import type { ServerResponse } from 'node:http';
import { once } from 'node:events';
import { toCsvLines } from './csv.js';

/**
 * Streams rows as CSV of RFC 4180, a page at a time and no faster than the client reads. The first page is read before the head is
 * written, so that a fault in the query still has its status; a later fault breaks the connection off, so that it is noticed.
 */
export async function sendCsv(
  response: ServerResponse,
  columns: readonly string[],
  pages: AsyncIterable<readonly object[]>,
): Promise<void> {
  let hasBegun = false;
  try {
    for await (const page of pages) {
      if (response.destroyed) return;
      if (!hasBegun) begin(response, columns);
      hasBegun = true;
      if (page.length === 0) continue;
      if (!response.write(toCsvLines(columns, page)) && !(await drained(response))) return;
    }
    if (!hasBegun) begin(response, columns);
    response.end();
  } catch (error) {
    if (!hasBegun) throw error;
    response.destroy();
  }
}

function begin(response: ServerResponse, columns: readonly string[]): void {
  response.setHeader('content-type', 'text/csv; charset=utf-8');
  response.write(`${columns.join(',')}\r\n`);
}

/** @returns false when the client has gone */
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
