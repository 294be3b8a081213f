import { LongInteger } from './long-integer.js';

/** A parsed JSON object, of which nothing else is known. */
export type JsonObject = Record<string, unknown>;

/** Whether a value is an object and neither null nor an array. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof LongInteger);
}

/** The value if it is an object, else an empty one: for members of responses that may be missing. */
export function objectOf(value: unknown): JsonObject {
  return isObject(value) ? value : {};
}

/** The value if it is a string with anything in it. */
export function nonEmptyString(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A copy of an object without some members. */
export function withoutMembers(object: Readonly<JsonObject>, names: Iterable<string>): JsonObject {
  const left = new Set(names);
  return Object.fromEntries(Object.entries(object).filter(([name]) => !left.has(name)));
}

/** Whether a text begins as a JSON object or array does, unlike a page or a message of a proxy. */
export function beginsAsJson(text: string): boolean {
  return /^\s*[{[]/.test(text);
}
