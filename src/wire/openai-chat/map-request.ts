import type { ChatMessage, ChatRequest } from '../../operations/chat/chat-completion.js';
import type { Quirks } from '../../config/gateway-config.js';
import type { JsonObject } from '../../runtime/json-value.js';

/** The optional fields that the gateway declares. Null means absent for them, which not every server knows. */
const NULLABLE = [
  'max_tokens',
  'max_completion_tokens',
  'temperature',
  'top_p',
  'n',
  'stop',
  'store',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'response_format',
  'user',
  'reasoning_effort',
  'prompt_cache_key',
] as const;

/**
 * The body that goes upstream. Unknown fields travel untouched, nulls among them. Usage is always asked for, since the
 * gateway counts it; `stream_options` goes only with a stream, because servers refuse it otherwise. `metadata` is the
 * gateway's own unless the client stores the completion at the provider, and `strict_params` is for the gateway alone.
 * Members that a server is known not to understand are written as it understands them.
 */
export function mapRequest(
  request: ChatRequest,
  upstreamModel: string,
  stream: boolean,
  { tokenLimit, developerRole = true, streamOptions: takesStreamOptions = true }: Quirks = {},
): JsonObject {
  const body = copyOf(request);
  body['model'] = upstreamModel;
  body['stream'] = stream;
  for (const field of NULLABLE) {
    if (body[field] === null) body[field] = undefined;
  }
  // What is undefined is not printed; to take it away would cost more.
  if (body['strict_params'] !== undefined) body['strict_params'] = undefined;
  const { metadata, stream_options: streamOptions } = request;
  if (metadata !== undefined && (request.store !== true || metadata === null)) body['metadata'] = undefined;
  if (stream && takesStreamOptions) body['stream_options'] = { ...streamOptions, include_usage: true };
  else if (streamOptions !== undefined) body['stream_options'] = undefined;
  if (tokenLimit !== undefined) renameTokenLimit(body, tokenLimit);
  if (!developerRole && request.messages.some(isFromDeveloper)) {
    body['messages'] = request.messages.map((message) =>
      isFromDeveloper(message) ? { ...message, role: 'system' } : message,
    );
  }
  return body;
}

/** A request that names both limits means the newer one. */
function renameTokenLimit(body: JsonObject, name: 'max_tokens' | 'max_completion_tokens'): void {
  const limit = body['max_completion_tokens'] ?? body['max_tokens'];
  if (limit === undefined) return;
  body['max_tokens'] = undefined;
  body['max_completion_tokens'] = undefined;
  body[name] = limit;
}

function isFromDeveloper({ role }: ChatMessage): boolean {
  return role === 'developer';
}

/** V8 of Node 20 makes a new shape for each object that another one was spread into and then a field was added to. */
function copyOf(request: ChatRequest): JsonObject {
  return Object.hasOwn(request, '__proto__') ? { ...request } : Object.assign({}, request);
}
