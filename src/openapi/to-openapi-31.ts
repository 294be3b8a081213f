import type { OpenAPIObject } from '@nestjs/swagger';
import { isObject, JsonObject } from '../runtime/json-value.js';

/** Keywords that describe a schema and do not restrict values. */
const ANNOTATIONS = ['description', 'example', 'examples', 'default', 'title', 'deprecated', 'readOnly', 'writeOnly'];
const METHODS = new Set(['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace']);

/**
 * The document that Nest makes, in OpenAPI 3.1. `nullable` of 3.0 counts only beside an inline `type`, so that generators
 * overlook it beside `$ref`, `allOf` and `oneOf`; 3.1 has `null` among the types. An operation without security says so, since
 * an absent member would mean "as above". Changes the document.
 */
export function toOpenApi31(document: OpenAPIObject): OpenAPIObject {
  for (const path of Object.values(document.paths)) {
    for (const [method, operation] of Object.entries(path) as [string, JsonObject][]) {
      if (METHODS.has(method)) operation['security'] ??= [];
    }
  }
  return Object.assign(withNullTypes(document, false) as OpenAPIObject, { openapi: '3.1.0' });
}

/** @param isData whether the value is an example or a default, which may have the form of a schema */
function withNullTypes(value: unknown, isData: boolean): unknown {
  if (isData) return value;
  if (Array.isArray(value)) return value.map((item: unknown) => withNullTypes(item, false));
  if (!isObject(value)) return value;
  const converted: JsonObject = {};
  for (const [name, member] of Object.entries(value)) {
    const isExample =
      name === 'example' || name === 'default' || name === 'enum' || (name === 'value' && 'summary' in value);
    converted[name] = withNullTypes(member, isExample);
  }
  const schema = withoutReflectedType(converted);
  return typeof schema['nullable'] === 'boolean' ? withoutNullable(schema) : schema;
}

/** Nest puts the type of the TypeScript property beside alternatives that have types of their own, of which it allows one. */
function withoutReflectedType(schema: JsonObject): JsonObject {
  const alternatives = schema['oneOf'] ?? schema['anyOf'];
  if (typeof schema['type'] !== 'string' || !Array.isArray(alternatives)) return schema;
  if (!alternatives.every((each: unknown) => isObject(each) && ('type' in each || '$ref' in each))) return schema;
  const { type: _type, ...rest } = schema;
  return rest;
}

function withoutNullable({ nullable, ...schema }: JsonObject): JsonObject {
  if (nullable !== true) return schema;
  const { type, enum: values } = schema;
  const isInline = !['allOf', 'anyOf', 'oneOf', '$ref'].some((name) => name in schema);
  if (type === 'null') return schema;
  if (typeof type === 'string' && isInline) {
    return {
      ...schema,
      type: [type, 'null'],
      ...(Array.isArray(values) && !values.includes(null) && { enum: [...(values as unknown[]), null] }),
    };
  }
  const alternatives = schema['anyOf'] ?? schema['oneOf'];
  const annotations = Object.fromEntries(Object.entries(schema).filter(([name]) => ANNOTATIONS.includes(name)));
  const rules = Object.fromEntries(
    Object.entries(schema).filter(([name]) => !ANNOTATIONS.includes(name) && (isInline || name !== 'type')),
  );
  // An `allOf` of one is how Nest puts a description beside a reference.
  const [only, ...others] = Array.isArray(rules['allOf']) ? (rules['allOf'] as unknown[]) : [];
  const inner = Array.isArray(alternatives)
    ? (alternatives as unknown[])
    : [isObject(only) && others.length === 0 && Object.keys(rules).length === 1 ? only : rules];
  return { ...annotations, anyOf: [...inner, { type: 'null' }] };
}
