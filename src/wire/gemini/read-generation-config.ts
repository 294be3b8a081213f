import { invalidRequest } from '../../errors/gateway-error.js';
import type { CanonicalRequest, Reasoning, ResponseFormat } from '../../operations/chat/canonical/canonical-request.js';
import type { JsonObject } from '../../runtime/json-value.js';
import { readSchema } from './read-schema.js';
import { booleanOf, enumOf, find, numberOf, objectOf, stringOf, unread, wrongType, type Found } from './spelling.js';

const NUMBERS = {
  maxOutputTokens: 'maxOutputTokens',
  temperature: 'temperature',
  topP: 'topP',
  topK: 'topK',
  seed: 'seed',
  presencePenalty: 'presencePenalty',
  frequencyPenalty: 'frequencyPenalty',
  logprobs: 'topLogprobs',
} as const;
const READ = new Set([
  ...Object.keys(NUMBERS),
  ...['candidateCount', 'stopSequences', 'responseLogprobs', 'thinkingConfig'],
  ...['responseMimeType', 'responseSchema', 'responseJsonSchema', '_responseJsonSchema'],
]);
const JSON_TYPE = 'application/json';
const LEVELS: Readonly<Record<string, string>> = { MINIMAL: 'minimal', LOW: 'low', MEDIUM: 'medium', HIGH: 'high' };

/** The settings that were read from a `generationConfig`. */
export interface ReadConfig {
  readonly fields: Partial<CanonicalRequest>;
  /** By their path, `generationConfig.speechConfig`. */
  readonly extras: JsonObject;
}

/** `generationConfig`. @throws GatewayError 400 that names the member */
export function readGenerationConfig(found: Found): ReadConfig {
  const config = objectOf(found);
  if (config === undefined) return { fields: {}, extras: {} };
  const { path } = found;
  const extras: JsonObject = {};
  for (const [name, value] of Object.entries(unread(config, READ) ?? {})) extras[`generationConfig.${name}`] = value;
  const fields: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(NUMBERS)) {
    const value = numberOf(find(config, name, path));
    const isDefault = value === undefined || (value === 0 && name.endsWith('Penalty'));
    if (!isDefault) fields[field] = value;
  }
  const choices = numberOf(find(config, 'candidateCount', path));
  if (choices !== undefined && choices > 1) fields['choices'] = choices;
  const stop = readStop(find(config, 'stopSequences', path));
  if (stop.length > 0) fields['stop'] = stop;
  if (booleanOf(find(config, 'responseLogprobs', path)) === true) fields['logprobs'] = true;
  const reasoning = readThinking(find(config, 'thinkingConfig', path), extras);
  if (reasoning !== undefined) fields['reasoning'] = reasoning;
  const format = readFormat(config, path, extras);
  if (format !== undefined) fields['responseFormat'] = format;
  return { fields, extras };
}

function readStop({ value, path }: Found): readonly string[] {
  if (value === undefined) return [];
  if (typeof value === 'string') return value === '' ? [] : [value];
  if (Array.isArray(value) && value.every((each): each is string => typeof each === 'string')) {
    return value.filter((text) => text !== '');
  }
  throw wrongType(path, 'an array of texts', value);
}

function readThinking(found: Found, extras: JsonObject): Reasoning | undefined {
  const config = objectOf(found);
  if (config === undefined) return undefined;
  const { path } = found;
  const budget = numberOf(find(config, 'thinkingBudget', path));
  const named = enumOf(find(config, 'thinkingLevel', path));
  const level = named === undefined ? undefined : LEVELS[named];
  if (named !== undefined && level === undefined) {
    const field = find(config, 'thinkingLevel', path).path;
    throw invalidRequest(`'${field}' must be MINIMAL, LOW, MEDIUM or HIGH.`, field);
  }
  const isShown = booleanOf(find(config, 'includeThoughts', path));
  const rest = unread(config, new Set(['thinkingBudget', 'thinkingLevel', 'includeThoughts']));
  if (rest !== undefined) extras['generationConfig.thinkingConfig'] = rest;
  const reasoning: Reasoning = {
    ...(level !== undefined && { effort: level }),
    ...(budget !== undefined && (budget < 0 ? { isAdaptive: true } : { budgetTokens: budget })),
    ...(isShown !== undefined && { isShown }),
  };
  return Object.keys(reasoning).length === 0 ? undefined : reasoning;
}

function readFormat(config: JsonObject, path: string, extras: JsonObject): ResponseFormat | undefined {
  const type = stringOf(find(config, 'responseMimeType', path))
    ?.trim()
    .toLowerCase();
  const schema =
    objectOf(find(config, 'responseJsonSchema', path)) ??
    objectOf(find(config, '_responseJsonSchema', path)) ??
    objectOf(find(config, 'responseSchema', path));
  if (type === undefined || type === '' || type === 'text/plain' || type === JSON_TYPE) {
    if (schema !== undefined && Object.keys(schema).length > 0) {
      return { type: 'json_schema', schema: readSchema(schema) };
    }
    return type === JSON_TYPE ? { type: 'json_object' } : undefined;
  }
  // `text/x.enum`: one value of an enum as bare text, which no other format has.
  extras['generationConfig.responseMimeType'] = type;
  if (schema !== undefined) extras['generationConfig.responseSchema'] = schema;
  return undefined;
}
