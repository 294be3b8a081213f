import { isObject, withoutMembers, type JsonObject } from '../../runtime/json-value.js';

/** Schemas within schemas; the reader of bodies allows fewer levels. */
const MAX_DEPTH = 200;
const UNIONS = ['anyOf', 'oneOf', 'allOf'] as const;

/**
 * The parameters of a tool as Anthropic takes them: an object at the top, without a union there, in the draft of 2020-12. An empty
 * or missing schema takes no parameters.
 */
export function inputSchema(parameters: Readonly<JsonObject> | undefined): JsonObject {
  const top = modernize(resolveTop(parameters ?? {}), 0);
  const unions = UNIONS.filter((name) => Array.isArray(top[name]));
  if (unions.length > 0) return withoutUnions(top, unions);
  const properties = isObject(top['properties']) ? top['properties'] : {};
  return { ...top, type: 'object', properties };
}

/** A schema that is only a reference to one of its own definitions. */
function resolveTop(schema: JsonObject): JsonObject {
  const { $ref: reference, ...rest } = schema;
  const [, place, name] =
    typeof reference === 'string' ? (/^#\/(\$defs|definitions)\/([^/]+)$/.exec(reference) ?? []) : [];
  const definitions = place === undefined ? undefined : schema[place];
  const target = isObject(definitions) && name !== undefined ? definitions[name] : undefined;
  return isObject(target) && target['$ref'] === undefined ? { ...rest, ...target } : schema;
}

/** The members of all branches, none of them required unless all branches or the whole require it. */
function withoutUnions(top: JsonObject, unions: readonly string[]): JsonObject {
  const rest = withoutMembers(top, unions);
  const properties: JsonObject = { ...(isObject(top['properties']) ? top['properties'] : {}) };
  const required = new Set<unknown>(listOf(top['required']));
  for (const union of unions) {
    const branches = listOf(top[union]).filter(isObject);
    for (const branch of branches) {
      if (isObject(branch['properties'])) Object.assign(properties, { ...branch['properties'], ...properties });
    }
    const needs = branches.map((branch) => listOf(branch['required']));
    const [first = [], ...others] = needs;
    const common = first.filter((name) => others.every((names) => names.includes(name)));
    for (const name of union === 'allOf' ? needs.flat() : common) required.add(name);
  }
  const needed = [...required];
  return { ...rest, type: 'object', properties, ...(needed.length > 0 && { required: needed }) };
}

/** Forms of earlier drafts that the draft of 2020-12 does not allow. */
function modernize(schema: JsonObject, depth: number): JsonObject {
  if (depth > MAX_DEPTH) return {};
  const modern: JsonObject = {};
  for (const [name, value] of Object.entries(schema)) {
    const converted = modernMember(name, value, schema, depth);
    if (converted !== undefined) modern[converted[0]] = converted[1];
  }
  return modern;
}

function modernMember(name: string, value: unknown, schema: JsonObject, depth: number): [string, unknown] | undefined {
  const inner = (each: unknown): unknown => (isObject(each) ? modernize(each, depth + 1) : each);
  switch (name) {
    case 'exclusiveMinimum':
    case 'exclusiveMaximum':
      return typeof value === 'boolean' ? exclusive(name, value, schema) : [name, value];
    case 'minimum':
    case 'maximum':
      // The exclusive form has taken its place.
      return schema[name === 'minimum' ? 'exclusiveMinimum' : 'exclusiveMaximum'] === true ? undefined : [name, value];
    case 'required':
      return Array.isArray(value) ? [name, value] : undefined;
    case 'items':
      return Array.isArray(value) ? ['prefixItems', value.map(inner)] : [name, inner(value)];
    case 'properties':
    case '$defs':
    case 'definitions':
    case 'patternProperties':
      return isObject(value) ? [name, mapValues(value, inner)] : undefined;
    case 'anyOf':
    case 'oneOf':
    case 'allOf':
      // An empty union is no valid schema.
      return Array.isArray(value) && value.length > 0 ? [name, value.map(inner)] : undefined;
    case 'additionalProperties':
    case 'not':
      return [name, inner(value)];
    case 'enum':
      return Array.isArray(value) && value.length > 0 ? [name, value] : undefined;
    default:
      return value === null && name !== 'default' && name !== 'const' ? undefined : [name, value];
  }
}

function exclusive(name: string, isExclusive: boolean, schema: JsonObject): [string, unknown] | undefined {
  const bound = schema[name === 'exclusiveMinimum' ? 'minimum' : 'maximum'];
  return isExclusive && typeof bound === 'number' ? [name, bound] : undefined;
}

function mapValues(value: JsonObject, map: (value: unknown) => unknown): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, map(each)]));
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
