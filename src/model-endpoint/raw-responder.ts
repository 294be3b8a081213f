import type { ServerResponse } from 'node:http';
import { Injectable } from '@nestjs/common';
import type { CallContext } from '../calls/call-context.js';
import { GatewayConfig } from '../config/gateway-config.js';
import { Engine, type Streaming } from '../engine/engine.js';
import { toGatewayError } from '../errors/to-gateway-error.js';
import type { HttpResponse } from '../http/http-types.js';
import { isEventStream } from '../operations/media/raw-response.js';
import type { Operation } from '../operations/operation.js';
import type { RequestOf } from '../operations/operation-types.js';
import { formatDollars } from '../pricing/cost.js';
import type { CancelSignal } from '../runtime/cancel-signal.js';
import { waitOrAbort } from '../runtime/delay.js';
import { AccessLog } from '../telemetry/access-log.js';
import { encodeError, PING_COMMENT } from '../wire/sse/sse-encoder.js';
import { dropUnread } from '../wire/sse/sse-response.js';
import type { Exchange } from './json-responder.js';
import { LiveCalls } from './live-calls.js';
import { setServedBy } from './served-by-headers.js';

/** Operations whose responses go to the client byte for byte. */
export type RawOperationName = 'images' | 'speech' | 'transcription';

/** A request that is read, and what is freed when its call has ended. */
export interface ReadRequest<Name extends RawOperationName> {
  readonly request: RequestOf<Name>;
  /** Whether the response is sent while it comes. */
  readonly isStream: boolean;
  readonly dispose?: () => Promise<void>;
}

/** Runs an operation for a client and sends the bytes of the provider's response: whole, as events, or as sound. */
@Injectable()
export class RawResponder {
  constructor(
    private readonly engine: Engine,
    private readonly calls: LiveCalls,
    private readonly config: GatewayConfig,
  ) {}

  /** @param read the request, for which the upload is received first; it counts as in flight from its first byte */
  async respond<Name extends RawOperationName>(
    operation: Operation<Name>,
    { principal, request, response }: Exchange,
    read: () => Promise<ReadRequest<Name>>,
  ): Promise<void> {
    const started = performance.now();
    await this.calls.serve(principal, request, response, async (context) => {
      const { request: body, isStream, dispose } = await read();
      AccessLog.fieldsOf(response).stream = isStream;
      try {
        if (isStream) await this.sendStream(operation, body, context, response, started);
        else await this.sendWhole(operation, body, context, response, started);
      } finally {
        await dispose?.();
      }
    });
  }

  private async sendWhole<Name extends RawOperationName>(
    operation: Operation<Name>,
    body: RequestOf<Name>,
    context: CallContext,
    response: HttpResponse,
    started: number,
  ): Promise<void> {
    const completed = await this.engine.run(operation, body, context);
    const { contentType, body: bytes } = completed.result;
    setServedBy(response, completed, started);
    if (completed.cost !== null) response.setHeader('x-gateway-cost', formatDollars(completed.cost));
    response.setHeader('content-type', contentType);
    response.setHeader('content-length', bytes.length);
    response.end(bytes);
    dropUnread(response);
  }

  private async sendStream<Name extends RawOperationName>(
    operation: Operation<Name>,
    body: RequestOf<Name>,
    context: CallContext,
    response: HttpResponse,
    started: number,
  ): Promise<void> {
    const stream = await this.engine.stream(operation, body, context);
    try {
      const { contentType } = stream.head ?? { contentType: 'application/octet-stream' };
      setServedBy(response, stream, started);
      response.setHeader('content-type', contentType);
      if (isEventStream({ contentType })) await this.sendEvents(response, stream);
      else await sendBytes(response, stream);
    } finally {
      stream.close();
    }
  }

  /** Whole events as they come, a comment in long silences, and an error event if the stream fails. */
  private async sendEvents(response: HttpResponse, { chunks, signal }: Streaming<RawOperationName>): Promise<void> {
    const { keepAlive } = this.config.streaming;
    response.setHeader('cache-control', 'no-cache, no-transform');
    response.setHeader('x-accel-buffering', 'no');
    response.flushHeaders();
    const ping =
      keepAlive > 0
        ? setInterval(() => {
            if (!response.writableNeedDrain && !response.writableEnded) response.write(PING_COMMENT);
          }, keepAlive)
        : undefined;
    try {
      for await (const group of chunks) {
        ping?.refresh();
        if (!response.write(Buffer.concat(group.map(({ bytes }) => bytes)))) await drained(response, signal);
      }
    } catch (error) {
      const broken = toGatewayError(error);
      AccessLog.fieldsOf(response).error_code = broken.code;
      if (!response.destroyed) response.write(encodeError(broken));
    } finally {
      clearInterval(ping);
      if (!response.destroyed) response.end();
      dropUnread(response);
    }
  }
}

/**
 * An audio stream cannot contain an error event. If it fails, the gateway closes the connection, so that clients notice that it
 * is incomplete.
 */
async function sendBytes(response: HttpResponse, { chunks, signal }: Streaming<RawOperationName>): Promise<void> {
  try {
    for await (const group of chunks) {
      for (const { bytes } of group) if (!response.write(bytes)) await drained(response, signal);
    }
    response.end();
    dropUnread(response);
  } catch (error) {
    AccessLog.fieldsOf(response).error_code = toGatewayError(error).code;
    if (!response.headersSent) throw error;
    response.destroy();
  }
}

function drained(response: ServerResponse, signal: CancelSignal): Promise<void> {
  return waitOrAbort(signal, (resolve) => {
    response.once('drain', resolve);
    return () => response.off('drain', resolve);
  });
}
