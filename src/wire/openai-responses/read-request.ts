import { invalidRequest } from '../../errors/gateway-error.js';
import type { CanonicalMessage } from '../../operations/chat/canonical/blocks.js';
import type { CanonicalRequest, Reasoning, ResponseFormat } from '../../operations/chat/canonical/canonical-request.js';
import { MAX_KEYS, MAX_MESSAGES } from '../../operations/chat/chat-messages.js';
import { isObject, nonEmptyString, type JsonObject } from '../../runtime/json-value.js';
import { compactionRequest } from './compaction.js';
import { extrasOf } from './item-extras.js';
import { missing, wrongType } from './path-faults.js';
import { readItems } from './read-items.js';
import { readToolChoice, readTools } from './read-tools.js';
import { boolean, integer, number, object, text } from './scalars.js';

/** Members that the canonical form holds, so that they need not stand in the extras. */
const MAPPED = new Set([
  ...['input', 'model', 'stream', 'parallel_tool_calls', 'max_output_tokens', 'temperature', 'top_p', 'stop'],
  ...['top_logprobs', 'service_tier', 'prompt_cache_key', 'user', 'metadata', 'store'],
]);

/**
 * A request of the Responses API. Members without a place in the canonical form stay in the extras, with those that a response
 * repeats (`tools`, `text`, ...).
 *
 * @throws GatewayError 400 whose `param` is the path of the fault
 */
export function readRequest(body: JsonObject): CanonicalRequest {
  if (Object.keys(body).length > MAX_KEYS) {
    throw invalidRequest(`The request body has more than ${MAX_KEYS} keys.`, null, 'object_above_max_keys');
  }
  const { items, isText } = inputOf(body);
  const read = readItems(items, 'input');
  const messages = [...instructions(body), ...read.messages];
  const tools = [
    ...readTools(body['tools'], 'tools'),
    ...read.tools.flatMap(({ tools: more, path }) => readTools(more, path)),
  ];
  const toolChoice = readToolChoice(body['tool_choice']);
  const format = readFormat(body['text']);
  const include = includes(body);
  const { isCompaction } = read;
  if (isCompaction) messages.push(compactionRequest());
  return definedOnly({
    model: modelOf(body),
    messages,
    stream: boolean(body, 'stream'),
    // A summary calls no tools.
    tools: tools.length > 0 && !isCompaction ? tools : undefined,
    toolChoice: isCompaction ? undefined : toolChoice,
    parallelToolCalls: isCompaction ? undefined : boolean(body, 'parallel_tool_calls'),
    maxOutputTokens: integer(body, 'max_output_tokens', 1),
    temperature: number(body, 'temperature', 0, 2),
    topP: number(body, 'top_p', 0, 1),
    stop: stops(body),
    logprobs: include.has('message.output_text.logprobs') ? true : undefined,
    topLogprobs: integer(body, 'top_logprobs', 0),
    responseFormat: isCompaction ? undefined : format.responseFormat,
    verbosity: format.verbosity,
    reasoning: readReasoningOptions({ ...object(body, 'reasoning'), ...objectIn(read.configuration, 'reasoning') }),
    serviceTier: text(body, 'service_tier'),
    promptCacheKey: text(body, 'prompt_cache_key'),
    endUser: text(body, 'user'),
    metadata: object(body, 'metadata'),
    store: boolean(body, 'store'),
    ...extrasOf({
      ...Object.fromEntries(Object.entries(body).filter(([name]) => !MAPPED.has(name))),
      input_is_text: isText || undefined,
      compaction: isCompaction || undefined,
    }),
  });
}

function modelOf(body: JsonObject): string {
  const { model } = body;
  if (typeof model === 'string' && model !== '' && model.length <= MAX_MODEL_CHARACTERS) return model;
  if (model === undefined || model === null) throw missing('model', 'Name one of GET /v1/models.');
  throw wrongType('model', `a string of 1 to ${MAX_MODEL_CHARACTERS} characters`, model);
}

const MAX_MODEL_CHARACTERS = 256;

function inputOf({ input }: JsonObject): { items: readonly unknown[]; isText: boolean } {
  if (typeof input === 'string') return { items: [{ role: 'user', content: input }], isText: true };
  if (Array.isArray(input)) {
    if (input.length === 0) throw invalidRequest("'input' is empty. Send at least one item.", 'input', 'empty_array');
    if (input.length > MAX_MESSAGES) {
      throw invalidRequest(
        `'input' has ${input.length} items; at most ${MAX_MESSAGES} are taken.`,
        'input',
        'array_above_max_length',
      );
    }
    return { items: input, isText: false };
  }
  throw input === undefined || input === null
    ? missing('input', 'Send a string, or an array of items such as [{"role": "user", "content": "Hello"}].')
    : wrongType('input', 'a string or an array of items', input);
}

/** The system prompt. Responses of the API may have it as items as well. */
function instructions(body: JsonObject): CanonicalMessage[] {
  const value = body['instructions'];
  if (value === undefined || value === null || value === '') return [];
  if (Array.isArray(value)) return readItems(value, 'instructions').messages;
  if (typeof value !== 'string') throw wrongType('instructions', 'a string', value);
  return [{ role: 'system', blocks: [{ type: 'text', text: value }], ...extrasOf({ instructions: true }) }];
}

function stops({ stop }: JsonObject): readonly string[] | undefined {
  if (typeof stop === 'string') return [stop];
  if (!Array.isArray(stop) || stop.length === 0) return undefined;
  return stop.filter((each): each is string => typeof each === 'string');
}

function includes(body: JsonObject): ReadonlySet<unknown> {
  const { include } = body;
  if (include === undefined || include === null) return new Set();
  if (!Array.isArray(include)) {
    throw wrongType('include', 'an array such as ["reasoning.encrypted_content"]', include);
  }
  const at = include.findIndex((each) => typeof each !== 'string');
  if (at !== -1) throw wrongType(`include[${at}]`, 'a string', include[at]);
  return new Set(include);
}

function readFormat(value: unknown): { responseFormat?: ResponseFormat; verbosity?: string } {
  if (value === undefined || value === null) return {};
  if (!isObject(value)) throw wrongType('text', 'an object such as {"format": {"type": "text"}}', value);
  const verbosity = nonEmptyString(value['verbosity']);
  const responseFormat = formatOf(value['format']);
  return { ...(verbosity !== undefined && { verbosity }), ...(responseFormat !== undefined && { responseFormat }) };
}

function formatOf(format: unknown): ResponseFormat | undefined {
  if (format === undefined || format === null) return undefined;
  if (!isObject(format)) throw wrongType('text.format', 'an object such as {"type": "json_object"}', format);
  const { type } = format;
  if (type === 'text' || type === 'json_object') return { type };
  if (type !== 'json_schema') {
    throw type === undefined
      ? missing('text.format.type', 'Use text, json_object or json_schema.')
      : invalidRequest("'text.format.type' must be text, json_object or json_schema.", 'text.format.type');
  }
  // Chat nests it.
  const own = isObject(format['json_schema']) ? format['json_schema'] : format;
  const { schema, strict } = own;
  if (!isObject(schema)) {
    throw schema === undefined
      ? missing('text.format.schema', 'Send the JSON Schema of the response.')
      : wrongType('text.format.schema', 'a JSON Schema object', schema);
  }
  const [name, description] = [nonEmptyString(own['name']), nonEmptyString(own['description'])];
  return {
    type: 'json_schema',
    schema,
    ...(name !== undefined && { name }),
    ...(description !== undefined && { description }),
    ...(typeof strict === 'boolean' && { strict }),
  };
}

function readReasoningOptions(options: JsonObject): Reasoning | undefined {
  const effort = nonEmptyString(options['effort']);
  const summary = options['summary'] ?? options['generate_summary'];
  const isShown = typeof summary === 'string' && summary !== 'none' ? true : undefined;
  if (effort === undefined && isShown === undefined) return undefined;
  return { ...(effort !== undefined && { effort }), ...(isShown !== undefined && { isShown }) };
}

function objectIn(holder: JsonObject | undefined, name: string): JsonObject {
  const value = holder?.[name];
  return isObject(value) ? value : {};
}

function definedOnly<Value extends object>(value: Value): Value {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as Value;
}
