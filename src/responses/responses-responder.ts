import { Injectable, Logger } from '@nestjs/common';
import type { CallContext } from '../calls/call-context.js';
import { GatewayConfig } from '../config/gateway-config.js';
import { Engine } from '../engine/engine.js';
import { describeError } from '../errors/describe-error.js';
import { upstreamError } from '../errors/gateway-error.js';
import { resultWithClientNames } from '../model-endpoint/client-tool-names.js';
import { writeContextOf } from '../model-endpoint/input-estimate.js';
import { type Exchange, sendJson } from '../model-endpoint/json-responder.js';
import { LiveCalls } from '../model-endpoint/live-calls.js';
import { withUsage } from '../model-endpoint/usage-estimate.js';
import { setServedBy } from '../model-endpoint/served-by-headers.js';
import { SOURCE } from '../operations/chat/canonical/sources.js';
import type { ChatCompletion } from '../operations/chat/chat-completion.js';
import { CHAT } from '../operations/chat/chat-operation.js';
import { formatDollars } from '../pricing/cost.js';
import { isObject, type JsonObject } from '../runtime/json-value.js';
import { AccessLog } from '../telemetry/access-log.js';
import { readResult } from '../wire/openai-chat/read-result.js';
import { encryptedContents } from '../wire/openai-responses/native-input.js';
import { writeResponse } from '../wire/openai-responses/write-response.js';
import type { WriteContext } from '../wire/wire-format.js';
import { ResponsePreparation, type PreparedResponse } from './prepared-response.js';
import { ResponseStore } from './response-store.js';
import { ResponseStream } from './response-stream.js';

/** Headers of the format, which go to a provider that has it. */
const NATIVE_HEADERS = 'openai-';

/** A response, and who made it. */
interface Written {
  readonly text: string;
  readonly response: JsonObject;
}

/** The HTTP half of a request of the Responses API, whose response is sent as JSON or as events. */
@Injectable()
export class ResponsesResponder {
  private readonly logger = new Logger('Responses');

  constructor(
    private readonly engine: Engine,
    private readonly calls: LiveCalls,
    private readonly preparation: ResponsePreparation,
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
      if (isStream) await this.sendStream(prepared, context, response, started);
      else await this.sendWhole(prepared, context, response, started, write);
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
    const { text, response: whole } = this.writtenOf(completed.result, prepared, context);
    const isNative = completed.result[SOURCE]?.wire === 'openai-responses';
    const isKept =
      write !== undefined || (await this.keep(prepared, whole, isNative ? completed.provider : null, context));
    setServedBy(response, completed, started);
    if (completed.cost !== null) response.setHeader('x-gateway-cost', formatDollars(completed.cost));
    AccessLog.fieldsOf(response).usage = completed.result.usage;
    if (write !== undefined) sendJson(response, JSON.stringify(write(whole)));
    else sendJson(response, isKept || isNative ? text : JSON.stringify({ ...whole, store: false }));
  }

  private writtenOf(result: ChatCompletion, prepared: PreparedResponse, context: CallContext): Written {
    const source = result[SOURCE];
    if (source?.wire === 'openai-responses') {
      const parsed: unknown = JSON.parse(source.text);
      if (!isObject(parsed)) throw upstreamError({ message: 'The upstream provider answered with no JSON object.' });
      return { text: source.text, response: parsed };
    }
    const canonical = source?.canonical ?? resultWithClientNames(readResult(result), prepared.toolNames);
    const writing = writeContext(prepared, context);
    const response = writeResponse(
      withUsage(canonical, () => writing.estimatedInputTokens),
      writing,
    );
    return { text: JSON.stringify(response), response };
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

function writeContext(prepared: PreparedResponse, { requestId }: CallContext): WriteContext {
  const { canonical, responseId, store, input } = prepared;
  const request = { ...canonical, store };
  return writeContextOf({ model: canonical.model, requestId, responseId, request }, () => JSON.stringify(input).length);
}
