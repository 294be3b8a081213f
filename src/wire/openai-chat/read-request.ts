import { invalidRequest } from '../../errors/gateway-error.js';
import type {
  CanonicalRequest,
  CanonicalTool,
  Reasoning,
  ResponseFormat,
  ToolChoice,
} from '../../operations/chat/canonical/canonical-request.js';
import type { ChatRequest } from '../../operations/chat/chat-completion.js';
import { asNumber } from '../../runtime/exact-integers.js';
import { isObject, nonEmptyString, type JsonObject } from '../../runtime/json-value.js';
import { readCacheHint, readMessages } from './read-messages.js';

/** Fields with a place in a canonical request, or that the gateway itself reads. */
const READ = new Set([
  ...['model', 'messages', 'stream', 'stream_options', 'strict_params'],
  ...['max_tokens', 'max_completion_tokens', 'temperature', 'top_p', 'top_k', 'n', 'seed', 'stop'],
  ...['presence_penalty', 'frequency_penalty', 'logprobs', 'top_logprobs', 'logit_bias'],
  ...['tools', 'tool_choice', 'functions', 'function_call', 'parallel_tool_calls', 'response_format'],
  ...[
    'reasoning_effort',
    'verbosity',
    'service_tier',
    'prompt_cache_key',
    'user',
    'metadata',
    'store',
    'cache_control',
  ],
]);

type Writable = { -readonly [Field in keyof CanonicalRequest]: CanonicalRequest[Field] };

/** @throws GatewayError 400 that names the field */
export function readRequest(request: ChatRequest): CanonicalRequest {
  const read: Writable = { model: request.model, messages: readMessages(request.messages) };
  const limit = tokenLimit(request.max_completion_tokens) ?? tokenLimit(request.max_tokens);
  const tools = readTools(request);
  const set = <Field extends keyof CanonicalRequest>(
    field: Field,
    value: CanonicalRequest[Field] | undefined,
  ): void => {
    if (value !== undefined) read[field] = value;
  };
  set('stream', request.stream === true ? true : undefined);
  set('maxOutputTokens', limit);
  set('tools', tools.length > 0 ? tools : undefined);
  set('toolChoice', readToolChoice(request.tool_choice ?? request['function_call']));
  set('parallelToolCalls', booleanOf(request.parallel_tool_calls));
  set('temperature', asNumber(request.temperature));
  set('topP', asNumber(request.top_p));
  set('topK', asNumber(request['top_k']));
  set('choices', typeof request.n === 'number' && request.n > 1 ? request.n : undefined);
  set('seed', asNumber(request['seed']));
  set('stop', readStop(request.stop));
  set('presencePenalty', unlessZero(request['presence_penalty']));
  set('frequencyPenalty', unlessZero(request['frequency_penalty']));
  set('logprobs', request['logprobs'] === true ? true : undefined);
  set('topLogprobs', asNumber(request['top_logprobs']));
  set('logitBias', filledObject(request['logit_bias']));
  set('responseFormat', readResponseFormat(request.response_format));
  set('reasoning', readReasoning(request));
  set('verbosity', nonEmptyString(request['verbosity']));
  set('serviceTier', nonEmptyString(request['service_tier']));
  set('promptCacheKey', nonEmptyString(request['prompt_cache_key']));
  set('endUser', nonEmptyString(request.user));
  set('metadata', isObject(request.metadata) ? request.metadata : undefined);
  set('store', booleanOf(request.store));
  set('cache', readCacheHint(request));
  const extras = readExtras(request);
  if (extras !== undefined) read.extras = { 'openai-chat': extras };
  return read;
}

/** Anthropic's `thinking` is known here too, since clients send it to any model. */
function readReasoning(request: ChatRequest): Reasoning | undefined {
  const thinking = request['thinking'];
  const effort = nonEmptyString(request['reasoning_effort']);
  const ofEffort = effort === undefined ? {} : { effort };
  if (isObject(thinking)) {
    const { type, budget_tokens: budget } = thinking;
    if (type === 'disabled') return { budgetTokens: 0 };
    if (type === 'adaptive') return { isAdaptive: true, ...ofEffort };
    if (type === 'enabled') {
      const tokens = asNumber(budget);
      return { ...(tokens === undefined ? { isAdaptive: true } : { budgetTokens: tokens }), ...ofEffort };
    }
  }
  return effort === undefined ? undefined : ofEffort;
}

function readTools(request: ChatRequest): CanonicalTool[] {
  const entries: readonly unknown[] = Array.isArray(request.tools) ? request.tools : [];
  const functions = request['functions'];
  if (entries.length === 0 && Array.isArray(functions)) {
    return functions.flatMap((definition: unknown) => readFunction(definition, definition) ?? []);
  }
  return entries.flatMap((tool, index) => readTool(tool, `tools[${index}]`) ?? []);
}

function readTool(tool: unknown, place: string): CanonicalTool | undefined {
  if (!isObject(tool)) return undefined;
  if (isObject(tool['function'])) return readFunction(tool, tool['function']);
  // Anthropic's form, which clients of its batches send.
  const { name, description, input_schema: parameters, strict } = tool;
  if (isObject(parameters)) return readFunction(tool, { name, description, parameters, strict });
  const { custom } = tool;
  const customName = isObject(custom) ? nonEmptyString(custom['name']) : undefined;
  if (isObject(custom) && customName !== undefined) {
    const { description: text, format } = custom;
    return {
      type: 'custom',
      name: customName,
      ...(typeof text === 'string' && { description: text }),
      ...(isObject(format) && { format }),
    };
  }
  const type = nonEmptyString(tool['type']) ?? 'unknown';
  return { type: 'hosted', wire: 'openai-chat', name: type, value: tool, place };
}

function readFunction(carrier: unknown, definition: unknown): CanonicalTool | undefined {
  const name = isObject(definition) ? nonEmptyString(definition['name']) : undefined;
  if (!isObject(definition) || name === undefined) return undefined;
  const { description, parameters, strict } = definition;
  const cache = readCacheHint(carrier) ?? readCacheHint(definition);
  return {
    type: 'function',
    name,
    ...(typeof description === 'string' && { description }),
    ...(isObject(parameters) && { parameters }),
    ...(typeof strict === 'boolean' && { strict }),
    ...(cache !== undefined && { cache }),
  };
}

function readToolChoice(choice: unknown): ToolChoice | undefined {
  if (choice === 'auto' || choice === 'none' || choice === 'required') return { type: choice };
  if (!isObject(choice)) return undefined;
  const { type, allowed_tools: allowed } = choice;
  if (type === 'auto' || type === 'none') return { type };
  if (type === 'any' || type === 'required') return { type: 'required' };
  if (isObject(allowed)) {
    const listed: unknown = allowed['tools'];
    const names = Array.isArray(listed) ? listed.flatMap((tool: unknown) => toolNameOf(tool) ?? []) : [];
    return { type: 'allowed', mode: allowed['mode'] === 'required' ? 'required' : 'auto', names };
  }
  const name = toolNameOf(choice);
  return name === undefined ? undefined : { type: 'tool', name };
}

function toolNameOf(tool: unknown): string | undefined {
  if (!isObject(tool)) return undefined;
  const named = isObject(tool['function']) ? tool['function'] : isObject(tool['custom']) ? tool['custom'] : tool;
  const type = nonEmptyString(tool['type']);
  // A tool that the provider runs has no name but its type.
  return nonEmptyString(named['name']) ?? (type === 'function' || type === 'custom' ? undefined : type);
}

function readResponseFormat(format: ChatRequest['response_format']): ResponseFormat | undefined {
  if (format == null) return undefined;
  if (format.type === 'text' || format.type === 'json_object') return { type: format.type };
  if (format.type !== 'json_schema') return undefined;
  const { schema, name, description, strict } = format.json_schema ?? {};
  if (!isObject(schema)) {
    const field = 'response_format.json_schema.schema';
    throw invalidRequest(`'${field}' must be a JSON schema.`, field);
  }
  return {
    type: 'json_schema',
    schema,
    ...(typeof name === 'string' && { name }),
    ...(typeof description === 'string' && { description }),
    ...(typeof strict === 'boolean' && { strict }),
  };
}

function readExtras(request: ChatRequest): JsonObject | undefined {
  const extras: JsonObject = {};
  for (const [name, value] of Object.entries(request)) {
    if (value === undefined || value === null || READ.has(name)) continue;
    if (name === 'thinking' && readReasoning(request) !== undefined) continue;
    extras[name] = value;
  }
  const format = request.response_format;
  const isKnown = format == null || ['text', 'json_object', 'json_schema'].includes(format.type);
  if (!isKnown) extras['response_format'] = format;
  return Object.keys(extras).length > 0 ? extras : undefined;
}

/** Negative limits are "no limit" for many clients. */
function tokenLimit(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

function booleanOf(value: unknown): boolean | undefined {
  return typeof value === 'boolean' ? value : undefined;
}

/** A penalty of 0 has no effect, so it is removed without being named. */
function unlessZero(value: unknown): number | undefined {
  const number = asNumber(value);
  return number === 0 ? undefined : number;
}

function filledObject(value: unknown): JsonObject | undefined {
  return isObject(value) && Object.keys(value).length > 0 ? value : undefined;
}

function readStop(stop: string | string[] | null | undefined): string[] | undefined {
  if (stop === undefined || stop === null) return undefined;
  const stops = (typeof stop === 'string' ? [stop] : stop).filter((text) => text !== '');
  return stops.length === 0 ? undefined : stops;
}
