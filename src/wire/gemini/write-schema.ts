import { isObject, type JsonObject } from '../../runtime/json-value.js';

/** Levels of a schema that are written, `$ref`s included. */
const MAX_DEPTH = 32;
/** Objects and values that one schema becomes at most: `$ref`s that are used often multiply. */
const MAX_NODES = 5000;
/** Keywords that Google's schema has in the same form and meaning. */
const SAME = ['title', 'minItems', 'maxItems', 'minLength', 'maxLength', 'minProperties', 'maxProperties', 'pattern'];
const FORMATS: Readonly<Record<string, ReadonlySet<string>>> = {
  string: new Set(['date-time']),
  number: new Set(['float', 'double']),
  integer: new Set(['int32', 'int64']),
};
const TYPES = new Set(['string', 'number', 'integer', 'boolean', 'array', 'object']);
/** Values that a description repeats at most. */
const MAX_DESCRIBED = 50;

/** State of one schema on its way. */
interface Scope {
  readonly root: JsonObject;
  /** `$ref`s that are being resolved. */
  readonly open: ReadonlySet<string>;
  readonly depth: number;
  readonly budget: { nodes: number };
}

/**
 * A JSON Schema as Google's `Schema`, which knows few keywords and refuses a request for any other: `$ref` is resolved, `const`
 * becomes an enum, `oneOf` becomes `anyOf`, `allOf` is merged, exclusive bounds become bounds, a list of types becomes `nullable`
 * or `anyOf`, and what has no counterpart is left out.
 *
 * @returns undefined for a schema that refers to itself or is too large, which only a JSON Schema can say
 */
export function writeSchema(schema: JsonObject): JsonObject | undefined {
  const scope: Scope = { root: schema, open: new Set(), depth: 0, budget: { nodes: MAX_NODES } };
  try {
    return write(schema, scope);
  } catch (error) {
    if (error instanceof NotExpressible) return undefined;
    throw error;
  }
}

class NotExpressible extends Error {}

function write(source: unknown, scope: Scope): JsonObject {
  scope.budget.nodes -= 1;
  if (scope.depth > MAX_DEPTH || scope.budget.nodes < 0) throw new NotExpressible();
  // `true` and `{}` take anything; Google has no such schema, and a text is what can hold anything.
  if (!isObject(source)) return { type: 'string' };
  const [schema, inner] = resolve(source, scope);
  const written: JsonObject = {};
  if (typeof schema['description'] === 'string' && schema['description'] !== '') {
    written['description'] = schema['description'];
  }
  for (const name of SAME) {
    const value = schema[name];
    if (typeof value === 'number' ? Number.isFinite(value) : typeof value === 'string' && value !== '') {
      written[name] = value;
    }
  }
  writeBounds(schema, written);
  const types = typesOf(schema);
  if (types.isNullable) written['nullable'] = true;
  const branches = branchesOf(schema, types.names, inner);
  if (branches !== undefined) return writeBranches(branches, written, inner);
  const [type = 'string'] = types.names;
  written['type'] = type;
  writeValues(schema, type, written);
  const { format } = schema;
  if (typeof format === 'string' && FORMATS[type]?.has(format) === true) written['format'] = format;
  if (type === 'array') written['items'] = write(itemsOf(schema), below(inner));
  if (type === 'object') writeProperties(schema, written, inner);
  return withoutForeign(written, type);
}

function below(scope: Scope): Scope {
  return { ...scope, depth: scope.depth + 1 };
}

/** The schema with its `$ref` and `allOf` merged into it. */
function resolve(source: JsonObject, scope: Scope): [JsonObject, Scope] {
  let schema = source;
  let open = scope.open;
  while (typeof schema['$ref'] === 'string') {
    const reference = schema['$ref'];
    if (open.has(reference)) throw new NotExpressible();
    open = new Set([...open, reference]);
    const target = targetOf(reference, scope.root);
    const { $ref: _, ...own } = schema;
    schema = { ...target, ...own };
  }
  const { allOf } = schema;
  if (!Array.isArray(allOf)) return [schema, { ...scope, open }];
  let inner: Scope = { ...scope, open };
  let merged: JsonObject = { ...schema };
  delete merged['allOf'];
  for (const part of allOf as readonly unknown[]) {
    if (!isObject(part)) continue;
    scope.budget.nodes -= 1;
    if (scope.budget.nodes < 0 || scope.depth > MAX_DEPTH) throw new NotExpressible();
    const [resolved, nested] = resolve(part, below(inner));
    inner = { ...inner, open: nested.open };
    merged = merge(merged, resolved);
  }
  return [merged, inner];
}

function merge(first: JsonObject, second: JsonObject): JsonObject {
  const merged: JsonObject = { ...second, ...first };
  if (isObject(first['properties']) && isObject(second['properties'])) {
    merged['properties'] = { ...second['properties'], ...first['properties'] };
  }
  if (Array.isArray(first['required']) && Array.isArray(second['required'])) {
    merged['required'] = [...new Set([...(first['required'] as unknown[]), ...(second['required'] as unknown[])])];
  }
  return merged;
}

/** What a reference within the document points to; anything for one that points elsewhere. */
function targetOf(reference: string, root: JsonObject): JsonObject {
  if (reference !== '#' && !reference.startsWith('#/')) return {};
  let target: unknown = root;
  for (const step of reference.slice(1).split('/').slice(1)) {
    const name = decode(step);
    if (!isObject(target) || !Object.hasOwn(target, name)) return {};
    target = target[name];
  }
  return isObject(target) ? target : {};
}

function decode(step: string): string {
  const name = step.replaceAll('~1', '/').replaceAll('~0', '~');
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}

function typesOf(schema: JsonObject): { readonly names: readonly string[]; readonly isNullable: boolean } {
  const { type, enum: values, nullable } = schema;
  const listed = (Array.isArray(type) ? (type as readonly unknown[]) : [type])
    .filter((each): each is string => typeof each === 'string')
    .map((each) => each.toLowerCase());
  const known = listed.filter((each) => TYPES.has(each));
  const isNullable =
    nullable === true ||
    listed.includes('null') ||
    (Array.isArray(values) && values.includes(null)) ||
    schema['const'] === null;
  return { names: known.length > 0 ? [...new Set(known)] : inferred(schema), isNullable };
}

/** The type that the other keywords presuppose. */
function inferred(schema: JsonObject): readonly string[] {
  if (isObject(schema['properties']) || isObject(schema['additionalProperties'])) return ['object'];
  if (schema['items'] !== undefined || Array.isArray(schema['prefixItems'])) return ['array'];
  const values = valuesOf(schema)?.filter((value) => value !== null) ?? [];
  if (values.length > 0) {
    if (values.every((value) => typeof value === 'boolean')) return ['boolean'];
    if (values.every((value) => Number.isInteger(value))) return ['integer'];
    if (values.every((value) => typeof value === 'number')) return ['number'];
    return ['string'];
  }
  if (typeof schema['minimum'] === 'number' || typeof schema['maximum'] === 'number') return ['number'];
  return [];
}

/** The alternatives of a schema; undefined where it has one form alone. */
function branchesOf(schema: JsonObject, types: readonly string[], scope: Scope): readonly JsonObject[] | undefined {
  const listed = [schema['anyOf'], schema['oneOf']].find((each) => Array.isArray(each) && each.length > 0);
  if (Array.isArray(listed)) {
    const { anyOf: _a, oneOf: _o, description: _d, title: _t, ...common } = schema;
    // What stands beside the alternatives holds for each; nothing may stand there for Google.
    return (listed as readonly unknown[]).map((each) => {
      const branch = isObject(each) ? resolve(each, below(scope))[0] : {};
      return merge(branch, common);
    });
  }
  if (types.length < 2) return undefined;
  const { description: _d, title: _t, ...common } = schema;
  return types.map((type) => ({ ...common, type }));
}

function writeBranches(branches: readonly JsonObject[], written: JsonObject, scope: Scope): JsonObject {
  const isNull = (branch: JsonObject): boolean => branch['type'] === 'null' || branch['const'] === null;
  const others = branches.filter((branch) => !isNull(branch));
  const isNullable = written['nullable'] === true || others.length < branches.length;
  const beside: JsonObject = {};
  for (const name of ['title', 'description']) if (written[name] !== undefined) beside[name] = written[name];
  if (isNullable) beside['nullable'] = true;
  const [first] = others;
  if (first === undefined) return { ...beside, type: 'string' };
  const results = others.map((branch) => write(branch, below(scope)));
  const [only] = results;
  if (results.length === 1 && only !== undefined) return { ...only, ...beside };
  return { ...beside, anyOf: results };
}

function writeBounds(schema: JsonObject, written: JsonObject): void {
  const integer = schema['type'] === 'integer' ? 1 : 0;
  const least = numberIn(schema['minimum']) ?? shifted(schema['exclusiveMinimum'], integer);
  const most = numberIn(schema['maximum']) ?? shifted(schema['exclusiveMaximum'], -integer);
  if (least !== undefined) written['minimum'] = least;
  if (most !== undefined) written['maximum'] = most;
}

function numberIn(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

/** An exclusive bound of an integer is the next one; of a number it is the bound itself. */
function shifted(value: unknown, by: number): number | undefined {
  const bound = numberIn(value);
  return bound === undefined ? undefined : bound + by;
}

function valuesOf({ enum: values, const: value }: JsonObject): readonly unknown[] | undefined {
  if (Array.isArray(values)) return values as readonly unknown[];
  return value === undefined ? undefined : [value];
}

/** Google takes an enum of texts alone; other values go into the description. */
function writeValues(schema: JsonObject, type: string, written: JsonObject): void {
  const values = valuesOf(schema)?.filter((value) => value !== null);
  if (values === undefined || values.length === 0) return;
  const strings = values.filter((value): value is string => typeof value === 'string');
  if (type === 'string' && strings.length === values.length && !strings.includes('')) {
    written['enum'] = [...new Set(strings)];
    return;
  }
  const listed = values.slice(0, MAX_DESCRIBED).map((value) => JSON.stringify(value));
  const text = `One of: ${listed.join(', ')}${values.length > MAX_DESCRIBED ? ', ...' : ''}.`;
  written['description'] = typeof written['description'] === 'string' ? `${written['description']} ${text}` : text;
}

/** A tuple becomes a list of what may stand in it. */
function itemsOf({ items, prefixItems }: JsonObject): unknown {
  const tuple = Array.isArray(prefixItems) ? prefixItems : Array.isArray(items) ? items : undefined;
  if (tuple === undefined) return items;
  const known = (tuple as readonly unknown[]).filter(isObject);
  const rest = isObject(items) ? [items] : [];
  const distinct = [...new Map([...known, ...rest].map((each) => [JSON.stringify(each), each])).values()];
  return distinct.length > 1 ? { anyOf: distinct } : distinct[0];
}

function writeProperties(schema: JsonObject, written: JsonObject, scope: Scope): void {
  const { properties, required } = schema;
  if (!isObject(properties)) return;
  const names = Object.keys(properties);
  if (names.length === 0) return;
  written['properties'] = Object.fromEntries(names.map((name) => [name, write(properties[name], below(scope))]));
  // A name that is no property is refused.
  const known = Array.isArray(required)
    ? [
        ...new Set(
          (required as readonly unknown[]).filter(
            (name) => typeof name === 'string' && Object.hasOwn(properties, name),
          ),
        ),
      ]
    : [];
  if (known.length > 0) written['required'] = known;
}

const OF_TYPE: Readonly<Record<string, readonly string[]>> = {
  minLength: ['string'],
  maxLength: ['string'],
  pattern: ['string'],
  minItems: ['array'],
  maxItems: ['array'],
  minProperties: ['object'],
  maxProperties: ['object'],
  minimum: ['number', 'integer'],
  maximum: ['number', 'integer'],
};

/** Keywords of other types beside a type are refused by some models. */
function withoutForeign(written: JsonObject, type: string): JsonObject {
  return Object.fromEntries(Object.entries(written).filter(([name]) => OF_TYPE[name]?.includes(type) !== false));
}
