import { isObject, type JsonObject } from '../../runtime/json-value.js';

/** Keywords that Anthropic refuses in schemas which responses must keep to. They go into the description. */
const CONSTRAINTS = [
  ...['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf', 'minLength', 'maxLength', 'pattern'],
  ...['minItems', 'maxItems', 'uniqueItems', 'minProperties', 'maxProperties', 'not'],
] as const;
const FORMATS = new Set(['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'uri', 'ipv4', 'ipv6', 'uuid']);
const KEPT = ['$ref', '$schema', '$id', 'title', 'default', 'const', 'enum', 'type', 'required'] as const;
/** Schemas within schemas; the reader of bodies allows fewer levels. */
const MAX_DEPTH = 200;

/**
 * A schema as structured outputs and strict tools take it: objects are closed, and constraints that cannot be enforced are said in
 * the description, so that the model still reads them.
 */
export function structuredSchema(schema: JsonObject): JsonObject {
  return clean(schema, 0);
}

function clean(schema: JsonObject, depth: number): JsonObject {
  if (depth > MAX_DEPTH) return {};
  const cleaned: JsonObject = {};
  for (const name of KEPT) if (schema[name] !== undefined) cleaned[name] = schema[name];
  const within = (value: unknown): unknown => (isObject(value) ? clean(value, depth + 1) : value);
  const each = (value: unknown): unknown => (Array.isArray(value) ? value.map(within) : within(value));
  const byName = (value: JsonObject): JsonObject =>
    Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, within(inner)]));
  const { anyOf, oneOf, allOf, items, properties } = schema;
  if (anyOf !== undefined || oneOf !== undefined) cleaned['anyOf'] = each(anyOf ?? oneOf);
  if (allOf !== undefined) cleaned['allOf'] = each(allOf);
  if (items !== undefined) cleaned['items'] = each(items);
  for (const name of ['definitions', '$defs']) {
    const definitions = schema[name];
    if (isObject(definitions)) cleaned[name] = byName(definitions);
  }
  if (isObject(properties)) cleaned['properties'] = byName(properties);
  if (schema['type'] === 'object' || isObject(properties)) cleaned['additionalProperties'] = false;
  const { format } = schema;
  const isKnownFormat = typeof format === 'string' && FORMATS.has(format);
  if (isKnownFormat) cleaned['format'] = format;
  const described = describe(schema, isKnownFormat);
  if (described !== undefined) cleaned['description'] = described;
  return cleaned;
}

function describe(schema: JsonObject, isKnownFormat: boolean): string | undefined {
  const limits = CONSTRAINTS.flatMap((name) => {
    const value = schema[name];
    if (value === undefined || value === null || value === false) return [];
    return `${name}: ${typeof value === 'string' ? value : JSON.stringify(value)}`;
  });
  const { format, description } = schema;
  if (typeof format === 'string' && !isKnownFormat) limits.push(`format: ${format}`);
  const own = typeof description === 'string' ? [description] : [];
  const lines = limits.length === 0 ? own : [...own, `${limits.join('; ')}.`];
  return lines.length === 0 ? undefined : lines.join('\n');
}

/** Whether every object of a schema is closed and needs all of its members, which strict formats of other providers want. */
export function isStrictSchema(schema: unknown, depth = 0): boolean {
  if (depth > MAX_DEPTH) return false;
  if (Array.isArray(schema)) return schema.every((inner) => isStrictSchema(inner, depth + 1));
  if (!isObject(schema)) return true;
  const { properties, required, additionalProperties } = schema;
  if (schema['type'] === 'object' || isObject(properties)) {
    const names = isObject(properties) ? Object.keys(properties) : [];
    const needed: readonly unknown[] = Array.isArray(required) ? required : [];
    if (additionalProperties !== false || !names.every((name) => needed.includes(name))) return false;
  }
  const inner = [properties, schema['$defs'], schema['definitions']].flatMap((each) =>
    isObject(each) ? Object.values(each) : [],
  );
  const lists = [schema['items'], schema['anyOf'], schema['allOf'], schema['oneOf']];
  return [...inner, ...lists].every((each) => isStrictSchema(each, depth + 1));
}
