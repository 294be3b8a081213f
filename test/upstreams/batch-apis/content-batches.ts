import { randomBytes } from 'node:crypto';
import { outputOf, type BatchRequest, type BatchServer, type Send, type StoredBatch } from './batch-server.js';
import { contentOf, promptOf } from './live-response.js';

/** Batches per page, also where a request asks for more, so that lists have pages. */
const PAGE_BATCHES = 2;

const STATES = {
  in_progress: 'RUNNING',
  cancelling: 'RUNNING',
  cancelled: 'CANCELLED',
  completed: 'SUCCEEDED',
  expired: 'EXPIRED',
} as const;

/** Gemini's files and batches, at `/v1beta`. https://ai.google.dev/api/batch-api, https://ai.google.dev/api/files */
export function contentBatches(server: BatchServer, request: BatchRequest, send: Send): boolean {
  const { method, url, text } = request;
  const { pathname } = url;
  if (pathname === '/upload/v1beta/files' && method === 'POST') upload(server, request, send);
  else if (/^\/v1beta\/models\/[^/]+:batchGenerateContent$/.test(pathname)) create(server, text, send);
  else if (pathname === '/v1beta/batches') list(server, url, send);
  else if (pathname.startsWith('/v1beta/batches/')) batch(server, method, pathname.slice(16), send);
  else if (pathname.startsWith('/v1beta/files/')) file(server, request, pathname.slice(8), send);
  else return false;
  return true;
}

function upload(server: BatchServer, { headers, text }: BatchRequest, send: Send): void {
  const boundary = /^multipart\/related; boundary=(.+)$/.exec(headers['content-type'] ?? '')?.[1];
  const [, facts = '', media = ''] = boundary === undefined ? [] : text.split(`--${boundary}`);
  const { file: { mimeType } = {} } = JSON.parse(contentOfPart(facts) || '{}') as { file?: { mimeType?: string } };
  if (headers['x-goog-upload-protocol'] !== 'multipart' || mimeType !== 'application/jsonl') {
    send(400, errorOf(400));
    return;
  }
  const name = `files/${randomBytes(6).toString('hex')}`;
  server.files.set(name, contentOfPart(media));
  send(200, { file: { name, mimeType, state: 'ACTIVE' } });
}

function contentOfPart(part: string): string {
  return part.slice(part.indexOf('\r\n\r\n') + 4, -2);
}

function create(server: BatchServer, text: string, send: Send): void {
  const { batch: asked } = JSON.parse(text) as { batch: { displayName: string; inputConfig: { fileName: string } } };
  const input = server.files.get(asked.inputConfig.fileName);
  if (input === undefined) {
    send(404, errorOf(404));
    return;
  }
  const lines = input.split('\n').map((line) => {
    const { key: customId, request } = JSON.parse(line) as { key: string; request: Record<string, unknown> };
    return { customId, text: promptOf(request) };
  });
  const created = server.create({ lines, facts: { ...asked }, writeError: errorOf });
  if ('batch' in created) send(200, operation(server, created.batch));
  else send(created.status, created.body);
}

function list(server: BatchServer, { searchParams }: URL, send: Send): void {
  const start = Number(searchParams.get('pageToken') ?? 0);
  const all = [...server.stored.values()];
  const operations = all.slice(start, start + PAGE_BATCHES).map((each) => operation(server, each));
  const next = start + PAGE_BATCHES;
  send(200, { operations, ...(next < all.length && { nextPageToken: String(next) }) });
}

function batch(server: BatchServer, method: string, name: string, send: Send): void {
  const [id = '', action] = name.split(':');
  const found = server.stored.get(id);
  if (found === undefined) send(404, errorOf(404));
  else if (action === 'cancel') {
    found.cancelledAt ??= Date.now();
    send(200, {});
  } else send(200, method === 'DELETE' ? {} : operation(server, found));
}

function file(server: BatchServer, { method, url }: BatchRequest, path: string, send: Send): void {
  const [name = '', action] = path.split(':');
  const found = server.stored.get(name.replace('files/out-', ''));
  if (method === 'DELETE') {
    server.files.delete(name);
    send(200, {});
  } else if (found === undefined || action !== 'download' || url.searchParams.get('alt') !== 'media') {
    send(404, errorOf(404));
  } else if (found.behavior.hidesOutput === true) send(500, errorOf(500));
  else {
    server.read.add(found.id);
    send(200, responses(server, found), 'application/jsonl');
  }
}

function operation(server: BatchServer, found: StoredBatch): object {
  const status = server.statusOf(found);
  const isEnded = server.settle(found);
  const output = { responsesFile: `files/out-${found.id}` };
  const hasOutput = isEnded && found.lines.some((_line, index) => server.hasResult(found, index));
  return {
    name: `batches/${found.id}`,
    metadata: {
      '@type': 'type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch',
      name: `batches/${found.id}`,
      displayName: found.facts['displayName'],
      inputConfig: found.facts['inputConfig'],
      createTime: new Date(found.createdAt).toISOString(),
      state: `BATCH_STATE_${STATES[status]}`,
      ...(hasOutput && { output }),
    },
    ...(isEnded && { done: true }),
    ...(status === 'completed' && hasOutput && { response: output }),
    ...(isEnded && status !== 'completed' && { error: { code: 10, message: `The batch is ${status}.` } }),
  };
}

function responses(server: BatchServer, { lines, behavior, id }: StoredBatch): string {
  const found = server.stored.get(id);
  return outputOf(
    lines.map(({ customId: key, text }, index) => {
      if (found === undefined || !server.hasResult(found, index)) return '';
      if (behavior.garbles?.(index) === true) return `{"key":"${key}","resp`;
      const status = behavior.fails?.(index);
      if (status === undefined) return JSON.stringify({ response: contentOf(text), key });
      // As codes of google.rpc.Status.
      return JSON.stringify({ key, error: { code: status === 429 ? 8 : 3, message: 'No.' } });
    }),
  );
}

function errorOf(status: number): object {
  return { error: { code: status, message: 'No.', status: 'UNKNOWN' } };
}
