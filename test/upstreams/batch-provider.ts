import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomBytes } from 'node:crypto';

/** What the provider does with the next batches. */
export interface BatchBehavior {
  /** Milliseconds until a batch ends. */
  readonly takesMs?: number;
  /** Lines that have no result, by their position. */
  readonly loses?: (index: number) => boolean;
  /** Lines whose result is no JSON. */
  readonly garbles?: (index: number) => boolean;
  /** Lines that fail with an error of this status. */
  readonly fails?: (index: number) => number | undefined;
  /** The batch expires when this many of its lines are done. */
  readonly expiresAfter?: number;
  /** Responds to these requests to create a batch with a 500, after it has created it: the first ones, or by their number from 1. */
  readonly failsAfterCreation?: number | ((creation: number) => boolean);
  /** Responds to this many requests to create a batch with a 500, and creates nothing. */
  readonly failsBeforeCreation?: number;
  /** Refuses batches with this status. */
  readonly refuses?: number;
  /** Milliseconds until a cancelled batch has ended. */
  readonly cancelMs?: number;
}

interface Line {
  readonly customId: string;
  readonly text: string;
}

interface StoredBatch {
  readonly id: string;
  readonly metadata: unknown;
  readonly lines: readonly Line[];
  readonly createdAt: number;
  readonly behavior: BatchBehavior;
  readonly inputFile: string;
  cancelledAt: number | undefined;
}

/** A provider with OpenAI's files and batches and Anthropic's Message Batches, which bills what it accepts. */
export interface BatchProvider {
  readonly url: string;
  behavior: BatchBehavior;
  /** Batches that were created. */
  readonly batches: readonly { readonly id: string; readonly lines: readonly Line[] }[];
  /** Texts of lines for which a batch has a result, each as often as it was billed. */
  readonly billed: string[];
  /** Texts of live requests, with their tier. */
  readonly live: { readonly text: string; readonly tier: string | undefined }[];
  /** Requests of the flex tier that are answered with 429 before one is served. */
  flexRefusals: number;
  /** Batches whose results were read. */
  readonly read: Set<string>;
  /** Forgets its batches, files, bills and behavior. */
  reset(): void;
  stop(): Promise<void>;
}

export const LINE_USAGE = {
  prompt_tokens: 100,
  completion_tokens: 10,
  reasoning_tokens: 4,
  cached_tokens: 40,
} as const;

export async function startBatchProvider(): Promise<BatchProvider> {
  const provider = new FakeBatchProvider();
  await provider.start();
  return provider;
}

class FakeBatchProvider implements BatchProvider {
  url = '';
  behavior: BatchBehavior = {};
  readonly billed: string[] = [];
  readonly live: { text: string; tier: string | undefined }[] = [];
  readonly read = new Set<string>();
  flexRefusals = 0;
  private readonly stored = new Map<string, StoredBatch>();
  private readonly files = new Map<string, string>();
  private readonly done = new Set<string>();
  private creations = 0;
  private readonly server = createServer((request, response) => {
    void this.serve(request, response).catch(() => response.destroy());
  });

  get batches(): readonly StoredBatch[] {
    return [...this.stored.values()];
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.server.listen(0, '127.0.0.1', resolve);
    });
    this.url = `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  reset(): void {
    this.behavior = {};
    this.billed.length = 0;
    this.live.length = 0;
    this.flexRefusals = 0;
    this.creations = 0;
    for (const kept of [this.read, this.stored, this.files, this.done]) kept.clear();
  }

  async stop(): Promise<void> {
    await new Promise((resolve) => {
      this.server.close(resolve);
      this.server.closeAllConnections();
    });
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    const { method = 'GET' } = request;
    const { pathname } = new URL(request.url ?? '/', 'http://provider');
    const send = (status: number, body: unknown): void => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    };
    const [, , kind, id, action] = pathname.split('/');
    if (kind === 'messages' && id === 'batches') {
      this.messageBatches(method, pathname.split('/').slice(4), text, send);
    } else if (kind === 'files') this.file(method, id, action, text, send);
    else if (kind === 'batches') this.openAiBatches(method, id, action, text, send);
    else this.answerLive(pathname, JSON.parse(text || '{}') as Record<string, unknown>, send);
  }

  private answerLive(path: string, body: Record<string, unknown>, send: Send): void {
    const tier = typeof body['service_tier'] === 'string' ? body['service_tier'] : undefined;
    if (tier === 'flex' && this.flexRefusals > 0) {
      this.flexRefusals -= 1;
      send(429, { error: { message: 'Resource unavailable', type: 'rate_limit_error', code: 'resource_unavailable' } });
      return;
    }
    const text = promptOf(body);
    this.live.push({ text, tier });
    send(200, path.endsWith('messages') ? messageOf(text) : completionOf(text, tier));
  }

  private file(method: string, id: string | undefined, action: string | undefined, text: string, send: Send): void {
    if (method === 'POST') {
      const file = `file-${randomBytes(6).toString('hex')}`;
      const start = text.indexOf('\r\n\r\n', text.indexOf('name="file"')) + 4;
      this.files.set(file, text.slice(start, text.lastIndexOf('\r\n--')));
      send(200, { id: file, object: 'file' });
      return;
    }
    if (id === undefined) {
      send(404, { error: { message: 'no file' } });
      return;
    }
    if (method === 'DELETE') {
      send(200, { id, deleted: this.files.delete(id) });
      return;
    }
    if (action !== 'content') {
      send(200, { id, object: 'file' });
      return;
    }
    const batch = this.stored.get(id.replace(/^(?:out|err)-/, ''));
    if (batch === undefined) {
      send(404, { error: { message: 'no file' } });
      return;
    }
    this.read.add(batch.id);
    send(200, this.openAiOutput(batch, id.startsWith('err-')));
  }

  private openAiBatches(
    method: string,
    id: string | undefined,
    action: string | undefined,
    text: string,
    send: Send,
  ): void {
    if (method === 'POST' && id === undefined) {
      const { input_file_id: file, metadata } = JSON.parse(text) as { input_file_id: string; metadata: unknown };
      const lines = (this.files.get(file) ?? '').split('\n').map((line) => {
        const { custom_id: customId, body } = JSON.parse(line) as { custom_id: string; body: Record<string, unknown> };
        return { customId, text: promptOf(body) };
      });
      this.create(lines, metadata, file, send, (batch) => this.openAiBatch(batch));
      return;
    }
    if (id === undefined) {
      const data = [...this.stored.values()].reverse().map((batch) => this.openAiBatch(batch));
      send(200, { object: 'list', data, has_more: false });
      return;
    }
    const batch = this.stored.get(id);
    if (batch === undefined) {
      send(404, { error: { message: 'no batch' } });
      return;
    }
    if (action === 'cancel') batch.cancelledAt ??= Date.now();
    send(200, this.openAiBatch(batch));
  }

  private openAiBatch(batch: StoredBatch): object {
    const status = this.statusOf(batch);
    const hasOutput = this.settle(batch) && batch.lines.some((_line, index) => this.hasResult(batch, index));
    const hasErrors = ['expired', 'cancelled'].includes(status);
    return {
      id: batch.id,
      object: 'batch',
      status,
      created_at: Math.floor(batch.createdAt / 1_000),
      metadata: batch.metadata,
      input_file_id: batch.inputFile,
      output_file_id: hasOutput ? `out-${batch.id}` : null,
      error_file_id: hasErrors ? `err-${batch.id}` : null,
    };
  }

  private openAiOutput(batch: StoredBatch, isErrors: boolean): string {
    const lines = batch.lines.map(({ customId, text }, index) => {
      if (isErrors !== !this.hasResult(batch, index)) return '';
      if (isErrors) return JSON.stringify({ custom_id: customId, response: null, error: { code: 'batch_expired' } });
      if (batch.behavior.garbles?.(index) === true) return `{"custom_id":"${customId}","response":{"status_c`;
      const status = batch.behavior.fails?.(index);
      const body =
        status === undefined ? completionOf(text) : { error: { message: 'No.', type: 'invalid_request_error' } };
      return JSON.stringify({ custom_id: customId, response: { status_code: status ?? 200, body }, error: null });
    });
    // In another order than that of the input.
    return lines
      .reverse()
      .filter((line) => line !== '')
      .join('\n');
  }

  private messageBatches(method: string, [id, action]: string[], text: string, send: Send): void {
    if (method === 'POST' && id === undefined) {
      const { requests } = JSON.parse(text) as { requests: { custom_id: string; params: Record<string, unknown> }[] };
      const lines = requests.map(({ custom_id: customId, params }) => ({ customId, text: promptOf(params) }));
      this.create(lines, undefined, '', send, (batch) => this.messageBatch(batch));
      return;
    }
    if (id === undefined) {
      const data = [...this.stored.values()].reverse().map((batch) => this.messageBatch(batch));
      send(200, { data, has_more: false });
      return;
    }
    const batch = this.stored.get(id);
    if (batch === undefined) {
      send(404, { type: 'error', error: { type: 'not_found_error', message: 'none' } });
      return;
    }
    if (action === 'cancel') batch.cancelledAt ??= Date.now();
    if (action !== 'results') {
      send(200, this.messageBatch(batch));
      return;
    }
    this.read.add(batch.id);
    const lines = batch.lines.map(({ customId, text: prompt }, index) => {
      if (batch.behavior.garbles?.(index) === true) return `{"custom_id":"${customId}","res`;
      const hasResult = this.hasResult(batch, index);
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
    send(
      200,
      lines
        .reverse()
        .filter((line) => line !== '')
        .join('\n'),
    );
  }

  private messageBatch(batch: StoredBatch): object {
    const isEnded = this.settle(batch);
    return {
      id: batch.id,
      type: 'message_batch',
      processing_status: isEnded ? 'ended' : batch.cancelledAt === undefined ? 'in_progress' : 'canceling',
      created_at: new Date(batch.createdAt).toISOString(),
      request_counts: { processing: batch.lines.length, succeeded: 0, errored: 0, canceled: 0, expired: 0 },
      results_url: isEnded ? `${this.url}/v1/messages/batches/${batch.id}/results` : null,
    };
  }

  private create(
    lines: readonly Line[],
    metadata: unknown,
    inputFile: string,
    send: Send,
    write: (batch: StoredBatch) => object,
  ): void {
    const { behavior } = this;
    this.creations += 1;
    const error = { type: 'error', error: { type: 'api_error', message: 'Internal error' } };
    if (behavior.refuses !== undefined) {
      send(behavior.refuses, error);
      return;
    }
    if (this.creations <= (behavior.failsBeforeCreation ?? 0)) {
      send(500, error);
      return;
    }
    const id = `batch-${randomBytes(6).toString('hex')}`;
    const batch = { id, metadata, lines, createdAt: Date.now(), behavior, inputFile, cancelledAt: undefined };
    this.stored.set(id, batch);
    const { failsAfterCreation: fails = 0 } = behavior;
    if (typeof fails === 'number' ? this.creations <= fails : fails(this.creations)) {
      send(500, error);
      return;
    }
    send(200, write(batch));
  }

  private statusOf({ cancelledAt, createdAt, behavior }: StoredBatch): string {
    const now = Date.now();
    if (cancelledAt !== undefined) {
      return now >= cancelledAt + (behavior.cancelMs ?? 0) ? 'cancelled' : 'cancelling';
    }
    if (now < createdAt + (behavior.takesMs ?? 0)) return 'in_progress';
    return behavior.expiresAfter === undefined ? 'completed' : 'expired';
  }

  /** Whether it has ended; its results are billed then, once. */
  private settle(batch: StoredBatch): boolean {
    const isEnded = ['completed', 'expired', 'cancelled'].includes(this.statusOf(batch));
    if (isEnded && !this.done.has(batch.id)) {
      this.done.add(batch.id);
      batch.lines.forEach(({ text }, index) => {
        if (this.hasResult(batch, index) && batch.behavior.fails?.(index) === undefined) this.billed.push(text);
      });
    }
    return isEnded;
  }

  private hasResult({ behavior, cancelledAt, createdAt }: StoredBatch, index: number): boolean {
    if (behavior.loses?.(index) === true) return false;
    if (behavior.expiresAfter !== undefined) return index < behavior.expiresAfter;
    // A batch that was cancelled before its time has done the first half.
    return cancelledAt === undefined || cancelledAt >= createdAt + (behavior.takesMs ?? 0) || index % 2 === 0;
  }
}

type Send = (status: number, body: unknown) => void;

function promptOf({ messages }: Record<string, unknown>): string {
  const last = (messages as { content: unknown }[]).at(-1)?.content;
  return typeof last === 'string' ? last : (last as { text: string }[]).map(({ text }) => text).join('');
}

function completionOf(text: string, tier?: string): object {
  return {
    id: 'chatcmpl-batch',
    object: 'chat.completion',
    created: 1_700_000_000,
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content: `echo ${text}` }, finish_reason: 'stop' }],
    usage: {
      prompt_tokens: LINE_USAGE.prompt_tokens,
      completion_tokens: LINE_USAGE.completion_tokens,
      total_tokens: LINE_USAGE.prompt_tokens + LINE_USAGE.completion_tokens,
      prompt_tokens_details: { cached_tokens: LINE_USAGE.cached_tokens },
      completion_tokens_details: { reasoning_tokens: LINE_USAGE.reasoning_tokens },
    },
    ...(tier !== undefined && { service_tier: tier }),
  };
}

function messageOf(text: string): object {
  return {
    id: 'msg_batch',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [{ type: 'text', text: `echo ${text}` }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: {
      input_tokens: LINE_USAGE.prompt_tokens - LINE_USAGE.cached_tokens,
      cache_read_input_tokens: LINE_USAGE.cached_tokens,
      output_tokens: LINE_USAGE.completion_tokens,
    },
  };
}
