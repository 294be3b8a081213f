import { fieldName } from '../../operations/chat/canonical/canonical-fields.js';
import type { CanonicalRequest, ResponseFormat } from '../../operations/chat/canonical/canonical-request.js';
import { printExact } from '../../runtime/exact-integers.js';
import { isObject, type JsonObject } from '../../runtime/json-value.js';
import { DroppedFields } from '../dropped-fields.js';
import { asksForDefault } from '../openai-chat/ignorable-params.js';
import { ToolNames } from '../tool-names.js';
import type { Target, Written } from '../wire-format.js';
import { familyOf, type ModelFamily } from './model-family.js';
import { writeContents } from './write-contents.js';
import { writeSchema } from './write-schema.js';
import { writeThinking } from './write-thinking.js';
import { FUNCTION_NAME_RULE, writeTools } from './write-tools.js';

/** Most stop sequences. */
const MAX_STOPS = 5;
/** A seed is a signed integer of 32 bits. */
const SEED_RANGE = 2 ** 31;
const TIERS = new Set(['flex', 'priority', 'standard']);
const JSON_TYPE = 'application/json';

/**
 * A request as the body of `generateContent`. Traits: `isCloud`, true on Vertex AI, which knows log probabilities and no ids of
 * calls. The number of choices is not written: the provider makes a call for each.
 *
 * @throws GatewayError 400 for what Google cannot take and the request cannot do without
 */
export function writeRequest(request: CanonicalRequest, target: Target): Written {
  const { client, traits } = target;
  const isCloud = traits['isCloud'] === true;
  const family = familyOf(target.upstreamModel);
  const dropped = new DroppedFields(client);
  const names = new ToolNames(FUNCTION_NAME_RULE);
  const tools = writeTools(request, client, names, dropped);
  const { contents, system } = writeContents(request.messages, { family, isCloud, names, dropped });
  const config = writeConfig(request, target, family, dropped);
  const format = writeFormat(request.responseFormat, tools.hasFunctions && !family.hasJsonWithTools);
  Object.assign(config, format.config);
  if (format.instruction !== undefined) {
    system.push(format.instruction);
    dropped.drop('responseFormat');
  }
  dropRest(request, dropped);
  const body: JsonObject = { contents };
  if (system.length > 0) body['systemInstruction'] = { parts: system.map((text) => ({ text })) };
  if (tools.tools !== undefined) body['tools'] = tools.tools;
  const toolConfig: JsonObject = tools.calling === undefined ? {} : { functionCallingConfig: tools.calling };
  const tier = tierOf(request.serviceTier);
  if (tier !== undefined && !isCloud) body['serviceTier'] = tier;
  else if (request.serviceTier !== undefined && !asksForDefault('service_tier', request.serviceTier)) {
    dropped.drop('serviceTier');
  }
  addOwn(request, { body, generationConfig: config, toolConfig });
  const taken = client === 'openai-chat' ? addModalities(request, config) : undefined;
  if (client !== 'gemini') dropped.dropExtras(request, taken);
  if (Object.keys(config).length > 0) body['generationConfig'] = config;
  if (Object.keys(toolConfig).length > 0) body['toolConfig'] = toolConfig;
  const { map } = names;
  return { body, dropped: dropped.names, ...(map !== undefined && { toolNames: map }) };
}

function writeConfig(
  request: CanonicalRequest,
  target: Target,
  family: ModelFamily,
  dropped: DroppedFields,
): JsonObject {
  const isCloud = target.traits['isCloud'] === true;
  const config: JsonObject = {};
  const set = (name: string, value: unknown): void => {
    if (value !== undefined) config[name] = value;
  };
  const { maxOutputTokens: limit, stop = [], seed, reasoning } = request;
  const most = target.maxOutputTokens ?? Number.POSITIVE_INFINITY;
  set('maxOutputTokens', limit === undefined ? undefined : Math.max(1, Math.min(limit, most)));
  set('temperature', request.temperature);
  set('topP', request.topP);
  set('topK', request.topK);
  // A seed that is reduced to 32 bits still gives equal responses to equal requests.
  set('seed', seed === undefined ? undefined : Math.trunc(Math.abs(seed)) % SEED_RANGE);
  if (stop.length > 0) config['stopSequences'] = stop.slice(0, MAX_STOPS);
  stop.slice(MAX_STOPS).forEach((_, index) => {
    dropped.dropNamed(`${fieldName('stop', target.client)}[${MAX_STOPS + index}]`);
  });
  for (const name of ['presencePenalty', 'frequencyPenalty'] as const) {
    if (request[name] === undefined || request[name] === 0) continue;
    if (family.refusesPenalties && !isCloud) dropped.drop(name);
    else config[name] = request[name];
  }
  if (request.logprobs === true) {
    if (isCloud) {
      config['responseLogprobs'] = true;
      if (request.topLogprobs !== undefined && request.topLogprobs > 0) config['logprobs'] = request.topLogprobs;
    } else {
      dropped.drop('logprobs');
      if (request.topLogprobs !== undefined) dropped.drop('topLogprobs');
    }
  }
  if (reasoning !== undefined) {
    const thinking = writeThinking(reasoning, family, target.upstreamModel);
    set('thinkingConfig', thinking.config);
    if (thinking.isDropped) dropped.drop('reasoning');
  }
  return config;
}

/** @param asText whether the model takes JSON output and functions in one request only in words */
function writeFormat(
  format: ResponseFormat | undefined,
  asText: boolean,
): { readonly config: JsonObject; readonly instruction?: string } {
  if (format === undefined || format.type === 'text') return { config: {} };
  const schema = format.type === 'json_schema' ? format.schema : undefined;
  if (asText) {
    const words = 'Answer with one JSON object and nothing else: no Markdown fence, no word before or after it.';
    const form = schema === undefined ? '' : ` It must match this JSON Schema: ${printExact(schema)}`;
    return { config: {}, instruction: `When you do not call a function: ${words}${form}` };
  }
  if (schema === undefined) return { config: { responseMimeType: JSON_TYPE } };
  const written = writeSchema(schema);
  return {
    config:
      written === undefined
        ? { responseMimeType: JSON_TYPE, responseJsonSchema: schema }
        : { responseMimeType: JSON_TYPE, responseSchema: written },
  };
}

/** Fields that Google does not support. Cache hints are left out without being named, because Google caches by itself. */
function dropRest(request: CanonicalRequest, dropped: DroppedFields): void {
  if (request.logitBias !== undefined && Object.keys(request.logitBias).length > 0) dropped.drop('logitBias');
  if (request.parallelToolCalls === false && (request.tools ?? []).length > 0) dropped.drop('parallelToolCalls');
  if (request.verbosity !== undefined && request.verbosity !== 'medium') dropped.drop('verbosity');
  if (request.store === true) dropped.drop('store');
}

function tierOf(tier: string | undefined): string | undefined {
  return tier !== undefined && TIERS.has(tier) ? tier : undefined;
}

/** Members that only Gemini has, each by its path. */
function addOwn(
  { extras }: CanonicalRequest,
  places: Readonly<Record<'body' | 'generationConfig' | 'toolConfig', JsonObject>>,
): void {
  for (const [path, value] of Object.entries(extras?.gemini ?? {})) {
    const [parent = '', name] = path.split('.', 2);
    if (name === undefined) {
      places.body[path] = value;
      continue;
    }
    const place = parent === 'toolConfig' ? places.toolConfig : places.generationConfig;
    const own = place[name];
    place[name] = isObject(own) && isObject(value) ? { ...value, ...own } : value;
  }
}

/** OpenAI's `modalities` of text and images. */
function addModalities({ extras }: CanonicalRequest, config: JsonObject): ReadonlySet<string> | undefined {
  const modalities: unknown = extras?.['openai-chat']?.['modalities'];
  if (!Array.isArray(modalities) || !modalities.includes('image')) return undefined;
  if (!modalities.every((item) => item === 'text' || item === 'image')) return undefined;
  config['responseModalities'] = ['TEXT', 'IMAGE'];
  return new Set(['modalities']);
}
