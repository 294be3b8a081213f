import { randomBytes } from 'node:crypto';
import type { ConfigFault } from './config-error.js';
import { readEncryptionKeys } from './read-encryption-keys.js';

function read(current: string, previous = '') {
  const faults: ConfigFault[] = [];
  const values: Record<string, string> = {
    GATEWAY_REQUEST_LOG_KEY: current,
    GATEWAY_REQUEST_LOG_PREVIOUS_KEYS: previous,
  };
  const keys = readEncryptionKeys((name) => values[name] || undefined, faults);
  return { keys, faults: faults.map(({ path }) => path) };
}

describe('readEncryptionKeys', () => {
  const [first, second, third] = [randomBytes(32), randomBytes(32), randomBytes(32)] as const;

  it('reads hex, base64 and base64url, the current one first', () => {
    expect(read('').keys).toEqual([]);
    expect(read(first.toString('hex'), `${second.toString('base64')}, ${third.toString('base64url')}`)).toEqual({
      keys: [first, second, third].map((key) => key.toString('hex')),
      faults: [],
    });
  });

  it('refuses what is no key of 32 random bytes', () => {
    for (const wrong of [
      'short',
      '0'.repeat(64),
      randomBytes(16).toString('hex'),
      'A'.repeat(43),
      `${first.toString('hex')}0`,
    ]) {
      expect(read(wrong).faults).toEqual(['GATEWAY_REQUEST_LOG_KEY']);
    }
    expect(read(first.toString('hex'), 'x').faults).toEqual(['GATEWAY_REQUEST_LOG_PREVIOUS_KEYS']);
    expect(read('', first.toString('hex')).faults).toEqual(['GATEWAY_REQUEST_LOG_PREVIOUS_KEYS']);
  });
});
