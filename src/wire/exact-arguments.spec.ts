import fc from 'fast-check';
import { printExact } from '../runtime/exact-integers.js';
import { parseWithExactArguments } from './exact-arguments.js';

const LARGE = '9007199254740993';

describe('a response with integers beyond 2^53', () => {
  it.each(['input', 'args'])('keeps the digits within %s alone', (name) => {
    const parsed = parseWithExactArguments(`{"text":${LARGE},"call":{"${name}":{"deep":[${LARGE}]}}}`);
    expect(printExact(parsed)).toBe(`{"text":9007199254740992,"call":{"${name}":{"deep":[${LARGE}]}}}`);
    expect((parsed as { text: unknown }).text).toBe(9_007_199_254_740_992);
  });

  it('has numbers as numbers and texts as texts, wherever they stand', () => {
    const name = fc.constantFrom('text', 'id', 'content', 'name', 'signature');
    fc.assert(
      fc.property(name, fc.bigInt({ min: 10n ** 15n, max: 10n ** 25n }), fc.string(), (field, integer, text) => {
        const json = `{"a":{"${field}":${integer}},"b":[{"${field}":${JSON.stringify(text)}}]}`;
        expect(parseWithExactArguments(json)).toEqual({ a: { [field]: Number(integer) }, b: [{ [field]: text }] });
      }),
    );
  });
});
