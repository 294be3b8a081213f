import { outputOf, type BatchRequest, type BatchServer, type Send, type StoredBatch } from './batch-server.js';
import { messageOf, promptOf } from './live-response.js';

/** Anthropic's Message Batches, at `/v1/messages/batches`. https://docs.claude.com/en/api/creating-message-batches */
export function messageBatches(server: BatchServer, { method, url, text }: BatchRequest, send: Send): boolean {
  const [, version, kind, collection, id, action] = url.pathname.split('/');
  if (version !== 'v1' || kind !== 'messages' || collection !== 'batches') return false;
  if (method === 'POST' && id === undefined) {
    const { requests } = JSON.parse(text) as { requests: { custom_id: string; params: Record<string, unknown> }[] };
    const lines = requests.map(({ custom_id: customId, params }) => ({ customId, text: promptOf(params) }));
    const created = server.create({ lines, facts: {} });
    if ('batch' in created) send(200, batchBody(server, created.batch));
    else send(created.status, created.body);
    return true;
  }
  if (id === undefined) {
    const data = [...server.stored.values()].reverse().map((batch) => batchBody(server, batch));
    send(200, { data, has_more: false });
    return true;
  }
  const batch = server.stored.get(id);
  if (batch === undefined) {
    send(404, { type: 'error', error: { type: 'not_found_error', message: 'none' } });
    return true;
  }
  if (action === 'cancel') batch.cancelledAt ??= Date.now();
  if (action === 'results') {
    server.read.add(batch.id);
    send(200, results(server, batch));
  } else send(200, batchBody(server, batch));
  return true;
}

function results(server: BatchServer, batch: StoredBatch): string {
  const lines = batch.lines.map(({ customId, text: prompt }, index) => {
    if (batch.behavior.garbles?.(index) === true) return `{"custom_id":"${customId}","res`;
    const hasResult = server.hasResult(batch, index);
    const ended = batch.cancelledAt === undefined ? 'expired' : 'canceled';
    const status = batch.behavior.fails?.(index);
    const error = { type: 'error', error: { type: 'invalid_request_error', message: 'No.' } };
    const result = !hasResult
      ? { type: ended }
      : status === undefined
        ? { type: 'succeeded', message: messageOf(prompt) }
        : { type: 'errored', error };
    if (!hasResult && batch.behavior.loses?.(index) === true) return '';
    return JSON.stringify({ custom_id: customId, result });
  });
  return outputOf(lines);
}

function batchBody(server: BatchServer, batch: StoredBatch): object {
  const isEnded = server.settle(batch);
  return {
    id: batch.id,
    type: 'message_batch',
    processing_status: isEnded ? 'ended' : batch.cancelledAt === undefined ? 'in_progress' : 'canceling',
    created_at: new Date(batch.createdAt).toISOString(),
    request_counts: { processing: batch.lines.length, succeeded: 0, errored: 0, canceled: 0, expired: 0 },
    results_url: isEnded ? `${server.url}/v1/messages/batches/${batch.id}/results` : null,
  };
}
