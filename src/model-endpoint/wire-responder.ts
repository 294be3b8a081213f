import { Injectable } from '@nestjs/common';
import type { CallContext } from '../calls/call-context.js';
import { GatewayConfig } from '../config/gateway-config.js';
import { Engine } from '../engine/engine.js';
import { toGatewayError } from '../errors/to-gateway-error.js';
import type { HttpResponse } from '../http/http-types.js';
import type { CanonicalRequest } from '../operations/chat/canonical/canonical-request.js';
import { SOURCE } from '../operations/chat/canonical/sources.js';
import { CHAT } from '../operations/chat/chat-operation.js';
import type { JsonObject } from '../runtime/json-value.js';
import { AccessLog } from '../telemetry/access-log.js';
import type { WireFormat } from '../wire/wire-format.js';
import { chatRequestOf, type WireRequest } from './chat-request-of.js';
import { type Exchange, sendWritten } from './json-responder.js';
import { LiveCalls } from './live-calls.js';
import { logStream, setServedBy } from './served-by-headers.js';
import { headerPrefixOf } from './upstream-headers.js';
import { runWire, withSessionOf, writeContextFor } from './wire-call.js';
import { WireEventSender } from './wire-event-sender.js';
import { WireFrames } from './wire-frames.js';

/** The parts that an endpoint adds to its format. */
export interface WireEndpointOptions {
  /** Changes the request before it is used, such as the turns of an earlier response. */
  readonly prepare?: (canonical: CanonicalRequest) => CanonicalRequest;
  /** Headers of a stream beside those of server-sent events, or in their place. */
  readonly streamHeaders?: Readonly<Record<string, string>>;
  /** A writer with what the endpoint adds, such as storing a response before its last event. */
  readonly frames?: (frames: WireFrames) => Pick<WireFrames, 'write' | 'end' | 'writer'>;
}

/** Chat in any wire format: reads the request, runs it, and sends the response in the same format. */
@Injectable()
export class WireResponder {
  constructor(
    private readonly engine: Engine,
    private readonly calls: LiveCalls,
    private readonly config: GatewayConfig,
  ) {}

  /** @throws GatewayError as the engine does, before the response has begun */
  async respond(
    wire: WireFormat,
    body: JsonObject,
    exchange: Exchange,
    options: WireEndpointOptions = {},
  ): Promise<void> {
    const { principal, request, response } = exchange;
    const started = performance.now();
    const chat = chatRequestOf(wire, body, options.prepare);
    const isStream = chat[SOURCE].canonical.stream === true;
    const access = AccessLog.fieldsOf(response);
    access.operation = CHAT.name;
    access.stream = isStream;
    await this.calls.serve(
      principal,
      request,
      response,
      (context) =>
        isStream
          ? this.sendStream(wire, chat, context, response, started, options)
          : runWire(this.engine, wire, chat, context).then((written) => {
              sendWritten(response, written, started);
            }),
      headerPrefixOf(wire.name),
    );
  }

  private async sendStream(
    wire: WireFormat,
    chat: WireRequest,
    context: CallContext,
    response: HttpResponse,
    started: number,
    options: WireEndpointOptions,
  ): Promise<void> {
    const own = new WireFrames(wire, writeContextFor(chat, context), chat[SOURCE].toolNames);
    const frames = options.frames?.(own) ?? own;
    const sender = new WireEventSender(response, frames.writer, this.config.streaming.keepAlive, options.streamHeaders);
    try {
      const stream = await this.engine.stream(CHAT, chat, withSessionOf(chat, context));
      try {
        if (!sender.hasBegun) setServedBy(response, stream, started);
        sender.begin();
        for await (const group of stream.chunks) await sender.send(frames.write(group), stream.signal);
        sender.sendLast(frames.end());
      } catch (error) {
        stream.close(error);
        throw error;
      } finally {
        stream.close();
        logStream(response, stream.facts);
      }
    } catch (error) {
      if (!sender.hasBegun) throw error;
      const broken = toGatewayError(error);
      AccessLog.fieldsOf(response).error_code = broken.code;
      sender.fail(broken);
    } finally {
      sender.end();
    }
  }
}
