import { QueryFailedError } from 'typeorm';
import { isDatabaseUnavailable } from './database-error.js';
import { toGatewayError } from './to-gateway-error.js';

const failed = (code: string | undefined, message = 'x'): Error =>
  new QueryFailedError('SELECT 1', [], Object.assign(new Error(message), code === undefined ? {} : { code }));

describe('a database that is away', () => {
  it.each(['57P01', '57P03', '08006', '53300', 'ECONNREFUSED', 'SQLITE_BUSY_SNAPSHOT', 'SQLITE_FULL'])(
    '%s is a 503 with retry-after',
    (code) => {
      const error = toGatewayError(failed(code));
      expect([error.status, error.code, error.headers['retry-after']]).toEqual([503, 'database_unavailable', '1']);
    },
  );

  it.each([
    new Error('Connection terminated unexpectedly'),
    new Error('timeout exceeded when trying to connect'),
    new AggregateError([Object.assign(new Error('x'), { code: 'ECONNREFUSED' })]),
  ])('%s is one too', (error) => {
    expect(isDatabaseUnavailable(error)).toBe(true);
  });

  it.each([failed('42601'), failed('23505'), failed(undefined), new Error('x'), undefined])(
    '%s is a fault of ours',
    (error) => {
      expect(toGatewayError(error).code).toBe('internal_error');
    },
  );
});
