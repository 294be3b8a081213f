import { printExact } from '../../runtime/exact-integers.js';
import type { ChatCompletion, Choice, FinishReason } from '../../operations/chat/chat-completion.js';
import { type GatewayError, upstreamError } from '../../errors/gateway-error.js';
import { normaliseFinishReason } from './finish-reason.js';
import { UsageCollector } from './find-usage.js';
import { flattenContent } from './flatten-content.js';
import { isObject, JsonObject, nonEmptyString } from '../../runtime/json-value.js';
import { createdSeconds, newCompletionId, newToolCallId } from './generated-ids.js';
import { mapErrorObject } from '../errors/map-error.js';
import type { Redact } from '../errors/redact.js';

/** Options of normalising a response. */
export interface NormaliseOptions {
  /** The model's id at the provider, for a response that does not name its model. */
  readonly upstreamModel: string;
  readonly redact: Redact;
  /** Epoch milliseconds, for a response without a date. */
  readonly now: number;
}

/**
 * Converts a server's response with status 200 to the complete OpenAI shape. Unknown fields stay. The parsed body is changed in
 * place, since it has no other reader.
 *
 * A missing finish reason is inferred: the response arrived as complete JSON, so it was not cut off. With tool calls it is
 * `tool_calls`, with content `stop`; a choice that has neither is an invalid response.
 *
 * @throws GatewayError for an error body, or anything that is not a completion
 */
export function normaliseCompletion(body: unknown, { upstreamModel, redact, now }: NormaliseOptions): ChatCompletion {
  if (!isObject(body)) throw upstreamError({ message: 'The upstream provider answered with no JSON object.' });
  const choices = body['choices'];
  if (body['error'] != null || body['object'] === 'error') {
    throw mapErrorObject(body['object'] === 'error' ? body : body['error'], redact);
  }
  if (!Array.isArray(choices) || choices.length === 0) {
    throw upstreamError({ message: 'The upstream provider answered without choices.' });
  }
  const counts = new UsageCollector();
  counts.read(body);
  const usage = counts.total;
  if (usage === undefined) delete body['usage'];
  else body['usage'] = usage;
  return Object.assign(body, {
    id: nonEmptyString(body['id']) ?? newCompletionId(),
    object: 'chat.completion' as const,
    created: createdSeconds(body['created'], now),
    model: nonEmptyString(body['model']) ?? upstreamModel,
    choices: choices.map((choice: unknown, index) => normaliseChoice(choice, index, redact)),
  });
}

function normaliseChoice(choice: unknown, position: number, redact: Redact): Choice {
  if (!isObject(choice) || !isObject(choice['message'])) {
    throw upstreamError({ message: 'The upstream provider answered with a choice that has no message.' });
  }
  if (choice['error'] != null) throw mapErrorObject(choice['error'], redact);
  const { index, message } = choice;
  flattenContent(message);
  normaliseToolCalls(message);
  return Object.assign(choice, {
    index: typeof index === 'number' && Number.isInteger(index) && index >= 0 ? index : position,
    message: Object.assign(message, {
      role: 'assistant' as const,
      content: typeof message['content'] === 'string' ? message['content'] : null,
      refusal: typeof message['refusal'] === 'string' ? message['refusal'] : null,
    }),
    logprobs: choice['logprobs'] ?? null,
    finish_reason: finishReason(choice['finish_reason'], message),
  });
}

function finishReason(value: unknown, message: JsonObject): FinishReason {
  const reason = normaliseFinishReason(value);
  if (reason === 'failed') throw upstreamError({ message: 'The upstream provider broke off the generation.' });
  const hasLegacyCall = isObject(message['function_call']);
  if (reason === 'function_call') return hasLegacyCall ? reason : 'tool_calls';
  if (reason !== null) return reason;
  if (message['tool_calls'] !== undefined) return 'tool_calls';
  if (hasLegacyCall) return 'function_call';
  if (typeof message['content'] === 'string' || typeof message['refusal'] === 'string') return 'stop';
  throw upstreamError({ message: 'The upstream provider answered with neither content nor a finish reason.' });
}

function normaliseToolCalls(message: JsonObject): void {
  const calls = message['tool_calls'];
  if (calls === undefined) return;
  if (!Array.isArray(calls) || calls.length === 0) {
    delete message['tool_calls'];
    return;
  }
  const ids = new Set<string>();
  for (const call of calls) {
    if (!isObject(call)) throw malformedToolCall();
    const given = nonEmptyString(call['id']);
    // Results name their call by its id, so no two calls may have the same one.
    const id = given === undefined || ids.has(given) ? newToolCallId() : given;
    ids.add(id);
    call['id'] = id;
    call['type'] = nonEmptyString(call['type']) ?? 'function';
    const called = call['function'];
    if (call['type'] === 'function' && !(isObject(called) && nonEmptyString(called['name']) !== undefined)) {
      throw malformedToolCall();
    }
    if (isObject(called)) called['arguments'] = argumentsText(called['arguments']) ?? '{}';
  }
}

function malformedToolCall(): GatewayError {
  return upstreamError({ message: 'The upstream provider answered with a malformed tool call.' });
}

/** Tool arguments are JSON in a string; some servers forget the string. Undefined if there are none. */
export function argumentsText(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === 'string' ? value : printExact(value);
}
