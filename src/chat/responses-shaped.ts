import { GatewayError } from '../errors/gateway-error.js';
import { SOURCE } from '../operations/chat/canonical/sources.js';
import type { ChatRequest } from '../operations/chat/chat-completion.js';
import { isObject, type JsonObject } from '../runtime/json-value.js';
import { translateRequest } from '../responses/translated-request.js';
import { readRequest } from '../wire/openai-responses/read-request.js';

/** State of the Responses API, which chat has not. */
const STATE = ['previous_response_id', 'conversation', 'background'];

/** Whether a body at the chat route is one of the Responses API, as Cursor sends it. */
export function isResponsesShaped(body: JsonObject): boolean {
  return (body['messages'] === undefined || body['messages'] === null) && body['input'] !== undefined;
}

/**
 * A body of the Responses API as a chat request, whose response is a chat completion.
 *
 * @throws GatewayError 400 that names the field
 */
export function chatFromResponses(body: JsonObject): ChatRequest {
  const state = STATE.find((name) => body[name] !== undefined && body[name] !== null && body[name] !== false);
  if (state !== undefined) {
    throw new GatewayError({
      status: 400,
      type: 'invalid_request_error',
      code: 'unsupported_parameter',
      message: `'${state}' is a field of POST /v1/responses. Send the whole conversation in 'input'.`,
      param: state,
    });
  }
  const { view, canonical, dropped, refusal, toolNames } = translateRequest(readRequest(body));
  const source = {
    wire: 'openai-responses',
    body: { ...body, store: false },
    canonical,
    dropped,
    toolNames,
    ...(refusal !== undefined && { refusal }),
    changed: (change: (own: Readonly<JsonObject>) => JsonObject): ChatRequest => chatFromResponses(change(body)),
  } as const;
  return { ...view, [SOURCE]: source };
}

/** Tools in the flat form of the Responses API become those of chat. Others stay, and a body without them is the same. */
export function withNestedTools(fields: JsonObject): void {
  const { tools } = fields;
  if (!Array.isArray(tools)) return;
  const isFlat = (tool: unknown): tool is JsonObject =>
    isObject(tool) && tool['type'] === 'function' && tool['function'] === undefined && typeof tool['name'] === 'string';
  if (!tools.some(isFlat)) return;
  fields['tools'] = tools.map((tool: unknown) => {
    if (!isFlat(tool)) return tool;
    const { type, ...own } = tool;
    return { type, function: own };
  });
}
