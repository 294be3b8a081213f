import { Injectable } from '@nestjs/common';
import { GatewayConfig } from '../config/gateway-config.js';
import { type GatewayError, invalidRequest, rateLimitExceeded } from '../errors/gateway-error.js';
import { toGatewayError } from '../errors/to-gateway-error.js';
import type { Exchange } from '../model-endpoint/json-responder.js';
import { LiveCalls } from '../model-endpoint/live-calls.js';
import { WireEventSender } from '../model-endpoint/wire-event-sender.js';
import { encodeEvent, PING_COMMENT } from '../wire/sse/sse-encoder.js';
import { SSE_HEADERS } from '../wire/sse/sse-response.js';
import { ResponseEvents } from './response-events.js';
import { ResponseStore } from './response-store.js';

/** Streams of stored events that one process sends at once. A bound on queries. */
const MAX_READERS = 200;
const OVERLOAD_RETRY_MS = 5_000;

/** Sends the events of a response in the background to a client that comes back for them. */
@Injectable()
export class ResponseReplay {
  private readers = 0;

  constructor(
    private readonly calls: LiveCalls,
    private readonly responses: ResponseStore,
    private readonly events: ResponseEvents,
    private readonly config: GatewayConfig,
  ) {}

  /**
   * @param after `sequence_number` of the last event that the client has; -1 for none
   * @throws GatewayError 404 for an id that the key does not have, 400 for a response that was not made in the background, 429 where
   *   too many are sent already
   */
  async send(responseId: string, after: number, { principal, request, response }: Exchange): Promise<void> {
    const { keyId } = principal;
    const kept = await this.responses.read(keyId, responseId);
    if (kept.response['background'] !== true) {
      throw invalidRequest(
        "Only responses that were created with `background: true` can be streamed again. Read this one without 'stream'.",
        'stream',
      );
    }
    if (request.method === 'HEAD') {
      response.writeHead(200, SSE_HEADERS).end();
      return;
    }
    if (this.readers >= MAX_READERS) throw tooMany();
    this.readers += 1;
    const signs = { ping: () => PING_COMMENT, error: errorFrame };
    const sender = new WireEventSender(response, signs, this.config.streaming.keepAlive);
    try {
      await this.calls.serve(principal, request, response, async ({ signal }) => {
        sender.begin();
        try {
          for await (const frame of this.events.read(keyId, responseId, after, signal))
            await sender.send(frame, signal);
        } catch (error) {
          sender.fail(toGatewayError(error));
        }
      });
    } finally {
      this.readers -= 1;
      sender.end();
    }
  }
}

function errorFrame({ message, code, param }: GatewayError): string {
  const type = 'error';
  return encodeEvent(type, JSON.stringify({ type, code, message, param }));
}

function tooMany(): GatewayError {
  return rateLimitExceeded({
    message: `This gateway already sends the events of ${MAX_READERS} responses again. Try again later, or read the response without 'stream'.`,
    retryAfterMs: OVERLOAD_RETRY_MS,
  });
}
