import { type GatewayError, upstreamError } from '../errors/gateway-error.js';

/** A tool call that no client can run. To leave it out would make a response of a part of one. */
export function namelessCall(): GatewayError {
  return upstreamError({ message: 'The upstream provider sent a tool call without a name.' });
}
