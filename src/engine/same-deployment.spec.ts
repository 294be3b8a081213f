import {
  type GatewayError,
  rateLimitExceeded,
  upstreamError,
  upstreamTimeout,
  upstreamUnavailable,
} from '../errors/gateway-error.js';
import { pauseBeforeSame } from './same-deployment.js';

function responded(status: number, error: GatewayError): GatewayError {
  error.upstream = { status, code: undefined, message: undefined };
  return error;
}

describe('the pause before the same deployment is tried again', () => {
  it('is the Retry-After, where that is short', () => {
    for (const error of [
      rateLimitExceeded({ message: 'm', retryable: true, retryAfterMs: 2_000 }),
      upstreamUnavailable({ message: 'm', retryAfterMs: 2_000 }),
    ]) {
      const pause = pauseBeforeSame(error, 5_000);
      expect(pause?.isRequested).toBe(true);
      expect(pause?.milliseconds).toBeGreaterThanOrEqual(2_000);
      expect(pause?.milliseconds).toBeLessThan(2_300);
      expect(pauseBeforeSame(error, 1_999)).toBeUndefined();
      expect(pauseBeforeSame(error, 0)).toBeUndefined();
    }
  });

  it('is a moment after a 5xx and after a connection that was closed without a response', () => {
    const closed = Object.assign(new Error('reset'), { code: 'ECONNRESET' });
    for (const error of [
      responded(500, upstreamError({ message: 'm' })),
      responded(503, upstreamUnavailable({ message: 'm' })),
      upstreamError({ message: 'm', cause: closed }),
    ]) {
      expect(pauseBeforeSame(error, 5_000)).toMatchObject({ isRequested: false });
      expect(pauseBeforeSame(error, 5_000)?.milliseconds).toBeLessThanOrEqual(75);
    }
  });

  it('is none after a refusal, a timeout, a 429 that names no time, and work that may be billed', () => {
    const closed = Object.assign(new Error('reset'), { code: 'ECONNRESET' });
    for (const error of [
      responded(429, rateLimitExceeded({ message: 'm', retryable: true, retryAfterMs: undefined })),
      responded(504, upstreamTimeout({ message: 'm' })),
      upstreamTimeout({ message: 'm', mayBeBilled: true }),
      upstreamError({ message: 'm', cause: closed, mayBeBilled: true }),
      upstreamError({ message: 'm', isConnectionFault: true, cause: closed }),
      upstreamError({ message: 'not readable' }),
      upstreamUnavailable({ message: 'm', retryAfterMs: 100, rejectedByGateway: true }),
    ]) {
      expect(pauseBeforeSame(error, 5_000)).toBeUndefined();
    }
  });
});
