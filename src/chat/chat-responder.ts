import type { CallContext } from '../calls/call-context.js';
import { printExact } from '../runtime/exact-integers.js';
import { Injectable } from '@nestjs/common';
import { KeyRevocations } from '../auth/key-revocations.js';
import type { Principal } from '../auth/principal.js';
import { GatewayConfig } from '../config/gateway-config.js';
import { invalidApiKey, type GatewayError } from '../errors/gateway-error.js';
import { clientClosedRequest, toGatewayError } from '../errors/to-gateway-error.js';
import { formatDollars } from '../pricing/cost.js';
import { AccessLog } from '../telemetry/access-log.js';
import { CancelSource } from '../runtime/cancel-signal.js';
import type { ChatRequest } from '../operations/chat/chat-completion.js';
import { CHAT } from '../operations/chat/chat-operation.js';
import { Engine } from '../engine/engine.js';
import type { ServedBy } from '../engine/served-by.js';
import { InFlight } from '../lifecycle/in-flight.service.js';
import type { HttpRequest, HttpResponse } from '../http/http-types.js';
import { headerList, headerText } from '../http/header-text.js';
import { readRoutingOverrides } from '../calls/routing-overrides.js';
import { dropUnread, sendSse } from '../wire/sse/sse-response.js';
import { upstreamHeaders } from './upstream-headers.js';

/** The HTTP half of a chat completion: turns a client that goes away into an abort, and answers as JSON or as SSE. */
@Injectable()
export class ChatResponder {
  constructor(
    private readonly engine: Engine,
    private readonly inFlight: InFlight,
    private readonly config: GatewayConfig,
    revocations: KeyRevocations,
  ) {
    revocations.subscribe((keyId) => inFlight.abortOf(keyId, revokedInFlight()));
  }

  async respond(body: ChatRequest, principal: Principal, request: HttpRequest, response: HttpResponse): Promise<void> {
    const started = performance.now();
    const overrides = readRoutingOverrides(request.headers, principal);
    const cancel = new CancelSource();
    const onClose = (): void => {
      if (!response.writableFinished) cancel.abort(clientClosedRequest());
    };
    response.on('close', onClose);
    const call = this.inFlight.add(cancel, principal);
    const context: CallContext = {
      principal,
      requestId: request.id,
      source: 'live',
      headers: upstreamHeaders(request.headers),
      overrides,
      span: response.locals['span'] as CallContext['span'],
      signal: cancel,
    };
    const access = AccessLog.fieldsOf(response);
    access.key_id = principal.keyId;
    access.stream = body.stream === true;
    try {
      if (body.stream === true) await this.sendStream(body, context, response, started);
      else await this.sendCompletion(body, context, response, started);
    } catch (error) {
      // Nobody is there to read an answer once the client has gone; the access log has the reason.
      if (!response.destroyed) throw error;
      access.error_code = toGatewayError(error).code;
    } finally {
      response.off('close', onClose);
      this.inFlight.release(call);
    }
  }

  private async sendCompletion(
    body: ChatRequest,
    context: CallContext,
    response: HttpResponse,
    started: number,
  ): Promise<void> {
    const answer = await this.engine.run(CHAT, body, context);
    setServedBy(response, answer, started);
    if (answer.cost !== null) response.setHeader('x-gateway-cost', formatDollars(answer.cost));
    AccessLog.fieldsOf(response).usage = answer.result.usage;
    const text = printExact(answer.result);
    response.setHeader('content-type', 'application/json; charset=utf-8');
    // Said beforehand, so that headers and body leave in one piece and not in chunks.
    const length = Buffer.byteLength(text);
    response.setHeader('content-length', length);
    // As many bytes as characters: there is nothing to encode.
    response.end(text, length === text.length ? 'latin1' : 'utf8');
    dropUnread(response);
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
      // Whatever could not be sent: what the stream holds is freed, and its provider is called off.
      stream.close(error);
      throw error;
    } finally {
      stream.close();
    }
  }
}

/** The response of a call whose key ended meanwhile; in a stream its error event. */
function revokedInFlight(): GatewayError {
  return invalidApiKey('This key was revoked while the request was in flight. Send it again with another key.');
}

function setServedBy(
  response: HttpResponse,
  { model, provider, attempts, droppedParams, rateLimits }: ServedBy,
  started: number,
): void {
  response.setHeader('x-gateway-model', headerText(model));
  response.setHeader('x-gateway-provider', headerText(provider));
  response.setHeader('x-gateway-attempts', String(attempts));
  for (const name in rateLimits) response.setHeader(name, headerText(rateLimits[name] ?? ''));
  if (droppedParams.length > 0) response.setHeader('x-gateway-dropped-params', headerList(droppedParams));
  response.setHeader('openai-processing-ms', String(Math.round(performance.now() - started)));
  const access = AccessLog.fieldsOf(response);
  access.model = model;
  access.provider = provider;
  access.attempts = attempts;
}
