import { once } from 'node:events';
import { Injectable } from '@nestjs/common';
import type { Response } from 'express';
import type { Principal } from '../auth/principal.js';
import { pause } from '../chat/pause.js';
import { clientClosedRequest, toGatewayError } from '../errors/to-gateway-error.js';
import { InFlight } from '../health/in-flight.service.js';
import { BatchService } from './batch.service.js';

/** Milliseconds between two looks at a job's counters. */
const LOOK = 500;
/** Looks without a change after which a comment keeps the connection open. */
const QUIET_LOOKS = 30;
const ENDED = new Set(['completed', 'failed', 'cancelled', 'expired']);

/** The two answers that are streams: results as NDJSON, progress as server-sent events. */
@Injectable()
export class BatchResponder {
  constructor(
    private readonly batches: BatchService,
    private readonly inFlight: InFlight,
  ) {}

  /** One result a line, in task order; memory does not grow with their number, and a slow reader is waited for. */
  async results(jobId: string, principal: Principal, response: Response): Promise<void> {
    await this.whileOpen(response, async (signal) => {
      for await (const page of this.batches.results(jobId, principal)) {
        signal.throwIfAborted();
        begin(response, 'application/x-ndjson; charset=utf-8');
        const lines = page.map((result) => `${JSON.stringify(result)}\n`).join('');
        if (!response.write(lines)) await once(response, 'drain', { signal });
      }
      begin(response, 'application/x-ndjson; charset=utf-8');
      response.end();
    });
  }

  /** The job at once, again at each change, and `[DONE]` once it has ended. */
  async events(jobId: string, principal: Principal, response: Response): Promise<void> {
    await this.whileOpen(response, async (signal) => {
      let last = '';
      let quiet = 0;
      for (;;) {
        const job = await this.batches.progress(jobId, principal);
        signal.throwIfAborted();
        begin(response, 'text/event-stream; charset=utf-8');
        const text = JSON.stringify(job);
        if (text !== last) {
          response.write(`data: ${text}\n\n`);
          last = text;
          quiet = 0;
        } else if ((quiet += 1) >= QUIET_LOOKS) {
          response.write(': ping\n\n');
          quiet = 0;
        }
        if (ENDED.has(job.status)) break;
        await pause(LOOK, signal);
      }
      response.end('data: [DONE]\n\n');
    });
  }

  /** Aborts `work` when the client goes or a shutdown runs out of patience; an abort is no error of the request. */
  private async whileOpen(response: Response, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const controller = new AbortController();
    const onClose = (): void => controller.abort(clientClosedRequest());
    response.once('close', onClose);
    this.inFlight.addWatcher(controller);
    try {
      await work(controller.signal);
    } catch (error) {
      if (response.destroyed) return;
      if (!response.headersSent) throw error;
      if (response.getHeader('content-type')?.toString().startsWith('text/event-stream') === true) {
        response.end(`data: ${JSON.stringify(toGatewayError(error).toBody())}\n\n`);
      } else response.destroy();
    } finally {
      response.off('close', onClose);
      this.inFlight.releaseWatcher(controller);
    }
  }
}

function begin(response: Response, contentType: string): void {
  if (response.headersSent) return;
  response.writeHead(200, {
    'content-type': contentType,
    'cache-control': 'no-cache, no-transform',
    'x-accel-buffering': 'no',
  });
  response.flushHeaders();
}
