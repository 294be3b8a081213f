import fc from 'fast-check';
import { GatewayError } from '../errors/gateway-error.js';
import { assertQuery, isStorable } from './outside-text.js';

const faultOf = (url: string): string => {
  try {
    assertQuery(url);
    return 'none';
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    return `${error.status} ${error.code} ${error.param}`;
  }
};

describe('outside text', () => {
  it('lets every text pass that UTF-8 and a database keep', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme', minLength: 1 }), (value, name) => {
        fc.pre(isStorable(value) && isStorable(name));
        expect(faultOf(`/v1/x?a=1&${encodeURIComponent(name)}=${encodeURIComponent(value)}`)).toBe('none');
      }),
    );
  });

  it.each([
    ['/x?after=%00', '400 invalid_value after'],
    ['/x?limit=1&user=a%00b', '400 invalid_value user'],
    ['/x?user=%E9', '400 invalid_url user'],
    ['/x?user=%ED%A0%80', '400 invalid_url user'],
    ['/x?user=100%', '400 invalid_url user'],
    ['/x?%00=1', '400 invalid_value query'],
    ['/x?a', 'none'],
    ['/x?', 'none'],
    ['/x', 'none'],
    ['/x?a=b=c%3D', 'none'],
  ])('judges %s: %s', (url, expected) => {
    expect(faultOf(url)).toBe(expected);
  });
});
