import { upstreamError, type GatewayError } from '../../errors/gateway-error.js';
import { beginsAsJson } from '../../runtime/json-value.js';

/** A response of status 200 that is no JSON. The provider may bill one that begins as JSON and ends early. */
export function invalidResponse(text: string, cause: unknown): GatewayError {
  return upstreamError({
    message: 'The upstream provider answered with invalid JSON.',
    cause,
    mayBeBilled: beginsAsJson(text),
  });
}
