import { asNumber } from '../../runtime/exact-integers.js';
import { GatewayError, invalidRequest } from '../../errors/gateway-error.js';

/** 400 for a value of the wrong type, by its path. */
export function wrongType(path: string, expected: string, value: unknown): GatewayError {
  if (value === undefined || value === null) {
    return invalidRequest(
      `Missing required field '${path}'. It must be ${expected}.`,
      path,
      value === undefined ? 'missing_required_parameter' : 'invalid_type',
    );
  }
  const kind = asNumber(value) === undefined ? typeof value : 'number';
  const actual = Array.isArray(value) ? 'an array' : kind === 'object' ? 'an object' : `a ${kind}`;
  return invalidRequest(`'${path}' must be ${expected}, not ${actual}.`, path, 'invalid_type');
}

/** 400: the provider cannot take a value without which the request would mean something else. */
export function unsupportedValue(message: string, param: string): GatewayError {
  return new GatewayError({ status: 400, type: 'invalid_request_error', code: 'unsupported_value', message, param });
}
