import { Injectable, Logger } from '@nestjs/common';
import type { CallContext } from '../calls/call-context.js';
import { GatewayConfig } from '../config/gateway-config.js';
import { Engine } from '../engine/engine.js';
import { describeError } from '../errors/describe-error.js';
import { type Exchange, sendJson } from '../model-endpoint/json-responder.js';
import { LiveCalls } from '../model-endpoint/live-calls.js';
import { setServedBy } from '../model-endpoint/served-by-headers.js';
import { CHAT } from '../operations/chat/chat-operation.js';
import { formatDollars } from '../pricing/cost.js';
import { isObject, type JsonObject } from '../runtime/json-value.js';
import { AccessLog } from '../telemetry/access-log.js';
import { encryptedContents } from '../wire/openai-responses/native-input.js';
import { TokenCounts } from '../model-endpoint/token-counts.js';
import { BackgroundResponses } from './background-responses.js';
import { writeContext, writtenOf } from './written-response.js';
import { ResponsePreparation, type PreparedResponse } from './prepared-response.js';
import { ResponseStore } from './response-store.js';
import { ResponseStream } from './response-stream.js';

/** Headers of the format, which go to a provider that has it. */
const NATIVE_HEADERS = 'openai-';

/** The HTTP half of a request of the Responses API, whose response is sent as JSON or as events. */
@Injectable()
export class ResponsesResponder {
  private readonly logger = new Logger('Responses');

  constructor(
    private readonly engine: Engine,
    private readonly calls: LiveCalls,
    private readonly preparation: ResponsePreparation,
    private readonly background: BackgroundResponses,
    private readonly counts: TokenCounts,
    private readonly responses: ResponseStore,
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
      const prepared = await this.preparation.prepare(body, principal.keyId);
      const isStream = prepared.canonical.stream === true && write === undefined;
      access.stream = isStream;
      if (prepared.isBackground) await this.serveBackground(prepared, context, response, started, isStream);
      else if (isStream) await this.sendStream(prepared, context, response, started);
      else await this.sendWhole(prepared, context, response, started, write);
    };
    await this.calls.serve(principal, request, response, serve, NATIVE_HEADERS);
  }

  /** Counts the tokens of an input. It costs nothing and counts against no limit. */
  async countInput(body: unknown, { principal, request, response }: Exchange): Promise<void> {
    const counted = isObject(body) ? { ...body, input: body['input'] ?? '', background: false } : body;
    const serve = async (context: CallContext): Promise<void> => {
      const { view } = await this.preparation.prepare(counted, principal.keyId);
      const tokens = await this.counts.count(view, context);
      sendJson(response, JSON.stringify({ object: 'response.input_tokens', input_tokens: tokens }));
    };
    await this.calls.serve(principal, request, response, serve, NATIVE_HEADERS);
  }

  private async sendWhole(
    prepared: PreparedResponse,
    context: CallContext,
    response: Exchange['response'],
    started: number,
    write: ((response: JsonObject) => JsonObject) | undefined,
  ): Promise<void> {
    const completed = await this.engine.run(CHAT, { ...prepared.view, stream: false }, context);
    const { text, response: whole, isNative } = writtenOf(completed.result, prepared, context);
    const isKept =
      write !== undefined || (await this.keep(prepared, whole, isNative ? completed.provider : null, context));
    setServedBy(response, completed, started);
    if (completed.cost !== null) response.setHeader('x-gateway-cost', formatDollars(completed.cost));
    AccessLog.fieldsOf(response).usage = completed.result.usage;
    if (write !== undefined) sendJson(response, JSON.stringify(write(whole)));
    else sendJson(response, isKept || isNative ? text : JSON.stringify({ ...whole, store: false }));
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
    const { done } = await this.background.begin(prepared, context, async ({ context: own, finish, fail }) => {
      const stream = new ResponseStream(response, {
        keepAliveMs: this.config.streaming.keepAlive,
        toolNames: prepared.toolNames,
        context: writeContext(prepared, own),
        ownId: prepared.responseId,
        keep: (whole, provider) => finish(whole, provider === null ? [] : encryptedContents(whole['output']), provider),
        failed: fail,
      });
      await stream.send(
        () => this.engine.stream(CHAT, prepared.view, own),
        (servedBy) => setServedBy(response, servedBy, started),
      );
    });
    await done;
  }

  private async sendStream(
    prepared: PreparedResponse,
    context: CallContext,
    response: Exchange['response'],
    started: number,
  ): Promise<void> {
    const stream = new ResponseStream(response, {
      keepAliveMs: this.config.streaming.keepAlive,
      toolNames: prepared.toolNames,
      context: writeContext(prepared, context),
      keep: (whole, provider) => this.keep(prepared, whole, provider, context),
    });
    await stream.send(
      () => this.engine.stream(CHAT, prepared.view, context),
      (servedBy) => setServedBy(response, servedBy, started),
    );
  }

  /**
   * Keeps a response before the client has it.
   *
   * @param provider that speaks the format and gave the response its id; null for any other
   * @returns whether it is as the client asked
   * @throws GatewayError 503 where the client counts on it and the database does not respond
   */
  private async keep(
    prepared: PreparedResponse,
    whole: JsonObject,
    provider: string | null,
    { principal }: CallContext,
  ): Promise<boolean> {
    try {
      const contents = provider === null ? [] : encryptedContents(whole['output']);
      if (provider !== null) await this.responses.keepOrigins(contents, provider);
      if (!prepared.store) return true;
      await this.responses.keep({
        keyId: principal.keyId,
        previousId: prepared.previousId,
        provider: prepared.isKeptNatively ? provider : null,
        input: prepared.input,
        response: whole,
      });
      return true;
    } catch (error) {
      if (prepared.needsStore || prepared.previousId !== null) throw error;
      this.logger.warn({ msg: 'a response could not be kept', error: describeError(error) });
      return false;
    }
  }
}
