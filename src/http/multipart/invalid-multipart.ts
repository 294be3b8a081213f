import { invalidRequest, type GatewayError } from '../../errors/gateway-error.js';

/** 400: the body is no `multipart/form-data` that every parser understands alike. */
export function invalidMultipart(message: string, param: string | null = null): GatewayError {
  return invalidRequest(message, param, 'invalid_multipart');
}
