import { QueryFailedError } from 'typeorm';
import { isFaultOfData } from './is-fault-of-data.js';

const failed = (code: string): QueryFailedError =>
  new QueryFailedError('INSERT', [], Object.assign(new Error('failed'), { code }));

describe('a fault of data', () => {
  it.each([
    '22P05',
    '22021',
    '22003',
    '23502',
    '54000',
    '42804',
    'SQLITE_TOOBIG',
    'SQLITE_CONSTRAINT_NOTNULL',
    'SQLITE_ERROR',
  ])('is recognised by the code %s', (code) => {
    expect(isFaultOfData(failed(code))).toBe(true);
    expect(isFaultOfData(Object.assign(new Error('from the driver'), { code }))).toBe(true);
  });

  it('is a text that cannot be made', () => {
    expect(isFaultOfData(new RangeError('Invalid string length'))).toBe(true);
  });

  it.each(['40P01', '40001', '55P03', '57014', '57P01', '08006', '53300', 'ECONNRESET', 'SQLITE_BUSY', 'SQLITE_FULL'])(
    'is not what may pass: %s',
    (code) => {
      expect(isFaultOfData(failed(code))).toBe(false);
    },
  );

  it('is not what is unknown', () => {
    expect(isFaultOfData(new Error('Connection terminated unexpectedly'))).toBe(false);
    expect(isFaultOfData(undefined)).toBe(false);
  });
});
