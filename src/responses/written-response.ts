import type { CallContext } from '../calls/call-context.js';
import { upstreamError } from '../errors/gateway-error.js';
import { resultWithClientNames } from '../model-endpoint/client-tool-names.js';
import { writeContextOf } from '../model-endpoint/input-estimate.js';
import { withUsage } from '../model-endpoint/usage-estimate.js';
import { SOURCE } from '../operations/chat/canonical/sources.js';
import type { ChatCompletion } from '../operations/chat/chat-completion.js';
import { isObject, type JsonObject } from '../runtime/json-value.js';
import { readResult } from '../wire/openai-chat/read-result.js';
import { ResponseIds, responseObject, type ResponseState } from '../wire/openai-responses/response-object.js';
import { writeResponse } from '../wire/openai-responses/write-response.js';
import type { WriteContext } from '../wire/wire-format.js';
import type { PreparedResponse } from './prepared-response.js';

/** A response as it is sent, and as an object. */
export interface WrittenResponse {
  readonly text: string;
  readonly response: JsonObject;
  /** Whether it is the provider's own, which gave it its id. */
  readonly isNative: boolean;
}

/** @throws GatewayError where the provider gave no JSON object */
export function writtenOf(result: ChatCompletion, prepared: PreparedResponse, context: CallContext): WrittenResponse {
  const source = result[SOURCE];
  if (source?.wire === 'openai-responses') {
    const parsed: unknown = JSON.parse(source.text);
    if (!isObject(parsed)) throw upstreamError({ message: 'The upstream provider sent no JSON object.' });
    return { text: source.text, response: parsed, isNative: true };
  }
  const canonical = source?.canonical ?? resultWithClientNames(readResult(result), prepared.toolNames);
  const writing = writeContext(prepared, context);
  const response = writeResponse(
    withUsage(canonical, () => writing.estimatedInputTokens),
    writing,
  );
  return { text: JSON.stringify(response), response, isNative: false };
}

/** A response that no provider made: one that has not begun, or that failed. */
export function stateOf(prepared: PreparedResponse, context: CallContext, state: ResponseState): JsonObject {
  const writing = writeContext(prepared, context);
  return responseObject(new ResponseIds(writing), writing, state);
}

export function writeContext(prepared: PreparedResponse, { requestId }: Pick<CallContext, 'requestId'>): WriteContext {
  const { canonical, responseId, store, input } = prepared;
  const request = { ...canonical, store };
  return writeContextOf({ model: canonical.model, requestId, responseId, request }, () => JSON.stringify(input).length);
}
