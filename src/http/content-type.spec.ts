import fc from 'fast-check';
import { assertJsonType, charsetOf } from './content-type.js';

const isTaken = (type: string): boolean => {
  try {
    assertJsonType(type);
    return true;
  } catch {
    return false;
  }
};

describe('assertJsonType', () => {
  it.each([
    'application/json',
    'application/json;charset=utf-8',
    'application/json; charset="utf-8"',
    'Application/JSON ; Charset = "UTF-8"',
    'application/json; profile="x; charset=y"; charset=utf-8',
    'application/json; charset=us-ascii',
    'application/vnd.api+json',
  ])('takes %s', (type) => {
    expect(isTaken(type)).toBe(true);
  });

  it.each([
    '',
    'text/plain',
    'application/jsonp',
    'application/json; charset="utf-16"',
    'application/json; charset=iso-8859-1',
    'application/json; a="\\"; charset=utf-8"; charset=latin1',
  ])('refuses %s', (type) => {
    expect(isTaken(type)).toBe(false);
  });

  it('reads a charset behind any other parameters, quoted or not', () => {
    const token = fc.string({ unit: fc.constantFrom(...'abcXYZ019-._'), minLength: 1, maxLength: 8 });
    const quoted = fc.string().map((text) => `"${text.replace(/["\\]/g, '\\$&').replace(/[\r\n]/g, ' ')}"`);
    const parameter = fc
      .tuple(
        token.filter((name) => name.toLowerCase() !== 'charset'),
        fc.oneof(token, quoted),
      )
      .map(([name, value]) => `${name}=${value}`);
    fc.assert(
      fc.property(fc.array(parameter, { maxLength: 4 }), fc.boolean(), (parameters, isQuoted) => {
        const type = ['application/json', ...parameters, `charset=${isQuoted ? '"UTF-8"' : 'UTF-8'}`].join('; ');
        expect(charsetOf(type)).toBe('utf-8');
      }),
    );
  });
});
