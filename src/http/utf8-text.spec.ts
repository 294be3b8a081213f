import fc from 'fast-check';
import { Utf8Text } from './utf8-text.js';

function decode(bytes: Uint8Array, splits: readonly number[]): string | undefined {
  const text = new Utf8Text();
  const buffer = Buffer.from(bytes);
  let start = 0;
  try {
    for (const split of [...splits].sort((one, other) => one - other)) {
      const at = Math.max(start, Math.min(split, buffer.length));
      text.write(buffer.subarray(start, at));
      start = at;
    }
    text.write(buffer.subarray(start));
    return text.end();
  } catch {
    return undefined;
  }
}

function reference(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

describe('Utf8Text', () => {
  const splits = fc.array(fc.nat(40), { maxLength: 10 });

  it('decodes as TextDecoder does, however the bytes are split', () => {
    const texts = fc.string({ unit: 'grapheme' }).map((text) => Buffer.from(text));
    fc.assert(
      fc.property(texts, splits, (bytes, at) => {
        expect(decode(bytes, at)).toBe(reference(bytes));
      }),
    );
  });

  it('refuses the very bytes that TextDecoder refuses', () => {
    const odd = fc.constantFrom(
      0x41,
      0x80,
      0xbf,
      0xc0,
      0xc3,
      0xe2,
      0x82,
      0xac,
      0xed,
      0xa0,
      0xf0,
      0x9f,
      0x98,
      0xf5,
      0xff,
    );
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.array(odd, { maxLength: 12 })), splits, (bytes, at) => {
        expect(decode(Uint8Array.from(bytes), at)).toBe(reference(Uint8Array.from(bytes)));
      }),
      { numRuns: 2_000 },
    );
  });

  it('leaves out a byte order mark at the beginning alone', () => {
    expect(decode(Buffer.from('\ufeff{"a":"\ufeff"}'), [1, 2])).toBe('{"a":"\ufeff"}');
  });
});
