import fc from 'fast-check';
import { asNumber, parseExact, parseExactWithin, printExact, restoreIntegers } from './exact-integers.js';
import { isObject, nonEmptyString } from './json-value.js';

/** JSON text whose integers may be of any size, with strings that look like numbers in JSON. */
const json: fc.Arbitrary<string> = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }).map(String),
    fc.integer().map(String),
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
    fc
      .oneof(fc.string(), fc.constantFrom('12345678901234567890', '":12345678901234567890,"', '\\"'))
      .map((text) => JSON.stringify(text)),
    fc.constantFrom('true', 'null'),
    fc.array(tie('value')).map((items) => `[${items.join(',')}]`),
    fc
      .array(fc.tuple(fc.string(), tie('value')))
      .map(
        (members) => `{${members.map(([name, value], at) => `${JSON.stringify(`${at}x${name}`)}:${value}`).join(',')}}`,
      ),
  ),
})).value;

describe('exact integers', () => {
  it('are printed unchanged in any context', () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = `{"v":${value}}`;
        expect(printExact(parseExact(text)).replaceAll('-0', '0')).toBe(exactly(text).replaceAll('-0', '0'));
        // JSON within a string keeps its digits as well.
        const nested = JSON.stringify({ text: JSON.stringify(parseExact(text)) });
        expect((JSON.parse(restoreIntegers(nested)) as { text: string }).text.replaceAll('-0', '0')).toBe(
          exactly(text).replaceAll('-0', '0'),
        );
      }),
      { numRuns: 2_000 },
    );
  });

  it('leave everything else as JSON.parse has it, refusals included', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.string(),
          fc.string().map((text) => `{${text}12345678901234567890`),
        ),
        (text) => {
          let expected: unknown;
          try {
            expected = JSON.parse(text);
          } catch {
            expect(() => parseExact(text)).toThrow(SyntaxError);
            return;
          }
          if (!/\d{16}/.test(text)) expect(parseExact(text)).toEqual(expected);
        },
      ),
    );
    for (const text of [
      '{12345678901234567890:1}',
      '[012345678901234567890]',
      '[12345678901234567890x]',
      '[1 12345678901234567890]',
    ]) {
      expect(() => parseExact(text)).toThrow(SyntaxError);
    }
  });

  it('are numbers where a number is asked for', () => {
    const [big, small, text] = parseExact('[9223372036854775807, 7, "7"]') as unknown[];
    expect([asNumber(big), asNumber(small), asNumber(text)]).toEqual([2 ** 63, 7, undefined]);
  });

  it('are marked within the named members alone', () => {
    const text = '{"created":12345678901234567891,"args":{"id":[12345678901234567891]},"n":1}';
    const value = parseExactWithin(text, new Set(['args'])) as Record<string, unknown>;
    expect(value['created']).toBe(12345678901234567000);
    expect(printExact(value['args'])).toBe('{"id":[12345678901234567891]}');
    expect(parseExactWithin('{"a":1}', new Set(['a']))).toEqual({ a: 1 });
  });

  it('are taken for no value of another type', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 2n ** 53n + 1n, max: 10n ** 40n }), fc.boolean(), (integer, isNegative) => {
        const digits = String(isNegative ? -integer : integer);
        fc.pre(String(Number(digits)) !== digits);
        const value = (parseExact(`{"v":${digits}}`) as { v: unknown }).v;
        expect([typeof value === 'string', typeof value === 'number', Array.isArray(value), isObject(value)]).toEqual([
          false,
          false,
          false,
          false,
        ]);
        expect(nonEmptyString(value)).toBeUndefined();
        expect(asNumber(value)).toBe(Number(digits));
        expect(printExact([value])).toBe(`[${digits}]`);
      }),
    );
  });

  it('are found however deep they are nested', () => {
    const depth = 3_000;
    const text = `${'['.repeat(depth)}12345678901234567890${']'.repeat(depth)}`;
    expect(printExact(parseExact(text))).toBe(text);
  });
});

/** The text as a printer without doubles would have it: only numbers that are no integers are normalised. */
function exactly(text: string): string {
  return text.replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (token) =>
    token.startsWith('"') || /^-?\d+$/.test(token) ? token : JSON.stringify(JSON.parse(token)),
  );
}
