import { isObject } from '../../runtime/json-value.js';

/** A JSON Schema, as far as it is read here. */
export type Schema = Readonly<Record<string, unknown>>;

/**
 * One schema that demands what both demand.
 *
 * @param step is called with the number of properties that are read, and throws when there are too many
 */
export function merge(one: Schema, other: Schema, step: (count: number) => void): Schema {
  const merged: Record<string, unknown> = { ...one, ...other };
  if (isObject(one['properties']) && isObject(other['properties'])) {
    const names = new Set([...Object.keys(one['properties']), ...Object.keys(other['properties'])]);
    step(names.size);
    const [left, right] = [new Map(Object.entries(one['properties'])), new Map(Object.entries(other['properties']))];
    merged['properties'] = Object.fromEntries(
      [...names].map((name) => {
        const [a, b] = [left.get(name), right.get(name)];
        return [name, isObject(a) && isObject(b) ? merge(a, b, step) : (b ?? a)];
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
    const right = new Set(other['enum'] as unknown[]);
    merged['enum'] = (one['enum'] as unknown[]).filter((value) => right.has(value));
  }
  return merged;
}

/** A finite number; undefined for any other value. */
export function numberOf(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}
