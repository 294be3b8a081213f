import { isObject } from '../../runtime/json-value.js';
import { textOf } from './pattern-text.js';
import { merge, numberOf, type Schema } from './schema-merge.js';
import { SchemaWork } from './schema-work.js';

/** Deeper than any schema that people write; below it only what is required is filled in, then nothing. */
const MAX_DEPTH = 24;
const OPTIONAL_DEPTH = 6;
/** Characters of a `$ref` that is followed. */
const MAX_REFERENCE_CHARACTERS = 1_000;

const FORMATS: Readonly<Record<string, string>> = {
  'date-time': '2026-01-01T00:00:00Z',
  date: '2026-01-01',
  time: '00:00:00Z',
  duration: 'P1D',
  email: 'ada@example.com',
  'idn-email': 'ada@example.com',
  hostname: 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uri: 'https://example.com/',
  'uri-reference': '/path',
  url: 'https://example.com/',
  uuid: '3f1c0e8a-9b7d-4c55-8a1b-2c3d4e5f6071',
  'json-pointer': '/a',
  regex: '^a$',
};

/**
 * An instance that satisfies a JSON Schema, always the same one for the same schema. It supports the keywords that tools and
 * structured responses use; a `pattern` is met where `textOf` supports it; `not`, `if` and `patternProperties` are ignored.
 *
 * @param param path of the schema in the request
 * @throws GatewayError 400 that names the bound, for a schema that asks for more than the sandbox makes
 */
export function instanceOf(schema: unknown, param = 'schema'): unknown {
  return new Generator(schema, new SchemaWork(param)).build(schema, 0);
}

class Generator {
  constructor(
    private readonly root: unknown,
    private readonly work: SchemaWork,
  ) {}

  build(schema: unknown, depth: number): unknown {
    this.work.step();
    this.work.text(4);
    if (!isObject(schema) || depth > MAX_DEPTH) return null;
    const resolved = this.flatten(schema, depth);
    if ('const' in resolved) return this.literal(resolved['const']);
    const values: unknown = resolved['enum'];
    if (Array.isArray(values) && values.length > 0) return this.literal(values[0]);
    const alternatives: unknown = resolved['anyOf'] ?? resolved['oneOf'];
    if (Array.isArray(alternatives) && alternatives.length > 0) {
      const { anyOf: _anyOf, oneOf: _oneOf, ...rest } = resolved;
      // Past the optional depth an alternative that ends (null, a scalar) is taken, so that recursion does.
      const chosen: unknown =
        depth > OPTIONAL_DEPTH
          ? (alternatives.find((each) => this.isLeaf(each)) ?? (alternatives[0] as unknown))
          : (alternatives[0] as unknown);
      return this.build(this.merged(rest, isObject(chosen) ? this.flatten(chosen, depth) : {}), depth + 1);
    }
    switch (typeOf(resolved, depth)) {
      case 'object':
        return this.buildObject(resolved, depth);
      case 'array':
        return this.buildArray(resolved, depth);
      case 'string':
        return this.buildString(resolved);
      case 'integer':
        return buildNumber(resolved, true);
      case 'number':
        return buildNumber(resolved, false);
      case 'boolean':
        return true;
      default:
        return null;
    }
  }

  /** Follows `$ref` and folds `allOf` into one schema. */
  private flatten(schema: Schema, depth: number): Schema {
    let result = schema;
    for (let hops = 0; hops < MAX_DEPTH && depth <= MAX_DEPTH; hops += 1) {
      this.work.step(weightOf(result));
      const reference = result['$ref'];
      const all = result['allOf'];
      if (typeof reference === 'string') {
        const { $ref: _ref, ...rest } = result;
        const target = this.resolve(reference);
        result = this.merged(isObject(target) ? target : {}, rest);
      } else if (Array.isArray(all)) {
        const { allOf: _allOf, ...rest } = result;
        result = all.reduce<Schema>(
          (merged, each) => this.merged(merged, isObject(each) ? this.flatten(each, depth + 1) : {}),
          rest,
        );
      } else break;
    }
    return result;
  }

  private merged(one: Schema, other: Schema): Schema {
    return merge(one, other, (count) => this.work.step(count));
  }

  private resolve(reference: string): unknown {
    if (!reference.startsWith('#') || reference.length > MAX_REFERENCE_CHARACTERS) return undefined;
    return reference
      .slice(1)
      .split('/')
      .filter((step) => step !== '')
      .map((step) => decoded(step).replaceAll('~1', '/').replaceAll('~0', '~'))
      .reduce<unknown>(
        (value, step) => (isObject(value) && Object.hasOwn(value, step) ? value[step] : undefined),
        this.root,
      );
  }

  private buildObject(schema: Schema, depth: number): Record<string, unknown> {
    const properties = isObject(schema['properties']) ? schema['properties'] : {};
    this.work.step(Object.keys(properties).length);
    const required = new Set(Array.isArray(schema['required']) ? (schema['required'] as unknown[]).map(String) : []);
    const entries: [string, unknown][] = [];
    for (const [name, property] of Object.entries(properties)) {
      if (property === false) continue;
      if (!required.has(name) && depth >= OPTIONAL_DEPTH) continue;
      this.work.text(name.length);
      entries.push([name, this.build(property, depth + 1)]);
    }
    for (const name of required) {
      if (!Object.hasOwn(properties, name)) entries.push([name, this.buildExtra(schema, depth, name)]);
    }
    const most = numberOf(schema['maxProperties']);
    if (most !== undefined && entries.length > most) {
      entries.sort(([one], [other]) => Number(required.has(other)) - Number(required.has(one)));
      entries.length = Math.max(most, required.size);
    }
    const least = numberOf(schema['minProperties']) ?? 0;
    this.work.items(least, 'minProperties');
    const taken = new Set(entries.map(([name]) => name));
    for (let extra = 1; entries.length < least; extra += 1) {
      const name = `key${extra}`;
      if (!taken.has(name)) entries.push([name, this.buildExtra(schema, depth, name)]);
    }
    return Object.fromEntries(entries);
  }

  private buildExtra(schema: Schema, depth: number, name: string): unknown {
    this.work.text(name.length);
    const extra = schema['additionalProperties'];
    return isObject(extra) ? this.build(extra, depth + 1) : this.literal('text');
  }

  private literal(value: unknown): unknown {
    this.work.value(value);
    return value;
  }

  private buildString(schema: Schema): string {
    const least = numberOf(schema['minLength']) ?? 0;
    this.work.stringLength(least);
    const most = numberOf(schema['maxLength']) ?? Number.MAX_SAFE_INTEGER;
    const format = typeof schema['format'] === 'string' ? FORMATS[schema['format']] : undefined;
    const { pattern } = schema;
    const matching = typeof pattern === 'string' ? textOf(pattern, least, most) : undefined;
    const text = matching ?? (format ?? 'text').padEnd(least, 'x').slice(0, Math.max(0, most));
    this.work.step(1 + text.length / 64);
    this.work.text(text.length);
    return text;
  }

  private buildArray(schema: Schema, depth: number): unknown[] {
    const prefix = Array.isArray(schema['prefixItems']) ? (schema['prefixItems'] as unknown[]) : [];
    const tuple = Array.isArray(schema['items']) ? (schema['items'] as unknown[]) : prefix;
    const rest = Array.isArray(schema['items']) ? schema['additionalItems'] : schema['items'];
    const least = numberOf(schema['minItems']) ?? 0;
    const most = numberOf(schema['maxItems']) ?? Number.MAX_SAFE_INTEGER;
    const wanted = Math.max(
      0,
      Math.min(Math.max(least, tuple.length, isObject(rest) && depth < OPTIONAL_DEPTH ? 1 : 0), most),
    );
    this.work.items(wanted, least > tuple.length ? 'minItems' : 'prefixItems');
    const items = Array.from({ length: wanted }, (_, index) => this.build(tuple[index] ?? rest ?? {}, depth + 1));
    return schema['uniqueItems'] === true ? items.map((item, index) => this.distinct(item, index, rest)) : items;
  }

  /** The same schema gives the same instance, so unique items need a small difference. */
  private distinct(item: unknown, index: number, schema: unknown): unknown {
    const flat = isObject(schema) ? this.flatten(schema, 0) : {};
    const values = flat['enum'];
    if (Array.isArray(values)) return this.literal(values[index]);
    if (index === 0) return item;
    if (typeof item === 'number') return item + index * (numberOf(flat['multipleOf']) ?? 1);
    if (typeof item === 'string')
      return `${item.slice(0, Math.max(0, (numberOf(flat['maxLength']) ?? 1e6) - 3))}${index}`;
    if (typeof item === 'boolean') return index === 1 ? !item : item;
    return isObject(item)
      ? Object.fromEntries(
          Object.entries(item).map(([key, value]) => [
            key,
            typeof value === 'string' ? `${value}${index}` : typeof value === 'number' ? value + index : value,
          ]),
        )
      : item;
  }

  private isLeaf(schema: unknown): boolean {
    if (!isObject(schema)) return true;
    const { type } = this.flatten(schema, 0);
    return typeof type === 'string' && type !== 'object' && type !== 'array';
  }
}

function typeOf(schema: Schema, depth: number): string {
  const { type } = schema;
  if (typeof type === 'string') return type;
  if (Array.isArray(type) && type.length > 0) {
    const names = type.map(String);
    const leaf = names.find((name) => name !== 'object' && name !== 'array');
    return (depth > OPTIONAL_DEPTH ? leaf : undefined) ?? names.find((name) => name !== 'null') ?? 'null';
  }
  if ('properties' in schema || 'required' in schema || 'additionalProperties' in schema) return 'object';
  if ('items' in schema || 'prefixItems' in schema || 'minItems' in schema) return 'array';
  if ('minimum' in schema || 'maximum' in schema || 'multipleOf' in schema) return 'number';
  return 'string';
}

function buildNumber(schema: Schema, whole: boolean): number {
  const step = numberOf(schema['multipleOf']) ?? (whole ? 1 : 0);
  const exclusiveLow = numberOf(schema['exclusiveMinimum']);
  const exclusiveHigh = numberOf(schema['exclusiveMaximum']);
  const isLowExclusive = exclusiveLow !== undefined && exclusiveLow >= (numberOf(schema['minimum']) ?? -Infinity);
  const isHighExclusive = exclusiveHigh !== undefined && exclusiveHigh <= (numberOf(schema['maximum']) ?? Infinity);
  const low = isLowExclusive ? exclusiveLow : (numberOf(schema['minimum']) ?? -Infinity);
  const high = isHighExclusive ? exclusiveHigh : (numberOf(schema['maximum']) ?? Infinity);
  const fits = (value: number): boolean =>
    (isLowExclusive ? value > low : value >= low) && (isHighExclusive ? value < high : value <= high);
  const start = low === -Infinity ? (high === Infinity ? 1 : high) : low;
  if (step > 0) {
    const unit = whole && !Number.isInteger(step) ? step * 10 : step;
    for (const candidate of [1, 0]) if (candidate % unit === 0 && fits(candidate)) return candidate;
    const base = low === -Infinity ? Math.floor(start / unit) : Math.ceil(start / unit);
    for (const offset of [0, 1, -1, 2, -2]) {
      const candidate = (base + offset) * unit;
      if (fits(candidate)) return candidate;
    }
    return base * unit;
  }
  for (const candidate of [1, 0, start, (low + high) / 2, start + 0.5, start - 0.5])
    if (fits(candidate)) return candidate;
  return start;
}

/** Keywords, properties and lists of a schema that are looked at or copied each time it is. */
function weightOf(schema: Schema): number {
  let weight = 1 + Object.keys(schema).length;
  for (const keyword of ['required', 'enum', 'anyOf', 'oneOf', 'allOf', 'prefixItems', 'items']) {
    const list = schema[keyword];
    if (Array.isArray(list)) weight += list.length;
  }
  if (isObject(schema['properties'])) weight += Object.keys(schema['properties']).length;
  return weight;
}

function decoded(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    return step;
  }
}
