import type { CanonicalRequest, Reasoning, ResponseFormat } from '../../operations/chat/canonical/canonical-request.js';
import { invalidRequest } from '../../errors/gateway-error.js';
import { asNumber } from '../../runtime/exact-integers.js';
import { isObject, nonEmptyString, type JsonObject } from '../../runtime/json-value.js';
import { wrongType } from './faults.js';
import { readCacheHint, readExtras } from './read-block.js';
import { readMessages, readSystem } from './read-messages.js';
import { readToolChoice, readTools } from './read-tools.js';
import { isStrictSchema } from './structured-schema.js';

/** Members with a place in a canonical request, or that say nothing to another format. */
const READ = new Set([
  ...['model', 'messages', 'system', 'stream', 'max_tokens', 'temperature', 'top_p', 'top_k', 'stop_sequences'],
  ...['tools', 'tool_choice', 'thinking', 'output_config', 'output_format', 'metadata', 'service_tier'],
  ...['cache_control', 'strict_params'],
]);
const CONFIG_READ = new Set(['effort', 'format']);
/** Anthropic's tiers by OpenAI's names. */
const TIERS: Readonly<Record<string, string>> = { auto: 'auto', standard_only: 'default' };

type Writable = { -readonly [Field in keyof CanonicalRequest]: CanonicalRequest[Field] };

/**
 * A body of POST /v1/messages or /v1/messages/count_tokens. Lenient: `max_tokens` may be absent, and members that are unknown are
 * kept for providers of this format.
 *
 * @throws GatewayError 400 with the path of the fault
 */
export function readRequest(body: JsonObject): CanonicalRequest {
  const model = nonEmptyString(body['model']);
  if (model === undefined) throw wrongType('model', 'the id of a model', body['model']);
  const read: Writable = { model, messages: [...readSystem(body['system']), ...readMessages(body['messages'])] };
  const set = <Field extends keyof CanonicalRequest>(
    field: Field,
    value: CanonicalRequest[Field] | undefined,
  ): void => {
    if (value !== undefined) read[field] = value;
  };
  const tools = readTools(body);
  set('tools', tools.length > 0 ? tools : undefined);
  Object.assign(read, readToolChoice(body['tool_choice']));
  set('stream', booleanAt(body, 'stream') === true ? true : undefined);
  set('maxOutputTokens', wholeAt(body, 'max_tokens'));
  set('temperature', numberAt(body, 'temperature'));
  set('topP', numberAt(body, 'top_p'));
  set('topK', wholeAt(body, 'top_k'));
  set('stop', readStops(body['stop_sequences']));
  const { metadata, service_tier: tier } = body;
  set('endUser', isObject(metadata) ? nonEmptyString(metadata['user_id']) : undefined);
  set('serviceTier', typeof tier === 'string' ? (TIERS[tier] ?? tier) : undefined);
  set('cache', readCacheHint(body));
  const config = body['output_config'];
  if (config !== undefined && config !== null && !isObject(config))
    throw wrongType('output_config', 'an object', config);
  set('reasoning', readReasoning(body['thinking'], isObject(config) ? nonEmptyString(config['effort']) : undefined));
  set('responseFormat', readFormat(isObject(config) ? config['format'] : undefined, 'output_config.format'));
  if (read.responseFormat === undefined) set('responseFormat', readFormat(body['output_format'], 'output_format'));
  set('extras', extrasOf(body, config));
  return read;
}

function extrasOf(body: JsonObject, config: unknown): CanonicalRequest['extras'] {
  const own = readExtras(body, READ)?.anthropic;
  const ofConfig = isObject(config) ? readExtras(config, CONFIG_READ)?.anthropic : undefined;
  if (own === undefined && ofConfig === undefined) return undefined;
  return { anthropic: { ...own, ...(ofConfig !== undefined && { output_config: ofConfig }) } };
}

/** `thinking`, and `output_config.effort`. */
function readReasoning(thinking: unknown, effort: string | undefined): Reasoning | undefined {
  const ofEffort = effort === undefined ? {} : { effort };
  if (thinking === undefined || thinking === null) return effort === undefined ? undefined : ofEffort;
  if (!isObject(thinking)) throw wrongType('thinking', 'an object such as {"type": "adaptive"}', thinking);
  const { type, budget_tokens: budget, display } = thinking;
  const shown = typeof display === 'string' ? { isShown: display !== 'omitted' } : {};
  switch (type) {
    case 'disabled':
      return { budgetTokens: 0 };
    case 'enabled': {
      const tokens = asNumber(budget);
      if (tokens === undefined || !Number.isInteger(tokens) || tokens < 1) {
        throw wrongType('thinking.budget_tokens', 'a whole number of tokens', budget);
      }
      return { budgetTokens: tokens, ...ofEffort, ...shown };
    }
    case 'between_tools':
      return { effort: 'minimal' };
    default:
      // A way of thinking that is newer than this code is the model's own decision.
      return { isAdaptive: true, ...ofEffort, ...shown };
  }
}

function readFormat(format: unknown, path: string): ResponseFormat | undefined {
  if (!isObject(format)) {
    if (format === undefined || format === null) return undefined;
    throw wrongType(path, 'an object', format);
  }
  const { type, schema } = format;
  if (type !== 'json_schema') return undefined;
  if (!isObject(schema)) throw wrongType(`${path}.schema`, 'a JSON schema', schema);
  return { type, schema, ...(isStrictSchema(schema) && { strict: true }) };
}

function readStops(stops: unknown): string[] | undefined {
  if (stops === undefined || stops === null) return undefined;
  if (!Array.isArray(stops)) throw wrongType('stop_sequences', 'an array of strings', stops);
  const texts = stops.map((stop: unknown, index) => {
    if (typeof stop !== 'string') throw wrongType(`stop_sequences[${index}]`, 'a string', stop);
    return stop;
  });
  const filled = texts.filter((text) => text !== '');
  return filled.length === 0 ? undefined : filled;
}

function numberAt(body: JsonObject, name: string): number | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  const number = asNumber(value);
  if (number === undefined || !Number.isFinite(number)) throw wrongType(name, 'a number', value);
  return number;
}

function wholeAt(body: JsonObject, name: string): number | undefined {
  const number = numberAt(body, name);
  if (number === undefined) return undefined;
  if (!Number.isInteger(number) || number < 0) {
    throw invalidRequest(`'${name}' must be a whole number, 0 or more.`, name);
  }
  return number;
}

function booleanAt(body: JsonObject, name: string): boolean | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'boolean') throw wrongType(name, 'true or false', value);
  return value;
}
