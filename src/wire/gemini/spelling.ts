import { invalidRequest, type GatewayError } from '../../errors/gateway-error.js';
import { asNumber } from '../../runtime/exact-integers.js';
import { isObject, type JsonObject } from '../../runtime/json-value.js';

/** A value of a request with its path in the client's own spelling. */
export interface Found {
  readonly value: unknown;
  readonly path: string;
}

/** `functionCall` as `function_call`: Google's REST interface reads both spellings of every name. */
export function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** `function_call` as `functionCall`. */
export function camelCase(name: string): string {
  return name.replace(/(?<=[a-z0-9])_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

/** The member of an object in either spelling; undefined where it is absent or null. */
export function member(object: JsonObject, name: string): unknown {
  return object[name] ?? object[snakeCase(name)] ?? undefined;
}

/** Finds a member, with its path for the errors of a request. */
export function find(object: JsonObject, name: string, path = ''): Found {
  const own = object[name] ?? undefined;
  const snake = snakeCase(name);
  const key = own === undefined && object[snake] != null ? snake : name;
  return { value: object[key] ?? undefined, path: path === '' ? key : `${path}.${key}` };
}

/** Google takes one object where its format has a list of them. */
export function listOf({ value, path }: Found, expected: string): readonly unknown[] {
  if (value === undefined) return [];
  if (Array.isArray(value)) return value;
  if (isObject(value)) return [value];
  throw wrongType(path, expected, value);
}

/** @throws GatewayError 400 for what is no object */
export function objectOf({ value, path }: Found): JsonObject | undefined {
  if (value === undefined || isObject(value)) return value;
  throw wrongType(path, 'an object', value);
}

/** @throws GatewayError 400 for what is no string */
export function stringOf({ value, path }: Found): string | undefined {
  if (value === undefined || typeof value === 'string') return value;
  throw wrongType(path, 'a string', value);
}

/** A number, or one in a string, which the JSON form of protocol buffers allows. @throws GatewayError 400 */
export function numberOf({ value, path }: Found): number | undefined {
  if (value === undefined) return undefined;
  const number = asNumber(value);
  if (number !== undefined) return number;
  if (typeof value === 'string' && /^-?\d+(?:\.\d+)?$/.test(value)) return Number(value);
  throw wrongType(path, 'a number', value);
}

/** @throws GatewayError 400 for what is no boolean */
export function booleanOf({ value, path }: Found): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value;
  throw wrongType(path, 'true or false', value);
}

/** An enum's value in capitals, without the value that stands for none. @throws GatewayError 400 for what is no string */
export function enumOf(found: Found): string | undefined {
  const value = stringOf(found)?.toUpperCase();
  return value === undefined || value === '' || value.endsWith('_UNSPECIFIED') ? undefined : value;
}

/** The 400 for a value of a wrong type, with its path. */
export function wrongType(path: string, expected: string, value: unknown): GatewayError {
  const actual = Array.isArray(value)
    ? 'an array'
    : isObject(value)
      ? 'an object'
      : `a ${typeof (asNumber(value) ?? value)}`;
  return invalidRequest(`'${path}' must be ${expected}, not ${actual}.`, path, 'invalid_type');
}

/** The members that are not among the read names, spelled in camel case; undefined if there are none. */
export function unread(object: JsonObject, read: ReadonlySet<string>): JsonObject | undefined {
  const rest = Object.entries(object).flatMap(([key, value]): [string, unknown][] => {
    const name = camelCase(key);
    return value === null || value === undefined || read.has(name) ? [] : [[name, value]];
  });
  return rest.length === 0 ? undefined : Object.fromEntries(rest);
}
