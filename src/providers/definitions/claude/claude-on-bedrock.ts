import { isObject, type JsonObject } from '../../../runtime/json-value.js';
import type { ChatEndpoint, ChatEndpointCall, StreamEvent } from '../types/chat-format.js';

/** The version of the Messages API in a body of InvokeModel. */
const VERSION = 'bedrock-2023-05-31';
/** Betas that say which client sends a request to Anthropic's own API. Bedrock refuses them. */
const OF_ANTHROPIC_ALONE = /^(?:claude-code|oauth)-/;
/** Bedrock's names of failures for which Anthropic's API has types. */
const ERROR_TYPES: Readonly<Record<string, string>> = {
  throttlingException: 'rate_limit_error',
  serviceUnavailableException: 'overloaded_error',
  modelTimeoutException: 'timeout_error',
  validationException: 'invalid_request_error',
};

/** InvokeModel, with which Claude takes and gives the Messages API as it is. */
export function invokeEndpoint({ upstreamModel, isStream }: ChatEndpointCall): ChatEndpoint {
  const path = `/model/${encodeURIComponent(upstreamModel)}`;
  return isStream
    ? { path: `${path}/invoke-with-response-stream`, framing: 'aws-event-stream' }
    : { path: `${path}/invoke` };
}

/** The address names the model and says whether to stream; betas are a part of the body. */
export function fitInvokeBody(body: JsonObject, { headers }: Pick<ChatEndpointCall, 'headers'>): JsonObject {
  const { model: _model, stream: _stream, ...fields } = body;
  const betas = betasOf(headers, fields['anthropic_beta']);
  return {
    anthropic_version: VERSION,
    ...fields,
    ...(betas.length > 0 && { anthropic_beta: betas }),
  };
}

function betasOf(headers: Readonly<Record<string, string>>, own: unknown): readonly string[] {
  const listed = (headers['anthropic-beta'] ?? '').split(',').map((beta) => beta.trim());
  const named = Array.isArray(own) ? own.filter((beta) => typeof beta === 'string') : [];
  const all = [...named, ...listed].filter((beta) => beta !== '' && !OF_ANTHROPIC_ALONE.test(beta));
  return [...new Set(all)];
}

/** The event of the Messages API within an event of Bedrock, which has its bytes in base64; a failure as an event of that API. */
export function unwrapInvokeEvent({ event, data }: StreamEvent): StreamEvent | undefined {
  const parsed = parsedOf(data);
  if (event === 'chunk' || (event === '' && typeof parsed['bytes'] === 'string')) {
    const { bytes } = parsed;
    if (typeof bytes !== 'string') return undefined;
    const inner = Buffer.from(bytes, 'base64').toString('utf8');
    const { type } = parsedOf(inner);
    return { event: typeof type === 'string' ? type : '', data: inner };
  }
  if (!/exception$/i.test(event)) return undefined;
  const type = ERROR_TYPES[`${event.charAt(0).toLowerCase()}${event.slice(1)}`] ?? 'api_error';
  const message = parsed['message'] ?? parsed['Message'];
  const error = { type, message: typeof message === 'string' ? message : event };
  return { event: 'error', data: JSON.stringify({ type: 'error', error }) };
}

function parsedOf(data: string): JsonObject {
  try {
    const parsed: unknown = JSON.parse(data);
    return isObject(parsed) ? parsed : {};
  } catch {
    return {};
  }
}
