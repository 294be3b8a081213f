import { randomBytes } from 'node:crypto';
import { outputOf, type BatchRequest, type BatchServer, type Send, type StoredBatch } from './batch-server.js';
import { completionOf, promptOf } from './live-response.js';

/** OpenAI's files and batches, at `/v1/files` and `/v1/batches`. https://platform.openai.com/docs/api-reference/batch */
export function fileBatches(server: BatchServer, { method, url, text }: BatchRequest, send: Send): boolean {
  const [, version, kind, id, action] = url.pathname.split('/');
  if (version !== 'v1') return false;
  if (kind === 'files') file(server, method, id, action, text, send);
  else if (kind === 'batches') batches(server, method, id, action, text, send);
  else return false;
  return true;
}

function file(
  server: BatchServer,
  method: string,
  id: string | undefined,
  action: string | undefined,
  text: string,
  send: Send,
): void {
  if (method === 'POST') {
    const name = `file-${randomBytes(6).toString('hex')}`;
    const start = text.indexOf('\r\n\r\n', text.indexOf('name="file"')) + 4;
    server.files.set(name, text.slice(start, text.lastIndexOf('\r\n--')));
    send(200, { id: name, object: 'file' });
    return;
  }
  if (id === undefined) {
    send(404, { error: { message: 'no file' } });
    return;
  }
  if (method === 'DELETE') {
    send(200, { id, deleted: server.files.delete(id) });
    return;
  }
  if (action !== 'content') {
    send(200, { id, object: 'file' });
    return;
  }
  const batch = server.stored.get(id.replace(/^(?:out|err)-/, ''));
  if (batch === undefined) {
    send(404, { error: { message: 'no file' } });
    return;
  }
  if (batch.behavior.hidesOutput === true) {
    send(500, { error: { message: 'no content' } });
    return;
  }
  server.read.add(batch.id);
  send(200, fileContent(server, batch, id.startsWith('err-')));
}

function batches(
  server: BatchServer,
  method: string,
  id: string | undefined,
  action: string | undefined,
  text: string,
  send: Send,
): void {
  if (method === 'POST' && id === undefined) {
    const { input_file_id: input, metadata } = JSON.parse(text) as { input_file_id: string; metadata: unknown };
    const lines = (server.files.get(input) ?? '').split('\n').map((line) => {
      const { custom_id: customId, body } = JSON.parse(line) as { custom_id: string; body: Record<string, unknown> };
      return { customId, text: promptOf(body) };
    });
    const created = server.create({ lines, facts: { metadata, input } });
    if ('batch' in created) send(200, batchBody(server, created.batch));
    else send(created.status, created.body);
    return;
  }
  if (id === undefined) {
    const data = [...server.stored.values()].reverse().map((batch) => batchBody(server, batch));
    send(200, { object: 'list', data, has_more: false });
    return;
  }
  const batch = server.stored.get(id);
  if (batch === undefined) {
    send(404, { error: { message: 'no batch' } });
    return;
  }
  if (action === 'cancel') batch.cancelledAt ??= Date.now();
  send(200, batchBody(server, batch));
}

function batchBody(server: BatchServer, batch: StoredBatch): object {
  const status = server.statusOf(batch);
  const hasOutput = server.settle(batch) && batch.lines.some((_line, index) => server.hasResult(batch, index));
  const hasErrors = ['expired', 'cancelled'].includes(status);
  return {
    id: batch.id,
    object: 'batch',
    status,
    created_at: Math.floor(batch.createdAt / 1_000),
    metadata: batch.facts['metadata'],
    input_file_id: batch.facts['input'],
    output_file_id: hasOutput ? `out-${batch.id}` : null,
    error_file_id: hasErrors ? `err-${batch.id}` : null,
  };
}

function fileContent(server: BatchServer, batch: StoredBatch, isErrors: boolean): string {
  const lines = batch.lines.map(({ customId, text }, index) => {
    if (isErrors !== !server.hasResult(batch, index)) return '';
    if (isErrors) return JSON.stringify({ custom_id: customId, response: null, error: { code: 'batch_expired' } });
    if (batch.behavior.garbles?.(index) === true) return `{"custom_id":"${customId}","response":{"status_c`;
    const status = batch.behavior.fails?.(index);
    const body =
      status === undefined ? completionOf(text) : { error: { message: 'No.', type: 'invalid_request_error' } };
    return JSON.stringify({ custom_id: customId, response: { status_code: status ?? 200, body }, error: null });
  });
  return outputOf(lines);
}
