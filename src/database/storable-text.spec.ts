import fc from 'fast-check';
import { storableJson, storableText } from './storable-text.js';

// Full of what is escaped, and of what looks like an escape.
const text = fc
  .array(fc.constantFrom('\0', '\ud83d', '\ude00', '😀', '\\', '\\u0000', 'u0000', '"', 'a', '\u0001', '\n'), {
    maxLength: 8,
  })
  .map((parts) => parts.join(''));

function storable(value: unknown): unknown {
  if (typeof value === 'string') return storableText(value);
  if (Array.isArray(value)) return value.map(storable);
  return value;
}

describe('storableJson', () => {
  it('is the JSON of the storable texts', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(text, fc.array(text))), (value) => {
        expect(JSON.parse(storableJson(JSON.stringify(value)))).toEqual(storable(value));
      }),
      { numRuns: 1_000 },
    );
  });

  it('covers names as well', () => {
    expect(storableJson(JSON.stringify({ 'a\0': { '\ud800': 1 } }))).toBe('{"a\\ufffd":{"\\ufffd":1}}');
  });
});
