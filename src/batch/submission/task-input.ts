import { GatewayError, invalidRequest } from '../../errors/gateway-error.js';
import { requestTooLarge, type BodyLimit } from '../../http/body-stream.js';
import { objectOf } from '../../runtime/json-value.js';
import { UnreadableUrl } from '../../webhooks/read-url.js';
import { jsonlLines } from '../file-batches/jsonl-lines.js';

const URL_PATH = 'input.url';
/** Milliseconds of reading after which it yields to the event loop. */
const SLICE_MS = 8;

/** Opens the content of an address. */
export type OpenUrl = (url: string) => AsyncIterable<Buffer>;

/**
 * Reads the tasks of a submission from the address of its `input`, in memory that does not grow with them.
 *
 * @param input as it was sent; where it has no address, nothing is read
 * @param take takes each line that is not blank
 * @throws GatewayError 400 that names `input.url` where it cannot be read, 413 over the limit, and errors of `take`
 */
export async function readTaskInput(
  input: unknown,
  open: OpenUrl,
  { limit, maxLineBytes, take }: { limit: BodyLimit; maxLineBytes: number; take: (line: string) => void },
): Promise<void> {
  const { url } = objectOf(input);
  if (typeof url !== 'string') return;
  let sliceEnd = performance.now() + SLICE_MS;
  let bytes = 0;
  try {
    for await (const line of jsonlLines(bounded(open(url), limit), maxLineBytes)) {
      if ('fault' in line) throw unreadableLine(line.number, line.fault);
      bytes += Buffer.byteLength(line.text);
      if (bytes > limit.maxBytes) throw requestTooLarge(limit);
      take(line.text);
      if (performance.now() < sliceEnd) continue;
      await new Promise(setImmediate);
      sliceEnd = performance.now() + SLICE_MS;
    }
  } catch (error) {
    if (error instanceof GatewayError) throw error;
    if (error instanceof UnreadableUrl) throw invalidRequest(`'${URL_PATH}' ${error.message}.`, URL_PATH);
    const { code } = objectOf(error);
    if (typeof code !== 'string' || !code.startsWith('Z_')) throw error;
    throw invalidRequest(`'${URL_PATH}' begins like gzip, but cannot be decompressed.`, URL_PATH);
  }
}

async function* bounded(content: AsyncIterable<Buffer>, limit: BodyLimit): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of content) {
    bytes += chunk.length;
    if (bytes > limit.maxBytes) throw requestTooLarge(limit);
    yield chunk;
  }
}

function unreadableLine(number: number, fault: 'not_utf8' | 'too_long'): GatewayError {
  const reason = fault === 'too_long' ? 'is too long' : 'is not valid UTF-8';
  return invalidRequest(`Line ${number} of '${URL_PATH}' ${reason}.`, URL_PATH);
}
