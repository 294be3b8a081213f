import type { ValidationError } from 'class-validator';
import { GatewayError, invalidRequest } from '../errors/gateway-error.js';

const TYPE_CONSTRAINTS = new Set([
  'isString',
  'isInt',
  'isNumber',
  'isBoolean',
  'isArray',
  'isObject',
  'isNumberString',
  'isPlainObject',
]);

/**
 * The 400 for the first fault that class-validator found: `param` is its path, the message begins with the quoted path, and the
 * code distinguishes a missing field, a wrong type, an unknown field and a wrong value.
 */
export function toInvalidRequest(errors: readonly ValidationError[]): GatewayError {
  const first = errors[0];
  return first === undefined ? invalidRequest('The request body is invalid.', null) : describe(first, '');
}

function describe(error: ValidationError, prefix: string): GatewayError {
  const path = joinPath(prefix, error.property);
  const constraints = Object.entries(error.constraints ?? {});
  // A wrong type also fails the range rules; the error names only the type.
  const [name, text] = constraints.find(([constraint]) => TYPE_CONSTRAINTS.has(constraint)) ?? constraints.at(-1) ?? [];
  if (name === undefined || text === undefined) {
    const child = error.children?.[0];
    return child === undefined ? invalidRequest(`'${path}' is invalid.`, path) : describe(child, path);
  }
  if (name === 'whitelistValidation') {
    return invalidRequest(`Unknown field '${path}'. Remove it or check its spelling.`, path, 'unknown_parameter');
  }
  if (error.value === undefined || error.value === null) {
    return invalidRequest(`Missing required field '${path}'.`, path, 'missing_required_parameter');
  }
  const rule = text.startsWith(`${error.property} `) ? text.slice(error.property.length + 1) : text;
  const code = TYPE_CONSTRAINTS.has(name) ? 'invalid_type' : 'invalid_value';
  return invalidRequest(`'${path}' ${rule.replace(/\.?$/, '.')}`, path, code);
}

function joinPath(prefix: string, property: string): string {
  if (prefix === '') return property;
  return /^\d+$/.test(property) ? `${prefix}[${property}]` : `${prefix}.${property}`;
}
