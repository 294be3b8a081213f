import type { Schemas } from '../api/client';

/** Bytes of a file that are looked at for its first line. */
const HEAD_BYTES = 256 * 1024;
type Endpoint = Schemas['CreateFileBatch']['endpoint'];
const DEFAULT_ENDPOINT: Endpoint = '/v1/chat/completions';
const ENDPOINTS: readonly Endpoint[] = [
  DEFAULT_ENDPOINT,
  '/v1/completions',
  '/v1/embeddings',
  '/v1/messages',
  '/v1/moderations',
  '/v1/rerank',
  '/v1/responses',
  '/v2/rerank',
];

/** What the first line of a file says. */
export interface FilePreview {
  /** The endpoint of the batch; undefined where the file cannot be one. */
  readonly endpoint: Endpoint | undefined;
  readonly model: string | undefined;
  /** Why the file cannot be a batch, and how to fix it. */
  readonly fault: string | undefined;
}

/** Reads the beginning of a file alone. All lines are checked by the gateway. */
export async function previewOf(file: Blob): Promise<FilePreview> {
  if (file.size === 0) return faulty('The file is empty. It needs one request a line.');
  const text = (await file.slice(0, HEAD_BYTES).text()).replace(/^\uFEFF/, '');
  const end = text.search(/\S[^\n]*(?:\n|$)/);
  const line = end === -1 ? '' : (text.slice(end).split('\n', 1)[0] ?? '').trim();
  if (line === '') return faulty('The file has no lines. It needs one request a line.');
  // A line that is longer than what was read is checked by the gateway.
  if (end + line.length >= text.length && file.size > HEAD_BYTES)
    return { ...faulty(undefined), endpoint: DEFAULT_ENDPOINT };
  if (line.startsWith('[')) return faulty('The file is a JSON array. Write each of its entries on a line of its own.');
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return faulty('The first line is not valid JSON. Each line must be one JSON object.');
  }
  if (typeof value !== 'object' || value === null) {
    return faulty('The first line is no JSON object. A line has custom_id, method, url and body.');
  }
  const { url, body } = value as { url?: unknown; body?: { model?: unknown } | null };
  if (typeof body !== 'object' || body === null) {
    return faulty('The first line has no "body". A line is {"custom_id", "method": "POST", "url", "body": {...}}.');
  }
  const endpoint = url === undefined ? DEFAULT_ENDPOINT : ENDPOINTS.find((each) => each === url);
  if (endpoint === undefined) return faulty(`The "url" of the first line must be one of ${ENDPOINTS.join(', ')}.`);
  return {
    endpoint,
    model: typeof body.model === 'string' ? body.model : undefined,
    fault: undefined,
  };
}

function faulty(fault: string | undefined): FilePreview {
  return { endpoint: undefined, model: undefined, fault };
}
