import { GatewayError } from '../../errors/gateway-error.js';
import { assertFinite } from '../../http/json-bounds.js';
import { parseJson } from '../../http/read-json.js';
import { inPart } from './streaming-json.js';

/**
 * Parses a part of a submission.
 *
 * @param isExact whether integers beyond 2^53 keep their digits
 * @throws GatewayError 400 where it is not JSON or has a number beyond a double
 */
export function parsePart(json: string, mayOverflow: boolean, path: string, isExact = false): unknown {
  const value = parseJson(json, isExact);
  if (!mayOverflow) return value;
  try {
    assertFinite(value);
    return value;
  } catch (error) {
    throw error instanceof GatewayError ? inPart(error, path) : error;
  }
}
