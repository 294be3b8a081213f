import { printExact } from '../../runtime/exact-integers.js';
import type { SpanAttributes } from '../operation.js';
import type { RecordedResponse } from './response-recorder.js';
import type { ChatRequest, Usage } from './chat-completion.js';

/** Numbers of a request and the names that the conventions have for them. */
const NUMBERS = {
  temperature: 'gen_ai.request.temperature',
  top_p: 'gen_ai.request.top_p',
  top_k: 'gen_ai.request.top_k',
  frequency_penalty: 'gen_ai.request.frequency_penalty',
  presence_penalty: 'gen_ai.request.presence_penalty',
  seed: 'gen_ai.request.seed',
} as const;

/** The span attributes of a request by the GenAI conventions, version 1.37, without texts of its client. */
export function requestAttributes(request: ChatRequest): SpanAttributes {
  const attributes: SpanAttributes = {};
  for (const [field, name] of Object.entries(NUMBERS)) {
    const value = request[field];
    if (typeof value === 'number') attributes[name] = value;
  }
  const most = request['max_completion_tokens'] ?? request['max_tokens'];
  if (typeof most === 'number') attributes['gen_ai.request.max_tokens'] = most;
  const choices = request['n'];
  if (typeof choices === 'number' && choices !== 1) attributes['gen_ai.request.choice.count'] = choices;
  const format = (request['response_format'] as { type?: unknown } | null | undefined)?.type;
  if (format === 'json_object' || format === 'json_schema') attributes['gen_ai.output.type'] = 'json';
  return attributes;
}

/** Span attributes of a response without its content. */
export function responseAttributes(response: RecordedResponse | undefined, usage: Usage | undefined): SpanAttributes {
  const attributes: SpanAttributes = {};
  if (response?.id !== undefined) attributes['gen_ai.response.id'] = response.id;
  if (response?.model !== undefined) attributes['gen_ai.response.model'] = response.model;
  const reasons = response?.choices.map(({ finish_reason: reason }) => reason ?? '').filter((reason) => reason !== '');
  if (reasons !== undefined && reasons.length > 0) attributes['gen_ai.response.finish_reasons'] = reasons;
  if (usage !== undefined) {
    attributes['gen_ai.usage.input_tokens'] = usage.prompt_tokens;
    attributes['gen_ai.usage.output_tokens'] = usage.completion_tokens;
    const { cached_tokens: read, cache_write_tokens: written } = usage.prompt_tokens_details ?? {};
    if (typeof read === 'number') attributes['gen_ai.usage.cache_read.input_tokens'] = read;
    if (typeof written === 'number') attributes['gen_ai.usage.cache_creation.input_tokens'] = written;
  }
  return attributes;
}

/** Prompt and response in the form of the conventions: JSON of roles and parts. Only where content is enabled. */
export function contentAttributes({ messages }: ChatRequest, response: RecordedResponse | undefined): SpanAttributes {
  const input = (messages as readonly unknown[]).map((message) => {
    const { role, content, tool_calls: calls, tool_call_id: id } = message as Record<string, unknown>;
    if (role === 'tool') return { role, parts: [{ type: 'tool_call_response', id, response: content }] };
    return { role, parts: [...contentParts(content), ...toolCallParts(calls)] };
  });
  const output = (response?.choices ?? []).map((choice) => ({
    role: 'assistant',
    parts: [
      ...(choice.reasoning === '' ? [] : [{ type: 'reasoning', content: choice.reasoning }]),
      ...contentParts(choice.content),
      ...contentParts(choice.refusal),
      ...choice.tool_calls.map((call) => ({ type: 'tool_call', ...call })),
    ],
    finish_reason: choice.finish_reason,
  }));
  return {
    'gen_ai.input.messages': printExact(input),
    ...(response !== undefined && { 'gen_ai.output.messages': printExact(output) }),
  };
}

function contentParts(content: unknown): object[] {
  if (typeof content === 'string') return content === '' ? [] : [{ type: 'text', content }];
  if (!Array.isArray(content)) return [];
  return (content as Record<string, unknown>[]).map((part) =>
    part['type'] === 'text' ? { type: 'text', content: part['text'] } : part,
  );
}

function toolCallParts(calls: unknown): object[] {
  if (!Array.isArray(calls)) return [];
  return (calls as { id?: unknown; function?: { name?: unknown; arguments?: unknown } }[]).map((call) => ({
    type: 'tool_call',
    id: call.id,
    name: call.function?.name,
    arguments: call.function?.arguments,
  }));
}
