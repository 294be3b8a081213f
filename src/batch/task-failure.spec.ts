import { databaseUnavailable } from '../errors/database-error.js';
import { GatewayError, invalidRequest, rateLimitExceeded, upstreamError } from '../errors/gateway-error.js';
import { outcomeOfFailure } from './task-failure.js';

const half = (): number => 0.5;

describe('the outcome of a task whose call has failed', () => {
  it('is a wait that counts no attempt where no provider was called', () => {
    const refused = rateLimitExceeded({ message: 'full', retryAfterMs: 4_000, rejectedByGateway: true });
    for (const attempts of [0, 2, 9]) {
      expect(outcomeOfFailure(databaseUnavailable(new Error('gone')), attempts, 3)).toEqual({
        status: 'queued',
        delayMs: 1_000,
      });
      expect(outcomeOfFailure(refused, attempts, 3, () => 0)).toEqual({ status: 'queued', delayMs: 2_000 });
      expect(outcomeOfFailure(refused, attempts, 3, half)).toEqual({ status: 'queued', delayMs: 4_000 });
    }
  });

  it('is a further attempt while there are some left, never earlier than the provider asked for', () => {
    const limited = rateLimitExceeded({ message: 'slow down', retryAfterMs: 7_000 });
    const first = outcomeOfFailure(limited, 0, 3, half);
    expect(first).toEqual({ status: 'queued', attempts: 1, delayMs: 7_500 });
    expect(outcomeOfFailure(limited, 1, 3, half)).toEqual({ status: 'queued', attempts: 2, delayMs: 8_000 });
    expect(outcomeOfFailure(limited, 2, 3, half)).toMatchObject({ status: 'failed', attempts: 3 });
    expect(outcomeOfFailure(upstreamError({ message: 'broken' }), 0, 3, half)).toMatchObject({ status: 'queued' });
  });

  it.each([
    ['a refused request', invalidRequest("'n' is too high.", 'n')],
    ['a response above the limit', upstreamError({ message: 'too large', retryable: false })],
    [
      'a spent account',
      new GatewayError({ status: 429, type: 'insufficient_quota', code: 'insufficient_quota', message: 'no credit' }),
    ],
  ])('is final for %s', (_name, error) => {
    expect(outcomeOfFailure(error, 0, 3)).toEqual({ status: 'failed', attempts: 1 });
  });
});
