import { isObject } from '../../../json/json-value.js';

/** A JSON Schema, as far as it is read here. */
type Schema = Readonly<Record<string, unknown>>;

/** Deeper than any schema that people write; below it only what is required is filled in, then nothing. */
const MAX_DEPTH = 24;
const OPTIONAL_DEPTH = 6;

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
 * An instance that satisfies a JSON Schema, always the same one for the same schema. It knows the keywords that tools
 * and structured answers use; a `pattern` is met only where a plain candidate matches it, `not`, `if` and
 * `patternProperties` are not followed.
 */
export function instanceOf(schema: unknown): unknown {
  return new Generator(schema).build(schema, 0);
}

class Generator {
  /** Schemas may refer to themselves in ways that multiply; whatever they do, the work ends here. */
  private stepsLeft = 20_000;

  constructor(private readonly root: unknown) {}

  build(schema: unknown, depth: number): unknown {
    this.stepsLeft -= 1;
    if (!isObject(schema) || depth > MAX_DEPTH || this.stepsLeft < 0) return null;
    const resolved = this.flatten(schema, depth);
    if ('const' in resolved) return resolved['const'];
    const values: unknown = resolved['enum'];
    if (Array.isArray(values) && values.length > 0) return values[0] as unknown;
    const alternatives: unknown = resolved['anyOf'] ?? resolved['oneOf'];
    if (Array.isArray(alternatives) && alternatives.length > 0) {
      const { anyOf: _anyOf, oneOf: _oneOf, ...rest } = resolved;
      // Past the optional depth an alternative that ends (null, a scalar) is taken, so that recursion does.
      const chosen: unknown =
        depth > OPTIONAL_DEPTH
          ? (alternatives.find((each) => this.isLeaf(each)) ?? (alternatives[0] as unknown))
          : (alternatives[0] as unknown);
      return this.build(merge(rest, isObject(chosen) ? this.flatten(chosen, depth) : {}), depth + 1);
    }
    switch (typeOf(resolved, depth)) {
      case 'object':
        return this.buildObject(resolved, depth);
      case 'array':
        return this.buildArray(resolved, depth);
      case 'string':
        return buildString(resolved);
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
    for (let hops = 0; hops < MAX_DEPTH && depth <= MAX_DEPTH && this.stepsLeft > 0; hops += 1) {
      this.stepsLeft -= 1;
      const reference = result['$ref'];
      const all = result['allOf'];
      if (typeof reference === 'string') {
        const { $ref: _ref, ...rest } = result;
        const target = this.resolve(reference);
        result = merge(isObject(target) ? target : {}, rest);
      } else if (Array.isArray(all)) {
        const { allOf: _allOf, ...rest } = result;
        result = all.reduce<Schema>(
          (merged, each) => merge(merged, isObject(each) ? this.flatten(each, depth + 1) : {}),
          rest,
        );
      } else break;
    }
    return result;
  }

  private resolve(reference: string): unknown {
    if (!reference.startsWith('#')) return undefined;
    return reference
      .slice(1)
      .split('/')
      .filter((step) => step !== '')
      .map((step) => decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~'))
      .reduce<unknown>(
        (value, step) => (isObject(value) && Object.hasOwn(value, step) ? value[step] : undefined),
        this.root,
      );
  }

  private buildObject(schema: Schema, depth: number): Record<string, unknown> {
    const properties = isObject(schema['properties']) ? schema['properties'] : {};
    const required = new Set(Array.isArray(schema['required']) ? (schema['required'] as unknown[]).map(String) : []);
    const entries: [string, unknown][] = [];
    for (const [name, property] of Object.entries(properties)) {
      if (property === false) continue;
      if (required.has(name) || depth < OPTIONAL_DEPTH) entries.push([name, this.build(property, depth + 1)]);
    }
    for (const name of required) {
      if (!Object.hasOwn(properties, name)) entries.push([name, this.buildExtra(schema, depth)]);
    }
    const most = numberOf(schema['maxProperties']);
    if (most !== undefined && entries.length > most) {
      entries.sort(([one], [other]) => Number(required.has(other)) - Number(required.has(one)));
      entries.length = Math.max(most, required.size);
    }
    const least = numberOf(schema['minProperties']) ?? 0;
    for (let extra = 1; entries.length < least && extra <= least * 2; extra += 1) {
      if (!entries.some(([name]) => name === `key${extra}`))
        entries.push([`key${extra}`, this.buildExtra(schema, depth)]);
    }
    return Object.fromEntries(entries);
  }

  private buildExtra(schema: Schema, depth: number): unknown {
    const extra = schema['additionalProperties'];
    return isObject(extra) ? this.build(extra, depth + 1) : 'text';
  }

  private buildArray(schema: Schema, depth: number): unknown[] {
    const prefix = Array.isArray(schema['prefixItems']) ? (schema['prefixItems'] as unknown[]) : [];
    const tuple = Array.isArray(schema['items']) ? (schema['items'] as unknown[]) : prefix;
    const rest = Array.isArray(schema['items']) ? schema['additionalItems'] : schema['items'];
    const least = numberOf(schema['minItems']) ?? 0;
    const most = numberOf(schema['maxItems']) ?? Number.MAX_SAFE_INTEGER;
    const wanted = Math.min(
      Math.max(least, tuple.length, isObject(rest) && depth < OPTIONAL_DEPTH ? 1 : 0),
      most,
      1_000,
    );
    const items = Array.from({ length: wanted }, (_, index) => this.build(tuple[index] ?? rest ?? {}, depth + 1));
    return schema['uniqueItems'] === true ? items.map((item, index) => this.distinct(item, index, rest)) : items;
  }

  /** The same schema gives the same instance, so unique items need a small difference. */
  private distinct(item: unknown, index: number, schema: unknown): unknown {
    const flat = isObject(schema) ? this.flatten(schema, 0) : {};
    const values = flat['enum'];
    if (Array.isArray(values)) return values[index] as unknown;
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

function buildString(schema: Schema): string {
  const least = numberOf(schema['minLength']) ?? 0;
  const most = numberOf(schema['maxLength']) ?? Number.MAX_SAFE_INTEGER;
  const format = typeof schema['format'] === 'string' ? FORMATS[schema['format']] : undefined;
  const fit = (text: string): string => text.padEnd(least, 'x').slice(0, most);
  if (typeof schema['pattern'] !== 'string') return fit(format ?? 'text');
  return candidateFor(schema['pattern'], least, most) ?? fit(format ?? 'text');
}

const CANDIDATES = [
  'text',
  'a',
  'A',
  '0',
  '1',
  'abc',
  'ABC',
  '123',
  'abc123',
  'Ada Lovelace',
  'ada_1',
  'ada-1',
  'AB-123',
  'AB12',
  'A1B 2C3',
  '12345',
  '12345-6789',
  '000-00-0000',
  '2026-01-01',
  '2026-01-01T00:00:00Z',
  '00:00',
  '00:00:00',
  '+15550100',
  '+1 555 0100',
  '555-0100',
  'ada@example.com',
  'https://example.com/',
  'http://example.com',
  'example.com',
  '192.0.2.1',
  '#ffffff',
  '1.0',
  '1.0.0',
  '1.5',
  '-1',
  '$1.00',
  'USD',
  'en',
  'en-US',
  '/path',
  'file.txt',
  '3f1c0e8a-9b7d-4c55-8a1b-2c3d4e5f6071',
  'deadbeef',
  '',
];

/**
 * Patterns come from clients, so none is run that could take long: no quantified group, at most three quantifiers that
 * can give way, and only on short texts.
 */
function candidateFor(pattern: string, least: number, most: number): string | undefined {
  const mayBacktrack = pattern.match(/[*+]|\{\d+,\d*\}/g) ?? [];
  if (pattern.length > 200 || mayBacktrack.length > 3 || /\)[*+?{]|\\[1-9]/.test(pattern)) return undefined;
  let expression: RegExp;
  try {
    expression = new RegExp(pattern, 'u');
  } catch {
    return undefined;
  }
  const repeated = ['x', 'a', 'A', '0', '1'].flatMap((letter) =>
    [...new Set([least, Math.min(most, 64), 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 16, 24, 32])].map((length) =>
      letter.repeat(length),
    ),
  );
  return [...CANDIDATES, ...repeated].find(
    (text) => text.length >= least && text.length <= most && expression.test(text),
  );
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

/** One schema that asks for what both ask for. */
function merge(one: Schema, other: Schema): Schema {
  const merged: Record<string, unknown> = { ...one, ...other };
  if (isObject(one['properties']) && isObject(other['properties'])) {
    const names = new Set([...Object.keys(one['properties']), ...Object.keys(other['properties'])]);
    const [left, right] = [one['properties'], other['properties']];
    merged['properties'] = Object.fromEntries(
      [...names].map((name) => {
        const [a, b] = [left[name], right[name]];
        return [name, isObject(a) && isObject(b) ? merge(a, b) : (b ?? a)];
      }),
    );
  }
  if (Array.isArray(one['required']) && Array.isArray(other['required'])) {
    merged['required'] = [...new Set([...(one['required'] as unknown[]), ...(other['required'] as unknown[])])];
  }
  for (const [keyword, pick] of [
    ['minimum', Math.max],
    ['maximum', Math.min],
    ['minLength', Math.max],
    ['maxLength', Math.min],
    ['minItems', Math.max],
    ['maxItems', Math.min],
  ] as const) {
    const [a, b] = [numberOf(one[keyword]), numberOf(other[keyword])];
    if (a !== undefined && b !== undefined) merged[keyword] = pick(a, b);
  }
  if (Array.isArray(one['enum']) && Array.isArray(other['enum'])) {
    const right = other['enum'] as unknown[];
    merged['enum'] = (one['enum'] as unknown[]).filter((value) => right.includes(value));
  }
  return merged;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
