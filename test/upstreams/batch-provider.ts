import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomBytes } from 'node:crypto';
import type { BatchRequest, BatchServer, Line, Send, StoredBatch } from './batch-apis/batch-server.js';
import { contentBatches } from './batch-apis/content-batches.js';
import { invocationJobs } from './batch-apis/invocation-jobs.js';
import { objects } from './batch-apis/objects.js';
import { predictionJobs } from './batch-apis/prediction-jobs.js';
import { fileBatches } from './batch-apis/file-batches.js';
import { liveResponse } from './batch-apis/live-response.js';
import { messageBatches } from './batch-apis/message-batches.js';

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
  /** Keeps the response to a request back until what this gives has resolved. @param request such as `POST /v1/files` */
  readonly holds?: (request: string) => Promise<void> | undefined;
  /** The output of batches that have ended cannot be read. */
  readonly hidesOutput?: boolean;
}

/** A provider with the batch APIs of several ones, which bills what it accepts. */
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
  /** Names of files and objects that were not deleted. */
  readonly files: ReadonlyMap<string, string>;
  /** Has none of its batches any more, as where someone has deleted them. */
  loseBatches(): void;
  /** Forgets its batches, files, bills and behavior. */
  reset(): void;
  stop(): Promise<void>;
}

/** Seconds of a job whose lines have to leave their part before the deadline: a fifth of it is enough to run them on a busy machine. */
export const SHORT_SECONDS = 36;

export { LINE_USAGE } from './batch-apis/live-response.js';

export async function startBatchProvider(): Promise<BatchProvider> {
  const provider = new FakeBatchProvider();
  await provider.start();
  return provider;
}

/** Each responds to the requests that are its own. */
const APIS: readonly ((server: BatchServer, request: BatchRequest, send: Send) => boolean)[] = [
  messageBatches,
  fileBatches,
  contentBatches,
  invocationJobs,
  predictionJobs,
  objects,
];

class FakeBatchProvider implements BatchProvider, BatchServer {
  url = '';
  behavior: BatchBehavior = {};
  readonly billed: string[] = [];
  readonly live: { text: string; tier: string | undefined }[] = [];
  readonly read = new Set<string>();
  flexRefusals = 0;
  readonly stored = new Map<string, StoredBatch>();
  readonly files = new Map<string, string>();
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

  loseBatches(): void {
    this.stored.clear();
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

  create({
    lines,
    facts,
    writeError = apiError,
  }: Parameters<BatchServer['create']>[0]): ReturnType<BatchServer['create']> {
    const { behavior } = this;
    this.creations += 1;
    if (behavior.refuses !== undefined) return { status: behavior.refuses, body: writeError(behavior.refuses) };
    if (this.creations <= (behavior.failsBeforeCreation ?? 0)) return { status: 500, body: writeError(500) };
    const id = `batch-${randomBytes(6).toString('hex')}`;
    const batch = { id, facts, lines, createdAt: Date.now(), behavior, cancelledAt: undefined };
    this.stored.set(id, batch);
    const { failsAfterCreation: fails = 0 } = behavior;
    const isLost = typeof fails === 'number' ? this.creations <= fails : fails(this.creations);
    return isLost ? { status: 500, body: writeError(500) } : { batch };
  }

  statusOf({ cancelledAt, createdAt, behavior }: StoredBatch): ReturnType<BatchServer['statusOf']> {
    const now = Date.now();
    if (cancelledAt !== undefined) {
      return now >= cancelledAt + (behavior.cancelMs ?? 0) ? 'cancelled' : 'cancelling';
    }
    if (now < createdAt + (behavior.takesMs ?? 0)) return 'in_progress';
    return behavior.expiresAfter === undefined ? 'completed' : 'expired';
  }

  settle(batch: StoredBatch): boolean {
    const isEnded = ['completed', 'expired', 'cancelled'].includes(this.statusOf(batch));
    if (isEnded && !this.done.has(batch.id)) {
      this.done.add(batch.id);
      batch.lines.forEach(({ text }, index) => {
        if (this.hasResult(batch, index) && batch.behavior.fails?.(index) === undefined) this.billed.push(text);
      });
    }
    return isEnded;
  }

  hasResult({ behavior, cancelledAt, createdAt }: StoredBatch, index: number): boolean {
    if (behavior.loses?.(index) === true) return false;
    if (behavior.expiresAfter !== undefined) return index < behavior.expiresAfter;
    // A batch that was cancelled before its time has done the first half.
    return cancelledAt === undefined || cancelledAt >= createdAt + (behavior.takesMs ?? 0) || index % 2 === 0;
  }

  private async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const { method = 'GET', headers } = request;
    const body = Buffer.concat(chunks);
    const url = new URL(request.url ?? '/', 'http://provider');
    const send: Send = (status, answer, type = 'application/json') => {
      const text = typeof answer === 'string' ? answer : JSON.stringify(answer);
      const respond = (): void => {
        response.writeHead(status, { 'content-type': type });
        response.end(text);
      };
      const held = this.behavior.holds?.(`${method} ${url.pathname}`);
      if (held === undefined) respond();
      else void held.then(respond);
    };
    const received = { method, url, target: request.url ?? '/', headers, body, text: body.toString('utf8') };
    if (!APIS.some((api) => api(this, received, send))) liveResponse(this, received, send);
  }
}

function apiError(): object {
  return { type: 'error', error: { type: 'api_error', message: 'Internal error' } };
}
