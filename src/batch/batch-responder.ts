import { Injectable } from '@nestjs/common';
import type { Request, Response } from 'express';
import type { Principal } from '../auth/principal.js';
import { notFound } from '../errors/gateway-error.js';
import { clientClosedRequest, toGatewayError } from '../errors/to-gateway-error.js';
import { InFlight } from '../lifecycle/in-flight.service.js';
import type { BatchJob } from './batch-job.entity.js';
import { BatchService } from './batch.service.js';
import type { ReadBatchDto } from './batch.dto.js';
import { EventStream } from './events/event-stream.js';
import { JobWatchers } from './events/job-watchers.js';
import { summaryOf } from './job-summary.js';
import { linesOf, OWN_FORMAT, type ResultFormat } from './results/result-format.js';
import { ResultBody } from './results/result-body.js';
import { ResultReader, type ResultRef } from './results/result-reader.js';
import { StreamsPerKey } from './streams-per-key.js';

const DEFAULT_LIMIT = 100;
/** Most bytes of the results of a page; one result may be larger. */
const PAGE_BYTES = 16 * 1024 * 1024;
/** Results whose sizes are read at once for a stream. */
const STREAM_ROWS = 1_000;
/** Streams that one key may have open in a process. */
const MAX_WATCHERS_PER_KEY = 100;
const MAX_READERS_PER_KEY = 16;

/** Both sides of one request of Express. */
interface Exchange {
  readonly request: Request;
  readonly response: Response;
}

/** How all results are sent, one a line. */
export interface LinesForm {
  readonly format: ResultFormat;
  readonly headers: Readonly<Record<string, string>>;
  /** The index of the task after which it begins. */
  readonly after?: number | undefined;
}

const JSON_HEADERS = { 'content-type': 'application/json; charset=utf-8' };
const OWN_LINES: LinesForm = {
  format: linesOf(OWN_FORMAT),
  headers: streamHeaders('application/x-ndjson; charset=utf-8'),
};
const EVENT_HEADERS = streamHeaders('text/event-stream; charset=utf-8');

/** The responses that are written in parts or over time: a page of results, all results as NDJSON, progress as events. */
@Injectable()
export class BatchResponder {
  private readonly watchersPerKey = new StreamsPerKey(MAX_WATCHERS_PER_KEY, 'event streams of batches');
  private readonly readersPerKey = new StreamsPerKey(MAX_READERS_PER_KEY, 'large responses of batch results');

  constructor(
    private readonly batches: BatchService,
    private readonly reader: ResultReader,
    private readonly watchers: JobWatchers,
    private readonly inFlight: InFlight,
  ) {}

  /** The job with a page of its results: up to `limit` results and the bytes of a page, at least one. */
  async page(
    jobId: string,
    principal: Principal,
    { limit = DEFAULT_LIMIT, after = -1, results = true }: ReadBatchDto,
    { request, response }: Exchange,
  ): Promise<void> {
    const job = await this.batches.own(jobId, principal);
    if (request.method === 'HEAD') {
      response.writeHead(200, JSON_HEADERS).end();
      return;
    }
    const expected = after < 0 ? finishedOf(job) : undefined;
    const found = results ? await this.reader.list(job, { after, limit: limit + 1, expected }) : [];
    const shown = pageOf(found, limit);
    const hasMore = shown.length < found.length;
    await this.writeBody({ response, principal, headers: JSON_HEADERS }, async (body) => {
      await body.write([Buffer.from(`${JSON.stringify(summaryOf(job)).slice(0, -1)},"results":[`)]);
      for await (const parts of this.reader.read(job.id, shown, OWN_FORMAT, ',')) {
        await body.write(parts);
      }
      const next = hasMore ? (shown.at(-1)?.index ?? null) : null;
      await body.write([Buffer.from(`],"has_more":${hasMore},"next":${next}}`)]);
    });
  }

  /** All results, one a line, in task order; memory does not grow with their number or size. */
  async results(jobId: string, principal: Principal, exchange: Exchange, after?: number): Promise<void> {
    await this.resultsOf(await this.batches.own(jobId, principal), principal, exchange, { ...OWN_LINES, after });
  }

  /** The same for a job that the reader may see, even of another key, in any format. */
  async resultsOf(
    job: BatchJob,
    principal: Principal,
    { request, response }: Exchange,
    { format, headers, after: first = -1 }: LinesForm = OWN_LINES,
  ): Promise<void> {
    if (request.method === 'HEAD') {
      response.writeHead(200, headers).end();
      return;
    }
    await this.writeBody({ response, principal, headers }, async (body) => {
      let left = finishedOf(job);
      for (let after = first; left > 0;) {
        const expected = first < 0 ? left : undefined;
        const found = await this.reader.list(job, { after, limit: STREAM_ROWS, expected });
        for await (const parts of this.reader.read(job.id, found, format)) {
          await body.write(parts);
        }
        if (found.length === 0) return;
        after = found.at(-1)?.index ?? after;
        left -= found.length;
      }
    });
  }

  /** The job at once, again at each change, and `[DONE]` once it has ended. */
  async events(jobId: string, principal: Principal, { request, response }: Exchange): Promise<void> {
    const job = await this.batches.own(jobId, principal);
    if (request.method === 'HEAD') {
      response.writeHead(200, EVENT_HEADERS).end();
      return;
    }
    const leave = this.watchersPerKey.enter(principal.keyId);
    try {
      await this.whileOpen(response, { watcher: principal }, async (signal) => this.follow(job, response, signal));
    } finally {
      leave();
    }
  }

  private async follow(job: BatchJob, response: Response, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    response.writeHead(200, EVENT_HEADERS).flushHeaders();
    const stream = new EventStream(response);
    let stop: (() => void) | undefined;
    try {
      await new Promise<void>((resolve, reject: (reason: Error) => void) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
        response.once('finish', resolve);
        const watch = this.watchers.watch(job, (state) => {
          if (state !== undefined) stream.notify(state);
          else reject(notFound(`There is no batch '${job.id}'.`, 'not_found', 'job_id'));
        });
        ({ stop } = watch);
        stream.notify(watch.state);
      });
    } finally {
      stop?.();
      stream.close();
    }
  }

  private async writeBody(
    {
      response,
      principal,
      headers,
    }: { response: Response; principal: Principal; headers: Readonly<Record<string, string>> },
    work: (body: ResultBody) => Promise<void>,
  ): Promise<void> {
    await this.whileOpen(response, {}, async (signal) => {
      const body = new ResultBody(response, {
        headers,
        signal,
        onStream: () => this.readersPerKey.enter(principal.keyId),
      });
      try {
        await work(body);
        body.end();
      } finally {
        body.close();
      }
    });
  }

  /**
   * Aborts `work` when the client disconnects; such an abort is not an error of the request. A shutdown ends streams that only
   * watch at once, and waits for the rest.
   *
   * @param watcher the key of a stream that only watches
   */
  private async whileOpen(
    response: Response,
    { watcher }: { watcher?: Principal },
    work: (signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const controller = new AbortController();
    const onClose = (): void => controller.abort(clientClosedRequest());
    response.once('close', onClose);
    if (watcher !== undefined) this.inFlight.addWatcher(controller, watcher);
    try {
      await work(controller.signal);
    } catch (error) {
      if (response.destroyed || response.writableEnded) return;
      if (!response.headersSent) throw error;
      // Ending a body other than an event stream would mark it as complete.
      if (watcher !== undefined) response.end(`data: ${JSON.stringify(toGatewayError(error).toBody())}\n\n`);
      else response.destroy();
    } finally {
      response.off('close', onClose);
      if (watcher !== undefined) this.inFlight.releaseWatcher(controller);
    }
  }
}

/** The number of results; of a running job it may be slightly out of date. */
function finishedOf({ completedCount, failedCount, cancelledCount, expiredCount }: BatchJob): number {
  return completedCount + failedCount + cancelledCount + expiredCount;
}

/** Up to the limit and the bytes of a page, at least one. */
function pageOf(found: readonly ResultRef[], limit: number): readonly ResultRef[] {
  let bytes = 0;
  let count = 0;
  for (const ref of found.slice(0, limit)) {
    bytes += ref.bytes;
    if (count > 0 && bytes > PAGE_BYTES) break;
    count += 1;
  }
  return found.slice(0, count);
}

/** Headers of a body that is sent in parts as they are made. */
export function streamHeaders(contentType: string): Record<string, string> {
  return { 'content-type': contentType, 'cache-control': 'no-cache, no-transform', 'x-accel-buffering': 'no' };
}
