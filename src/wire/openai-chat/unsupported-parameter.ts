import { GatewayError } from '../../errors/gateway-error.js';

/** 400: the client sent `strict_params`, so nothing may be left out in silence. */
export function unsupportedParameter(name: string): GatewayError {
  return new GatewayError({
    status: 400,
    type: 'invalid_request_error',
    code: 'unsupported_parameter',
    message: `'${name}' is not supported by this model's provider. Leave it out, or send the request without strict_params.`,
    param: name,
  });
}
