import { Injectable } from '@nestjs/common';
import type { CallContext } from '../calls/call-context.js';
import { GatewayConfig } from '../config/gateway-config.js';
import { Engine } from '../engine/engine.js';
import { type Exchange, sendJson, sendWritten } from '../model-endpoint/json-responder.js';
import { LiveCalls } from '../model-endpoint/live-calls.js';
import { setServedBy } from '../model-endpoint/served-by-headers.js';
import { CHAT } from '../operations/chat/chat-operation.js';
import { isObject, type JsonObject } from '../runtime/json-value.js';
import { AccessLog } from '../telemetry/access-log.js';
import { encryptedContents } from '../wire/openai-responses/native-input.js';
import { TokenCounts } from '../model-endpoint/token-counts.js';
import { BackgroundResponses } from './background-responses.js';
import { writeContext } from './written-response.js';
import { readResponseBody, ResponsePreparation, type PreparedResponse } from './prepared-response.js';
import { ResponseCalls } from './response-calls.js';
import { ResponseEvents } from './response-events.js';
import { ResponseStream, type ResponseStreamOptions } from './response-stream.js';

/** Headers of the format, which go to a provider that has it. */
const NATIVE_HEADERS = 'openai-';

/** The HTTP half of a request of the Responses API, whose response is sent as JSON or as events. */
@Injectable()
export class ResponsesResponder {
  constructor(
    private readonly engine: Engine,
    private readonly calls: LiveCalls,
    private readonly preparation: ResponsePreparation,
    private readonly background: BackgroundResponses,
    private readonly counts: TokenCounts,
    private readonly responses: ResponseCalls,
    private readonly events: ResponseEvents,
    private readonly config: GatewayConfig,
  ) {}

  /** @param write changes a whole response before it is sent; a stream is sent as it is */
  async respond(
    body: unknown,
    { principal, request, response }: Exchange,
    write?: (response: JsonObject) => JsonObject,
  ): Promise<void> {
    const started = performance.now();
    const access = AccessLog.fieldsOf(response);
    access.operation = CHAT.name;
    const serve = async (context: CallContext): Promise<void> => {
      const prepared = await this.preparation.prepare(readResponseBody(body), principal.keyId);
      const isStream = prepared.canonical.stream === true && write === undefined;
      access.stream = isStream;
      if (prepared.isBackground) await this.serveBackground(prepared, context, response, started, isStream);
      else if (isStream) {
        const keep: ResponseStreamOptions['keep'] = (whole, place) =>
          this.responses.keep(prepared, whole, place, context);
        await this.sendStream(prepared, context, response, started, { keep });
      } else sendWritten(response, await this.responses.run(prepared, context, write), started);
    };
    await this.calls.serve(principal, request, response, serve, NATIVE_HEADERS);
  }

  /** Counts the tokens of an input. It costs nothing and counts against no limit. */
  async countInput(body: unknown, { principal, request, response }: Exchange): Promise<void> {
    const counted = isObject(body) ? { ...body, input: body['input'] ?? '', background: false } : body;
    const serve = async (context: CallContext): Promise<void> => {
      const { view } = await this.preparation.prepare(readResponseBody(counted), principal.keyId);
      const tokens = await this.counts.count(view, context);
      sendJson(response, JSON.stringify({ object: 'response.input_tokens', input_tokens: tokens }));
    };
    await this.calls.serve(principal, request, response, serve, NATIVE_HEADERS);
  }

  /** The response is made whether or not the client waits for its events. */
  private async serveBackground(
    prepared: PreparedResponse,
    context: CallContext,
    response: Exchange['response'],
    started: number,
    isStream: boolean,
  ): Promise<void> {
    if (!isStream) {
      sendJson(response, JSON.stringify(await this.background.start(prepared, context)));
      return;
    }
    const { responseId } = prepared;
    const recorder = this.events.recorder(context.principal.keyId, responseId);
    const { done } = await this.background.begin(prepared, context, ({ context: own, finish, fail }) =>
      this.sendStream(prepared, own, response, started, {
        ownId: responseId,
        record: (frames) => recorder.add(frames),
        // A client that reads that the response is finished finds all its events.
        keep: async (whole, place) => {
          await recorder.flush();
          return finish(whole, place === null ? [] : encryptedContents(whole['output']), place);
        },
        failed: async (error) => {
          await recorder.flush();
          await fail(error);
        },
      }),
    );
    await done;
  }

  private async sendStream(
    prepared: PreparedResponse,
    context: CallContext,
    response: Exchange['response'],
    started: number,
    keeping: Pick<ResponseStreamOptions, 'ownId' | 'keep' | 'failed' | 'record'>,
  ): Promise<void> {
    const stream = new ResponseStream(response, {
      keepAliveMs: this.config.streaming.keepAlive,
      toolNames: prepared.toolNames,
      context: writeContext(prepared, context),
      ...keeping,
    });
    await stream.send(
      () => this.engine.stream(CHAT, prepared.view, context),
      (servedBy) => setServedBy(response, servedBy, started),
    );
  }
}
