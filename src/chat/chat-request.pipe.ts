import { Injectable, PipeTransform } from '@nestjs/common';
import { validateSync } from 'class-validator';
import { invalidRequest } from '../errors/gateway-error.js';
import { asNumber } from '../runtime/exact-integers.js';
import { toInvalidRequest } from '../http/validation-errors.js';
import { ChatCompletionRequestDto, StreamOptionsDto } from './chat-completion-request.dto.js';
import type { ChatRequest } from '../operations/chat/chat-completion.js';
import { assertMessages, MAX_KEYS } from '../operations/chat/chat-messages.js';
import { chatFromResponses, isResponsesShaped, withNestedTools } from './responses-shaped.js';
import { isSurelyValid } from './fast-path-validation.js';

/** Fields that class-validator checks. */
export const DECLARED = [
  'model',
  'max_tokens',
  'max_completion_tokens',
  'temperature',
  'top_p',
  'n',
  'stream',
  'stop',
  'metadata',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'response_format',
  'user',
  'reasoning_effort',
  'prompt_cache_key',
  'strict_params',
] as const satisfies readonly (keyof ChatCompletionRequestDto)[];

/**
 * Validates a chat request and returns the very object that was parsed: only the fields that the gateway reads are copied to a
 * class instance for class-validator, so unknown fields stay in place and a large body costs one linear pass. Nothing in it is
 * changed except a limit of -1 and tools in the flat form of the Responses API, whose bodies are translated.
 *
 * @throws GatewayError 400 for the first fault, `param` naming its path
 */
export function parseChatRequest(body: unknown): ChatRequest {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw invalidRequest('The request body must be a JSON object.', null, 'invalid_type');
  }
  const fields = body as Record<string, unknown>;
  if (Object.keys(fields).length > MAX_KEYS) {
    throw invalidRequest(`The request body has more than ${MAX_KEYS} keys.`, null, 'object_above_max_keys');
  }
  if (isResponsesShaped(fields)) return chatFromResponses(fields);
  withNestedTools(fields);
  if (!isSurelyValid(fields)) {
    const declared = new ChatCompletionRequestDto();
    for (const name of DECLARED) {
      if (fields[name] !== undefined) {
        (declared as unknown as Record<string, unknown>)[name] = asNumber(fields[name]) ?? fields[name];
      }
    }
    const streamOptions = fields['stream_options'];
    if (streamOptions !== undefined) declared.stream_options = toStreamOptions(streamOptions);
    const errors = validateSync(declared, { forbidUnknownValues: false });
    if (errors.length > 0) throw toInvalidRequest(errors);
  }
  assertMessages(fields['messages']);
  removeUnlimited(fields);
  return fields as ChatRequest;
}

/** A limit of -1, by which clients mean none, becomes null, which means absent everywhere behind this. */
export function removeUnlimited(fields: Record<string, unknown>): void {
  if (fields['max_tokens'] === -1) fields['max_tokens'] = null;
  if (fields['max_completion_tokens'] === -1) fields['max_completion_tokens'] = null;
}

/** Converted to the class that class-validator needs. */
export function toStreamOptions(value: unknown): StreamOptionsDto | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value as null;
  const options = new StreamOptionsDto();
  options.include_usage = (value as StreamOptionsDto).include_usage;
  return options;
}

/** Applied to the chat route's body in place of Nest's ValidationPipe, which would strip unknown fields. */
@Injectable()
export class ChatRequestPipe implements PipeTransform<unknown, ChatRequest> {
  transform(body: unknown): ChatRequest {
    return parseChatRequest(body);
  }
}
