import { HttpException } from '@nestjs/common';
import { databaseUnavailable, isDatabaseUnavailable, isUnstorableText } from './database-error.js';
import { GatewayError, internalError, invalidJson, invalidRequest, notFound } from './gateway-error.js';

/** The members that body-parser and raw-body add to their errors (http-errors with a `type`). */
interface BodyReadError extends Error {
  type: string;
  status: number;
  limit?: number;
}

function isBodyReadError(error: unknown): error is BodyReadError {
  return error instanceof Error && 'type' in error && typeof error.type === 'string' && 'status' in error;
}

/** The client has disconnected and receives no response; the status is nginx's, for the log. */
export function clientClosedRequest(): GatewayError {
  return new GatewayError({
    status: 499,
    type: 'invalid_request_error',
    code: 'client_closed_request',
    message: 'The client closed the connection before the answer was complete.',
  });
}

/** A 415 with the code `unsupported_media_type`. */
export function unsupportedMediaType(message: string): GatewayError {
  return new GatewayError({
    status: 415,
    type: 'invalid_request_error',
    code: 'unsupported_media_type',
    message,
  });
}

function fromBodyReadError(error: BodyReadError): GatewayError {
  switch (error.type) {
    case 'entity.parse.failed':
      return invalidJson();
    case 'entity.too.large':
      return new GatewayError({
        status: 413,
        type: 'invalid_request_error',
        code: 'request_too_large',
        message: `The request body is larger than this route takes (${String(error.limit ?? 'the limit')} bytes). Send less.`,
      });
    case 'encoding.unsupported':
      return unsupportedMediaType('Unsupported content-encoding. Send the body plain, or with gzip, deflate or br.');
    case 'charset.unsupported':
      return unsupportedMediaType('Unsupported charset. Send the body as JSON in UTF-8.');
    case 'request.aborted':
      return clientClosedRequest();
    default:
      return error.status < 500
        ? invalidRequest('The request body could not be read. Check content-length and content-encoding.', null)
        : internalError(error);
  }
}

function invalidUrl(): GatewayError {
  return invalidRequest('The URL is not valid percent-encoding.', null, 'invalid_url');
}

/** Converts anything that was thrown into the one class of errors that clients see; unknown errors become a constant 500. */
export function toGatewayError(error: unknown): GatewayError {
  if (error instanceof GatewayError) return error;
  if (isBodyReadError(error)) return fromBodyReadError(error);
  if (error instanceof URIError) return invalidUrl();
  if (error instanceof HttpException) {
    const status = error.getStatus();
    // Nest has already wrapped the URIError of Express's router.
    if (status === 400 && error.message.startsWith('Failed to decode param')) return invalidUrl();
    if (status === 404) return notFound(error.message);
    if (status < 500) {
      return new GatewayError({
        status,
        type: 'invalid_request_error',
        code: 'invalid_request',
        message: error.message,
        cause: error,
      });
    }
  }
  if (isDatabaseUnavailable(error)) return databaseUnavailable(error);
  if (isUnstorableText(error)) {
    return invalidRequest('The request has NUL characters or halves of surrogate pairs. Take them out.', null);
  }
  return internalError(error);
}
