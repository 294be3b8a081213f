import { Injectable, Logger } from '@nestjs/common';
import type { CallContext } from '../calls/call-context.js';
import { Engine } from '../engine/engine.js';
import { placeOf } from '../engine/served-by.js';
import { describeError } from '../errors/describe-error.js';
import { writtenResponse, type WrittenResponse } from '../model-endpoint/json-endpoint.js';
import { CHAT } from '../operations/chat/chat-operation.js';
import type { PreferredPlace } from '../operations/operation.js';
import type { JsonObject } from '../runtime/json-value.js';
import { encryptedContents } from '../wire/openai-responses/native-input.js';
import type { PreparedResponse } from './prepared-response.js';
import { ReasoningOrigins } from './reasoning-origins.js';
import { ResponseStore } from './response-store.js';
import { writtenOf } from './written-response.js';

/** Runs requests of the Responses API that are no streams, and keeps responses of all. */
@Injectable()
export class ResponseCalls {
  private readonly logger = new Logger('Responses');

  constructor(
    private readonly engine: Engine,
    private readonly responses: ResponseStore,
    private readonly origins: ReasoningOrigins,
  ) {}

  /**
   * @param write changes the whole response, which is then not kept
   * @throws GatewayError as the engine does, and 503 where the client counts on a kept response and the database does not respond
   */
  async run(
    prepared: PreparedResponse,
    context: CallContext,
    write?: (response: JsonObject) => JsonObject,
  ): Promise<WrittenResponse> {
    const completed = await this.engine.run(CHAT, { ...prepared.view, stream: false }, context);
    const { result } = completed;
    const { text, response, isNative } = writtenOf(result, prepared, context);
    if (write !== undefined) return writtenResponse(completed, JSON.stringify(write(response)), result.usage);
    const isKept = await this.keep(prepared, response, isNative ? placeOf(completed) : null, context);
    const body = isKept || isNative ? text : JSON.stringify({ ...response, store: false });
    return writtenResponse(completed, body, result.usage);
  }

  /**
   * Keeps a response before the client has it.
   *
   * @param place the deployment that speaks the format and gave the response its id; null for any other
   * @returns whether it is as the client asked
   * @throws GatewayError 503 where the client counts on it and the database does not respond
   */
  async keep(
    prepared: PreparedResponse,
    whole: JsonObject,
    place: PreferredPlace | null,
    { principal }: CallContext,
  ): Promise<boolean> {
    try {
      if (place !== null) await this.origins.keep(encryptedContents(whole['output']), place);
      if (!prepared.store) return true;
      await this.responses.keep({
        keyId: principal.keyId,
        previousId: prepared.previousId,
        provider: prepared.isKeptNatively ? (place?.provider ?? null) : null,
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
