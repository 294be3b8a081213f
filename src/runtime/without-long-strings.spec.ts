import fc from 'fast-check';
import type { JsonObject } from './json-value.js';
import { withoutLongStrings } from './without-long-strings.js';

const LONG_BYTES = 4_096;

function shortened(value: unknown): unknown {
  if (typeof value === 'string') return Buffer.byteLength(JSON.stringify(value)) - 2 >= LONG_BYTES ? '' : value;
  if (Array.isArray(value)) return value.map(shortened);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value as JsonObject).map(([name, item]) => [name, shortened(item)]));
}

describe('withoutLongStrings', () => {
  it('keeps everything but long strings', () => {
    const long = fc
      .tuple(fc.constantFrom('a', '\\', '"', 'é', '\\"', '\u0000'), fc.integer({ min: 500, max: 5_000 }))
      .map(([unit, length]) => unit.repeat(length));
    const text = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 20 }), long);
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        text,
        fc.integer(),
        fc.constant(null),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(fc.constantFrom('a', 'b"', 'c\\'), tie('value'), { maxKeys: 3 }),
      ),
    }));
    fc.assert(
      fc.property(value, (json) => {
        const short = withoutLongStrings(Buffer.from(JSON.stringify(json)));
        expect(JSON.parse(short.toString())).toEqual(shortened(json));
      }),
      { numRuns: 300 },
    );
  });

  it('leaves what is not JSON as it is', () => {
    for (const text of ['', '"', '{"a', '"\\"', `"${'a'.repeat(10_000)}`, '\\\\"']) {
      expect(withoutLongStrings(Buffer.from(text)).toString()).toBe(text);
    }
  });
});
