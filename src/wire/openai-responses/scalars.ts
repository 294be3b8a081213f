import { invalidRequest } from '../../errors/gateway-error.js';
import { asNumber } from '../../runtime/exact-integers.js';
import { isObject, type JsonObject } from '../../runtime/json-value.js';
import { wrongType } from './path-faults.js';

/** Members of a body by their type. Null means absent. @throws GatewayError 400 that names the member */
export function boolean(body: JsonObject, name: string): boolean | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'boolean') throw wrongType(name, 'true or false', value);
  return value;
}

/** A member that is a text; undefined if it is absent or null. @throws GatewayError 400 for another type */
export function text(body: JsonObject, name: string): string | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'string') throw wrongType(name, 'a string', value);
  return value;
}

/** A member that is an object; undefined if it is absent or null. @throws GatewayError 400 for another type */
export function object(body: JsonObject, name: string): JsonObject | undefined {
  const value = body[name];
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) throw wrongType(name, 'an object', value);
  return value;
}

/**
 * A member that is a number from `least` to `most`; undefined if it is absent or null.
 * @throws GatewayError 400 for another value
 */
export function number(body: JsonObject, name: string, least: number, most: number): number | undefined {
  const value = asNumber(body[name]);
  if (value === undefined) {
    if (body[name] === undefined || body[name] === null) return undefined;
    throw wrongType(name, `a number from ${least} to ${most}`, body[name]);
  }
  if (value >= least && value <= most) return value;
  throw invalidRequest(`'${name}' must be a number from ${least} to ${most}.`, name);
}

/**
 * A member that is a whole number of at least `least`; undefined if it is absent or null.
 * @throws GatewayError 400 for another value
 */
export function integer(body: JsonObject, name: string, least: number): number | undefined {
  const value = asNumber(body[name]);
  if (value === undefined) {
    if (body[name] === undefined || body[name] === null) return undefined;
    throw wrongType(name, `a whole number of at least ${least}`, body[name]);
  }
  if (Number.isInteger(value) && value >= least) return value;
  throw invalidRequest(`'${name}' must be a whole number of at least ${least}.`, name);
}
