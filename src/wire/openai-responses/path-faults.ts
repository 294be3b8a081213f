import { asNumber } from '../../runtime/exact-integers.js';
import { invalidRequest, type GatewayError } from '../../errors/gateway-error.js';

/** 400: a member that the request cannot do without. */
export function missing(path: string, hint: string): GatewayError {
  return invalidRequest(`Missing required field '${path}'. ${hint}`, path, 'missing_required_parameter');
}

/** 400: a member of another type. */
export function wrongType(path: string, expected: string, value: unknown): GatewayError {
  const actual = value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof (asNumber(value) ?? value)}`;
  return invalidRequest(
    `'${path}' must be ${expected}, not ${actual.replace('a object', 'an object')}.`,
    path,
    'invalid_type',
  );
}
