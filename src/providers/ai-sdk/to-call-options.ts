import { asNumber } from '../../runtime/exact-integers.js';
import type { LanguageModelV3CallOptions, LanguageModelV3Prompt, SharedV3ProviderOptions } from '@ai-sdk/provider';
import type { ChatRequest } from '../../operations/chat/chat-completion.js';
import { asksForDefault, isIgnorable, limitStops } from '../../wire/openai-chat/ignorable-params.js';
import { MESSAGES_DIALECT } from '../definitions/anthropic.js';
import type { Dialect } from './dialect.js';
import { addOptions, asJsonObject, asJsonValue } from './json-object.js';
import { toPrompt } from './to-prompt.js';
import { toReasoning } from './to-reasoning.js';
import { toResponseFormat } from './to-response-format.js';
import { toTools } from './to-tools.js';

export interface MappedCall {
  /** Without signal and headers, which belong to one attempt. */
  readonly options: LanguageModelV3CallOptions;
  /** Fields of the request that this provider cannot take, by OpenAI's names. */
  readonly dropped: readonly string[];
}

/** Fields that have a place of their own in a call, or are read by the gateway itself. */
const MAPPED = new Set([
  'model',
  'messages',
  'max_tokens',
  'max_completion_tokens',
  'temperature',
  'top_p',
  'top_k',
  'n',
  'seed',
  'stop',
  'presence_penalty',
  'frequency_penalty',
  'stream',
  'stream_options',
  'tools',
  'tool_choice',
  'functions',
  'function_call',
  'response_format',
  'strict_params',
  'metadata',
]);
/**
 * The whole request as a call to a language model. Null means absent, as everywhere. A field that the provider cannot
 * take is left out and named, never sent on in the hope that it does no harm.
 *
 * @throws GatewayError 400 that names the field
 */
export function toCallOptions(request: ChatRequest, dialect: Dialect, modelId: string): MappedCall {
  const dropped: string[] = [];
  const providerOptions: SharedV3ProviderOptions = {};
  const limit = tokenLimit(request.max_completion_tokens) ?? tokenLimit(request.max_tokens);
  const reasoning = toReasoning(request, dialect, modelId, limit);
  const format = toResponseFormat(request, dialect);
  const tools = toTools(request, dialect);
  dropped.push(...tools.dropped, ...format.dropped, ...reasoning.dropped);
  addOptions(providerOptions, dialect.namespace, reasoning.options);
  if (format.strict !== undefined && dialect.strictSchemas) {
    addOptions(providerOptions, dialect.namespace, { strictJsonSchema: format.strict });
  }
  if (format.untouched !== undefined) {
    addOptions(providerOptions, dialect.namespace, { response_format: format.untouched });
  }
  if (dialect.passesUnknown && count(request['top_k']) !== undefined) {
    addOptions(providerOptions, dialect.namespace, { top_k: asJsonValue(request['top_k']) });
  }
  const used = mapOwnFields(request, dialect, providerOptions);
  for (const [name, value] of Object.entries(request)) {
    if (value === undefined || value === null || MAPPED.has(name) || used.has(name)) continue;
    if ((name === 'reasoning_effort' || name === 'thinking') && isTakenByReasoning(name, request, dialect)) continue;
    if (asksForDefault(name, value)) continue;
    if (dialect.passesUnknown) addOptions(providerOptions, dialect.namespace, { [name]: asJsonValue(value) });
    else if (!isIgnorable(name, value)) dropped.push(name);
  }
  const { stops, dropped: droppedStops } = limitStops(toStop(request.stop), dialect.maxStops);
  dropped.push(...droppedStops);
  const stopSequences = stops.length === 0 ? undefined : stops;
  const prompt = withInstruction(toPrompt(request.messages, dialect), format.instruction);
  return {
    options: {
      prompt,
      maxOutputTokens: limit === undefined ? undefined : Math.max(1, limit - reasoning.budgetTokens),
      temperature: count(request.temperature),
      topP: count(request.top_p),
      topK: dialect.passesUnknown ? undefined : count(request['top_k']),
      presencePenalty: unlessZero(request['presence_penalty']),
      frequencyPenalty: unlessZero(request['frequency_penalty']),
      seed: count(request['seed']),
      stopSequences,
      responseFormat: format.responseFormat,
      tools: tools.tools,
      toolChoice: tools.toolChoice,
      providerOptions,
    },
    dropped,
  };
}

/** Fields under the package's own names, and what Claude has in a form of its own. */
function mapOwnFields(
  request: ChatRequest,
  dialect: Dialect,
  providerOptions: SharedV3ProviderOptions,
): ReadonlySet<string> {
  const used = new Set<string>();
  for (const [name, option] of Object.entries(dialect.renamed)) {
    const value = request[name];
    if (asksForDefault(name, value)) continue;
    addOptions(providerOptions, dialect.namespace, { [option]: asJsonValue(value) });
    used.add(name);
  }
  if (dialect.claude) {
    if (typeof request.parallel_tool_calls === 'boolean' && (request.tools ?? []).length > 0) {
      addOptions(providerOptions, MESSAGES_DIALECT.namespace, { disableParallelToolUse: !request.parallel_tool_calls });
      used.add('parallel_tool_calls');
    }
    if (dialect.messagesApi && typeof request.user === 'string') {
      addOptions(providerOptions, MESSAGES_DIALECT.namespace, { metadata: { userId: request.user } });
      used.add('user');
    }
  }
  if (dialect.reasoning === 'thinking-config' && isImageOutput(request['modalities'])) {
    addOptions(providerOptions, dialect.namespace, { responseModalities: ['TEXT', 'IMAGE'] });
    used.add('modalities');
  }
  const cacheControl = request['cache_control'];
  if (typeof cacheControl === 'object' && cacheControl !== null && dialect.messagesApi) {
    addOptions(providerOptions, MESSAGES_DIALECT.namespace, { cacheControl: asJsonObject({ ...cacheControl }) });
    used.add('cache_control');
  }
  return used;
}

/** to-reasoning.ts has mapped it, or has named it as dropped. */
function isTakenByReasoning(name: string, request: ChatRequest, { reasoning }: Dialect): boolean {
  if (name === 'reasoning_effort') return reasoning !== 'field';
  const thinking = request['thinking'];
  return (
    (reasoning === 'thinking-budget' || reasoning === 'thinking-switch') &&
    typeof thinking === 'object' &&
    thinking !== null &&
    'type' in thinking
  );
}

function isImageOutput(modalities: unknown): boolean {
  return (
    Array.isArray(modalities) &&
    modalities.includes('image') &&
    modalities.every((item) => item === 'text' || item === 'image')
  );
}

function withInstruction(prompt: LanguageModelV3Prompt, instruction: string | undefined): LanguageModelV3Prompt {
  if (instruction === undefined) return prompt;
  const firstOther = prompt.findIndex(({ role }) => role !== 'system');
  const position = firstOther === -1 ? prompt.length : firstOther;
  return [...prompt.slice(0, position), { role: 'system', content: instruction }, ...prompt.slice(position)];
}

/** Negative limits are "no limit" for many clients. */
function tokenLimit(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}

function count(value: unknown): number | undefined {
  return asNumber(value);
}

/** A penalty of 0 is none, and no provider need say that it cannot take it. */
function unlessZero(value: unknown): number | undefined {
  return typeof value === 'number' && value !== 0 ? value : undefined;
}

function toStop(stop: string | string[] | null | undefined): string[] {
  if (stop === undefined || stop === null) return [];
  return (typeof stop === 'string' ? [stop] : stop).filter((text) => text !== '');
}
