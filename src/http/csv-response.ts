import type { ServerResponse } from 'node:http';
import { toCsvLines } from './csv.js';
import { sendText } from './text-response.js';

/** Streams rows as CSV of RFC 4180, a page at a time and no faster than the client reads. */
export async function sendCsv(
  response: ServerResponse,
  columns: readonly string[],
  pages: AsyncIterable<readonly object[]>,
): Promise<void> {
  await sendText(response, 'text/csv; charset=utf-8', csvOf(columns, pages));
}

async function* csvOf(columns: readonly string[], pages: AsyncIterable<readonly object[]>): AsyncGenerator<string> {
  const head = `${columns.join(',')}\r\n`;
  let isFirst = true;
  for await (const page of pages) {
    const lines = page.length === 0 ? '' : toCsvLines(columns, page);
    if (isFirst) yield head + lines;
    else if (lines !== '') yield lines;
    isFirst = false;
  }
  if (isFirst) yield head;
}
