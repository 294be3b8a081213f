import { Injectable } from '@nestjs/common';
import type { Principal } from '../auth/principal.js';
import type { CallContext } from '../calls/call-context.js';
import { GatewayConfig } from '../config/gateway-config.js';
import { Engine } from '../engine/engine.js';
import { toGatewayError } from '../errors/to-gateway-error.js';
import type { HttpRequest, HttpResponse } from '../http/http-types.js';
import { sendWritten } from '../model-endpoint/json-responder.js';
import { LiveCalls } from '../model-endpoint/live-calls.js';
import { logStream, setServedBy } from '../model-endpoint/served-by-headers.js';
import type { ChatRequest } from '../operations/chat/chat-completion.js';
import { CHAT } from '../operations/chat/chat-operation.js';
import { AccessLog } from '../telemetry/access-log.js';
import { sendSse } from '../wire/sse/sse-response.js';
import { ChatEndpoint } from './chat-endpoint.js';

/** The HTTP half of a chat completion, which is sent as JSON or as SSE. */
@Injectable()
export class ChatResponder {
  constructor(
    private readonly engine: Engine,
    private readonly endpoint: ChatEndpoint,
    private readonly calls: LiveCalls,
    private readonly config: GatewayConfig,
  ) {}

  async respond(body: ChatRequest, principal: Principal, request: HttpRequest, response: HttpResponse): Promise<void> {
    const started = performance.now();
    const isStream = body.stream === true;
    const access = AccessLog.fieldsOf(response);
    access.operation = CHAT.name;
    access.stream = isStream;
    await this.calls.serve(principal, request, response, (context) =>
      isStream
        ? this.sendStream(body, context, response, started)
        : this.sendCompletion(body, context, response, started),
    );
  }

  private async sendCompletion(
    body: ChatRequest,
    context: CallContext,
    response: HttpResponse,
    started: number,
  ): Promise<void> {
    sendWritten(response, await this.endpoint.run(body, context), started);
  }

  private async sendStream(
    body: ChatRequest,
    context: CallContext,
    response: HttpResponse,
    started: number,
  ): Promise<void> {
    const stream = await this.engine.stream(CHAT, body, context);
    try {
      const broken = await sendSse(response, stream.chunks, {
        setHeaders: () => setServedBy(response, stream, started),
        keepAlive: this.config.streaming.keepAlive,
        signal: stream.signal,
        toError: toGatewayError,
      });
      if (broken !== undefined) AccessLog.fieldsOf(response).error_code = broken.code;
    } catch (error) {
      // If sending fails, the stream's resources are released and its provider's call is aborted.
      stream.close(error);
      throw error;
    } finally {
      stream.close();
      logStream(response, stream.facts);
    }
  }
}
