import { ForbiddenException, NotFoundException } from '@nestjs/common';
import { GatewayError, invalidRequest } from './gateway-error.js';
import { toGatewayError } from './to-gateway-error.js';

function bodyError(type: string, status: number): Error {
  return Object.assign(new Error('secret body text'), { type, status, limit: 10 });
}

describe('toGatewayError', () => {
  it('leaves a GatewayError as it is', () => {
    const error = invalidRequest('no', 'field');
    expect(toGatewayError(error)).toBe(error);
  });

  it.each([
    ['entity.parse.failed', 400, 400, 'invalid_json'],
    ['entity.too.large', 413, 413, 'request_too_large'],
    ['encoding.unsupported', 415, 415, 'unsupported_media_type'],
    ['charset.unsupported', 415, 415, 'unsupported_media_type'],
    ['request.aborted', 400, 499, 'client_closed_request'],
    ['request.size.invalid', 400, 400, 'invalid_value'],
    ['stream.encoding.set', 500, 500, 'internal_error'],
  ])('maps the body reader’s %s', (type, status, expected, code) => {
    const error = toGatewayError(bodyError(type, status));
    expect(error).toMatchObject({ status: expected, code });
    expect(error.message).not.toContain('secret');
  });

  it('maps Nest’s own exceptions and malformed URLs', () => {
    expect(toGatewayError(new NotFoundException('Cannot GET /x'))).toMatchObject({ status: 404, code: 'not_found' });
    expect(toGatewayError(new ForbiddenException('no'))).toMatchObject({ status: 403, type: 'invalid_request_error' });
    expect(toGatewayError(new URIError('bad'))).toMatchObject({ status: 400, code: 'invalid_url' });
  });

  it.each([[new Error('secret')], ['secret'], [undefined]])('is the constant 500 for %p', (thrown) => {
    const error = toGatewayError(thrown);
    expect(error).toBeInstanceOf(GatewayError);
    expect(error).toMatchObject({ status: 500, code: 'internal_error' });
    expect(error.cause).toBe(thrown);
    expect(JSON.stringify(error.toBody())).not.toContain('secret');
  });
});
