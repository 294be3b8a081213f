import { BACKSLASH, QUOTE } from './ascii.js';

/** Bytes of a string from which on it is left out. */
const LONG_STRING_BYTES = 4_096;
const EMPTY = Buffer.from('""');

/**
 * A JSON text in which long strings (files in base64) are empty, so that the rest can be parsed without making the
 * strings: a body of 30 MB becomes one of some hundred bytes at the speed of memory. Text that is not JSON stays as it is.
 */
export function withoutLongStrings(json: Buffer): Buffer {
  const kept: Buffer[] = [];
  let from = 0;
  let open = json.indexOf(QUOTE);
  while (open !== -1) {
    const close = endOfString(json, open);
    if (close === -1) break;
    if (close - open > LONG_STRING_BYTES) {
      kept.push(json.subarray(from, open), EMPTY);
      from = close + 1;
    }
    open = json.indexOf(QUOTE, close + 1);
  }
  if (kept.length === 0) return json;
  kept.push(json.subarray(from));
  return Buffer.concat(kept);
}

/** Where the closing quote is. */
function endOfString(json: Buffer, open: number): number {
  for (let close = json.indexOf(QUOTE, open + 1); close !== -1; close = json.indexOf(QUOTE, close + 1)) {
    let before = close - 1;
    while (json[before] === BACKSLASH) before -= 1;
    // An even number of backslashes escapes itself, not the quote.
    if ((close - before) % 2 === 1) return close;
  }
  return -1;
}
