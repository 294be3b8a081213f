import { isObject, type JsonObject } from '../../runtime/json-value.js';
import { member } from './spelling.js';

/** Levels of a schema that are read; no provider takes deeper ones. */
const MAX_DEPTH = 100;
/** Members of Google's schemas that JSON Schema does not have. */
const OWN = new Set(['nullable', 'propertyOrdering', 'property_ordering', 'example']);
/** Bounds that the JSON form of protocol buffers gives as strings, because they are 64 bits wide. */
const WIDE = /^(?:min|max)(?:_?(?:items|length|properties|Items|Length|Properties))$/;
const NAMES: Readonly<Record<string, string>> = {
  any_of: 'anyOf',
  min_items: 'minItems',
  max_items: 'maxItems',
  min_length: 'minLength',
  max_length: 'maxLength',
  min_properties: 'minProperties',
  max_properties: 'maxProperties',
};

/**
 * Google's schema (a part of OpenAPI 3.0 with types in capitals) as JSON Schema. A JSON Schema comes through with its types in
 * small letters, which is how clients mix the two.
 */
export function readSchema(schema: JsonObject): JsonObject {
  return readAt(schema, 0);
}

function readAt(schema: JsonObject, depth: number): JsonObject {
  if (depth > MAX_DEPTH) return {};
  const read: JsonObject = {};
  for (const [key, value] of Object.entries(schema)) {
    if (value === null || value === undefined || OWN.has(key)) continue;
    const name = NAMES[key] ?? key;
    read[name] = readKeyword(name, value, depth);
  }
  return member(schema, 'nullable') === true ? nullable(read) : read;
}

function readKeyword(name: string, value: unknown, depth: number): unknown {
  switch (name) {
    case 'type':
      return Array.isArray(value) ? value.map(readType) : readType(value);
    case 'properties':
    case '$defs':
    case 'definitions':
      return isObject(value) ? mapMembers(value, depth) : value;
    case 'items':
    case 'additionalProperties':
      return isObject(value) ? readAt(value, depth + 1) : value;
    case 'anyOf':
    case 'oneOf':
    case 'allOf':
    case 'prefixItems':
      return Array.isArray(value)
        ? value.map((each: unknown) => (isObject(each) ? readAt(each, depth + 1) : each))
        : value;
    default:
      return WIDE.test(name) && typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value;
  }
}

function mapMembers(members: JsonObject, depth: number): JsonObject {
  return Object.fromEntries(
    Object.entries(members).map(([name, each]) => [name, isObject(each) ? readAt(each, depth + 1) : each]),
  );
}

function readType(type: unknown): unknown {
  return typeof type === 'string' ? type.toLowerCase() : type;
}

function nullable(schema: JsonObject): JsonObject {
  const { type, anyOf, enum: values } = schema;
  if (typeof type === 'string') {
    return {
      ...schema,
      type: [type, 'null'],
      ...(Array.isArray(values) && !values.includes(null) && { enum: [...(values as unknown[]), null] }),
    };
  }
  return Array.isArray(anyOf) ? { ...schema, anyOf: [...(anyOf as unknown[]), { type: 'null' }] } : schema;
}
